"""Changes in a file that people edit too."""

import random

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog_yaml
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import catalog_text
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_text import Edit, edited

FILE = """\
# owned by the platform team
catalogs:   # models
    # the first
    - enabled: true
      id: one   # do not rename
      labels:
        - a  # why
        - b
      name: One
      properties:
        yamlCatalogPath: one.yaml
      type: yaml

    # the second
    - {id: two, name: "Two", type: hf}
    # the third
    - id: three
      enabled: false # for now
      includedModels: [x, y] # list
# tail
labels: []
namedQueries:
  q: # comment
    f: {operator: '=', value: 1}
mcp_catalogs:
# end
"""
VALUE = catalog_yaml.parse(FILE)
ONE, TWO, THREE = VALUE["catalogs"]


def lines_after(edits, text=FILE):
    """The lines that went and those that came."""
    made = edited(text, edits)
    assert not made.is_rewritten
    before, after = text.splitlines(), made.text.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_no_edit_changes_no_byte():
    assert edited(FILE, [Edit("catalogs", 0, ONE)]) == catalog_text.Edited(FILE)


def test_a_new_source_is_added_behind_the_last_one():
    gone, come = lines_after([Edit("catalogs", None, {"id": "four", "name": "yes", "labels": ["a"]})])
    assert gone == []
    assert come == ["    - id: four", '      name: "yes"', "      - a"]


def test_a_field_is_changed_where_it_stands():
    gone, come = lines_after([Edit("catalogs", 0, {**ONE, "enabled": False, "name": "On: e"})])
    assert gone == ["    - enabled: true", "      name: One"]
    assert come == ["    - enabled: false", "      name: 'On: e'"]


def test_an_entry_of_a_list_keeps_its_comment():
    gone, come = lines_after([Edit("catalogs", 0, {**ONE, "labels": ["c", "a"]})])
    assert gone == ["        - b"]
    assert come == ["        - c"]


def test_a_field_that_stands_behind_the_dash_is_removed():
    gone, come = lines_after([Edit("catalogs", 0, {key: value for key, value in ONE.items() if key != "enabled"})])
    assert gone == ["    - enabled: true", "      id: one   # do not rename"]
    assert come == ["    - id: one   # do not rename"]


def test_a_source_goes_with_the_comment_above_it():
    gone, come = lines_after([Edit("catalogs", 1, None)])
    assert gone == ["    # the second", '    - {id: two, name: "Two", type: hf}']
    assert come == []


def test_the_comment_above_the_first_source_may_be_about_all_of_them():
    assert "    # the first" in edited(FILE, [Edit("catalogs", 0, None)]).text


def test_the_last_source_leaves_an_empty_list():
    text = edited(FILE, [Edit("catalogs", index, None) for index in range(3)]).text
    assert "catalogs: []   # models\n# tail\n" in text


def test_a_query_is_replaced_added_and_removed():
    query = {"g": {"operator": "=", "value": "2"}}
    assert catalog_yaml.parse(edited(FILE, [Edit("namedQueries", "q", query), Edit("namedQueries", "z", query)]).text)["namedQueries"] == {
        "q": query,
        "z": query,
    }
    assert "namedQueries: {}\nmcp_catalogs:\n# end\n" in edited(FILE, [Edit("namedQueries", "q", None)]).text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# c\n",
        "catalogs: []",
        "catalogs:\n",
        "catalogs: ~ # c\n",
        "labels: []\n",
        "{}",
        "{labels: []}",
        "catalogs:\n- id: a",
        "\ufeffcatalogs: []\r\n# x\r\n",
        "---\n# x\n",
    ],
)
def test_a_source_is_added_to_any_file(text):
    made = edited(text, [Edit("catalogs", None, {"id": "n"})])
    before = catalog_yaml.parse(text) or {}
    assert catalog_yaml.parse(made.text) == {**before, "catalogs": [*(before.get("catalogs") or []), {"id": "n"}]}
    assert all(comment in made.text for comment in ("# c", "# x") if comment in text)
    assert ("\r\n" in made.text) == ("\r\n" in text)
    assert "\n" not in made.text.replace("\r\n", "") or "\r\n" not in text


def test_a_file_whose_anchors_are_needed_elsewhere_is_written_anew():
    made = edited("catalogs:\n- &one {id: a}\n- id: b\nmodel_catalogs: [*one]\n", [Edit("catalogs", 0, None)])
    assert made.is_rewritten
    assert catalog_yaml.parse(made.text) == {"catalogs": [{"id": "b"}], "model_catalogs": [{"id": "a"}]}


def _shape(chance, entry):
    """An entry in one of the ways in which people write."""
    if chance.random() < 0.2:
        return catalog_yaml.flow(entry)
    lines = []
    for key, value in entry.items():
        comment = chance.choice(["", "", f"  # {key} of {entry['id']}"])
        if isinstance(value, list) and value and chance.random() < 0.7:
            indent = chance.choice(["", "  "])
            lines += [f"{key}:{comment}", *(f"{indent}- {catalog_yaml.flow(part)}" for part in value)]
        elif isinstance(value, str) and chance.random() < 0.3:
            lines += [f"{key}: |-", *(f"   {line}" for line in value.splitlines() or [""])] if value.strip() == value and value else [f"{key}: ''"]
        else:
            lines.append(f"{key}: {catalog_yaml.flow(value)}{comment}")
    return "\n  ".join(lines)


def test_any_edit_of_any_file_means_what_it_says():
    """A thousand files, of which hardly any is written anew."""
    chance = random.Random(7)
    texts = ["a", "yes", "x: y", "# no", "", "two\nlines", "é"]
    rewritten = 0
    for _file in range(1000):

        def entry(identity, chance=chance):
            made = {"id": identity}
            for key in chance.sample(["name", "enabled", "labels", "properties", "type"], chance.randint(0, 5)):
                made[key] = {"enabled": True, "labels": chance.sample(texts, chance.randint(0, 3)), "properties": {"k": chance.choice(texts)}}.get(
                    key, chance.choice(texts)
                )
            return made

        entries = [entry(f"s{index}") for index in range(chance.randint(1, 4))]
        gap = chance.choice(["", "", "# about the next one\n", "\n"])
        text = "# head\ncatalogs:\n" + "".join(f"{gap}- {_shape(chance, one)}\n" for one in entries) + chance.choice(["", "labels: []\n", "# end\n"])
        assert catalog_yaml.parse(text)["catalogs"] == entries
        places = chance.sample(range(len(entries)), chance.randint(0, len(entries)))
        edits = [Edit("catalogs", index, chance.choice([None, entry(f"s{index}")])) for index in places]
        edits += [Edit("catalogs", None, entry("new"))] if chance.random() < 0.5 else []
        wanted = [*entries]
        for edit in edits:
            if edit.at is not None:
                wanted[edit.at] = edit.value
        wanted = [one for one in wanted if one is not None] + [edit.value for edit in edits if edit.at is None]
        made = edited(text, edits)
        assert catalog_yaml.parse(made.text)["catalogs"] == wanted, text
        rewritten += made.is_rewritten
        assert made.is_rewritten or "# head" in made.text
    assert rewritten < 5
