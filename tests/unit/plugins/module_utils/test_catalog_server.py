"""What the catalog's server is asked, and what is made of answers: also of those that are not as they should be, and of several pages."""

from __future__ import annotations

import email.parser
import email.policy
import io
import json
from email.message import Message
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import BaseHandler, OpenerDirector
from urllib.response import addinfourl

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest import catalog_server

ADDRESS = "https://model-catalog.apps.example.com"


class Answers(BaseHandler):
    """Answers requests in turn, each with a status and what its body is; an exception is raised. What was asked is in `asked`."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def https_open(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return addinfourl(io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode()), Message(), request.full_url, status)

    @property
    def queries(self):
        return [{name: value for name, [value] in parse_qs(urlsplit(request.full_url).query).items()} for request in self.asked]

    @property
    def server(self):
        opener = OpenerDirector()
        opener.add_handler(self)
        return catalog_server.Server(ADDRESS, "word", opener)


def listed(*items, **more):
    return 200, {"items": list(items), **more}


def test_all_pages_are_read_with_the_token_of_the_account():
    answers = Answers(listed({"id": "a", "name": "A"}, nextPageToken="2"), listed({"id": "b"}, nextPageToken="3"), listed({"id": "c"}, nextPageToken=""))
    assert list(answers.server.sources(catalog.MCP)) == ["a", "b", "c"]
    first = {"assetType": catalog.MCP.asset_type, "pageSize": "1000"}
    assert answers.queries == [first, {**first, "nextPageToken": "2"}, {**first, "nextPageToken": "3"}]
    assert {request.get_header("Authorization") for request in answers.asked} == {"Bearer word"}
    assert {(request.get_method(), request.get_header("Content-type")) for request in answers.asked} == {("GET", None)}


def test_a_server_that_names_the_same_page_again_is_not_asked_without_end():
    answers = Answers(listed({"id": "a"}, nextPageToken="2"), listed({"id": "b"}, nextPageToken="2"))
    assert list(answers.server.sources(catalog.MODEL)) == ["a", "b"]


def test_a_source_is_what_the_server_shows_of_it():
    whole = {
        "id": "one",
        "name": "One",
        "enabled": False,
        "labels": ["Fraud"],
        "includedModels": ["a*"],
        "excludedModels": ["b*", "c*"],
        "status": "error",
        "error": "no\nsuch file",
    }
    answers = Answers(listed(whole, {"id": "two", "labels": None}, {"name": "without an ID"}))
    assert answers.server.sources(catalog.MODEL) == {
        "one": catalog_server.Shown("One", False, ("Fraud",), ("a*",), ("b*", "c*"), "error", "no such file"),
        "two": catalog_server.Shown("", True, (), (), (), None, None),
    }


def test_the_labels_of_each_kind_are_told_without_what_they_do_not_have():
    answers = Answers(listed({"name": None, "displayName": "Others", "description": None}), listed({"name": "Own"}))
    assert answers.server.labels([catalog.MODEL, catalog.MCP]) == [{"name": None, "displayName": "Others"}, {"name": "Own"}]
    assert [query["assetType"] for query in answers.queries] == [catalog.MODEL.asset_type, catalog.MCP.asset_type]


def test_the_names_of_a_source_are_those_of_no_other():
    answers = Answers(listed({"name": "a", "source_id": "one"}, {"name": "b", "source_id": "two"}, {"name": "c"}, {"source_id": "one"}))
    assert answers.server.names(catalog.MCP, "one") == {"a", "c", ""}
    assert answers.queries[0]["source"] == "one"


def test_the_entries_of_each_source_are_counted():
    answers = Answers(listed({"source_id": "one"}, {"source_id": "two"}, {"source_id": "one"}, {"name": "of none"}))
    assert answers.server.counts(catalog.MODEL) == {"one": 2, "two": 1, "": 1}


@pytest.mark.parametrize(
    ("summary", "total", "included"),
    [
        ({"totalModels": 5, "includedModels": 3}, 5, 3),
        ({"totalAssets": 2, "includedAssets": 1, "totalModels": None}, 2, 1),
        ({"totalModels": "5"}, 0, 0),
        (None, 0, 0),
        (["totalModels"], 0, 0),
    ],
)
def test_a_preview_is_a_form_with_the_source_and_its_data(summary, total, included):
    answers = Answers((200, {"summary": summary}), (200, {}))
    entry = {"id": "one", "type": "yaml"}
    assert answers.server.preview(entry, "models: []\n") == catalog_server.Preview(total, included)
    assert answers.server.preview(entry, None) == catalog_server.Preview(0, 0)
    read = []
    for request in answers.asked:
        head = f"Content-Type: {request.get_header('Content-type')}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP.clone(raise_on_defect=True)).parsebytes(head + request.data)
        read.append({part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True).decode() for part in form.iter_parts()})
    assert json.loads(read[0].pop("config")) == json.loads(read[1].pop("config")) == entry
    assert read == [{"catalogData": "models: []\n"}, {}]


@pytest.mark.parametrize(
    ("answer", "message", "is_down"),
    [
        ((503, {}), f"no pod of the catalog server is ready: {ADDRESS} responded with status 503", True),
        ((502, b"<html>"), f"no pod of the catalog server is ready: {ADDRESS} responded with status 502", True),
        ((500, {"message": "no\nsuch source"}), "the catalog server responded with status 500: no such source", False),
        ((403, b"Forbidden"), "the catalog server responded with status 403", False),
        ((404, {"message": ["x"]}), "the catalog server responded with status 404", False),
        ((200, ["x"]), "the catalog server responded with status 200", False),
        ((200, b"hello"), "the catalog server responded with status 200", False),
        ((200, {"items": {"id": "a"}}), f"the catalog server at {ADDRESS} did not respond with a list", False),
        ((200, {"items": [{"id": "a"}, "b"]}), f"the catalog server at {ADDRESS} did not respond with a list", False),
        (URLError("refused"), f"the catalog server cannot be reached from this host at {ADDRESS}: refused", False),
        # A proxy on the way says so when it finds no server.
        (OSError("Tunnel connection failed: 503"), f"the catalog server cannot be reached from this host at {ADDRESS}: Tunnel connection failed: 503", True),
    ],
)
def test_an_answer_that_is_none_says_why_and_whether_the_server_is_down(answer, message, is_down):
    with pytest.raises(catalog_server.NoAnswerError) as refused:
        Answers(answer).server.sources(catalog.MODEL)
    assert (str(refused.value), refused.value.is_down) == (message, is_down)


def test_a_server_that_shows_nothing_has_no_sources():
    assert Answers((200, {"items": None})).server.sources(catalog.MODEL) == Answers((200, {})).server.sources(catalog.MODEL) == {}


class Cluster:
    """A cluster with this Service, ingress and token."""

    ca_file = None

    def __init__(self, annotations=None, spec=None, token="word", error=None):
        self.bearer_token, self._error = token, error
        self._objects = {"services": {"metadata": {"annotations": annotations}}, "ingresses": {"spec": spec or {"domain": "apps.example.com"}}}

    def read(self, api, _namespace, _name):
        if self._error:
            raise self._error
        return self._objects[api[1]]


@pytest.mark.parametrize(
    ("annotated", "address"),
    [
        ("model-catalog.apps.example.com:443", ADDRESS),
        ("model-catalog.apps.example.com", ADDRESS),
        ("gateway.apps.example.com:443/model-catalog/", "https://gateway.apps.example.com/model-catalog"),
    ],
)
def test_the_address_of_the_server_is_that_of_its_service(annotated, address):
    assert catalog_server.find(Cluster({catalog_server.ADDRESS: annotated}), "ns").address == address


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        (Cluster(token=None), "this run has no token to send to the catalog server"),
        (Cluster(error=_errors.ClusterError("403. Grant it.")), "the address of the catalog server could not be determined: 403. Grant it$"),
        (Cluster({}), "has no public address: Service 'model-catalog' does not name one"),
        (Cluster(), "has no public address"),
        (Cluster({catalog_server.ADDRESS: "evil.test:443"}), r"because https://evil.test is not in the ingress domains of the cluster \(apps.example.com\)"),
        (Cluster({catalog_server.ADDRESS: "a.apps.example.com:8443"}), "was not contacted, because https://a.apps.example.com:8443 is not in"),
        (Cluster({catalog_server.ADDRESS: "evil.test"}, {"x": "y"}), "https://evil.test is not in a known domain, and users who can edit"),
    ],
)
def test_nothing_is_sent_to_a_server_that_cannot_or_must_not_be_asked(cluster, message):
    with pytest.raises(catalog_server.NoAnswerError, match=message) as refused:
        catalog_server.find(cluster, "ns")
    assert not refused.value.is_down
