"""Values as the text of a variables file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.modelops.openshift_ai.plugins.filter.to_variables import to_variables
from tests.hostile_texts import texts

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


class Number(float):
    """A number as ansible-core 2.19 makes it."""


class Day(datetime.date):
    """A date as ansible-core 2.19 makes it."""


class Moment(datetime.datetime):
    """A time as ansible-core 2.19 makes it."""


def test_ansible_runs_nothing_of_a_text_whatever_is_in_it(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile = list(texts(canary).values())
    written = to_variables({"texts": hostile, "nested": [{text: text} for text in hostile]})
    assert read_by_ansible(tmp_path, written) == {"texts": hostile, "nested": [{text: text} for text in hostile]}
    assert not canary.exists()


def test_every_text_that_could_be_a_template_is_marked(tmp_path: Path) -> None:
    marked: list[str] = []

    class Loader(yaml.SafeLoader):
        """Notes what is marked."""

    def note(loader: Loader, node: yaml.ScalarNode) -> str:
        marked.append(str(loader.construct_scalar(node)))
        return marked[-1]

    Loader.add_constructor("!unsafe", note)
    hostile = texts(tmp_path / "canary")
    yaml.load(to_variables({"texts": list(hostile.values())}), Loader=Loader)
    assert {what for what, text in hostile.items() if text not in marked} <= {"true", "number", "tag", "long lines"}


def test_what_an_editor_does_not_show_is_escaped(tmp_path: Path) -> None:
    written = to_variables({"texts": list(texts(tmp_path).values())})
    assert written.replace("\n", "").isprintable()


def test_numbers_and_dates_are_written_whatever_kinds_ansible_makes_of_them(tmp_path: Path) -> None:
    day, moment = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30)
    values = {"number": Number(1.5), "day": Day(2024, 2, 29), "moment": Moment(2024, 2, 29, 12, 30)}
    assert read_by_ansible(tmp_path, to_variables(values)) == {"number": 1.5, "day": day, "moment": moment}


def test_what_no_file_can_hold_is_refused_without_being_repeated() -> None:
    with pytest.raises(AnsibleFilterError, match=r"values of type complex$"):
        to_variables({"number": 4711j})


def test_ansible_reads_every_text_as_it_was(tmp_path: Path) -> None:
    values = {"texts": TEXTS, "tagged": [Tagged(text) for text in TEXTS], "others": {"port": 3306, "exclusive": True, "none": None, "empty": []}}
    assert read_by_ansible(tmp_path, to_variables(values)) == values


def test_it_reads_like_a_file_that_people_write() -> None:
    shared = ["alice"]
    text = to_variables({"registries": [{"name": "fraud", "users": shared, "more": shared, "description": "Of {{ team }}"}]})
    assert text == "registries:\n  - name: fraud\n    users:\n      - alice\n    more:\n      - alice\n    description: !unsafe 'Of {{ team }}'\n"


def test_letters_of_all_languages_stay_as_they_are() -> None:
    assert to_variables({"name": "Größe 中文", "text": "Größe\nÄ\n"}) == "name: Größe 中文\ntext: |\n  Größe\n  Ä\n"


def test_what_is_no_dictionary_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="requires a dictionary of variables, but the value is of type list"):
        to_variables([])
