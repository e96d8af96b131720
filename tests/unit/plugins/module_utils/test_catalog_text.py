"""Changes in a file that people edit too."""

import difflib
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


NEW = {"id": "new", "labels": ["a"]}
ADDED = "- id: new\n  labels:\n  - a\n"
INDENTED = "    - id: new\n      labels:\n      - a\n"
QUERIES = "namedQueries:\n  q: {f: {operator: '=', value: 1}} # q\n  # of r\n  r:\n    f: {operator: '=', value: 1}\n# end\n"
QUERY = {"g": {"operator": "=", "value": "x"}}


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        # A section that is not there is added behind the last one, and in the indentation of the others, or else that of the dashboard.
        ("", [Edit("catalogs", None, NEW)], f"catalogs:\n{INDENTED}"),
        ("# c\n\n\n", [Edit("catalogs", None, NEW)], f"# c\ncatalogs:\n{INDENTED}"),
        ("---\n# c\n", [Edit("catalogs", None, NEW)], f"---\n# c\ncatalogs:\n{INDENTED}"),
        ("labels: []\n# x\n", [Edit("catalogs", None, NEW)], f"labels: []\ncatalogs:\n{INDENTED}# x\n"),
        ("labels:\n- name: b\n\n# x\n", [Edit("catalogs", None, NEW)], f"labels:\n- name: b\ncatalogs:\n{ADDED}\n# x\n"),
        ("labels: [{name: b}]\nmcp_catalogs:\n- id: b\n", [Edit("catalogs", None, NEW)], f"labels: [{{name: b}}]\nmcp_catalogs:\n- id: b\ncatalogs:\n{ADDED}"),
        (
            "namedQueries: {}\n",
            [Edit("labels", None, {"name": "a"}), Edit("catalogs", None, NEW)],
            f"namedQueries: {{}}\nlabels:\n    - name: a\ncatalogs:\n{INDENTED}",
        ),
        # So is the first entry of one that is empty.
        ("catalogs:\n", [Edit("catalogs", None, NEW)], f"catalogs:\n{INDENTED}"),
        ("catalogs: []", [Edit("catalogs", None, NEW)], f"catalogs:\n{INDENTED}".rstrip()),
        ("catalogs: ~  # c\nlabels: []\n", [Edit("catalogs", None, NEW)], f"catalogs:  # c\n{INDENTED}labels: []\n"),
        ("namedQueries: {}\n", [Edit("namedQueries", "q", {"f": 1})], "namedQueries:\n    q:\n      f: 1\n"),
        # Where everything stands in one line, it stays so.
        ("{catalogs: [{id: a}]} # c\n", [Edit("catalogs", None, NEW)], '{"catalogs": [{"id": "a"}, {"id": "new", "labels": ["a"]}]} # c\n'),
        ("catalogs: [{id: a}] # c\n", [Edit("catalogs", None, NEW)], 'catalogs: [{"id": "a"}, {"id": "new", "labels": ["a"]}] # c\n'),
        ("catalogs: [{id: a}] # c\n", [Edit("catalogs", 0)], "catalogs: [] # c\n"),
        ("namedQueries: {a: {f: 1}}\n", [Edit("namedQueries", "q", {"f": 2})], 'namedQueries: {"a": {"f": 1}, "q": {"f": 2}}\n'),
        # A new source in place of the last one.
        ("catalogs:\n- id: a # c\n- id: b\nlabels: []\n", [Edit("catalogs", 1), Edit("catalogs", None, NEW)], f"catalogs:\n- id: a # c\n{ADDED}labels: []\n"),
        ("catalogs:\n- id: a\n\n\n# end\n", [Edit("catalogs", None, NEW)], f"catalogs:\n- id: a\n{ADDED}\n\n# end\n"),
        # The last one of all, and several, in whatever order.
        ("catalogs: # c: d\n- id: a # e\n", [Edit("catalogs", 0)], "catalogs: [] # c: d\n"),
        ("catalogs:\n- id: a", [Edit("catalogs", 0)], "catalogs: []\n"),
        ("catalogs:\n- id: a\n- id: b", [Edit("catalogs", 1)], "catalogs:\n- id: a\n"),
        ("catalogs:\n- id: a\n- id: b\n- id: c\n", [Edit("catalogs", 2), Edit("catalogs", 0)], "catalogs:\n- id: b\n"),
        # What is above the line with the dash, and between the dash and the first key.
        ("catalogs:\n- id: a\n# list\n\n# of b\n-\n  id: b\n- id: c\n", [Edit("catalogs", 1)], "catalogs:\n- id: a\n# list\n\n- id: c\n"),
        ("catalogs:\n- id: a\n# list\n\n- id: b\n- id: c\n", [Edit("catalogs", 1)], "catalogs:\n- id: a\n# list\n\n- id: c\n"),
        ("catalogs:\n- &x\n  id: a\n- id: b\n", [Edit("catalogs", 0)], "catalogs:\n- id: b\n"),
        ("? catalogs\n: - id: a\n", [Edit("catalogs", None, {"id": "b"})], "? catalogs\n: - id: a\n  - id: b\n"),
        ("catalogs:\n- # x-y\n  id: a\n- id: b\n", [Edit("catalogs", 0)], "catalogs:\n- id: b\n"),
        ("labels:\n- a # c\n- name: b\n", [Edit("labels", 0, {"name": "c"})], 'labels:\n- {"name": "c"} # c\n- name: b\n'),
        ("catalogs:\n- id: a\n  name: b # c\n", [Edit("catalogs", 0, {"name": "b"})], "catalogs:\n- name: b # c\n"),
        # Queries.
        (QUERIES, [Edit("namedQueries", "q")], QUERIES.replace("  q: {f: {operator: '=', value: 1}} # q\n", "")),
        (QUERIES, [Edit("namedQueries", "r")], QUERIES.replace("  r:\n    f: {operator: '=', value: 1}\n", "")),
        (
            QUERIES,
            [Edit("namedQueries", "q", QUERY), Edit("namedQueries", "z", {"h": 1}), Edit("namedQueries", "r", QUERY)],
            'namedQueries:\n  q: {"g": {"operator": "=", "value": "x"}} # q\n  # of r\n  r:\n'
            "    g:\n      operator: '='\n      value: x\n  z:\n    h: 1\n# end\n",
        ),
        (QUERIES, [Edit("namedQueries", "gone")], QUERIES),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_stays_as_it_is_around_what_changes(text, edits, expected, newline):
    assert edited(text.replace("\n", newline), edits) == catalog_text.Edited(expected.replace("\n", newline if "\n" in text else "\n"))


