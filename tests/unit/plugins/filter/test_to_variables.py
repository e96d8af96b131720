"""Values as the text of a variables file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.modelops.openshift_ai.plugins.filter.to_variables import to_variables

TEXTS = [
    "plain",
    "",
    " spaces ",
    "yes",
    "1.0",
    "0x1f",
    "null",
    "# no comment",
    "key: value",
    "- item",
    "'quoted'",
    'a "b" \\n',
    "German: Größe, 中文, 🎉",
    "two\nlines\n",
    "no end of line\n  indented",
    "trailing space \nin two lines",
    "tab\tand\x07bell",
    "x" * 400 + " " + "y" * 400,
    "{{ lookup('env', 'HOME') }}",
    "see {{ name }} and {% raw %}",
    "{# comment #}",
    "two\nlines with {{ braces }}\n",
    "!unsafe text",
    "*alias",
]


class Tagged(str):
    """A text as Ansible makes it of a module's result."""


def read_by_ansible(folder: Path, text: str) -> Any:
    """What a play has of a variables file."""
    file = folder / "variables.yml"
    file.write_text(text)
    loader = DataLoader()
    return Templar(loader=loader, variables={}).template(loader.load_from_file(str(file)))


def test_ansible_reads_every_text_as_it_was(tmp_path: Path) -> None:
    values = {"texts": TEXTS, "tagged": [Tagged(text) for text in TEXTS], "others": {"port": 3306, "exact": True, "none": None, "empty": []}}
    assert read_by_ansible(tmp_path, to_variables(values)) == values


def test_it_reads_like_a_file_that_people_write() -> None:
    shared = ["alice"]
    text = to_variables({"registries": [{"name": "fraud", "users": shared, "more": shared, "description": "Of {{ team }}"}]})
    assert text == "registries:\n  - name: fraud\n    users:\n      - alice\n    more:\n      - alice\n    description: !unsafe 'Of {{ team }}'\n"


def test_what_is_no_dictionary_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="a dictionary of variables is needed, this is of type list"):
        to_variables([])
