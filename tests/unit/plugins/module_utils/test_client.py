"""Requests to an API server, or to what answers in its place: what counts as an answer, what is sent again, and when it is given up."""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
import traceback
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import kubernetes
import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _module, _texts
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, login, visibility, wait

REGISTRIES = ("modelregistry.opendatahub.io/v1beta1", "modelregistries")
GROUPS = ("user.openshift.io/v1", "groups")
OBJECT = {"kind": "ModelRegistry", "metadata": {"name": "one", "uid": "u"}, "spec": {}}
ALLOWED = {"status": {"allowed": True}}


class Answers(BaseHTTPRequestHandler):
    """Answers each request as the next of the server's answers says, and the last one for ever."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, self.headers, body))
        given = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        given(self) if callable(given) else self.send(*given)

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def send(self, status, content, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Nothing of it is printed."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(client, "PAUSE", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        running.daemon_threads = True
        running.answers, running.seen, running.ended = [], [], threading.Event()
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.ended.set()
        running.shutdown()


@pytest.fixture
def cluster(server):
    configuration = kubernetes.client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
    configuration.proxy = None
    api = kubernetes.client.ApiClient(configuration)
    api.rest_client.pool_manager.connection_pool_kw["retries"] = False
    return client.Cluster(kubernetes.dynamic.DynamicClient(api, discoverer=lambda *_: None), configuration, None)


def create(cluster, dry_run=False):
    return cluster.write("POST", REGISTRIES, "ns", "one", {"metadata": {"name": "one"}}, dry_run)


def half(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"kind": ')
    handler.close_connection = True


def nothing(handler):
    handler.close_connection = True


NO_OBJECTS = {
    "half a body": half,
    "no answer": nothing,
    "half a JSON": (200, b'{"kind": "Model'),
    "empty": (200, b""),
    "not UTF-8": (200, b'{"kind": "\xff"}'),
    "null": (200, b"null"),
    "a list": (200, b"[]"),
    "a text": (200, b'"one"'),
    "a number": (200, b"5"),
    "a page": (200, b"<html>log in</html>"),
    "nested": (200, b"[" * 200_000),
    "without metadata": (200, {"kind": "ModelRegistry"}),
    "metadata is null": (200, {"kind": "ModelRegistry", "metadata": None}),
    "a text for its specification": (200, {**OBJECT, "spec": "text"}),
    "a Status": (200, {"kind": "Status", "metadata": {}, "status": "Success"}),
    "a message that is null": (200, {"message": None}),
    "502": (502, b"<html>\xffBad gateway</html>"),
    "504": (504, b""),
    "a 404 of another server": (404, b"<html>not found</html>"),
    "a redirect": (302, b"", [("Location", "http://127.0.0.1:9/login")]),
}


@pytest.mark.parametrize("answer", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_what_is_no_answer_is_read_again_and_a_write_may_have_been_carried_out(cluster, server, answer):
    server.answers = [answer, (200, OBJECT)]
    assert cluster.read(REGISTRIES, "ns", "one") == OBJECT
    server.answers, server.seen = [answer, (200, OBJECT)], server.seen[:0]
    with pytest.raises(_errors.ClusterError) as failure:
        create(cluster)
    assert failure.value.unclear and failure.value.status is None and "did not respond" in str(failure.value)
    assert len(server.seen) <= 1


def delete(cluster):
    return cluster.write("DELETE", REGISTRIES, "ns", "one", {"kind": "DeleteOptions"}, False)


@pytest.mark.parametrize(
    "answer",
    [
        *(answer for name, answer in NO_OBJECTS.items() if name not in ("a Status", "a 404 of another server")),
        (200, {}),
        (200, {"kind": "Status", "metadata": "text", "status": "Failure", "reason": "Conflict"}),
    ],
)
def test_a_deletion_is_done_only_if_the_api_server_says_so(cluster, server, answer):
    server.answers = [answer, (200, OBJECT)]
    with pytest.raises(_errors.ClusterError) as failure:
        delete(cluster)
    assert failure.value.unclear and len(server.seen) <= 1
    for done in (NO_OBJECTS["a Status"], (200, OBJECT)):
        server.answers = [done]
        delete(cluster)


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"items": []}),
        (200, {"metadata": {}, "items": "text"}),
        (200, {"metadata": {}, "items": [None]}),
        (200, {"metadata": {}, "items": [{"metadata": {}}]}),
    ],
)
def test_what_is_no_list_is_read_again(cluster, server, answer):
    server.answers = [answer, (200, {"metadata": {}, "items": [OBJECT]})]
    assert cluster.items(REGISTRIES, "ns") == [OBJECT]


def test_a_list_of_metadata_is_also_understood_where_no_second_form_is_offered(cluster, server):
    server.answers = [(200, {"metadata": {}, "items": [{**OBJECT, "data": {"password": "word"}}]}), (200, {"metadata": {}, "items": None})]
    assert cluster.metadata(("v1", "secrets"), "ns") == [{"metadata": OBJECT["metadata"]}]
    assert cluster.metadata(("v1", "secrets"), "ns") == []
    offered = [part.strip() for part in server.seen[0][2]["Accept"].split(",")]
    assert "PartialObjectMetadataList" in offered[0] and offered[1] == "application/json"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_reads_reviews_and_dry_runs_are_sent_again_and_writes_only_when_they_were_put_off(cluster, server, status):
    broken = (status, {"kind": "Status", "message": "broken"})
    for ask, answer in (
        (lambda: cluster.read(REGISTRIES, "ns", "one"), OBJECT),
        (lambda: create(cluster, dry_run=True), OBJECT),
        (lambda: cluster.missing_rights("ns", [client.Right("get", "", "pods")]), ALLOWED),
        (lambda: cluster.allows("/apis/authorization.k8s.io/v1/namespaces/ns/localsubjectaccessreviews", {}, "asking"), ALLOWED),
    ):
        server.answers = [broken, broken, (200, answer)]
        ask()
    server.answers, server.seen = [broken, (200, OBJECT)], []
    if status in (429, 503):
        create(cluster)
        assert len(server.seen) == 2
    else:
        with pytest.raises(_errors.ClusterError) as failure:
            create(cluster)
        assert failure.value.unclear and len(server.seen) == 1


def test_a_write_that_may_have_been_carried_out_before_it_was_refused_is_unclear(cluster, server):
    server.answers = [(503, {"kind": "Status", "message": "later"}), (409, {"kind": "Status", "message": "exists"})]
    with pytest.raises(_errors.ClusterError) as failure:
        create(cluster)
    assert failure.value.status == 409 and failure.value.unclear
    server.answers = [(429, {"kind": "Status", "message": "later"}), (409, {"kind": "Status", "message": "exists"})]
    with pytest.raises(_errors.ClusterError) as failure:
        create(cluster)
    assert not failure.value.unclear


def test_a_webhook_that_cannot_be_reached_has_let_nothing_be_written(cluster, server):
    server.answers = [(500, {"kind": "Status", "message": "Internal error occurred: failed calling webhook x"})]
    with pytest.raises(_errors.ClusterError) as failure:
        create(cluster)
    assert not failure.value.unclear


@pytest.mark.parametrize("asked", ["²", "-1", "1e3", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400, ""])
def test_a_pause_that_is_no_number_of_seconds_is_a_short_one(cluster, server, asked):
    server.answers = [lambda handler: handler.send(429, {"kind": "Status"}, [("Retry-After", asked.encode().decode("latin-1"))]), (200, OBJECT)]
    assert cluster.read(REGISTRIES, "ns", "one") == OBJECT


def test_a_message_of_the_server_is_cut_and_cannot_steer_a_terminal(cluster, server):
    hostile = "\x1b[31mno\x1b[0m\n\u202eway \x9b2J\x07" + "x" * 2_000_000
    server.answers = [(403, {"kind": "Status", "message": hostile})]
    with pytest.raises(_errors.ClusterError) as failure:
        cluster.read(REGISTRIES, "ns", "one")
    assert "responded with 403: " in str(failure.value)
    assert len(str(failure.value)) < 2 * _texts.LONGEST and str(failure.value).isprintable()
    server.answers = [(403, {"kind": "Status", "message": None})]
    with pytest.raises(_errors.ClusterError, match="no message"):
        cluster.read(REGISTRIES, "ns", "one")


def drips(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _moment in range(100):
        handler.wfile.write(b" ")
        if handler.server.ended.wait(0.05):
            break
    handler.close_connection = True


def test_a_request_ends_although_its_answer_drips_for_ever(cluster, server, monkeypatch):
    monkeypatch.setattr(client, "REQUEST_SECONDS", 0.4)
    server.answers = [drips]
    with pytest.raises(_errors.ClusterError, match="no complete response within"):
        cluster.read(REGISTRIES, "ns", "one")
    # Not sent again either, when the time of one is over.
    assert len(server.seen) == 1


def test_reading_ends_soon_although_each_answer_is_slow_and_puts_it_off(cluster, server, monkeypatch):
    monkeypatch.setattr(client, "REQUEST_SECONDS", 0.4)

    def slow(handler):
        handler.server.ended.wait(0.25)
        handler.send(503, {"kind": "Status", "message": "later"})

    server.answers = [slow]
    with pytest.raises(_errors.ClusterError, match="responded with 503"):
        cluster.read(REGISTRIES, "ns", "one")
    assert len(server.seen) == 2


@pytest.mark.parametrize("items", [[OBJECT], []])
def test_a_list_whose_pages_repeat_is_given_up(cluster, server, items):
    server.answers = [(200, {"metadata": {"continue": "more"}, "items": items})] * 9 + [(200, {"metadata": {}, "items": items})]
    with pytest.raises(_errors.ClusterError, match="did not respond: the same page of the list was received twice") as failure:
        cluster.items(REGISTRIES, "ns")
    assert failure.value.status is None and len(server.seen) < 4


def test_a_list_begins_anew_where_its_pages_have_expired(cluster, server):
    first, second = {"metadata": {"continue": "more"}, "items": [OBJECT]}, {"metadata": {}, "items": [{**OBJECT, "metadata": {"name": "two", "uid": "v"}}]}
    server.answers = [(200, first), (410, {"kind": "Status", "message": "expired"}), (200, first), (200, second)]
    assert [item["metadata"]["name"] for item in cluster.items(REGISTRIES, "ns")] == ["one", "two"]


def test_the_requests_of_a_wait_end_soon_after_its_deadline(cluster, server, monkeypatch):
    monkeypatch.setattr(client, "GRACE_SECONDS", 0)
    server.answers = [(503, {"kind": "Status"}, [("Retry-After", "30")])]
    with pytest.raises(_errors.ClusterError):
        cluster.until(time.monotonic() + 0.2).read(REGISTRIES, "ns", "one")
    assert len(server.seen) == 1


def test_a_log_is_read_up_to_a_limit_and_a_line_that_it_cut_is_dropped(cluster, server, monkeypatch):
    monkeypatch.setattr(client, "LONGEST_LOG", 20)
    server.answers = [(200, b"line one\nuser:passwo"), (200, b"line one\n\xff")]
    assert cluster.log("ns", "pod", "server", previous=False) == "line one"
    assert "limitBytes=20" in server.seen[0][1]
    assert cluster.log("ns", "pod", "server", previous=False) == "line one\n\ufffd"


def test_logs_that_cannot_be_read_are_one_warning_of_a_kind(server, cluster):
    server.answers = [(403, {"kind": "Status", "message": "pods is forbidden"})]
    warnings = []
    for name in ("team-a", "team-b"):
        with pytest.raises(_errors.ClusterError) as refused:
            cluster.log("ns", f"{name}-5d6dfb648-{name[-1]}whgn", "server", previous=False)
        warnings.append(f"registry {name!r}: the log could not be read: {refused.value}")
    [told] = _module.grouped(warnings)
    assert told.startswith(warnings[0].rstrip(".")) and told.endswith("This also applies to 'team-b'.")


@pytest.mark.parametrize(
    ("answer", "version"),
    [({"major": "1", "minor": "36+"}, (1, 36)), ({"major": "", "minor": ""}, None), ({}, None), ({"major": None, "minor": "x"}, None)],
)
def test_a_server_without_a_version_is_one(cluster, server, answer, version):
    server.answers = [(200, answer)]
    assert cluster.server_version() == version


def test_the_clock_is_that_of_the_api_server(cluster, server):
    server.answers = [lambda handler: handler.send(200, OBJECT, [("X", "y")])]
    cluster.read(REGISTRIES, "ns", "one")
    assert abs((cluster.now - datetime.now(timezone.utc)).total_seconds()) < 30
    cluster._date = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert cluster.now == datetime(2015, 10, 21, 7, 28, tzinfo=timezone.utc)
    cluster._date = "no date"
    assert cluster.now.tzinfo


# Watches


class Pauses:
    """In place of the event that ends a watch: notes the pauses and ends it with the fifth."""

    def __init__(self):
        self.noted = []

    def is_set(self):
        return len(self.noted) > 4

    def wait(self, seconds):
        self.noted.append(round(seconds))


def watched(cluster):
    changed, pauses = threading.Event(), Pauses()
    cluster._follow(client.path_of(REGISTRIES, "ns"), {}, time.monotonic() + 1000, changed, pauses)
    return changed.is_set(), pauses.noted


def test_a_watch_that_ends_at_once_is_started_again_after_growing_pauses(cluster, server, monkeypatch):
    monkeypatch.setattr(client, "WATCH_PAUSE", 10.0)
    server.answers = [(200, b'{"type": "ERROR"}'), (410, {"kind": "Status"}), nothing, (500, b"")]
    assert watched(cluster) == (True, [20, 30, 30, 30, 30])


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_watch_that_is_refused_is_not_asked_for_again(cluster, server, status):
    server.answers = [(status, {"kind": "Status", "message": "no"})]
    assert watched(cluster) == (False, [])
    assert len(server.seen) == 1


# The wait


def test_a_wait_looks_until_nothing_is_missing_and_says_what_is(cluster, server):
    server.answers = [(200, b"")]
    told, missing = [], ["a pod", "a route", ""]
    cluster.tell = told.append
    assert wait.until(lambda _last: missing.pop(0), cluster, time.monotonic() + 30, what="registry 'one': ", poll=lambda: 0.01) == ""
    assert told == ["waiting for registry 'one': a pod", "waiting for registry 'one': a route"]


def test_what_may_pass_does_not_end_a_wait_and_what_cannot_does(cluster):
    def look(_last):
        raise errors.pop(0) if errors else StopIteration

    errors = [_errors.ClusterError("no answer"), _errors.ClusterError("broken", 500), _errors.ClusterError("busy", 429), _errors.ClusterError("no", 403)]
    with pytest.raises(_errors.ClusterError, match=r"^no$"):
        wait.until(look, cluster, time.monotonic() + 30, poll=lambda: 0.01)
    assert errors == []


def test_a_wait_ends_at_its_deadline_with_a_last_look_and_what_is_missing_then(cluster):
    looks = []

    def look(is_last):
        looks.append(is_last)
        return "a pod"

    assert wait.until(look, cluster, time.monotonic() + 0.3, poll=lambda: 60) == "a pod"
    assert looks == [False, True]
    assert wait.until(look, cluster, time.monotonic(), poll=lambda: 60) == "a pod"


def test_a_wait_stops_when_the_run_is_to_stop(cluster):
    class Cancelled(Exception):
        pass

    def stop():
        raise Cancelled

    cluster.before_writing = stop
    with pytest.raises(Cancelled):
        wait.until(lambda _last: "a pod", cluster, time.monotonic() + 30)


def test_what_is_watched_is_looked_at_when_it_changes(cluster, server):
    server.answers = [(200, b'{"type": "ADDED"}')]
    looks, missing = [], ["a pod", ""]

    def look(is_last):
        looks.append(is_last)
        return missing.pop(0)

    assert wait.until(look, cluster, time.monotonic() + 60, [(REGISTRIES, "ns", {})], poll=lambda: 60) == ""
    # Otherwise the second look would have been the last one.
    assert looks == [False, False]


# What may be missing


def failing(status):
    def read():
        raise _errors.ClusterError(f"status {status}", status)

    return read


@pytest.mark.parametrize("status", [None, 400, 401, 403, 404, 409, 429, 500, 503])
def test_what_is_read_for_advice_never_stops_a_run(status):
    told = []
    assert visibility.seen(failing(status), "nothing", told.append) == "nothing"
    assert told == ([] if status in (400, 404) else [f"status {status}"])


def test_what_is_acted_upon_is_missing_only_where_it_may_not_be_read_or_there_is_none():
    told = []
    for status in (403, 404):
        assert visibility.seen(failing(status), None, told.append, advice=False) is None
    for status in (None, 401, 500, 503):
        with pytest.raises(_errors.ClusterError):
            visibility.seen(failing(status), None, told.append, advice=False)
    assert told == ["status 403"]


def test_a_refusal_of_what_the_cluster_does_not_know_is_not_told():
    told = []
    visibility.seen(failing(403), None, told.append, served=lambda: False)
    assert told == []
    visibility.seen(failing(403), None, told.append, served=failing(503))
    assert told == ["status 403"]


# Logging in

# What the library asks for before anything else.
DISCOVERED = (200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": [], "resources": []})


class Module:
    server_side_dry_run = False

    def __init__(self, **params):
        self.params = params

    def requires(self, *_arguments):
        """Everything is there."""


@pytest.fixture
def reached(server, monkeypatch, tmp_path):
    """The options that lead to the server, with an environment that leads nowhere, and without what was seen of a server before."""
    for name in [name for name in os.environ if name.startswith("K8S_AUTH_") or name == "KUBECONFIG"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    # The library keeps the last kubeconfig for the whole process.
    monkeypatch.setattr(kubernetes.client.Configuration, "_default", None)
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return {"host": f"https://127.0.0.1:{server.server_port}", "ca_cert": str(tmp_path / "ca.pem"), "no_proxy": "*"}


class FakeDynamic:
    """What kubernetes.core returns for an API server that answers at this address."""

    def __init__(self, host):
        self.configuration = kubernetes.client.Configuration(host=host)


def of_token(reached, token):
    """A kubeconfig with a token."""
    return {
        **kubeconfig("c"),
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": reached["host"], "certificate-authority": reached["ca_cert"]}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }


def printed(error):
    """A traceback of it."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


