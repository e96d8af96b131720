"""Backups restored into registries with each kind of database: what is in them then, what is refused, and what is left of a restore that fails."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import kinds
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import archive, loader, snapshot
from sandbox import databases
from sandbox.databases import REGISTRY
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from sandbox.node.web import pods_url
from sandbox.server import filler, models
from tests import helpers
from tests.helpers import REGISTRIES, Cluster, Run, Runner, Task
from tests.playing import Player

from .test_backup import external
from .test_sandbox_registry_data import Answered, Send, asking, everything
from .test_tables import contents, opened

# The name of each registry, and its database.
Registries = dict[str, tuple[str, str]]
MODULE = "modelops.openshift_ai.model_registry_restore"
BACKUP = "modelops.openshift_ai.model_registry_backup"


@pytest.fixture(scope="module")
def token(cluster: Cluster) -> Iterator[str]:
    """The token of an account that has the permissions of rbac/data.yml, and may list InferenceServices."""
    with helpers.account_with(cluster, "restore", [*helpers.roles_of("data.yml"), *helpers.roles_of("cluster.yml")]) as found:
        yield found


@pytest.fixture
def restore(layout: Layout, token: str, tmp_path: Path) -> Callable[..., list[Run]]:
    """Runs the module as that account, once for each of these sets of options."""
    runner = Runner(layout, token, tmp_path)

    def run(*calls: dict[str, Any], verbosity: int = 0) -> list[Run]:
        tasks = [Task({"namespace": REGISTRIES_NAMESPACE, **options}, MODULE, check) for options in calls for check in [options.pop("check", False)]]
        return runner.sequence(tasks, verbosity)

    return run


@pytest.fixture(scope="module")
def registries(layout: Layout, automation: Runner) -> Iterator[Registries]:
    """Registries that are available: one of each kind of database whose backups are restored, and one into which they are. Their names and databases."""
    mark = uuid.uuid4().hex[:8]
    made, tasks = {}, []
    for use in ("mysql", "postgresql", "to-mysql", "to-postgresql", "to-mariadb", "to-generated"):
        kind = use.removeprefix("to-")
        made[use] = name, database = f"restored-{use}-{mark}", f"restored_{use.replace('-', '_')}_{mark}"
        options: dict[str, Any] = {"type": "generated"}
        if kind != "generated":
            databases.create_databases(layout, kind, [database])
            options = external(layout, kind, database)
        tasks.append({"name": name, "database": options})
    for run in automation.sequence([Task({**options, "wait": wait}) for wait in (False, True) for options in tasks]):
        assert not run.failed, run.output
    yield made
    automation.sequence([Task({"name": name, "state": "absent", "delete_data": True, "wait": False}) for name, _database in made.values()])
    for use, (_name, database) in made.items():
        if use != "to-generated":
            databases.drop_database(layout, use.removeprefix("to-"), database)


def emptied(layout: Layout, registries: Registries, kind: str) -> tuple[str, str]:
    """The registry with this kind of database into which backups are restored, without anything in it."""
    name, database = registries[f"to-{kind}"]
    with databases.administration(layout, kind, database) as run_sql:
        for table in reversed(loader.COPIED):
            run_sql(f"DELETE FROM {table.name}" if databases.speaks_mysql(kind) else f'TRUNCATE "{table.name}" RESTART IDENTITY CASCADE')
    return name, database


def pod_of(layout: Layout, cluster: Cluster, name: str) -> Send:
    """Requests to the server of a registry, at the port of its pod."""
    [pod] = [pod for pod in cluster.items("v1", "pods", labelSelector=f"app={name}") if not pod["metadata"]["name"].startswith(f"{name}-postgres-")]
    base = f"{pods_url(layout)}/{REGISTRIES_NAMESPACE}/{pod['metadata']['name']}{models.BASE}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(method: str, target: str, body: dict[str, Any] | None) -> Answered:
        content = None if method == "GET" else json.dumps(body).encode()
        request = urllib.request.Request(base + target, content, {"Content-Type": "application/json"}, method=method)
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return send


@pytest.fixture(scope="module")
def backups(layout: Layout, cluster: Cluster, automation: Runner, registries: Registries, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The paths of backups of registries with one of everything, by the kind of database."""
    for kind in ("mysql", "postgresql"):
        filler.fill(asking(pod_of(layout, cluster, registries[kind][0])))
    folder = str(tmp_path_factory.mktemp("backups"))
    runs = automation.sequence([Task({"name": registries[kind][0], "dest": folder}, BACKUP) for kind in ("mysql", "postgresql")])
    assert not [run for run in runs if run.failed], runs
    return {run.result["backup"]["engine"]: run.result["backup"]["path"] for run in runs}


