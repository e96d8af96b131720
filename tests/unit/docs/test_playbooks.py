"""The page about the playbooks says which variables they take, and cannot be made when it would be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import playbooks, sample

PLAYBOOK = """
- name: First
  ansible.builtin.import_playbook: common/first.yml
- name: Second
  hosts: "{{ where | default('all') }}"
  vars:
    chosen: "{{ color | default('red') }}"
  tasks:
    - name: Do it
      some.thing:
        shown: "{{ chosen }} {{ size | mandatory('Give a size') }} {{ inventory_hostname }} {{ ansible_check_mode }} {{ done | default }}"
      register: done
      when: enabled | default(true) | bool
    - name: Do more
      ansible.builtin.import_role:
        name: modelops.openshift_ai.painter
      vars:
        painter_fixed: 1
"""
FIRST = "[{hosts: all, tasks: [{ansible.builtin.assert: {that: checked}}]}]"
ARGUMENTS = {
    "argument_specs": {
        "main": {
            "options": {
                "painter_fixed": {"type": "int", "description": "Set by the playbook."},
                "painter_coats": {"type": "int", "default": 2, "description": "How many. With V(0), O(painter_coats) is ignored."},
            }
        }
    }
}
COMMON = {"where": {"type": "str", "description": "Where."}, "checked": {"type": "bool", "description": "Checked."}}
OWN = {
    "color": {"type": "str", "description": "Which V(color)."},
    "size": {"type": "int", "description": "How large."},
    "enabled": {"type": "bool", "description": "Whether."},
    "brand": {"type": "str", "description": "Which."},
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one playbook and one role."""
    monkeypatch.setattr(playbooks, "ROOT", tmp_path)
    files = {
        "playbooks/paint.yml": PLAYBOOK,
        "playbooks/common/first.yml": FIRST,
        "roles/painter/meta/argument_specs.yml": yaml.safe_dump(ARGUMENTS),
        "roles/painter/defaults/main.yml": "painter_coats: 2\npainter_brand: \"{{ brand | default('') }}\"\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def describe(root: Path, variables: dict[str, Any], common: dict[str, Any] | None = None, **others: dict[str, Any]) -> None:
    paint = {"summary": "Paints.", "example": "ansible-playbook paint", "variables": variables}
    said = {"introduction": "Run them.", "common_introduction": "Set them.", "common": common or COMMON, "playbooks": {"paint": paint} | others}
    (root / "docs" / "site").mkdir(parents=True)
    (root / "docs" / "site" / "variables.yml").write_text(yaml.safe_dump(said, sort_keys=False))


def test_a_playbook_takes_what_it_reads_and_does_not_set(root: Path) -> None:
    taken = playbooks.used_by(root / "playbooks" / "paint.yml").taken
    assert set(taken) == {"where", "color", "size", "enabled", "checked"}
    assert (taken["where"], taken["color"], taken["size"], taken["enabled"]) == ("all", "red", playbooks.REQUIRED, True)


def test_the_page_has_own_variables_and_those_of_roles_with_their_defaults(root: Path) -> None:
    describe(root, OWN)
    page = " ".join(playbooks.page().split())
    assert "``color`` str - Which :ansval:`color`. **Default:** ``red``" in page
    assert "``size`` int, required" in page and "``enabled`` bool - Whether. **Default:** ``true``" in page
    assert ":ansopt:`modelops.openshift_ai.painter#role:main:painter_coats` int" in page and "**Default:** ``2``" in page and "``brand`` str - Which." in page
    assert "painter_fixed" not in page


@pytest.mark.parametrize("missing", sorted(OWN))
def test_there_is_no_page_without_a_variable_that_the_playbook_takes(root: Path, missing: str) -> None:
    describe(root, {name: spec for name, spec in OWN.items() if name != missing})
    with pytest.raises(playbooks.Disagreement, match=f"paint.yml takes {missing}, which"):
        playbooks.page()


def test_there_is_no_page_with_a_variable_that_the_playbook_does_not_take(root: Path) -> None:
    describe(root, OWN | {"colour": OWN["color"]}, COMMON | {"checks": COMMON["checked"]})
    with pytest.raises(playbooks.Disagreement) as raised:
        playbooks.page()
    assert "describes colour, which playbooks/paint.yml does not take" in str(raised.value)
    assert "describes checks, which no playbook takes" in str(raised.value)


def test_there_is_no_page_without_a_playbook(root: Path) -> None:
    describe(root, OWN, erase={"summary": "Erases."})
    (root / "playbooks" / "draw.yml").write_text("[]")
    with pytest.raises(playbooks.Disagreement) as raised:
        playbooks.page()
    assert "does not describe playbooks/draw.yml" in str(raised.value)
    assert "describes playbooks/erase.yml, which does not exist" in str(raised.value)


def test_the_summary_of_a_run_is_shown_as_it_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbooks.sample, "summaries", lambda: {"converge": "ok: [east] => one\ntwo", "check": "three"})
    page = playbooks.page()
    assert "\n.. code-block:: text\n\n   ok: [east] => one\n   two\n" in page and "\n   three\n" in page


@pytest.mark.parametrize(("playbook", "word"), [("converge", "FAILED"), ("check", "FINDINGS")])
def test_the_summaries_that_are_shown_are_complete(playbook: str, word: str) -> None:
    said = json.loads(sample.summaries()[playbook].partition(" => ")[2])["msg"]
    assert said[0].startswith(f"{word}: ") and len(said) > 3
