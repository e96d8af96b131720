"""The playbook that writes a page about the registries of several clusters, run as accounts that may only read."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sandbox import controlplane, databases, faults
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests import fleet
from tests.dashboard import CLUSTER_WIDE, Dashboard, Database, Form
from tests.filling import is_available
from tests.helpers import Cluster, shell, until
from tests.reading import auditor_token

# Ansible before 2.19 would run the first, a browser the second.
ODD = "{{ lookup('pipe', 'touch ran') }}<script>alert(1)</script>"


@dataclass(frozen=True)
class Told:
    """A run of the playbook in a folder of its own: how it ended, what it printed, and what it asked the cluster."""

    code: int
    output: str
    folder: Path
    requests: tuple[faults.Request, ...]

    @property
    def summary(self) -> str:
        return self.output.partition("model_registry_report : Summary]")[2]

    @property
    def page(self) -> Path:
        return self.folder / "model-registries.html"


def report(layout: Layout, folder: Path, clusters: dict[str, dict[str, object]], *arguments: str) -> Told:
    """Run the playbook for these clusters."""
    inventory = folder / "inventory.yml"
    # Ansible before 2.19 cannot read a date again once it has been turned into text.
    variables = {"since": datetime.date(2024, 2, 29)}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": clusters, "vars": variables}}, sort_keys=False))
    command = ["ansible-playbook", "-i", str(inventory), "modelops.openshift_ai.report", "-e", "model_registries_same_cluster=true", *arguments]
    environment = shell(layout)
    faults.forget_requests(layout)
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False, timeout=300)
    return Told(done.returncode, done.stdout + done.stderr, folder, tuple(faults.recorded_requests(layout)))


def access_to(layout: Layout, folder: Path, name: str, token: str) -> dict[str, str]:
    """The variable that leads to the sandbox as this account, through the proxy that records requests."""
    kubeconfig = folder / f"{name}.kubeconfig"
    kubeconfig.write_text(json.dumps(controlplane.kubeconfig(layout, {"token": token}, layout.faulty_api_url)))
    return {"kubeconfig": str(kubeconfig)}


def has_failed(cluster: Cluster, registry: str) -> bool:
    """Whether the server of a registry has ended once, so that its log tells why."""
    pods = [pod for pod in cluster.items("v1", "pods") if pod["metadata"]["name"].startswith(f"{registry}-")]
    statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
    return any("terminated" in {**status["state"], **status["lastState"]} for status in statuses)


@pytest.fixture(scope="module")
def clusters(layout: Layout, cluster: Cluster, automation_token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, object]]]:
    """An inventory: one cluster that is only read, the same once more to be compared with a list, and one that is not there."""
    folder = tmp_path_factory.mktemp("clusters")
    with fleet.room(layout, cluster) as (prefix, name):
        login = databases.REGISTRY
        pages, database = Dashboard(cluster), Database("mysql.data.svc.cluster.local", name, login.name, login.password)
        pages.create(f"{prefix}-well", Form("Well", ODD, database, CLUSTER_WIDE))
        pages.create(f"{prefix}-odd", Form(ODD, "", Database("mysql.data.svc.cluster.local", name, login.name, "wrong")))
        for subject in ("data-scientists", "system:authenticated"):
            pages.grant(f"{prefix}-well", "Group", subject)
        until(lambda: is_available(cluster.registry(f"{prefix}-well")) and has_failed(cluster, f"{prefix}-odd"))
        reader = access_to(layout, folder, "reader", auditor_token(cluster))
        listed = [{"name": f"{prefix}-well", "description": "As it should be", "permissions": {"groups": ["data-scientists"], "exclusive": True}}]
        yield {
            "read": {"model_registry_cluster": reader},
            "compared": {
                "model_registry_cluster": access_to(layout, folder, "writer", automation_token),
                "model_registry_report_registries": listed,
                # What is to be converged, and not what the page is to compare with.
                "model_registries_list": [{"name": f"{prefix}-elsewhere"}],
            },
            "missing": {"model_registry_cluster": {**reader, "context": "nowhere"}},
        }


def test_one_page_tells_of_all_clusters(layout: Layout, clusters: dict[str, dict[str, object]], tmp_path: Path) -> None:
    """It takes more than 20 s: the registries are made before, of which one has to fail."""
    told = report(layout, tmp_path, clusters)
    # One of them could not be read.
    assert told.code and "changed=0" in told.output and "changed=1" not in told.output, told.output
    assert "missing: FAILED: there is no cluster to connect to" in told.summary
    assert "read: " in told.summary and "findings" in told.summary and "differences from the list" in told.summary
    assert "report written to " in told.summary and str(told.page) in told.summary
    assert not [request for request in told.requests if request.writes]
    assert told.page.stat().st_mode & 0o777 == 0o600 and not (tmp_path / "ran").exists()
    page = told.page.read_text()
    shown = [
        "in 3 clusters: read, compared, missing",
        "The registries were not read: there is no cluster to connect to",
        "Not available: the database rejects the login",
        "Nearly all users have access, through system:authenticated",
        "The connection to the database is not encrypted",
        "ConfigMap odh-trusted-ca-bundle, key ca-bundle.crt",
        "differences from the list",
        "system:serviceaccount:automation:auditor",
        ">a group with nearly all users, such as system:authenticated, has access to registry ",
        REGISTRIES_NAMESPACE,
        "&lt;script&gt;alert(1)",
    ]
    assert [text for text in shown if text not in page] == []
    assert "-elsewhere" not in page
    assert "<script>alert" not in page and databases.REGISTRY.password not in page + told.output


def test_check_mode_writes_no_page_and_compares_with_the_list_to_converge(layout: Layout, clusters: dict[str, dict[str, object]], tmp_path: Path) -> None:
    converging = dict(clusters["compared"])
    converging["model_registries_list"] = converging.pop("model_registry_report_registries")
    told = report(layout, tmp_path, {**clusters, "compared": converging}, "--check", "-e", "model_registries_clusters=read,compared")
    assert told.code == 0 and "changed=0" in told.output and "read: " in told.summary and "differences from the list" in told.summary, told.output
    assert "no report is written in check mode" in told.summary and not told.page.exists() and "missing" not in told.summary