def copied(layout: Layout, kind: str, database: str) -> dict[str, list[bytes]]:
    return {name: sorted(lines) for name, lines in contents(layout, kind, database).items() if name in {table.name for table in loader.COPIED}}


def is_empty(layout: Layout, kind: str, database: str) -> bool:
    with opened(layout, kind, database) as database_, snapshot.snapshot(*database_) as taken:
        return not loader.occupied(taken)


@pytest.mark.parametrize(("source", "target"), [("mysql", "postgresql"), ("postgresql", "mysql"), ("postgresql", databases.MARIADB), ("mysql", "generated")])
def test_every_answer_is_the_same_in_another_registry(
    layout: Layout,
    cluster: Cluster,
    backups: dict[str, str],
    registries: Registries,
    restore: Callable[..., list[Run]],
    source: str,
    target: str,
) -> None:
    (original, source_database), path = registries[source], backups[source]
    name, database = registries[f"to-{target}"] if target == "generated" else emptied(layout, registries, target)
    [predicted] = restore({"name": name, "src": path, "check": True})
    assert not predicted.failed and predicted.result["changed"] and predicted.result["server"] is None, predicted.output
    assert json.loads(pod_of(layout, cluster, name)("GET", "registered_models", None)[1])["size"] == 0
    done, again = restore({"name": name, "src": path}, {"name": name, "src": path}, verbosity=3 if target == "generated" else 0)
    assert not done.failed and done.result["changed"] and not done.warnings and not done.writes, done.output
    assert everything(pod_of(layout, cluster, name)) == everything(pod_of(layout, cluster, original))
    if target != "generated":
        assert copied(layout, target, database) == copied(layout, source, source_database)
    assert done.result["database"]["tables"] == predicted.result["database"]["tables"]
    assert {shown.partition("/")[0] for shown in done.result["server"]["compared"]} == {
        *("registered_models", "model_versions", "artifacts", "serving_environments", "inference_services", "experiments", "experiment_runs")
    }
    assert done.result["backup"]["registry"] == original and original in done.result["summary"]
    assert not again.failed and not again.result["changed"] and again.result["database"]["tables"] == done.result["database"]["tables"], again.output
    collections = ("registered_models", "model_versions", "experiment_runs", "inference_services")
    newest = max(int(item["id"]) for collection in collections for item in items(layout, cluster, name, collection))
    added = asking(pod_of(layout, cluster, name))("POST", "registered_models", {"name": "next"})
    assert int(added["id"]) == newest + 1
    [refused] = restore({"name": name, "src": path})
    assert refused.failed and "rows in Context" in refused.result["msg"] and "differ from those in the backup" in refused.result["msg"], refused.output
    if target == "generated":
        secret = base64.b64decode(cluster.get("v1", "secrets", f"{name}-postgres-credentials")["data"]["password"]).decode()
    else:
        secret = REGISTRY.password
    assert secret not in done.output + json.dumps(done.result)