@pytest.mark.parametrize("token", ["sha256~a-secret-word\n", "sha256~a-secret-word\r\n", "sha256~a\na-secret-word", "sha256~a-secret-word\u2026"])
@pytest.mark.parametrize("given", ["api_key", "kubeconfig", "K8S_AUTH_API_KEY"])
def test_a_token_that_cannot_be_sent_is_not_repeated(reached, server, monkeypatch, given, token):
    server.answers = [DISCOVERED]
    options = {"api_key": {**reached, "api_key": token}, "kubeconfig": {"kubeconfig": of_token(reached, token)}}.get(given, reached)
    if given == "K8S_AUTH_API_KEY":
        monkeypatch.setenv(given, token)
    with pytest.raises(_errors.ClusterError, match=f"^connecting to the cluster failed: {_texts.OF_HEADERS}.$") as failure:
        login.connect(Module(**options))
    assert "a-secret-word" not in printed(failure.value)
    assert server.seen == []


def test_connecting_ends_although_the_first_answer_drips_for_ever(reached, server, monkeypatch):
    monkeypatch.setattr(client, "REQUEST_SECONDS", 0.4)
    server.answers = [drips]
    with pytest.raises(_errors.ClusterError, match=r"^connecting to the cluster failed: .* no complete response within"):
        login.connect(Module(**reached, api_key="token"))


