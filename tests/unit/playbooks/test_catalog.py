"""What playbooks print of the model catalog, what they write for programs, and when they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.layout import ROOT
from tests.found import found, registry
from tests.playing import Played

Play = Callable[..., Played]
CLUSTER = {"host": "https://api.east.example.com:6443", "context": "east", "user": "ansible", "verify_ssl": True}
REGISTRIES: dict[str, Any] = {"registries": [], "unlisted": [], "drift": [], "changes": [], "cluster": CLUSTER}
CHANGE = {"action": "update", "kind": "ConfigMap", "namespace": "registries", "name": "model-catalog-sources", "fields": ["sources[a].enabled"]}
CATALOG: dict[str, Any] = {"changes": [CHANGE], "changed": True, "sources": [{"id": "a", "kind": "model", "status": "available"}], "cluster": CLUSTER}
STATUS = {"findings": [], "server": {"status": "error", "error": "no file", "entries": 0}}
SEEN: dict[str, Any] = {"sources": [{"id": "a", "kind": "model", "status": STATUS}], "labels": [], "named_queries": [], "findings": [], "cluster": CLUSTER}
LISTS = {"model_registries_list": [], "model_catalog_sources": [{"id": "a", "enabled": False}], "model_registries_result_file": "result.json"}


def written(folder: Path) -> dict[str, Any]:
    text: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return text


def test_converge_reconciles_the_catalog_after_the_registries(play: Play, tmp_path: Path) -> None:
    played = play("converge", variables=LISTS, model_registries=REGISTRIES, model_catalog=CATALOG)
    assert played.code == 0, played.output
    assert (tmp_path / "asked").read_text().split()[-2:] == ["model_registries", "model_catalog"]
    assert played.summaries[1] == ["east: model catalog: ConfigMap model-catalog-sources changed: sources[a].enabled"]
    file = written(tmp_path)
    east = file["clusters"]["east"]
    assert (file["status"], east["status"], east["catalog"]["status"], east["registries"]) == ("changed", "changed", "changed", 0)
    assert east["catalog"]["results"]["model_catalog_result"]["changes"] == [CHANGE]


def test_a_check_fails_for_the_catalog_alone_and_for_the_registries_alone(play: Play, tmp_path: Path) -> None:
    variables = {**{name: value for name, value in LISTS.items() if name != "model_catalog_sources"}, "model_catalog_included": True}
    played = play("check", variables=variables, model_registries=REGISTRIES, model_registry_info=found(), model_catalog_info=SEEN)
    assert played.code, played.output
    assert (written(tmp_path)["status"], written(tmp_path)["clusters"]["east"]["catalog"]["lines"]) == ("findings", ["source a: error: no file"])
    unavailable = found(registry("team", status={"available": False, "reason": "no pod is ready"}))
    fine = {**SEEN, "sources": []}
    played = play("check", variables=variables, model_registries=REGISTRIES, model_registry_info=unavailable, model_catalog_info=fine)
    assert played.code and "team" in str(played.summaries[1]), played.output
    file = written(tmp_path)
    assert (file["status"], file["clusters"]["east"]["catalog"]["status"]) == ("findings", "ok")


def test_a_check_finds_a_catalog_that_another_process_has_made_unavailable(play: Play, tmp_path: Path) -> None:
    finding = {"effect": "catalog", "path": "", "problem": "the catalog server is unavailable", "remedy": "Restart it"}
    for config_map, what in ((None, "model catalog"), ("others", "ConfigMap others")):
        seen = {**SEEN, "sources": [], "findings": [{**finding, "config_map": config_map}]}
        answers = {"model_registries": REGISTRIES, "model_registry_info": found(), "model_catalog": {**CATALOG, "changes": []}, "model_catalog_info": seen}
        played = play("check", variables=LISTS, **answers)
        file = written(tmp_path)
        assert (bool(played.code), file["status"], file["clusters"]["east"]["catalog"]["status"]) == (True, "findings", "findings"), played.output
        [line] = file["clusters"]["east"]["catalog"]["lines"]
        assert line.startswith(f"{what}: ") and finding["problem"] in line


@pytest.mark.parametrize(("answer", "status"), [(CATALOG, "changed"), ({"failed": True, "msg": "it is down", "cluster": CLUSTER}, "failed")])
def test_the_playbook_of_the_catalog_writes_its_results_too(play: Play, tmp_path: Path, answer: dict[str, Any], status: str) -> None:
    played = play("catalog", variables=LISTS, model_catalog=answer)
    assert bool(played.code) == (status == "failed"), played.output
    assert ("it is down" in played.summary) == (status == "failed")
    assert written(tmp_path)["status"] == status


def test_an_export_has_what_administrators_have_configured_and_tells_it(play: Play, tmp_path: Path) -> None:
    source = {"id": "a", "kind": "model", "enabled": False, "content": "models: []\n", "status": STATUS}
    seen = {**SEEN, "sources": [source], "labels": [{"name": "L"}]}
    played = play("export", variables={"model_catalog_included": True}, model_registry_info=found(registry("team")), model_catalog_info=seen)
    assert played.code == 0, played.output
    assert "1 sources of the model catalog written to" in played.summary
    text = (tmp_path / "host_vars" / "east" / "model_catalog.yml").read_text()
    assert "model_catalog_labels" in text and "model_catalog_named_queries: []" in text and "status" not in text
    # An empty catalog is usually that of the wrong cluster.
    nothing = {"model_registry_info": found(registry("team")), "model_catalog_info": {**SEEN, "sources": []}}
    refused = play("export", variables={"model_catalog_included": True}, **nothing)
    assert refused.code and "-e model_registries_export_empty=true" in refused.summary and "replacing it is not enabled" in refused.summary, refused.output
    assert (tmp_path / "host_vars" / "east" / "model_catalog.yml").read_text() == text
    emptied = play("export", variables={"model_catalog_included": True, "model_registries_export_empty": True}, **nothing)
    assert emptied.code == 0, emptied.output
    assert "model_catalog_sources: []" in (tmp_path / "host_vars" / "east" / "model_catalog.yml").read_text()
    failed = {"failed": True, "msg": "may not be read", "cluster": CLUSTER}
    played = play("export", variables={"model_catalog_included": True}, model_registry_info=found(registry("team")), model_catalog_info=failed)
    assert played.code and "FAILED: the model catalog: may not be read" in played.summary, played.output


def test_the_survey_about_one_source_changes_no_other(play: Play, tmp_path: Path) -> None:
    """Whatever the variables of the inventory say of the lists."""
    (tmp_path / "group_vars").mkdir()
    listed = {"model_catalog_sources": [{"id": "b"}], "model_catalog_labels": [{"name": "L"}], "model_catalog_named_queries": [], "model_catalog_purge": True}
    (tmp_path / "group_vars" / "all.yml").write_text(yaml.safe_dump(listed))
    answers = {"source_name": "A", "source_change": "Create or edit", "source_type": "Keep as it is", "source_enabled": "Yes"}
    played = play(str(ROOT / "aap" / "project" / "catalog_source.yml"), variables=answers, model_catalog=CATALOG)
    assert played.code == 0, played.output
    options = json.loads((tmp_path / "model_catalog.options").read_text())
    assert (options["sources"], options["purge"]) == ([{"name": "A", "enabled": True}], False)
    assert options.keys().isdisjoint(("labels", "named_queries"))