def test_inference_services_whose_labels_lead_nowhere_are_reported(
    layout: Layout, cluster: Cluster, backups: dict[str, str], registries: Registries, restore: Callable[..., list[Run]], tmp_path: Path
) -> None:
    (name, _database), path = emptied(layout, registries, "mysql"), backups["mysql"]
    with zipfile.ZipFile(path) as file:
        parents = [json.loads(line) for line in file.read("tables/ParentContext.jsonl").splitlines()]
        types = {row["id"]: row["type"] for row in map(json.loads, file.read("tables/Context.jsonl").splitlines())}
    pairs = [(row["parent_context_id"], row["context_id"]) for row in parents if types[row["context_id"]] == "kf.ModelVersion"]
    model, version = pairs[0]
    other = next(parent for parent, _child in pairs if parent != model)
    labels = {"right": (model, version), "another-model": (other, version), "no-version": (model, 9999), "swapped": (version, model)}
    labels["unlabeled"] = (model, None)
    for service, ids in labels.items():
        named = {"registered-model-id": ids[0], "model-version-id": ids[1]}
        link = {f"modelregistry.opendatahub.io/{key}": str(value) for key, value in named.items() if value}
        metadata = {"name": f"{service}-{name[-8:]}", "labels": {"modelregistry.opendatahub.io/name": name, **link}}
        body = {"apiVersion": kinds.INFERENCE_SERVICES[0], "kind": "InferenceService", "spec": {}, "metadata": metadata}
        cluster.create(*kinds.INFERENCE_SERVICES, body, "data")
    try:
        [predicted] = restore({"name": name, "src": path, "check": True})
        with helpers.account_with(cluster, "restore-narrow", helpers.roles_of("data.yml")) as narrow:
            [unseen] = Runner(layout, narrow, tmp_path).sequence([Task({"namespace": REGISTRIES_NAMESPACE, "name": name, "src": path}, MODULE, True)])
    finally:
        for service in labels:
            cluster.delete(*kinds.INFERENCE_SERVICES, f"{service}-{name[-8:]}", "data")
    assert not predicted.failed, predicted.output
    found = {entry["name"].rpartition("-")[0]: entry["found"] for entry in predicted.result["deployments"]}
    assert found == {service: service == "right" for service in labels}, predicted.result["deployments"]
    [warning] = predicted.warnings
    assert all(f"data/{service}-" in warning for service in labels if service != "right") and "data/right-" not in warning
    assert not unseen.failed and unseen.result["deployments"] is None and "InferenceServices" in unseen.warnings[0], unseen.output


def items(layout: Layout, cluster: Cluster, name: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(pod_of(layout, cluster, name)("GET", path, None)[1])["items"]
    return found


def test_nothing_is_written_of_an_archive_or_into_a_database_that_is_not_right(
    layout: Layout, backups: dict[str, str], registries: Registries, restore: Callable[..., list[Run]], tmp_path: Path
) -> None:
    name, database = emptied(layout, registries, "postgresql")
    path = backups["postgresql"]
    whole = Path(path).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-500])
    altered = bytearray(whole)
    altered[len(whole) // 3] ^= 255
    (tmp_path / "altered.zip").write_bytes(altered)
    os.mkfifo(tmp_path / "pipe.zip")
    for file, change in (("outside.zip", {}), ("future.zip", {"format": 2}), ("unknown.zip", {"engine": "oracle"}), ("newer.zip", {"schema_version": 26})):
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / file, "w") as new:
            for member in old.namelist():
                content = old.read(member)
                if member == archive.MANIFEST:
                    content = json.dumps({**json.loads(content), **change}).encode()
                new.writestr(member, content)
            if file == "outside.zip":
                new.writestr("../../etc/passwd", "x")
    said = {
        "cut.zip": "incomplete",
        "altered.zip": "damaged",
        "pipe.zip": "not a file",
        "": "not a file",
        "nowhere.zip": "no such file",
        "outside.zip": "'../../etc/passwd'",
        "future.zip": "format 2",
        "unknown.zip": "known engine",
        "newer.zip": "schema version 26 (postgresql), and the database has version 25 (postgresql), which is older",
    }
    runs = restore(*({"name": name, "src": str(tmp_path / file)} for file in said))
    for run, (file, text) in zip(runs, said.items(), strict=True):
        assert run.failed and text in run.result["msg"] and not run.result["changed"], (file, run.output)
    commands = {
        "exit code 3: no key": ["sh", "-c", "cat $0; echo no key >&2; exit 3", path],
        "cannot be run": ["/nowhere/program"],
        "not a backup": ["echo", "hello"],
    }
    for run, text in zip(restore(*({"name": name, "command": command} for command in commands.values())), commands, strict=True):
        assert run.failed and text in run.result["msg"], run.output
    with databases.administration(layout, "postgresql", database) as run_sql:
        for change, undo, text in (
            ("UPDATE schema_migrations SET dirty = TRUE", "UPDATE schema_migrations SET dirty = FALSE", "dirty"),
            ("CREATE TABLE orders (id int)", "DROP TABLE orders", "orders"),
        ):
            run_sql(change)
            try:
                [refused] = restore({"name": name, "src": path})
            finally:
                run_sql(undo)
            assert refused.failed and text in refused.result["msg"], refused.output
        run_sql("UPDATE schema_migrations SET version = 26")
        try:
            [newer] = restore({"name": name, "src": str(tmp_path / "newer.zip"), "check": True})
        finally:
            run_sql("UPDATE schema_migrations SET version = 25")
        assert not newer.failed and any("is newer than the known version" in warning for warning in newer.warnings), newer.output
    misspelled, nothing = restore({"name": f"{name}x", "src": path}, {"name": name, "src": " "})
    assert f"did you mean {name!r}?" in misspelled.result["msg"] and nothing.result["problems"][0]["option"] == "src"
    assert is_empty(layout, "postgresql", database)


