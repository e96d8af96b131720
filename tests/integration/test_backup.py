"""Backups of registries with each kind of database: what is in them, what is never in them, and what is left of one that fails."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import stat
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import archive
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout as table_layout
from sandbox import databases, faults
from sandbox.databases import REGISTRY
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from sandbox.server import filler, schema
from tests import helpers
from tests.helpers import REGISTRIES, Cluster, Run, Runner, Task

from .conftest import SERVERS
from .test_sandbox_registry_data import asking, connect, emulated
from .test_tables import contents

MODULE = "modelops.openshift_ai.model_registry_backup"


@pytest.fixture(scope="module")
def token(cluster: Cluster) -> Iterator[str]:
    """The token of an account that has the permissions of rbac/data.yml alone."""
    with helpers.account_with(cluster, "backup", helpers.roles_of("data.yml")) as found:
        yield found


@pytest.fixture
def back_up(layout: Layout, token: str, tmp_path: Path) -> Callable[..., Run]:
    runner = Runner(layout, token, tmp_path)

    def run(check: bool = False, verbosity: int = 0, **options: Any) -> Run:
        [done] = runner.sequence([Task({"namespace": REGISTRIES_NAMESPACE, **options}, MODULE, check)], verbosity)
        return done

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


def external(layout: Layout, kind: str, database: str, **changed: Any) -> dict[str, Any]:
    """The options of a database that this host can reach too."""
    return {
        "type": "mysql" if databases.speaks_mysql(kind) else "postgresql",
        "host": databases.address(layout, kind),
        "name": database,
        "username": REGISTRY.name,
        "password": REGISTRY.password,
        "ca": {"source": "cluster"},
        **changed,
    }


@pytest.fixture(scope="module")
def registries(layout: Layout, automation: Runner, cluster: Cluster) -> Iterator[dict[str, tuple[str, str]]]:
    """A registry with one of everything on each server: its name and its database."""
    mark = uuid.uuid4().hex[:8]
    made = {kind: (f"saved-{kind}-{mark}", f"saved_{kind}_{mark}") for kind in SERVERS}
    for kind, (_name, database) in made.items():
        databases.create_databases(layout, kind, [database])
    tasks = [
        Task({"name": name, "database": external(layout, kind, database), "permissions": {"groups": ["data-scientists"]}})
        for kind, (name, database) in made.items()
    ]
    for run in automation.sequence(tasks):
        assert not run.failed, run.output
    for kind, (_name, database) in made.items():
        server = connect(layout, kind, database)
        filler.fill(asking(emulated(server)))
        server.close()
    yield made
    for kind, (name, database) in made.items():
        automation.sequence([Task({"name": name, "state": "absent"})])
        databases.drop_database(layout, kind, database)


def test_the_example_of_the_module_runs(registries: dict[str, tuple[str, str]], back_up: Callable[..., Run], folder: Path) -> None:
    source = (ROOT / "plugins" / "modules" / "model_registry_backup.py").read_text()
    [example] = yaml.safe_load(source.partition('EXAMPLES = r"""')[2].partition('"""')[0])
    done = back_up(**{**example[MODULE], "name": registries["mysql"][0], "dest": str(folder)})
    assert not done.failed and len(os.listdir(folder)) == 2, done.output


def read(path: str) -> archive.Reader:
    return archive.Reader(io.BytesIO(Path(path).read_bytes()))


def rows_of(reader: archive.Reader) -> dict[str, list[bytes]]:
    return {table.name: sorted(itertools.chain.from_iterable(reader.blocks(table))) for table in table_layout.TABLES}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_backup_holds_the_whole_database_and_the_configuration(
    layout: Layout, registries: dict[str, tuple[str, str]], back_up: Callable[..., Run], folder: Path, kind: str
) -> None:
    name, database = registries[kind]
    predicted = back_up(check=True, name=name, dest=str(folder))
    assert not predicted.failed and os.listdir(folder) == [], predicted.output
    done = back_up(name=name, dest=str(folder), checksum=True)
    assert not done.failed and not done.writes, done.output
    backup = done.result["backup"]
    assert done.result["changed"] and predicted.result["changed"]
    # The manifest has the time.
    assert (predicted.result["backup"]["rows"], predicted.result["backup"]["tables"]) == (backup["rows"], backup["tables"])
    assert abs(predicted.result["backup"]["size"] - backup["size"]) < 20
    assert stat.S_IMODE(os.stat(backup["path"]).st_mode) == 0o600
    subprocess.run(["sha256sum", "--check", "--quiet", backup["file"] + ".sha256"], cwd=folder, check=True)
    reader = read(backup["path"])
    assert rows_of(reader) == {table: sorted(rows) for table, rows in contents(layout, kind, database).items()}
    manifest = reader.manifest
    assert (manifest["engine"], manifest["schema_version"]) == (backup["engine"], schema.NEWEST[backup["engine"]])
    assert manifest["registry"]["permissions"]["groups"] == ["data-scientists"]
    assert manifest["registry"]["database"]["name"] == database
    assert REGISTRY.password.encode() not in Path(backup["path"]).read_bytes()


def test_what_an_archive_lacks_of_the_configuration_is_a_warning(
    registries: dict[str, tuple[str, str]], back_up: Callable[..., Run], folder: Path, cluster: Cluster
) -> None:
    name = registries["postgresql"][0]
    cluster.merge(*REGISTRIES, name, {"metadata": {"annotations": {"openshift.io/display-name": " "}}})
    done = back_up(name=name, dest=str(folder))
    cluster.merge(*REGISTRIES, name, {"metadata": {"annotations": {"openshift.io/display-name": None}}})
    assert not done.failed and "display_name" not in read(done.result["backup"]["path"]).manifest["registry"], done.output
    assert any(name in warning and "display_name (is empty)" in warning for warning in done.warnings), done.warnings


@pytest.fixture(scope="module")
def generated(cluster: Cluster, automation: Runner) -> Iterator[str]:
    """A registry with a generated database."""
    name = f"saved-generated-{uuid.uuid4().hex[:8]}"
    [made] = automation.sequence([Task({"name": name, "database": {"type": "generated"}})])
    assert not made.failed, made.output
    yield name
    automation.sequence([Task({"name": name, "state": "absent", "delete_data": True, "wait": False})])


def test_a_generated_database_is_reached_through_the_api_server(
    layout: Layout, generated: str, cluster: Cluster, back_up: Callable[..., Run], folder: Path
) -> None:
    name = generated
    done = back_up(name=name, dest=str(folder), verbosity=3)
    assert not done.failed, done.output
    # A WebSocket has no user agent, by which requests are attributed.
    assert [request for request in faults.recorded_requests(layout) if request.path.endswith("/portforward") and request.status == 101]
    reader = read(done.result["backup"]["path"])
    reader.prove()
    assert done.result["backup"]["tables"]["Type"]["rows"] > 0
    secret = cluster.get("v1", "secrets", f"{name}-postgres-credentials")
    assert base64.b64decode(secret["data"]["password"]).decode() not in done.output + json.dumps(done.result)


def test_a_database_that_cannot_be_used_is_named_with_the_remedy_and_the_command_of_its_own_tools(
    layout: Layout, registries: dict[str, tuple[str, str]], automation: Runner, cluster: Cluster, back_up: Callable[..., Run], folder: Path, name: str
) -> None:
    _name, database = registries["postgresql"]
    wrong = {"name": name, "wait": False, "check_database": "ignore"}
    [made] = automation.sequence([Task(wrong | {"database": external(layout, "postgresql", database, password="another-word")})])
    assert not made.failed, made.output
    refused = back_up(name=name, dest=str(folder), verbosity=3)
    assert refused.failed and not refused.result["changed"] and os.listdir(folder) == [], refused.output
    assert "password is wrong" in refused.result["msg"] and "`pg_dump --host" in refused.result["msg"] and "delegate_to" in refused.result["msg"]
    assert "another-word" not in refused.output + json.dumps(refused.result)
    cluster.merge(*helpers.REGISTRIES, name, {"spec": {"postgres": {"host": "postgres.nowhere.svc"}}})
    unreached = back_up(name=name, dest=str(folder))
    assert unreached.failed and "can be resolved only in the cluster" in unreached.result["msg"], unreached.output
    cluster.delete("v1", "secrets", cluster.registry(name)["spec"]["postgres"]["passwordSecret"]["name"])
    missing = back_up(name=name, dest=str(folder))
    assert missing.failed and "with the password does not exist" in missing.result["msg"], missing.output
    [misspelled] = [back_up(name=f"{name}x", dest=str(folder))]
    assert misspelled.failed and f"did you mean {name!r}?" in misspelled.result["msg"]


def test_a_database_that_others_use_too_or_that_is_half_migrated_is_refused(
    layout: Layout, registries: dict[str, tuple[str, str]], back_up: Callable[..., Run], folder: Path
) -> None:
    name, database = registries["mysql"]
    with databases.administration(layout, "mysql", database) as run:
        run("CREATE TABLE orders (id int primary key)")
        try:
            foreign = back_up(name=name, dest=str(folder))
        finally:
            run("DROP TABLE orders")
        run("UPDATE schema_migrations SET dirty = 1")
        try:
            dirty = back_up(name=name, command=["cp", "/dev/stdin", str(folder / "{file}")])
            run("UPDATE schema_migrations SET dirty = 0, version = version + 1")
            newer = back_up(check=True, name=name, dest=str(folder))
        finally:
            run(f"UPDATE schema_migrations SET dirty = 0, version = {schema.NEWEST['mysql']}")
    assert foreign.failed and "not belong to a model registry: orders" in foreign.result["msg"], foreign.output
    assert dirty.failed and "dirty" in dirty.result["msg"], dirty.output
    assert not newer.failed and any("is newer than the known version" in warning for warning in newer.warnings), newer.output
    assert os.listdir(folder) == []


def test_a_command_gets_the_archive_and_its_failure_is_one_of_the_backup(
    registries: dict[str, tuple[str, str]], back_up: Callable[..., Run], folder: Path
) -> None:
    name, _database = registries["postgresql"]
    done = back_up(name=name, command=["cp", "/dev/stdin", str(folder / "{file}.copy")])
    assert not done.failed and done.result["backup"]["path"] is None, done.output
    [copied] = folder.iterdir()
    assert copied.name == done.result["backup"]["file"] + ".copy" and copied.stat().st_size == done.result["backup"]["size"]
    read(str(copied)).prove()
    failed = back_up(name=name, command=["sh", "-c", "cat > /dev/null; echo no space for $0; exit 3", "it"])
    assert failed.failed and "exit code 3: no space for it" in failed.result["msg"], failed.output


def test_a_killed_backup_leaves_nothing_under_a_backups_name_and_the_next_one_clears_up(
    layout: Layout, registries: dict[str, tuple[str, str]], back_up: Callable[..., Run], token: str, folder: Path, tmp_path: Path
) -> None:
    name, database = registries["postgresql"]
    runner = Runner(layout, token, tmp_path)
    with databases.administration(layout, "postgresql", database) as run:
        run("BEGIN")
        run('LOCK TABLE "EventPath" IN ACCESS EXCLUSIVE MODE')
        try:
            with runner._playbook([Task({"namespace": REGISTRIES_NAMESPACE, "name": name, "dest": str(folder)}, MODULE)]):
                helpers.until(lambda: list(folder.iterdir()))
        finally:
            run("ROLLBACK")
    [left] = folder.iterdir()
    assert left.name.endswith(".zip.part")
    done = back_up(name=name, dest=str(folder), keep_count=1)
    assert not done.failed and os.listdir(folder) == [done.result["backup"]["file"]], done.output


def test_old_backups_are_deleted_after_a_new_one(registries: dict[str, tuple[str, str]], back_up: Callable[..., Run], folder: Path) -> None:
    name, _database = registries["postgresql"]
    first = back_up(name=name, dest=str(folder), checksum=True).result["backup"]["file"]
    # A backup of the same second has the same name.
    time.sleep(1)
    predicted = back_up(check=True, name=name, dest=str(folder), keep_count=1)
    assert predicted.result["removed"] == [first] and len(os.listdir(folder)) == 2
    second = back_up(name=name, dest=str(folder), keep_count=1)
    assert second.result["removed"] == [first] and os.listdir(folder) == [second.result["backup"]["file"]], second.output


# What is said without each right of rbac/data.yml. Without the first three there is no backup of a generated database.
MISSING = {
    "get modelregistries.modelregistry.opendatahub.io": ("fails", "reading modelregistries/"),
    "get secrets": ("fails", "reading secrets/"),
    "create pods/portforward": ("fails", "rbac/data.yml"),
    "list pods": ("fails", "listing pods"),
    "list rolebindings.rbac.authorization.k8s.io": ("warns", "access to registries could not be determined"),
}


def test_without_a_permission_the_message_names_it(layout: Layout, generated: str, cluster: Cluster, folder: Path, tmp_path: Path) -> None:
    name = generated
    with helpers.accounts_without_one_right(cluster, helpers.roles_of("data.yml")) as tokens:
        tokens_of = {str(right): token for right, token in tokens.items()}
        assert MISSING.keys() <= tokens_of.keys()
        options = {"name": name, "namespace": REGISTRIES_NAMESPACE, "dest": str(folder)}
        runs = Runner(layout, "", tmp_path).sequence([Task(options, MODULE, check=True, token=tokens_of[right]) for right in MISSING])
    for (right, (outcome, text)), run in zip(MISSING.items(), runs, strict=True):
        said = run.result["msg"] if run.failed else " ".join(run.warnings)
        assert run.failed == (outcome == "fails") and text in said, (right, run.output)