def test_a_module_that_ends_while_it_connects_ends(reached, server):
    class Ending(Module):
        def requires(self, *_arguments):
            raise SystemExit(1)

    with pytest.raises(SystemExit):
        login.connect(Ending(**reached, api_key="token"))


# Where the library looks for a kubeconfig.
LOCATION = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
VARIABLES = {variable: option for option, variables in login.OF_ENVIRONMENT.items() for variable in variables}


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("named", ["kubeconfig", "context"])
def test_the_environment_does_not_lead_away_from_the_cluster_that_the_options_name(reached, server, monkeypatch, tmp_path, variable, named):
    server.answers = [DISCOVERED]
    (tmp_path / "config").write_text(json.dumps(of_token(reached, "token")))
    options = {"context": "c"} if named == "context" else {"kubeconfig": str(tmp_path / "config")}
    if named == "context":
        monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv(variable, "https://127.0.0.1:1")
    if (variable, named) == ("K8S_AUTH_CONTEXT", "context"):
        # The option has precedence.
        assert login.connect(Module(**options)).host == reached["host"]
        return
    with pytest.raises(_errors.ClusterError) as failure:
        login.connect(Module(**options))
    assert f"Unset {variable}, or set the option {VARIABLES[variable]}" in str(failure.value)
    assert server.seen == []
    monkeypatch.delenv(variable)
    assert login.connect(Module(**options)).host == reached["host"]