def test_a_command_brings_the_archive_and_orphans_are_left_out_only_by_consent(
    layout: Layout, automation: Runner, cluster: Cluster, registries: Registries, restore: Callable[..., list[Run]], tmp_path: Path
) -> None:
    source, database = emptied(layout, registries, "mysql")
    asking(pod_of(layout, cluster, source))("POST", "registered_models", {"name": "kept"})
    with databases.administration(layout, "mysql", database) as run_sql:
        run_sql("INSERT INTO ContextProperty (context_id, name, is_custom_property, string_value) VALUES (77, 'p', FALSE, 'x'), (78, 'p', FALSE, 'x')")
    [saved] = automation.sequence([Task({"name": source, "dest": str(tmp_path)}, BACKUP)])
    name, target = emptied(layout, registries, "postgresql")
    command = ["cat", saved.result["backup"]["path"]]
    refused, predicted, done, again = restore(
        {"name": name, "command": command},
        {"name": name, "command": command, "skip_orphans": True, "check": True},
        {"name": name, "command": command, "skip_orphans": True},
        {"name": name, "command": command, "skip_orphans": True},
    )
    assert refused.failed and "ContextProperty: 2" in refused.result["msg"] and "skip_orphans" in refused.result["msg"], refused.output
    for run in (predicted, done, again):
        assert not run.failed and run.result["database"]["orphans"] == {"ContextProperty": 2}, run.output
    assert done.result["changed"] and not again.result["changed"]
    assert [item["name"] for item in items(layout, cluster, name, "registered_models")] == ["kept"]
    assert len(copied(layout, "postgresql", target)["Context"]) == 1


SLOW = {
    "mysql": "CREATE TRIGGER slow BEFORE INSERT ON Execution FOR EACH ROW SET @slept = SLEEP(2)",
    "postgresql": """CREATE FUNCTION slow() RETURNS trigger AS 'BEGIN PERFORM pg_sleep(2); RETURN NEW; END' LANGUAGE plpgsql;
        CREATE TRIGGER slow BEFORE INSERT ON "Execution" FOR EACH ROW EXECUTE FUNCTION slow()""",
}
FAST = {"mysql": "DROP TRIGGER slow", "postgresql": "DROP FUNCTION slow CASCADE"}
# Whether there are rows that are not committed, or whether they are written.
WRITING = {"mysql": "SELECT 1 FROM Context LIMIT 1", "postgresql": "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"}


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_restore_that_is_killed_has_written_nothing_and_is_repeated(
    layout: Layout, backups: dict[str, str], registries: Registries, restore: Callable[..., list[Run]], token: str, tmp_path: Path, kind: str
) -> None:
    path = backups["mysql"]
    name, database = emptied(layout, registries, kind)
    with databases.administration(layout, kind, database) as run_sql:
        run_sql(SLOW[kind])
        if kind == "mysql":
            run_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
        with Runner(layout, token, tmp_path)._playbook([Task({"namespace": REGISTRIES_NAMESPACE, "name": name, "src": path}, MODULE)]):
            helpers.until(lambda: run_sql(WRITING[kind]))
        helpers.until(lambda: not run_sql(WRITING[kind]))
        assert is_empty(layout, kind, database)
        run_sql(FAST[kind])
    [done] = restore({"name": name, "src": path})
    assert not done.failed and done.result["changed"], done.output


def test_the_examples_of_the_module_run(
    layout: Layout, backups: dict[str, str], registries: Registries, restore: Callable[..., list[Run]], tmp_path: Path
) -> None:
    source = (ROOT / "plugins" / "modules" / "model_registry_restore.py").read_text()
    examples = yaml.safe_load(source.partition('EXAMPLES = r"""')[2].partition('"""')[0])
    name, _database = emptied(layout, registries, "mysql")
    path = backups["mysql"]
    for example, changed in zip(examples, (True, False), strict=True):
        options = example[MODULE]
        if "src" in options:
            options["src"] = path
        else:
            # A program of this name, without a key.
            (tmp_path / "gpg").write_text(f"#!/bin/sh\ntest \"$*\" = '{' '.join(options['command'][1:])}' && exec cat {path}\n")
            (tmp_path / "gpg").chmod(0o755)
            options["command"][0] = str(tmp_path / "gpg")
        [done] = restore({**options, "name": name})
        assert not done.failed and done.result["changed"] is changed, done.output


