"""The model catalog beside others: runs of the module that are killed after each of their writes, two runs at once, the settings page, and the operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, manifests
from sandbox.kube import ApiError
from sandbox.layout import Layout
from tests.dashboard import CatalogPage, SourceForm
from tests.helpers import Cluster, until
from tests.interleaving import CONFIG_MAPS, SECRETS, Ended, InProcess, Sent, Work, model_catalog

USER, MCP, AGENTS = (kind.config_map for kind in catalog.KINDS.values())
MODELS = "models:\n  - name: org/one\n"
CLICKED = """\
# ours
catalogs:
    - enabled: true
      id: fraud_models
      name: Fraud models
      properties:
        yamlCatalogPath: fraud_models.yaml
      type: yaml
    - enabled: true
      id: granite
      name: Granite
      properties:
        allowedOrganization: ibm-granite
        apiKey: catalog-granite-apikey
      type: hf
"""
BEFORE = {
    USER: {"sources.yaml": CLICKED, "fraud_models.yaml": MODELS},
    MCP: {"sources.yaml": "mcp_catalogs: []\n"},
    AGENTS: {"sources.yaml": "agent_catalogs: []\n"},
}
LABEL = {"app.kubernetes.io/component": "model-catalog"}
OPERATORS = {**LABEL, "component": "model-catalog", "app": "model-catalog", "app.kubernetes.io/created-by": "model-registry-operator"}


class Room:
    """The catalog of the sandbox, for one test."""

    def __init__(self, cluster: Cluster, process: InProcess) -> None:
        self.cluster, self.process = cluster, process
        self._delivered = {name: until(lambda name=name: cluster.get(*CONFIG_MAPS, name))["data"] for name in BEFORE}  # type: ignore[misc]

    def reset(self, data: dict[str, dict[str, str]] | None = None, with_token: bool = True) -> None:
        """Two sources of the dashboard, one of them with a token, and nothing of ours."""
        for number in (1, 2):
            self.cluster.delete(*CONFIG_MAPS, catalog.own_name(number))
        for name, wanted in (data or BEFORE).items():
            # The operator makes one anew that was deleted.
            present = until(lambda name=name: self.cluster.get(*CONFIG_MAPS, name))["data"]  # type: ignore[misc]
            self.cluster.merge(*CONFIG_MAPS, name, {"data": {**dict.fromkeys(present), **wanted}})
        for secret in self.cluster.items(*SECRETS):
            if catalog.is_token_secret(secret["metadata"]["name"]):
                self.cluster.delete(*SECRETS, secret["metadata"]["name"])
        if with_token:
            self.cluster.create(*SECRETS, {"metadata": {"name": "catalog-granite-apikey", "labels": LABEL}, "stringData": {"apiKey": "hf_old"}})

    def restore(self) -> None:
        """As the operator made it, where a run was faster too."""
        for name in self._delivered:
            present = self.cluster.get(*CONFIG_MAPS, name)
            if present and not present["metadata"].get("labels"):
                # The operator notices the deletion of what has its labels only.
                self.cluster.merge(*CONFIG_MAPS, name, {"metadata": {"labels": OPERATORS}})
                self.cluster.delete(*CONFIG_MAPS, name)
        self.reset(self._delivered, with_token=False)

    @property
    def state(self) -> dict[str, Any]:
        """All that a run can change."""
        names = {*BEFORE, *map(catalog.own_name, (1, 2))}
        found = {name: self.cluster.get(*CONFIG_MAPS, name) for name in names}
        secrets = [secret for secret in self.cluster.items(*SECRETS) if catalog.is_token_secret(secret["metadata"]["name"])]
        return {**{name: one and one["data"] for name, one in found.items()}, **{one["metadata"]["name"]: one["data"] for one in secrets}}

    def ids(self, name: str = USER, section: str = "catalogs") -> list[str]:
        return [entry["id"] for entry in yaml.safe_load(self.cluster.get(*CONFIG_MAPS, name)["data"]["sources.yaml"])[section]]

    def do(self, work: Work) -> Ended:
        """A run by itself, which succeeds."""
        ended = self.process.run(work)
        assert ended.error is None, ended.error
        return ended

    def interleaved(self, one: Work, other: Work) -> Iterator[tuple[Ended, Ended]]:
        """Both runs, for each request of the first before which the second goes by, each time from the same beginning."""

        def prepared(_stop: int) -> tuple[Work, Work]:
            self.reset()
            return one, other

        for stop, first, second in self.process.interleaved(prepared):
            assert first.error is None and second.error is None, (stop, first.error, second.error)
            yield first, second


@pytest.fixture
def room(layout: Layout, cluster: Cluster, tmp_path: Path) -> Iterator[Room]:
    made = Room(cluster, InProcess(layout, tmp_path))
    try:
        yield made
    finally:
        made.restore()


NEW = {"name": "New", "content": MODELS}
TOKEN = {"name": "Hugging", "organization": "o", "token": "hf_new"}
SERVERS = {"name": "Servers", "kind": "mcp", "entries": [{"name": "s"}]}
OTHERS = (NEW, TOKEN, SERVERS, {"name": "Agents", "kind": "agent", "entries": [{"name": "a"}]})
GONE = {"id": "granite", "state": "absent"}
LARGE = {"name": "Large", "content": "models:\n" + "".join(f"- name: org/m{number}\n  description: {'x' * 1000}\n" for number in range(600))}
QUERY = {"name": "q", "filters": [{"field": "license", "operator": "=", "value": "mit"}]}


# Kills


@pytest.mark.parametrize(
    ("options", "writes"),
    [
        # Each with the Secret of a new token, a ConfigMap of each kind, and the announcement of what is deleted at the end.
        ({"sources": [*OTHERS, GONE], "labels": [{"name": "L"}], "named_queries": [QUERY]}, 6),
        ({"sources": [*OTHERS, {"id": "fraud_models"}], "purge": True}, 6),
        ({"sources": [NEW, TOKEN, GONE], "store": "own", "labels": [{"name": "L"}]}, 5),
        ({"sources": [LARGE, {**LARGE, "name": "Larger"}], "store": "own"}, 2),
        ({"sources": [{"id": "granite", "token": "hf_other"}, {"id": "fraud_models", "enabled": False}]}, 2),
    ],
)
def test_a_run_that_was_killed_after_any_write_is_completed_by_the_next(room: Room, options: dict[str, Any], writes: int) -> None:
    """Ten runs of a module inside of this process for some of them, with two ConfigMaps of 600 KiB for one."""
    work = model_catalog(**options)
    room.reset()
    assert room.do(work).writes == writes
    end = room.state
    for number in range(1, writes):
        room.reset()
        assert room.process.killed_after(work, number)
        predicted, done, again = room.do(model_catalog(check=True, **options)), room.do(work), room.do(work)
        assert predicted.outcome.changes == done.outcome.changes
        assert (room.state, again.writes) == (end, 0), number


# Two runs


def test_two_runs_with_other_sources_lose_nothing(room: Room) -> None:
    for _one, _other in room.interleaved(model_catalog(sources=[NEW, GONE]), model_catalog(sources=[TOKEN, SERVERS], labels=[{"name": "L"}])):
        assert room.ids() in (["fraud_models", "new", "hugging"], ["fraud_models", "hugging", "new"])
        assert room.ids(MCP, "mcp_catalogs") == ["servers"]
        assert room.cluster.get(*CONFIG_MAPS, USER)["data"]["sources.yaml"].startswith("# ours\n")
        assert "catalog-granite-apikey" not in room.state and "catalog-hugging-apikey" in room.state


def test_two_runs_for_the_same_change_it_once(room: Room) -> None:
    work = model_catalog(sources=[*OTHERS, GONE])
    room.reset()
    room.do(work)
    end = room.state
    for one, other in room.interleaved(work, work):
        assert room.state == end
        changed = [change["name"] for run in (one, other) for change in run.outcome.changes]
        assert sorted(changed) == sorted({*changed}), changed


def test_a_removal_and_a_run_that_stores_the_token_again_leave_all_of_a_source_or_nothing(room: Room) -> None:
    stored = {"id": "granite", "name": "Granite", "organization": "ibm-granite", "token": "hf_old"}
    ends = set()
    for one, other in ((GONE, stored), (stored, GONE)):
        for _one, _other in room.interleaved(model_catalog(sources=[one]), model_catalog(sources=[other])):
            is_there = "granite" in room.ids()
            assert ("catalog-granite-apikey" in room.state) is is_there, (one, _one.sent, _one.outcome.warnings)
            ends.add(is_there)
    assert ends == {True, False}


# The settings page


PAGES: dict[str, Callable[[CatalogPage], object]] = {
    "create": lambda page: page.create(SourceForm("Clicked", text=MODELS)),
    "create with a token": lambda page: page.create(SourceForm("Clicked", organization="o", token="hf_clicked")),
    "edit": lambda page: page.edit("fraud_models", enabled=False),
    "delete": lambda page: page.delete("granite"),
}


@pytest.mark.parametrize("click", PAGES)
def test_what_is_clicked_while_a_run_writes_stays(room: Room, click: str) -> None:
    def clicked(*_: Any) -> None:
        PAGES[click](CatalogPage(room.cluster))

    for _one, _page in room.interleaved(model_catalog(sources=[NEW, SERVERS, {"id": "fraud_models", "labels": ["Fraud"]}]), clicked):
        entries = {entry["id"]: entry for entry in yaml.safe_load(room.state[USER]["sources.yaml"])["catalogs"]}
        kept = ["fraud_models", *([] if click == "delete" else ["granite"]), *(["clicked"] if click.startswith("create") else []), "new"]
        assert sorted(entries) == sorted(kept)
        assert (entries["fraud_models"]["labels"], entries["fraud_models"]["enabled"]) == (["Fraud"], click != "edit")
        assert all(f"catalog-{identity}-apikey" in room.state for identity, entry in entries.items() if (entry["properties"].get("apiKey")))


@pytest.mark.parametrize("click", PAGES)
def test_a_page_that_a_run_overtakes_is_refused(room: Room, click: str, monkeypatch: pytest.MonkeyPatch) -> None:
    room.reset()
    page, original = CatalogPage(room.cluster), CatalogPage._put

    def put(*arguments: Any) -> None:
        room.do(model_catalog(sources=[NEW]))
        original(*arguments)

    monkeypatch.setattr(CatalogPage, "_put", put)
    with pytest.raises(ApiError) as refused:
        PAGES[click](page)
    assert refused.value.status == 409
    assert room.ids() == ["fraud_models", "granite", "new"]
    assert "catalog-clicked-apikey" not in room.state


# The operator


def test_a_config_map_that_the_operator_makes_anew_in_between_gets_the_sources(room: Room) -> None:
    def delete(*_: Any) -> None:
        before = room.cluster.get(*CONFIG_MAPS, USER)["metadata"]["uid"]
        room.cluster.delete(*CONFIG_MAPS, USER)
        until(lambda: (found := room.cluster.get(*CONFIG_MAPS, USER)) and found["metadata"]["uid"] != before)

    work = model_catalog(sources=[NEW, SERVERS])
    for _one, _other in room.interleaved(work, delete):
        room.do(work)
        assert room.ids() == ["new"] and room.ids(MCP, "mcp_catalogs") == ["servers"]
        assert room.do(work).writes == 0


def test_a_config_map_that_is_missing_while_a_run_looks_is_made_by_either(room: Room) -> None:
    """The operator makes it within a moment: what a run does in that moment is tried again and again."""
    work = model_catalog(sources=[NEW])

    def before(ended: Ended, request: Sent) -> None:
        if request.verb == "GET" and request.path.endswith(f"/{USER}") and len(ended.sent) < 5:
            room.cluster.delete(*CONFIG_MAPS, USER)

    room.reset()
    ended = room.process.run(work, before)
    assert ended.error is None, ended.error
    assert "new" in room.ids() and room.do(work).writes == 0


def test_what_the_operator_reverts_of_the_defaults_is_no_change(room: Room) -> None:
    room.reset()
    name = catalog.DEFAULTS
    delivered = room.cluster.get(*CONFIG_MAPS, name)["data"]
    override = model_catalog(sources=[{"id": "redhat_ai_models", "enabled": False}])
    room.do(override)
    room.cluster.merge(*CONFIG_MAPS, name, {"data": {"sources.yaml": "catalogs: []\n"}})
    until(lambda: room.cluster.get(*CONFIG_MAPS, name)["data"] == delivered)
    assert room.do(override).writes == 0
    assert manifests.text_of("ConfigMap", room.cluster.get(*CONFIG_MAPS, USER), "sources.yaml")