SHAPES = """\
catalogs:
  - id: a
    name: A # n
    labels:
      - x
      - z # why
      - x # again
    type:
    properties: {k: v}
  - id: b
  - text: |
      one
      two
    fold: >
      three
    deep:
      k: v
      l: w
    quoted: "q" # w
"""


@pytest.mark.parametrize(
    ("index", "changed", "gone", "come"),
    [
        (0, {"name": "B"}, ["    name: A # n"], ["    name: B # n"]),
        (0, {"name": "yes"}, ["    name: A # n"], ['    name: "yes" # n']),
        (0, {"name": "x\ny"}, ["    name: A # n"], ['    name: "x\\ny" # n']),
        (0, {"name": {"a": "b"}}, ["    name: A # n"], ["    name:", "      a: b # n"]),
        (0, {"name": None}, ["    name: A # n"], ["    name: null # n"]),
        (0, {"name": ...}, ["    name: A # n"], []),
        (0, {"type": "hf"}, ["    type:"], ["    type: hf"]),
        (0, {"type": ["hf"]}, [], ["    - hf"]),
        (0, {"type": ...}, ["    type:"], []),
        (0, {"labels": []}, ["    labels:", "      - x", "      - z # why", "      - x # again"], ["    labels: [] # again"]),
        (0, {"labels": ...}, ["    labels:", "      - x", "      - z # why", "      - x # again"], []),
        (0, {"labels": ["z", "x", "x"]}, ["      - z # why"], ["      - z # why"]),
        (0, {"labels": ["x", "x", "x"]}, ["      - z # why"], ["      - x"]),
        (0, {"labels": ["new", "z", "no"]}, ["      - x", "      - x # again"], ["      - new", '      - "no"']),
        (0, {"labels": "x"}, ["    labels:", "      - x", "      - z # why", "      - x # again"], ["    labels: x # again"]),
        (0, {"properties": {"k": "w"}}, ["    properties: {k: v}"], ['    properties: {"k": "w"}']),
        (0, {"properties": "x"}, ["    properties: {k: v}"], ['    properties: "x"']),
        (0, {"properties": ...}, ["    properties: {k: v}"], []),
        (0, {"id": ...}, ["  - id: a", "    name: A # n"], ["  - name: A # n"]),
        (0, {"new": "v", "enabled": True}, [], ["    new: v", "    enabled: true"]),
        (1, {"name": "name"}, [], ["    name: name"]),
        (2, {"text": "one"}, ["  - text: |", "      one", "      two"], ["  - text: one"]),
        (2, {"text": "one\nthree\n"}, ["      two"], ["      three"]),
        (2, {"fold": "x"}, ["    fold: >", "      three"], ["    fold: x"]),
        (2, {"fold": ...}, ["    fold: >", "      three"], []),
        (2, {"deep": {"k": "v"}}, ["      l: w"], []),
        (2, {"deep": {"k": "v", "l": "w", "m": ["x"]}}, [], ["      m:", "      - x"]),
        (2, {"deep": []}, ["    deep:", "      k: v", "      l: w"], ["    deep: []"]),
        (2, {"quoted": "r"}, ['    quoted: "q" # w'], ["    quoted: r # w"]),
    ],
)
def test_a_field_is_changed_in_whatever_way_it_is_written(index, changed, gone, come):
    before = catalog_yaml.parse(SHAPES)["catalogs"][index]
    made = edited(SHAPES, [Edit("catalogs", index, {key: value for key, value in {**before, **changed}.items() if value is not ...})])
    differences = [line for line in difflib.ndiff(SHAPES.splitlines(), made.text.splitlines()) if line[0] in "+-"]
    assert (made.is_rewritten, sorted(differences)) == (False, sorted([*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)]))