def test_a_host_and_its_token_may_come_from_the_environment_or_the_options(reached, server, monkeypatch):
    server.answers = [DISCOVERED]
    monkeypatch.setenv("K8S_AUTH_API_KEY", "token")
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", "/nowhere")
    assert login.connect(Module(**reached)).host == reached["host"]
    monkeypatch.setenv("K8S_AUTH_HOST", reached["host"] + "/")
    assert login.connect(Module(**{**reached, "host": None})).host == reached["host"]
    # However it is spelled.
    monkeypatch.setenv("K8S_AUTH_HOST", reached["host"].upper())
    assert login.connect(Module(**reached)).host == reached["host"]
    assert login.connect(Module(**reached, context="c")).bearer_token == "token"


@pytest.mark.parametrize("variable", [variable for variable, option in VARIABLES.items() if option not in ("host", "context")])
def test_a_login_of_the_environment_is_not_sent_to_another_api_server_than_that_of_the_environment(reached, server, monkeypatch, variable):
    server.answers = [DISCOVERED]
    monkeypatch.setenv("K8S_AUTH_HOST", "https://127.0.0.1:1")
    monkeypatch.setenv(variable, "a-secret-word")
    with pytest.raises(_errors.ClusterError) as failure:
        login.connect(Module(**reached, **({"api_key": "token"} if variable != "K8S_AUTH_API_KEY" else {})))
    assert f"{variable} belongs to the API server in K8S_AUTH_HOST. Unset {variable}" in str(failure.value)
    assert "a-secret-word" not in str(failure.value) and server.seen == []
    monkeypatch.delenv(variable)
    assert login.connect(Module(**reached, api_key="token")).bearer_token == "token"


@pytest.mark.parametrize("given", ["host", "K8S_AUTH_HOST"])
@pytest.mark.parametrize("address", ["127.0.0.1:{}", "api.example.com:{}", "//127.0.0.1:{}", "http://api.example.com:{}", "root:a-secret-word@127.0.0.1:{}"])
def test_a_login_is_not_sent_without_tls(server, monkeypatch, given, address):
    for name in [name for name in os.environ if name.startswith("K8S_AUTH_")]:
        monkeypatch.delenv(name)
    if given != "host":
        monkeypatch.setenv(given, address.format(server.server_port))
    options = {"host": address.format(server.server_port) if given == "host" else None, "api_key": "token", "no_proxy": "*"}
    with pytest.raises(_errors.ClusterError, match=r"does not start with https://, and the login and passwords would be sent unencrypted") as failure:
        login.connect(Module(**options))
    assert "a-secret-word" not in str(failure.value) and server.seen == []