# What is said without each right of rbac/data.yml.
MISSING = {
    "get modelregistries.modelregistry.opendatahub.io": ("fails", "reading modelregistries/"),
    "get secrets": ("fails", "reading secrets/"),
    "create pods/portforward": ("warns", "it could not be verified that the registry server shows it"),
    "list pods": ("warns", "it could not be verified that the registry server shows it"),
}


def test_without_a_permission_the_message_names_it(layout: Layout, backups: dict[str, str], registries: Registries, cluster: Cluster, tmp_path: Path) -> None:
    name, _database = emptied(layout, registries, "mysql")
    with helpers.accounts_without_one_right(cluster, helpers.roles_of("data.yml")) as tokens:
        tokens_of = {str(right): token for right, token in tokens.items()}
        assert MISSING.keys() <= tokens_of.keys()
        options = {"name": name, "namespace": REGISTRIES_NAMESPACE, "src": backups["mysql"]}
        runs = Runner(layout, "", tmp_path).sequence([Task(options, MODULE, token=tokens_of[right]) for right in MISSING])
    for (right, (outcome, text)), run in zip(MISSING.items(), runs, strict=True):
        said = run.result["msg"] if run.failed else " ".join(run.warnings)
        assert run.failed == (outcome == "fails") and text in said, (right, run.output)
        assert run.failed or run.result["server"] is None


def test_a_lost_registry_is_made_again_from_its_backup(
    layout: Layout, cluster: Cluster, automation: Runner, registries: Registries, token: str, tmp_path: Path
) -> None:
    external_name, database = registries["mysql"]
    names = {external_name: f"{external_name}-team"}
    for name in names:
        asking(pod_of(layout, cluster, name))("POST", "registered_models", {"name": f"lost {uuid.uuid4().hex}"})
    granted = [Task({"name": name, "permissions": {"groups": [group]}}) for name, group in names.items()]
    saved = automation.sequence(
        [*granted, *(Task({"name": name, "namespace": REGISTRIES_NAMESPACE, "dest": str(tmp_path)}, BACKUP, token=token) for name in names)]
    )[len(names) :]
    assert not [run.output for run in saved if run.failed]
    shown = {name: everything(pod_of(layout, cluster, name)) for name in names}
    stored = contents(layout, "mysql", database)
    # The custom resource and the Secret are lost, the database is not.
    cluster.delete(*REGISTRIES, external_name)
    for secret in cluster.items("v1", "secrets"):
        if secret["metadata"]["name"].startswith(f"{external_name}-db-"):
            cluster.delete("v1", "secrets", secret["metadata"]["name"])
    with helpers.account_with(cluster, "recover", [*helpers.converging_roles(), *helpers.roles_of("data.yml")]) as account:
        player = Player(layout, account, tmp_path)
        (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"east": {"model_registry_cluster": {"kubeconfig": player.kubeconfig()}}}}}))
        paths = {name: run.result["backup"]["path"] for name, run in zip(names, saved, strict=True)}

        def recover(name: str, *more: str) -> str:
            command = f"ansible-playbook -i inventory.yml modelops.openshift_ai.recover -e model_registry_restore_file={paths[name]}"
            done = player.run(command, *more, MODEL_REGISTRY_DATABASE_PASSWORD=REGISTRY.password)
            assert done.code == 0 and REGISTRY.password not in done.output, done.output
            return done.summary

        assert "the configuration would be written, and then the data restored" in recover(external_name, "--check")
        assert cluster.registry(external_name) is None
        assert "configuration written; unchanged: the database already has" in recover(external_name)
    assert contents(layout, "mysql", database) == stored
    again = automation.sequence(
        [Task({"name": name, "namespace": REGISTRIES_NAMESPACE, "dest": str(tmp_path)}, BACKUP, check=True, token=token) for name in names]
    )
    for name, before, now in zip(names, saved, again, strict=True):
        assert everything(pod_of(layout, cluster, name)) == shown[name]
        assert not now.failed, now.output
        # The name of the new Secret is another one.
        for run in (before, now):
            run.result["registry"]["database"].pop("password_secret", None)
        assert now.result["registry"] == before.result["registry"] and names[name] in now.result["registry"]["permissions"]["groups"]
