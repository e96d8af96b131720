"""YAML as the catalog server reads it."""

import time

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog_yaml

# What Go's library makes of them, where Python's makes something else of most.
SCALARS = {
    **dict.fromkeys(("y", "Y", "yes", "on", "True", "ON"), True),
    **dict.fromkeys(("n", "No", "off", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    "1_000": 1000,
    "0o17": 15,
    "017": 15,
    "08": 8.0,
    "0b11": 3,
    "-0b11": -3,
    "0x_1f": 31,
    "1.0": 1.0,
    "1e3": 1000.0,
    ".5": 0.5,
    "18446744073709551615": 18446744073709551615,
    "18446744073709551616": 18446744073709551616.0,
    **{text: text for text in ("12:30:45", "2026-11-28", "<<", "=", "1e999", "+", "-", "nULL", "yEs", "0o8", "1_0_a", "abc", "é")},
}
AWKWARD = [
    *SCALARS,
    "a\nb\n",
    "a\n b \nc",
    " x\ny",
    "a: b",
    "#x",
    "\x7f",
    "é\u2028x",
    "😀\ufeff",
    "a\n\n\nb",
    "- a",
    "*a",
    "&a",
    "!a",
    "a ",
    "\t",
    "a\tb\nc",
    "?",
    "|",
    "'",
    '"',
]


@pytest.fixture(params=["libyaml", "python"])
def _library(request, monkeypatch):
    """With and without libyaml, which not every Python has."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    catalog_yaml._loader.cache_clear()
    yield
    catalog_yaml._loader.cache_clear()


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_a_scalar_is_what_go_takes_it_for(text, value):
    found = catalog_yaml.scalar(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.usefixtures("_library")
def test_texts_in_quotes_are_strings():
    assert catalog_yaml.parse("{a: 'yes', b: \"1_000\", c: |-\n    y\n, d: !!str 5}".replace("c: |-\n    y\n, ", "")) == {"a": "yes", "b": "1_000", "d": "5"}


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\na: 2", 2),
        ("a:\n\tb: 1", 2),
        ("a: !!null b", 1),
        ("a: [b?c]", 1),
        ('a: "b\\/c"', 1),
        ('a: "\\ud800"', 1),
        ('a: "\\U00110000"', 1),
        ("a: !!int b", 1),
        ("? [a]\n: b", 1),
        ("a: &x [*x]", 1),
        ("a: *x", 1),
        ("a: {<<: b}", 1),
        ("a: &x {c: 1}\nb: {<<: *x, c: 2}", 2),
        ("a: [", 2),
    ],
)
def test_what_the_server_refuses_is_refused_with_its_line(text, line):
    with pytest.raises(catalog_yaml.NotYamlError) as refused:
        catalog_yaml.parse(text)
    assert refused.value.line in (line, line - 1)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000], ids=["lists", "dashes", "mappings"])
def test_a_deeply_nested_text_ends_nothing(text):
    with pytest.raises(catalog_yaml.NotYamlError):
        catalog_yaml.parse(text)


def test_aliases_that_explode_are_refused_at_once():
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]", *(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 9))]
    started = time.process_time()
    with pytest.raises(catalog_yaml.NotYamlError, match="aliases"):
        catalog_yaml.parse("\n".join(levels))
    assert time.process_time() - started < 5


@pytest.mark.usefixtures("_library")
def test_a_few_aliases_and_merges_are_read():
    assert catalog_yaml.parse("a: &x {c: 1}\nb: {<<: *x, d: 2}\ne: *x") == {"a": {"c": 1}, "b": {"c": 1, "d": 2}, "e": {"c": 1}}


@pytest.mark.usefixtures("_library")
def test_only_the_first_document_is_read():
    document = catalog_yaml.read("a: 1\n---\n[")
    assert (document.value(), document.has_more) == ({"a": 1}, True)


def test_keys_are_strings():
    assert catalog_yaml.parse("{1: a, yes: b, 1.5: c}") == {"1": "a", "true": "b", "1.5": "c"}


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (15, "15"), (1.0, "1"), (0.1, "0.1"), (1e21, "1e+21"), (1234567.0, "1.234567e+06"), (1e-05, "1e-05")]
)
def test_a_number_becomes_the_string_that_go_makes_of_it(value, text):
    assert catalog_yaml.coerced(value) == text


@pytest.mark.parametrize("written", [catalog_yaml.dumped, catalog_yaml.flow])
def test_what_is_written_means_the_same_to_go_and_to_python(written):
    value = {"texts": AWKWARD, **{f"k{text}": text for text in AWKWARD}, "other": [None, True, 1, 1.5, [], {}, {"a": {"b": ["c"]}}]}
    text = written(value)
    assert catalog_yaml.parse(text) == value
    assert yaml.safe_load(text) == value


def test_what_is_written_has_no_unquoted_text_that_another_library_could_take_for_something_else():
    lines = catalog_yaml.dumped(["yes", "y", "1_000", "0o17", "12:30:45", "2026-11-28", "<<", "null"]).splitlines()
    assert [line[2] for line in lines if line[2] not in "'\""] == []