def test_nothing_is_read_or_written_without_tls_by_a_kubeconfig_either(reached, monkeypatch):
    monkeypatch.setattr(login, "get_api_client", lambda *_arguments, **_options: FakeDynamic("http://api.example.com:6443"))
    with pytest.raises(_errors.ClusterError, match="the server in the kubeconfig does not start with https://"):
        login.connect(Module(kubeconfig=of_token(reached, "token")))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_proxy_on_this_host_needs_no_tls_and_is_not_said_to_be_verified(server, monkeypatch, tmp_path, host):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server.answers = [DISCOVERED]
    connected = login.connect(Module(host=f"http://{host}:{server.server_port}", api_key="token", no_proxy="*"))
    server.answers = [(201, {"status": {"userInfo": {"username": "me"}}})]
    assert connected.identity()["verify_ssl"] is False


@pytest.mark.parametrize("option", [{"host": ""}, {"kubeconfig": ""}, {"kubeconfig": {}}, {"context": ""}])
def test_an_option_that_is_empty_does_not_lead_to_the_cluster_that_somebody_is_logged_in_to(reached, server, monkeypatch, tmp_path, option):
    server.answers = [DISCOVERED]
    (tmp_path / "config").write_text(json.dumps(of_token(reached, "token")))
    monkeypatch.setattr(LOCATION, str(tmp_path / "config"))
    with pytest.raises(_errors.ClusterError, match=f"the option {next(iter(option))}, which names the cluster, is empty"):
        login.connect(Module(no_proxy="*", **option))
    assert server.seen == []
    assert login.connect(Module(no_proxy="*", **dict.fromkeys(option))).host == reached["host"]


@pytest.fixture
def pod(reached, server, monkeypatch, tmp_path):
    """This host is a pod of a cluster, which is the server, and somebody has logged in to another one."""
    server.answers = [DISCOVERED]
    (tmp_path / "token").write_text("of-the-pod")
    (tmp_path / "config").write_text(json.dumps(of_token(reached, "of-the-kubeconfig")))
    monkeypatch.setattr(kubernetes.config.incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(kubernetes.config.incluster_config, "SERVICE_CERT_FILENAME", reached["ca_cert"])
    monkeypatch.setattr(LOCATION, str(tmp_path / "config"))
    for name, value in zip(login.OF_PODS, reached["host"].removeprefix("https://").split(":")):
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("pod")
def test_the_cluster_of_a_pod_is_not_taken_for_the_one_that_somebody_is_logged_in_to(server, monkeypatch):
    with pytest.raises(_errors.ClusterError, match="it is not clear which cluster is meant: this host is a pod"):
        login.connect(Module(no_proxy="*"))
    assert server.seen == []
    assert login.connect(Module(no_proxy="*", context="c")).bearer_token == "of-the-kubeconfig"
    monkeypatch.setattr(LOCATION, "none")
    assert login.connect(Module(no_proxy="*")).bearer_token == "of-the-pod"


@pytest.mark.usefixtures("pod")
@pytest.mark.parametrize("given", ["host", "K8S_AUTH_HOST"])
def test_the_token_of_a_pod_is_not_sent_to_another_api_server(reached, server, monkeypatch, given):
    other = reached["host"].replace("127.0.0.1", "localhost")
    if given != "host":
        monkeypatch.setenv(given, other)
    options = {**reached, "host": other if given == "host" else None}
    with pytest.raises(_errors.ClusterError, match="the token of the service account of this pod would be sent there"):
        login.connect(Module(**options))
    assert server.seen == []
    assert login.connect(Module(**options, api_key="token")).bearer_token == "token"
    monkeypatch.delenv("K8S_AUTH_HOST", raising=False)
    assert login.connect(Module(**reached)).bearer_token == "of-the-pod"


@pytest.mark.parametrize("given", ["host", "K8S_AUTH_HOST"])
def test_a_kubeconfig_does_not_lead_away_from_the_host_that_is_named(reached, server, monkeypatch, tmp_path, given):
    server.answers = [DISCOVERED]
    (tmp_path / "config").write_text(json.dumps(of_token(reached, "token")))
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "config"))
    other = {"host": reached["host"].replace("127.0.0.1", "localhost"), "ca_cert": reached["ca_cert"]}
    if given == "K8S_AUTH_HOST":
        monkeypatch.setenv(given, other.pop("host"))
    with pytest.raises(_errors.ClusterError, match=f"names the API server https://localhost:[0-9]+, and the kubeconfig .* names {reached['host']}"):
        login.connect(Module(**other))
    monkeypatch.delenv("K8S_AUTH_HOST", raising=False)
    assert login.connect(Module(**reached)).bearer_token == "token"


def test_a_token_that_cannot_be_sent_is_not_repeated_by_later_requests_either(cluster):
    cluster._client.client.default_headers["Authorization"] = "Bearer sha256~a-secret-word\n"
    with pytest.raises(_errors.ClusterError, match=_texts.OF_HEADERS) as failure:
        cluster.read(REGISTRIES, "ns", "one")
    assert "a-secret-word" not in printed(failure.value)


@pytest.mark.parametrize(
    "proxy", ["http://bob:a-secret-word#x@proxy:1", "bob:a-secret-word@proxy:1", "http://bob:a-secret-word/@proxy", "http://[a-secret-word@proxy"]
)
def test_an_address_that_cannot_be_parsed_is_not_repeated(reached, proxy):
    with pytest.raises(_errors.ClusterError) as failure:
        login.connect(Module(**{**reached, "api_key": "token", "proxy": proxy, "no_proxy": None}))
    assert "a-secret-word" not in printed(failure.value)


def test_the_user_in_an_address_is_shown_nowhere(cluster, server):
    address = f"http://bob:a-secret-word@127.0.0.1:{server.server_port}"
    cluster = client.Cluster(cluster._client, kubernetes.client.Configuration(host=address), None)
    server.answers = [(200, {"status": {"userInfo": {"username": "bob"}}}), (401, {"kind": "Status", "message": "no"})]
    assert cluster.identity()["host"] == f"http://127.0.0.1:{server.server_port}"
    assert _texts.reason("http://bob:a-secret-word@one/x and //bob@two: refused") == "http://one/x and //two: refused"
    server.answers = [nothing]
    with pytest.raises(_errors.ClusterError) as failure:
        cluster.read(REGISTRIES, "ns", "one")
    assert "the API server http://127.0.0.1:" in str(failure.value) and "a-secret-word" not in str(failure.value)


