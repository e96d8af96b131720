"""The guides, each followed on a cluster of the sandbox."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import login, port_forward
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import connection
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.symptoms import SYMPTOMS
from sandbox import databases
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from sandbox.server import filler
from tests.dashboard import CLUSTER_WIDE, Dashboard, Database, Form
from tests.guides import GUIDES, Reader
from tests.helpers import REGISTRIES, Cluster, Runner, until
from tests.interleaving import InProcess

from .test_backup import external
from .test_migrate import Client, answers
from .test_sandbox_registry_data import asking, connect, emulated, new_database
from .test_tables import MakeDatabase

__all__ = ["new_database"]

# One guide needs more than one cluster.
TESTS = (Path(__file__), ROOT / "tests" / "generations" / "test_several_clusters.py")


@pytest.fixture
def reader(layout: Layout, cluster: Cluster, tmp_path: Path) -> Iterator[Reader]:
    """One who has the certificates that the guides name; the registry that they make is gone afterwards."""
    (tmp_path / "database-ca.pem").write_text(layout.path("pki", "database-ca.crt").read_text())
    (tmp_path / "new-database-ca.pem").write_text("".join(layout.path("pki", f"{name}.crt").read_text() for name in ("database-ca", "other-ca")))
    yield Reader(layout, tmp_path)
    for name in ("fraud-models", "credit-models", "clicked-models"):
        cluster.delete(*REGISTRIES, name)
        cluster.delete("v1", "configmaps", f"{name}-db-credential")
        for secret in cluster.items("v1", "secrets"):
            if secret["metadata"]["name"].startswith(f"{name}-db-"):
                cluster.delete("v1", "secrets", secret["metadata"]["name"])
    cluster.delete("v1", "secrets", "fraud-database")


def test_the_guide_to_a_first_registry(reader: Reader, cluster: Cluster) -> None:
    assert "failed=0" in reader.follow("first_registry")
    assert cluster.registry("fraud-models") is None


def test_the_guide_from_the_dashboard_to_code(reader: Reader, cluster: Cluster) -> None:
    login = databases.REGISTRY
    host = f"{databases.SERVICES['mysql']}.data.svc.cluster.local"
    form = Form("Clicked models", "", Database(host, databases.DOCUMENTED_DATABASES[0], login.name, login.password), CLUSTER_WIDE)
    Dashboard(cluster).create("clicked-models", form)
    before = cluster.registry("clicked-models")["spec"]
    reader.follow("from_the_dashboard")
    assert cluster.registry("clicked-models")["spec"] == before


def test_the_guide_to_passwords_and_certificates(reader: Reader, cluster: Cluster) -> None:
    assert "failed=0" in reader.follow("passwords_and_certificates")
    database = cluster.registry("fraud-models")["spec"]["mysql"]
    assert database["passwordSecret"] == {"name": "fraud-database", "key": "password"}
    assert database["sslRootCertificateConfigMap"]["name"] == "fraud-models-db-credential"


def test_the_guide_to_the_model_catalog(reader: Reader, cluster: Cluster, layout: Layout) -> None:
    """It takes more than 20 s: the guide waits several times for the server of the catalog."""
    sources = ("v1", "configmaps", "model-catalog-sources")
    before = cluster.get(*sources)["data"]
    reader.variables["SSL_CERT_FILE"] = str(layout.path("pki", "ingress-ca.crt"))
    try:
        assert "failed=0" in reader.follow("model_catalog")
        assert "fraud_models" not in cluster.get(*sources)["data"]["sources.yaml"]
        assert "other_models" in cluster.get(*sources)["data"]["sources.yaml"]
    finally:
        cluster.merge(*sources, {"data": {**dict.fromkeys(cluster.get(*sources)["data"]), **before}})


def test_the_guides_to_backups_and_restores(reader: Reader, layout: Layout, model_registry: Runner, database: str) -> None:
    """It takes more than 20 s: two registries are made, and five playbooks are run, one of which makes a deleted registry again."""
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password, "ca": {"source": "cluster"}}
    made = model_registry(name="fraud-models", database={"type": "mysql", "host": databases.address(layout, "mysql"), "name": database, **login})
    assert not made.failed, made.output
    server = connect(layout, "mysql", database)
    filler.fill(asking(emulated(server)))
    server.close()
    # At its end the registry is deleted, which is then recovered.
    reader.follow("backup")
    reader.variables["MODEL_REGISTRY_DATABASE_PASSWORD"] = databases.REGISTRY.password
    made = model_registry(name="fraud-restored", database={"type": "generated"})
    assert not made.failed, made.output
    try:
        reader.follow("restore")
    finally:
        model_registry(name="fraud-restored", state="absent", delete_data=True, wait=False)


def emptied(layout: Layout, kind: str, name: str) -> None:
    """Every guide may use the databases that the sandbox has for them."""
    databases.drop_database(layout, kind, name)
    databases.create_databases(layout, kind, [name])


@pytest.mark.needs_mysql
def test_the_guide_to_migrations(reader: Reader, layout: Layout, model_registry: Runner, cluster: Cluster) -> None:
    """It takes more than 20 s: two registries are made, and moved by playbooks that are run as the guide says."""
    [fraud, credit] = databases.DOCUMENTED_DATABASES
    for kind in databases.KINDS:
        for name in (fraud, credit):
            emptied(layout, kind, name)
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password, "ca": {"source": "cluster"}}
    wanted = {"fraud-models": {"type": "generated"}, "credit-models": {"type": "mysql", "host": databases.address(layout, "mysql"), "name": credit, **login}}
    for name, database in wanted.items():
        made = model_registry(name=name, database=database)
        assert not made.failed, made.output
    server = connect(layout, "mysql", credit)
    filler.fill(asking(emulated(server)))
    server.close()
    hosts = {"NEW_DATABASE_HOST": databases.address(layout, "postgresql"), "MYSQL_DATABASE_HOST": databases.address(layout, "mysql")}
    reader.variables |= {**hosts, "MODEL_REGISTRY_DATABASE_PASSWORD": databases.REGISTRY.password}
    try:
        reader.follow("migrate")
        assert cluster.registry("fraud-models")["spec"]["postgres"]["database"] == credit
        assert cluster.registry("credit-models")["spec"]["mysql"]["database"] == fraud
    finally:
        with databases.administration(layout, "mysql") as run:
            run(f"ALTER SCHEMA {credit} READ ONLY = 0")
        for kind in databases.KINDS:
            for name in (fraud, credit):
                emptied(layout, kind, name)


def command_in(guide: str, beginning: str) -> str:
    """A command that a guide shows."""
    [command] = re.findall(rf"^   ({re.escape(beginning)} .+)$", (GUIDES / f"{guide}.rst").read_text(), re.MULTILINE)
    return str(command)


def test_a_generated_database_is_copied_through_a_forwarded_port(
    reader: Reader, layout: Layout, model_registry: Runner, cluster: Cluster, new_database: MakeDatabase
) -> None:
    new = new_database("postgresql")
    made = model_registry(name="fraud-models", database={"type": "generated"})
    assert not made.failed, made.output
    client = Client(layout, "fraud-models")
    until(lambda: answers(client))
    filler.fill(client)
    before = dict(filler.reads(client))
    # The node of the sandbox does not know the protocol of kubectl for this. The same port of the same pod is reached through the API server with that of the
    # library for Python, at a socket in place of a port.
    [pod] = [pod["metadata"]["name"] for pod in cluster.items("v1", "pods", labelSelector="app=fraud-models") if "-postgres-" in pod["metadata"]["name"]]
    assert command_in("migrate", "kubectl port-forward").endswith("deployment/fraud-models-postgres 5432")
    secret = cluster.get("v1", "secrets", "fraud-models-postgres-credentials")["data"]["password"]
    dump = command_in("migrate", "pg_dump").replace("fraud_models", "model_registry")
    load = command_in("migrate", "pg_restore").replace("credit_models", new)
    reader.variables |= {
        "PGUSER": "modelregistry",
        "PGPASSWORD": base64.b64decode(secret).decode(),
        "NEW_DATABASE_HOST": databases.address(layout, "postgresql"),
        "MODEL_REGISTRY_DATABASE_PASSWORD": databases.REGISTRY.password,
    }
    connected = login.connect(InProcess(layout, reader.folder).module)
    with port_forward.forwarded(connected, REGISTRIES_NAMESPACE, pod, connection.SOCKET_PORT, connection.SOCKET) as forward:
        assert reader.run(f"PGHOST={forward.folder} {dump}") == 0, reader.output
    loading = f'PGHOST="$NEW_DATABASE_HOST" PGUSER={databases.REGISTRY.name} PGPASSWORD="$MODEL_REGISTRY_DATABASE_PASSWORD" {load}'
    assert reader.run(loading) == 0, reader.output
    reader.write_files("migrate")
    moving = f"ansible-playbook -v modelops.openshift_ai.migrate -e model_registry_name=fraud-models -e @new-database.yml -e model_registry_database_name={new}"
    assert reader.run(moving) == 0 and re.search(r'"copied": false', reader.output), reader.output
    assert cluster.registry("fraud-models")["spec"]["postgres"]["database"] == new and dict(filler.reads(client)) == before


def test_a_database_of_mariadb_is_copied_with_its_own_tools(
    reader: Reader, layout: Layout, model_registry: Runner, cluster: Cluster, new_database: MakeDatabase
) -> None:
    old, new = new_database(databases.MARIADB), new_database(databases.MARIADB)
    made = model_registry(name="credit-models", database=external(layout, databases.MARIADB, old))
    assert not made.failed, made.output
    client = Client(layout, "credit-models")
    until(lambda: answers(client))
    filler.fill(client)
    before = dict(filler.reads(client))
    # As the guide says for MariaDB.
    dump = command_in("migrate", "mysqldump").replace("mysqldump", "mariadb-dump").replace("--set-gtid-purged=OFF ", "").replace("credit_models", old)
    load = command_in("migrate", "mysql").replace("mysql", "mariadb", 1).replace("fraud_models", new)
    host = databases.address(layout, databases.MARIADB)
    reader.variables |= {"MYSQL_DATABASE_HOST": host, "MODEL_REGISTRY_DATABASE_PASSWORD": databases.REGISTRY.password}
    assert reader.run(f'export MYSQL_PWD="$MODEL_REGISTRY_DATABASE_PASSWORD"\n{dump}\n{load}') == 0, reader.output
    reader.variables["NEW_DATABASE_HOST"] = host
    reader.write_files("migrate")
    moving = "ansible-playbook -v modelops.openshift_ai.migrate -e model_registry_name=credit-models -e @new-database.yml"
    assert reader.run(f"{moving} -e model_registry_database_type=mysql -e model_registry_database_name={new}") == 0, reader.output
    assert re.search(r'"copied": false', reader.output), reader.output
    assert cluster.registry("credit-models")["spec"]["mysql"]["database"] == new and dict(filler.reads(client)) == before


def test_the_guide_to_access(reader: Reader) -> None:
    output = reader.follow("access")
    assert "failed=0" in output and "data-scientists" in output


def test_there_is_nothing_to_do_in_the_other_guides() -> None:
    followed = set(re.findall(r'\bfollow\("(\w+)"\)', "".join(path.read_text() for path in TESTS)))
    assert followed <= {guide.stem for guide in GUIDES.glob("*.rst")}
    assert not [guide.stem for guide in GUIDES.glob("*.rst") if guide.stem not in followed and re.search(r"code-block|literalinclude", guide.read_text())]


def test_the_guide_to_troubleshooting_names_every_symptom() -> None:
    guide = " ".join((GUIDES / "troubleshooting.rst").read_text().replace("``", "`").split())
    missing = [text for symptom in SYMPTOMS for text in (symptom.reason, symptom.remedy) if text not in guide]
    assert not missing