@pytest.mark.parametrize(
    ("text", "edit", "expected"),
    [
        # The only key of an entry, which stands behind its dash.
        ("catalogs:\n- id: a\n", Edit("catalogs", 0, {"name": "n"}), {"catalogs": [{"name": "n"}]}),
        ("catalogs:\n- # x-y\n  id: a\n", Edit("catalogs", None, {"id": "b"}), {"catalogs": [{"id": "a"}, {"id": "b"}]}),
        ("labels:\n-\n- name: b\n", Edit("labels", 0, {"name": "c"}), {"labels": [{"name": "c"}, {"name": "b"}]}),
        ("? catalogs\n", Edit("catalogs", None, {"id": "b"}), {"catalogs": [{"id": "b"}]}),
        ("\ufeff~\n", Edit("catalogs", None, {"id": "a"}), {"catalogs": [{"id": "a"}]}),
    ],
)
def test_a_file_that_cannot_be_edited_is_written_anew_and_means_the_same(text, edit, expected):
    made = edited(text, [edit])
    assert (made.is_rewritten, catalog_yaml.parse(made.text)) == (True, expected)
    assert made.text.startswith("\ufeff") is text.startswith("\ufeff")


@pytest.mark.parametrize(
    ("text", "touched"),
    [
        ("a: b", "a: b\n"),
        ("a: b\n", "a: b\n\n"),
        ("a: b\n\n", "a: b\n"),
        ("a: b\n\n\n", "a: b\n\n"),
        ("", "\n"),
        # An empty line more or less would mean something here.
        ("a: |+\n  x\n", "a: |+\n  x\n"),
        ("a: |+\n  x\n\n", "a: |+\n  x\n\n"),
    ],
)
def test_a_file_is_touched_by_an_empty_line_where_that_means_nothing(text, touched):
    assert catalog_text.touched(text) == touched


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
        shapes = [f"- {_shape(chance, one)}\n" for one in entries]
        text = "# head\ncatalogs:\n" + "".join(f"{gap}{shape}" for shape in shapes) + chance.choice(["", "labels: []\n", "# end\n"])
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
        assert made.is_rewritten or all(shape in made.text for index, shape in enumerate(shapes) if index not in places)
    assert rewritten < 5