def kubeconfig(*contexts):
    return {"contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in contexts], "current-context": contexts[0]}


def test_a_kubeconfig_that_does_not_exist_is_named_with_where_its_path_came_from(monkeypatch, tmp_path):
    for name in ("K8S_AUTH_KUBECONFIG", "KUBECONFIG", "K8S_AUTH_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    said = login._login_problem(Module(kubeconfig="/nowhere/config"), "misleading")
    assert "kubeconfig /nowhere/config (the option kubeconfig) does not exist" in said and "oc login" in said and "misleading" not in said
    monkeypatch.setenv("KUBECONFIG", f"/nowhere/a{os.pathsep}/nowhere/b")
    assert f"kubeconfig /nowhere/a{os.pathsep}/nowhere/b (KUBECONFIG) does not exist" in login._login_problem(Module(), "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG")
    assert "kubeconfig ~/.kube/config (the default) does not exist" in login._login_problem(Module(), "")


def test_a_context_that_does_not_exist_is_named_with_those_that_do(monkeypatch, tmp_path):
    monkeypatch.delenv("K8S_AUTH_CONTEXT", raising=False)
    file = tmp_path / "config"
    file.write_text(json.dumps({**kubeconfig("east", "west"), "apiVersion": "v1", "kind": "Config", "clusters": [], "users": []}))
    for given in (kubeconfig("east", "west"), str(file)):
        said = login._login_problem(Module(kubeconfig=given, context="north"), "misleading")
        assert "no context 'north'" in said and "'east', 'west'" in said and "misleading" not in said
    assert "broken" in login._login_problem(Module(kubeconfig={"contexts": None}, context="north"), "broken")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/apis/example.io/v1/things/one", b'{"kind": "Status", "message": "things one not found"}', 404),
        ("/apis/example.io/v1/things", b"404 page not found\n", 404),
        # A group that the API server has no schema of.
        ("/openapi/v3/apis/example.io/v1", b"", 404),
        ("/apis/example.io/v1/things/one", b"", None),
        ("/openapi/v3/apis/example.io/v1", b"<html>not found</html>", None),
        ("/apis/example.io/v1/things/one", b"<html>not found</html>", None),
    ],
)
def test_only_the_api_servers_own_404_says_that_there_is_none(path, body, status):
    error = kubernetes.client.ApiException(status=404, reason="Not Found")
    error.body = body
    assert client.refusal("reading", "https://api:6443", error, path).status == status


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate", "ca_cert"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired", "Renew"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid", "correct the clock of this host"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'x'", "Use a host name"),
        ("Connection refused", "Check the address"),
    ],
)
def test_a_status_of_0_is_no_answer_and_says_what_to_do(reason, remedy):
    error = kubernetes.client.ApiException(status=0, reason=f"SSLError\n{reason}")
    failure = client.refusal("determining the account failed", "https://api:6443", error)
    assert failure.status is None and "https://api:6443 did not respond" in str(failure) and remedy in str(failure) and "answered 0" not in str(failure)


def test_an_address_that_is_not_known_yet_leaves_no_gap():
    assert "the API server did not respond" in str(client.no_answer("connecting to the cluster", "", "Connection refused"))


# What is sent, and what an answer means


def sent(server):
    """The last request: its verb, path and query, headers and body."""
    verb, path, headers, body = server.seen[-1]
    return verb, path, headers, json.loads(body) if body else None


DRY = "fieldManager=modelops.openshift_ai&fieldValidation=Strict&dryRun=All"


@pytest.mark.parametrize(
    ("verb", "dry_run", "path", "content_type", "body"),
    [
        ("POST", False, "?fieldManager=modelops.openshift_ai&fieldValidation=Strict", "application/json", {"a": 1}),
        ("POST", True, f"?{DRY}", "application/json", {"a": 1}),
        ("PATCH", True, f"/one?{DRY}", "application/merge-patch+json", {"a": 1}),
        ("DELETE", False, "/one", "application/json", {"a": 1}),
        # Of a deletion with a body the API server looks at nothing else.
        ("DELETE", True, "/one", "application/json", {"a": 1, "dryRun": ["All"]}),
    ],
)
def test_writes_are_sent_as_they_are_meant(cluster, server, verb, dry_run, path, content_type, body):
    server.answers = [(200, OBJECT)]
    assert cluster.write(verb, REGISTRIES, "ns", "one", {"a": 1}, dry_run) == OBJECT
    found = sent(server)
    assert found[:2] == (verb, f"/apis/{REGISTRIES[0]}/namespaces/ns/modelregistries{path}")
    assert (found[2]["Content-Type"], found[3]) == (content_type, body)


def test_a_write_asks_first_whether_the_run_is_to_stop_and_a_read_does_not(cluster, server):
    class Stopped(Exception):
        pass

    def stop():
        raise Stopped

    cluster.before_writing, server.answers = stop, [(200, OBJECT)]
    assert cluster.read(REGISTRIES, "ns", "one") == OBJECT
    with pytest.raises(Stopped):
        create(cluster)
    assert len(server.seen) == 1


