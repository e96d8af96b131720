"""What the action plugins do on the controller: which arguments a module gets in the end, and how files are written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playing import Played

Play = Callable[..., Played]


def run(play: Play, folder: Path, tasks: list[dict[str, Any]], *options: str, **answers: dict[str, Any]) -> tuple[Played, list[dict[str, Any]]]:
    """A play with these tasks, each a module's name and its options, and the result of each."""
    numbered = [
        {"name": str(number), **{key if key in KEYWORDS else f"modelops.openshift_ai.{key}": value for key, value in task.items()}, "register": f"r{number}"}
        for number, task in enumerate(tasks)
    ]
    for one in numbered:
        one["ignore_errors"] = True
    every = f"{{{{ [{', '.join(f'r{number}' for number in range(len(tasks)))}] | to_json }}}}"
    written = {"ansible.builtin.copy": {"dest": str(folder / "results.json"), "content": every}, "check_mode": False, "diff": False}
    keywords = {"hosts": "all", "connection": "local", "gather_facts": False, "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}
    (folder / "tasks.yml").write_text(yaml.safe_dump([keywords | {"tasks": [*numbered, written]}]))
    played = play("tasks.yml", *options, **answers)
    assert played.code == 0, played.output
    return played, json.loads((folder / "results.json").read_text())


KEYWORDS = ("check_mode", "diff")
# A text that is none in UTF-8, as a certificate in DER is.
BYTES = b"caf\xe9"


def test_files_that_options_name_are_read_on_the_controller(play: Play, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "ca.pem").write_bytes(BYTES)
    (tmp_path / "data.yml").write_text("models: [ä]")
    upload = {"source": "upload", "path": "ca.pem"}
    one = {"name": "one", "database": {"type": "mysql", "host": "h", "ca": upload}}
    tasks: list[dict[str, Any]] = [
        {"model_registry": one},
        {"model_registries": {"registries": [], "namespace": "n"}},
        {"model_registry_migrate": {"name": "one", "to": {"database": {"host": "h", "ca": upload}}}},
        {
            "model_catalog": {
                "sources": [{"name": "a", "type": "yaml", "path": "data.yml"}, {"name": "b", "enabled": False}, {"name": "c", "content": "x"}],
                "purge": True,
            }
        },
    ]
    played, results = run(play, tmp_path, tasks, model_registry={}, model_registries={"info": {"registries": []}}, model_registry_migrate={}, model_catalog={})
    assert not [result for result in results if result.get("failed")], played.output
    options = {name: json.loads((tmp_path / f"{name}.options").read_text()) for name in ("model_registry", "model_registry_migrate", "model_catalog")}
    read = {"source": "upload", "path": "ca.pem", "pem": BYTES.decode("latin-1")}
    assert options["model_registry"]["database"] == {"type": "mysql", "host": "h", "ca": read}
    assert options["model_registry_migrate"]["to"] == {"database": {"host": "h", "ca": read}} and options["model_registry_migrate"]["name"] == "one"
    sources = [{"name": "a", "type": "yaml", "content": "models: [ä]"}, {"name": "b", "enabled": False}, {"name": "c", "content": "x"}]
    assert (options["model_catalog"]["sources"], options["model_catalog"]["purge"]) == (sources, True)
    # What was read of all registries is a text, and no result has its arguments.
    assert results[1]["info"] == '{"registries": []}' and not [result for result in results if "invocation" in result]


def test_each_registry_of_a_list_is_given_with_the_content_of_its_file(play: Play, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(BYTES)
    upload = {"source": "upload", "path": "ca.pem"}
    # What names no file of the controller stays as it is.
    cas = ({"source": "upload", "pem": "x"}, {"source": "secret", "path": "none.pem"})
    others = [{"name": "three"}, *({"name": f"other-{ca['source']}", "database": {"ca": ca}} for ca in cas)]
    listed = [{"name": "one", "database": {"host": "h", "ca": upload}}, {"name": "two", "database": json.dumps({"ca": upload})}, *others]
    run(play, tmp_path, [{"model_registries": {"registries": listed, "namespace": "n"}}], model_registries={})
    options = json.loads((tmp_path / "model_registries.options").read_text())
    read = {**upload, "pem": BYTES.decode("latin-1")}
    assert options["registries"] == [{"name": "one", "database": {"host": "h", "ca": read}}, {"name": "two", "database": {"ca": read}}, *others]
    assert options["namespace"] == "n"


def test_a_source_of_the_catalog_whose_file_cannot_be_used_is_named(play: Play, tmp_path: Path) -> None:
    (tmp_path / "binary.yml").write_bytes(BYTES)
    (tmp_path / "data.yml").write_text("models: []")
    sources = [
        {"name": "fine", "path": "data.yml"},
        {"name": "two", "path": "data.yml", "content": "x"},
        {"name": "three", "path": "data.yml", "entries": [{"name": "x"}]},
        {"name": "binary", "path": "binary.yml"},
        {"name": "missing", "path": "none.yml"},
    ]
    _played, [result] = run(play, tmp_path, [{"model_catalog": {"sources": sources}}], model_catalog={})
    assert {problem["option"]: problem["problem"].partition(":")[0] for problem in result["problems"]} == {
        "sources[1].path": "is mutually exclusive with content",
        "sources[2].path": "is mutually exclusive with entries",
        "sources[3].path": "is not a text in UTF-8",
        "sources[4].path": "cannot be read",
    }
    assert "set content to its content" in result["msg"] and not (tmp_path / "asked").exists()


def test_a_file_is_written_once_and_what_happens_to_it_is_told(play: Play, tmp_path: Path) -> None:
    def task(content: str, **options: Any) -> dict[str, Any]:
        keywords = {key: options.pop(key) for key in KEYWORDS if key in options}
        return {"model_registry_file": {"path": "file", "content": content, **options}, **keywords}

    tasks = [
        task("old\x1b"),
        task("old\x1b"),
        task("predicted", check_mode=True),
        task("new\x1b", diff=True, backup=True),
        task("new\x1b", mode="0640"),
        task("kept", replace=False),
        task("x", mode="u=rw"),
        task("x", mode="8"),
        task("x", path=""),
        task("x", path="none/file"),
        task("x", path="none/file", folder="none"),
        task("x", path="outside", folder="none"),
    ]
    played, results = run(play, tmp_path, tasks)
    file = str(tmp_path.resolve() / "file")
    told = [{key: result[key] for key in ("changed", "path", "backup_file") if key in result} for result in results]
    assert told[:3] == [{"changed": True, "path": file}, {"changed": False, "path": file}, {"changed": True, "path": file}], played.output
    backup = Path(told[3].pop("backup_file"))
    assert told[3] == told[4] == {"changed": True, "path": file} and backup.read_text() == "old\x1b"
    assert results[3]["diff"] == {"before": "old\\x1b", "after": "new\\x1b", "before_header": file, "after_header": file} and "diff" not in results[2]
    assert Path(file).read_text() == "new\x1b" and Path(file).stat().st_mode & 0o777 == 0o640
    assert [result.get("msg", "").replace(str(tmp_path.resolve()), "") for result in results[5:10]] == [
        "Nothing was written: /file exists, and replacing it is not enabled.",
        "mode: u=rw is not valid. Set it to an octal number in quotes, such as '0644'.",
        "mode: 8 is not valid. Set it to an octal number in quotes, such as '0644'.",
        "path: is empty. Set it to the path of a file on the controller.",
        "Nothing was written: /none/file: the directory does not exist.",
    ]
    assert told[10] == {"changed": True, "path": f"{tmp_path.resolve()}/none/file"} and (tmp_path / "none" / "file").read_text() == "x"
    assert results[11]["failed"] and "is outside of" in results[11]["msg"] and not (tmp_path / "outside").exists()


@pytest.mark.parametrize("check", [False, True])
def test_a_file_in_a_new_folder_is_told_of_in_check_mode_too(play: Play, tmp_path: Path, check: bool) -> None:
    options = {"path": "a/b/file", "content": "x", "folder": "a"}
    _played, [result] = run(play, tmp_path, [{"model_registry_file": options, "diff": True}], *(["--check"] if check else []))
    assert result["changed"] and result["diff"]["before"] == "" and (tmp_path / "a" / "b" / "file").exists() is not check


def test_a_report_of_clusters_that_were_not_read_is_written_whole_or_not_at_all(play: Play, tmp_path: Path) -> None:
    def task(path: str = "page.html", **options: Any) -> dict[str, Any]:
        keywords = {key: options.pop(key) for key in KEYWORDS if key in options}
        return {"model_registry_report": {"path": path, **options}, **keywords}

    refused = [task("none/page.html"), task(" "), task(policy=[{"name": "N"}])]
    _played, results = run(play, tmp_path, [task(check_mode=True), *refused])
    assert not list(tmp_path.glob("page*"))
    assert (results[0]["changed"], results[0]["path"], len(results[0]["files"])) == (True, str(tmp_path.resolve() / "page.html"), 16)
    assert results[0]["summary"] == ["east: FAILED: The run ended before the cluster was read", "east: API server not known"]
    assert [result["msg"].replace(str(tmp_path.resolve()), "").partition(" no_broad_access")[0] for result in results[1:]] == [
        "Nothing was written: /none: the directory does not exist.",
        "path: is empty. Set it to the path of a file on the controller.",
        "model_registries_policy[0].rule is not one of",
    ]
    _played, [result] = run(play, tmp_path, [task(expected=["east", "west"])])
    assert result["changed"] and {Path(file).name for file in (result["path"], *result["files"])} == {path.name for path in tmp_path.glob("page*")}
    excluded = [row["Cluster"] for row in json.loads((tmp_path / "page.json").read_text())["tables"]["unchecked"]["rows"] if "--limit" in row["Reason"]]
    assert excluded == ["west"]
