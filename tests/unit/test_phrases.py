"""What the check of words finds, and what it lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import phrases

pytestmark = pytest.mark.usefixtures("without_garbage_collection")

WRONG = [
    ("One that ends soon.", "ends soon"),
    ("The certificate ends today.", "certificate ends"),
    ("Wait until it serves.", "serves"),
    ("The objects were mended.", "mended"),
    ("Report how they are.", "how they are"),
    ("Bring them to what the list says.", "to what the list says"),
    ("Restarts roll.", "Restarts roll"),
    ("Switch the model registry component on.", "Switch the model registry component on"),
    ("The cluster that was spoken to.", "spoken to"),
    ("It takes access away.", "takes access away"),
    ("Left out, it is read from the cluster.", "Left out"),
    ("A name with a space is refused.", "is refused"),
    ("A missing group is a warning.", "is a warning"),
    ("An expression that is none fails.", "is none"),
    ("The value is no name.", "is no"),
    ("Written side by side.", "side by side"),
    ("The whole truth.", "whole truth"),
    ("The dashboard's dialogue.", "dialogue"),
    ("Writes are held back.", "held back"),
    ("The error names the registries.", "error names"),
    ("A registry without a backup is a finding.", "is a finding"),
    ("The data stays as it is.", "stays as it is"),
    ("A program takes the archive from its standard input.", "takes the archive from its standard input"),
]
RIGHT = """
# It serves requests with its current definition. There is no registry, and it is no longer used. There are findings.
serves: null
- With `look at` and ``serves`` and V(is refused), set O(serving). The URL of serving.kserve.io: {{ 'left out' }}
"""


@pytest.mark.parametrize(("text", "phrase"), WRONG)
def test_a_phrase_is_found(text: str, phrase: str) -> None:
    assert [(line, found) for line, found, _replacement in phrases.found_in(text)] == [(0, phrase)]


def test_names_code_and_common_sentences_pass() -> None:
    assert list(phrases.found_in(RIGHT)) == []


def test_a_problem_names_file_line_phrase_and_replacement(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Title\n\nAll registries are written side\nby side.\n")
    module = tmp_path / "plugins" / "modules" / "one.py"
    module.parent.mkdir(parents=True)
    module.write_text('"""A docstring that may look at anything."""\n\nDOCUMENTATION = """\nnotes:\n  - An empty name is refused.\n"""\n')
    playbook = tmp_path / "playbooks" / "one.yml"
    playbook.parent.mkdir()
    playbook.write_text("# What the role\n# left out.\n- name: Look at it\n  msg: It is none\n")
    assert phrases.problems(tmp_path) == [
        "README.md:3: not 'side by side' but: in parallel",
        "playbooks/one.yml:3: not 'Look at' but: check",
        "playbooks/one.yml:2: not 'left out' but: omitted, if not set",
        "playbooks/one.yml:4: not 'is none' but: is not a valid …",
        "plugins/modules/one.py:5: not 'is refused' but: the module fails",
    ]


def test_every_source_is_there() -> None:
    root = Path(phrases.__file__).parent.parent
    assert [pattern for pattern in phrases.SOURCES if not list(root.glob(pattern))] == []