FORBIDDEN = 403, {"kind": "Status", "message": "no"}


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda cluster: cluster.read(REGISTRIES, "ns", "one"), "reading modelregistries/one in ns"),
        (lambda cluster: cluster.read(GROUPS, "", "one"), "reading groups/one"),
        (lambda cluster: cluster.items(REGISTRIES, "ns"), "listing modelregistries in ns"),
        (lambda cluster: cluster.metadata(GROUPS, ""), "listing groups"),
        (create, "creating modelregistries/one in ns"),
        (lambda cluster: cluster.write("PATCH", GROUPS, "", "one", {}, False), "changing groups/one"),
        (delete, "deleting modelregistries/one in ns"),
        (lambda cluster: cluster.serves(*GROUPS), "looking up groups"),
        (lambda cluster: cluster.log("ns", "pod-1", "server", False), "reading the log of pod 'pod-1'"),
        (lambda cluster: cluster.server_version(), "reading the version of the cluster"),
        (lambda cluster: cluster.capabilities(), "reading the schema of modelregistry.opendatahub.io/v1beta1"),
        (
            lambda cluster: cluster.missing_rights("ns", [client.Right("get", "apps", "deployments", "one")]),
            "checking the permission to get deployments.apps 'one'",
        ),
    ],
)
def test_a_refusal_says_what_was_refused(cluster, server, ask, what):
    server.answers = [FORBIDDEN]
    with pytest.raises(_errors.ClusterError) as refused:
        ask(cluster)
    assert str(refused.value) == f"{what} failed: the API server responded with 403: no." and refused.value.status == _errors.FORBIDDEN


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        (401, "Unauthorized", "The credentials are not valid or have expired. Log in again with `oc login`, or set api_key"),
        (500, "Internal error occurred: failed calling webhook x", "The webhook of the operator cannot be reached."),
        (500, "broken", "responded with 500: broken."),
        (403, "no", "responded with 403: no."),
    ],
)
def test_a_refusal_says_what_to_do_where_that_is_known(status, message, remedy):
    error = kubernetes.client.ApiException(status=status, reason="x")
    error.body = json.dumps({"kind": "Status", "message": message})
    said = str(client.refusal("reading", "https://api:6443", error))
    assert remedy in said and (said.endswith(f": {message}.") == (status == 403 or message == "broken"))


def test_as_whom_a_cluster_is_used(cluster, server):
    server.answers = [(201, {"status": {"userInfo": {"username": "me"}}})]
    assert cluster.identity()["user"] == "me" and sent(server)[3]["kind"] == "SelfSubjectReview"
    # An old API server does not tell; a login that is not valid, and one that is not there, are found here.
    for answer in (FORBIDDEN, NO_HUB):
        server.answers = [answer]
        assert cluster.identity()["user"] is None
    for answer, said in (
        ((401, {"kind": "Status", "message": "no"}), "determining the account failed: .*401"),
        (nothing, "determining the account failed: .*not respond"),
    ):
        server.answers = [answer]
        with pytest.raises(_errors.ClusterError, match=said):
            cluster.identity()


def test_rights_are_asked_for_once_each_with_all_that_they_are_of(cluster, server):
    rights = [client.Right("get", "apps", "deployments", "one"), client.Right("list", "", "pods"), client.Right("get", "apps", "deployments", "one")]
    server.answers = [(201, {"status": {"allowed": True}}), (201, {"status": {"allowed": False}})]
    assert cluster.missing_rights("ns", rights) == [rights[1]] and len(server.seen) == 2
    asked = [json.loads(body)["spec"]["resourceAttributes"] for *_request, body in server.seen]
    assert asked[0] == {"namespace": "ns", "verb": "get", "group": "apps", "resource": "deployments", "name": "one"}
    # Anything but yes is no.
    server.answers = [(201, {"status": {"allowed": "yes"}})]
    assert cluster.missing_rights("", rights[1:2]) == rights[1:2]


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_no_object_can_be_called_is_not_asked_for(cluster, server, name):
    assert cluster.read(REGISTRIES, "ns", name) is None and server.seen == []


def test_a_name_in_a_path_is_only_a_name():
    assert client.path_of(("v1", "pods"), "a/b", "c?d") == "/api/v1/namespaces/a%2Fb/pods/c%3Fd"
    assert client.path_of(GROUPS, "", "x") == "/apis/user.openshift.io/v1/groups/x" and client.path_of(GROUPS, "") == "/apis/user.openshift.io/v1/groups"


def test_a_kind_that_is_not_served_is_not_known(cluster, server):
    server.answers = [served("users", "groups")]
    assert cluster.serves(*GROUPS)
    server.answers = [served("users")]
    assert not cluster.serves(*GROUPS)
    server.answers = [(404, b"404 page not found")]
    assert not cluster.serves(*GROUPS)


def test_a_list_is_asked_for_in_pages_with_its_selectors(cluster, server):
    second = {**OBJECT, "metadata": {"name": "two", "uid": "v"}}
    server.answers = [(200, {"metadata": {"continue": "more"}, "items": [OBJECT]}), (200, {"metadata": {}, "items": [second]})]
    assert cluster.items(REGISTRIES, "ns", lambda item: {"name": item["metadata"]["name"]}, labelSelector="a=b") == [{"name": "one"}, {"name": "two"}]
    assert [path.partition("?")[2] for path in paths(server)] == ["labelSelector=a%3Db&limit=500", "labelSelector=a%3Db&limit=500&continue=more"]


def test_a_log_is_that_of_a_container_before_or_after_its_restart(cluster, server):
    server.answers = [(200, b"line")]
    for previous, asked in ((False, ""), (True, "&previous=true")):
        assert cluster.log("ns", "pod-1", "server", previous, 7) == "line"
        assert paths(server)[-1] == f"/api/v1/namespaces/ns/pods/pod-1/log?container=server&tailLines=7&limitBytes={client.LONGEST_LOG}{asked}"


def definition(spec, kind="ModelRegistry"):
    """The answer with the schema of a kind whose specification has these fields."""
    schema = {"properties": {"spec": {"properties": spec}}, "x-kubernetes-group-version-kind": [{"kind": kind}]}
    return 200, {"components": {"schemas": {"io.x.Other": {}, "io.x.This": schema}}}


NO_SCHEMA = 404, b""
PROXY, OLD_PROXY, GENERATED = {"kubeRBACProxy": {}}, {"oauthProxy": {}}, {"postgres": {"properties": {"generateDeployment": {}}}}


@pytest.mark.parametrize(
    ("answers", "capabilities"),
    [
        ([definition({**OLD_PROXY, **PROXY, **GENERATED})], ("v1beta1", "kubeRBACProxy", True)),
        ([definition({**OLD_PROXY, "postgres": {"properties": {}}})], ("v1beta1", "oauthProxy", False)),
        ([NO_SCHEMA, definition(OLD_PROXY)], ("v1alpha1", "oauthProxy", False)),
    ],
)
def test_what_a_cluster_understands_of_registries(cluster, server, answers, capabilities):
    server.answers = list(answers)
    found = cluster.capabilities()
    assert (found.api_version, found.authentication, found.generates_databases) == capabilities
    assert paths(server) == [f"/openapi/v3/apis/modelregistry.opendatahub.io/{version}" for version in ("v1beta1", "v1alpha1")][: len(answers)]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([NO_SCHEMA, NO_SCHEMA], "the API modelregistries.modelregistry.opendatahub.io is not available. Enable the component"),
        ([definition({"istio": {}})], "supports only the Istio service mesh for authentication; without it, all users would have access. Update the operator"),
        ([definition(PROXY, "Other")], "supports only the Istio service mesh"),
    ],
)
def test_a_cluster_that_understands_no_registries_is_told_why(cluster, server, answers, said):
    server.answers = list(answers)
    with pytest.raises(_errors.ClusterError, match=r"is not supported|does not support model registries") as refused:
        cluster.capabilities()
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("headers", "keys", "token"),
    [
        ({}, {"authorization": "Bearer word"}, "word"),
        ({}, {"BearerToken": "Bearer word"}, "word"),
        ({}, {"BearerToken": "bearer word"}, "word"),
        ({}, {"authorization": "Basic word"}, None),
        ({}, {"authorization": "Bearer "}, None),
        ({}, {}, None),
        # The token is that of the account that logged in.
        ({"Impersonate-User": "other"}, {"authorization": "Bearer word"}, None),
        ({"X-Other": "x"}, {"authorization": "Bearer word"}, "word"),
    ],
)
def test_the_token_of_an_account_is_known_where_it_has_one(cluster, headers, keys, token):
    cluster._configuration.api_key = keys
    for name, value in headers.items():
        cluster._client.client.set_default_header(name, value)
    assert cluster.bearer_token == token


# The registries namespace


def clusters(*told):
    """The answer to a list of DataScienceClusters whose statuses tell these namespaces."""
    statuses = [{"components": {"modelregistry": {"registriesNamespace": namespace}}} for namespace in told]
    items = [{"metadata": {"name": f"c{number}", "uid": f"u{number}"}, "status": status} for number, status in enumerate(statuses)]
    return 200, {"kind": "DataScienceClusterList", "metadata": {}, "items": items}


HUB = {"kind": "AIHub", "metadata": {"name": "default-aihub", "uid": "h"}, "spec": {"applicationNamespace": "apps", "instancesNamespace": "of-the-hub"}}
NO_HUB = 404, {"kind": "Status", "message": "not found"}
NOT_ALLOWED = 403, {"kind": "Status", "message": "cannot get aihubs"}
PLATFORM = "/apis/components.platform.opendatahub.io/v1alpha1"


def served(*kinds):
    return 200, {"kind": "APIResourceList", "resources": [{"name": name} for name in kinds]}


def paths(server):
    return [path for _verb, path, _headers, _body in server.seen]


def test_the_datasciencecluster_alone_is_asked_where_it_tells_the_namespace(cluster, server):
    server.answers = [clusters("", "registries")]
    assert cluster.registries_namespace() == "registries"
    assert len(server.seen) == 1 and cluster.checked_namespaces == {"registries"}


def test_the_aihub_is_asked_where_the_datasciencecluster_tells_no_namespace(cluster, server):
    server.answers = [clusters(None), (200, HUB)]
    assert cluster.registries_namespace() == "of-the-hub"
    assert paths(server)[1:] == [f"{PLATFORM}/aihubs/default-aihub"] and cluster.checked_namespaces == {"of-the-hub"}


# A cluster before 3.6 has no such kind, and refuses an account without permissions for it all the same.
@pytest.mark.parametrize("hub", [[NO_HUB], [NOT_ALLOWED, served("modelregistries")]])
def test_without_an_aihub_the_component_is_not_managed(cluster, server, hub):
    server.answers = [clusters(None), *hub]
    with pytest.raises(_errors.ClusterError, match="component modelregistry is not Managed"):
        cluster.registries_namespace()


def test_an_aihub_that_may_not_be_read_is_the_reason(cluster, server):
    server.answers = [clusters(None), NOT_ALLOWED, served("modelregistries", "aihubs")]
    with pytest.raises(_errors.ClusterError, match=r"the registries namespace is not known: .*cannot get aihubs"):
        cluster.registries_namespace()


def test_a_cluster_without_a_datasciencecluster_has_no_registries_namespace(cluster, server):
    server.answers = [(404, b"404 page not found")]
    with pytest.raises(_errors.ClusterError, match=r"this cluster has no DataScienceCluster\. Set namespace\.") as failure:
        cluster.registries_namespace()
    assert failure.value.status == _errors.NOT_FOUND
    group = "/apis/datasciencecluster.opendatahub.io"
    assert [path.partition("?")[0] for path in paths(server)] == [f"{group}/{version}/datascienceclusters" for version in ("v2", "v1")]


def test_an_older_datasciencecluster_tells_the_namespace_too(cluster, server):
    server.answers = [(404, b"404 page not found"), clusters("registries")]
    assert cluster.registries_namespace() == "registries"
    server.answers = [FORBIDDEN]
    with pytest.raises(
        _errors.ClusterError, match=r"failed: .*403.* Set namespace, or bind the account to the ClusterRole in rbac/cluster.yml or rbac/read.yml"
    ):
        cluster.registries_namespace()
    server.answers = [(400, {"kind": "Status", "message": "bad"})]
    with pytest.raises(_errors.ClusterError, match=r"responded with 400: bad\.$"):
        cluster.registries_namespace()
