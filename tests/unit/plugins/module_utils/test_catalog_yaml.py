"""YAML as the catalog server reads it."""

import math
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
    # With a sign, it has one bit less.
    "+9223372036854775807": 9223372036854775807,
    "+9223372036854775808": 9223372036854775808.0,
    "-9223372036854775808": -9223372036854775808,
    "-9223372036854775809": -9223372036854775809.0,
    "0xffffffffffffffff": 18446744073709551615,
    "1_0.5": 10.5,
    "1.": 1.0,
    "-1.5E-1": -0.15,
    **{text: math.inf for text in (".inf", ".Inf", "+.INF")},
    "-.inf": -math.inf,
    **{text: text for text in ("12:30:45", "2026-11-28", "<<", "=", "1e999", "+", "-", "nULL", "yEs", "0o8", "1_0_a", "abc", "é")},
    **{text: text for text in ("0x10000000000000000", ".5_0", ".iNF", "~x", "to", "Fe", "one")},
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
    "\U000e0001",
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


@pytest.mark.parametrize(
    ("text", "value"), [("1" * 21, float("1" * 21)), ("-" + "9" * 20, -1e20), ("9" * 5000, "9" * 5000), ("-9" + "9" * 5000, "-9" + "9" * 5000)]
)
def test_a_number_with_more_digits_than_python_reads_is_a_text(text, value):
    found = catalog_yaml.scalar(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.usefixtures("_library")
def test_texts_in_quotes_are_strings():
    assert catalog_yaml.parse("a: 'yes'\nb: \"1_000\"\nc: |-\n  y\nd: !!str 5\n'<<': {e: f}") == {
        "a": "yes",
        "b": "1_000",
        "c": "y",
        "d": "5",
        "<<": {"e": "f"},
    }


TAGGED = {
    "!!bool 'yes'": True,
    "!!int '0o17'": 15,
    "!!float '1'": 1,
    "!!float .5": 0.5,
    "!!null ''": None,
    "!!binary aGk=": "hi",
    '!!binary "aG\\nk="': "hi",
    "!!binary /w==": "\ufffd",
    "!!timestamp 2026-01-01 1:2:3.4 -05:00": "2026-01-01 1:2:3.4 -05:00",
    "!!other 1": "1",
    "!other yes": "yes",
    "! yes": "yes",
    "&anchor ! 1": "1",
}


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(("text", "value"), TAGGED.items())
def test_a_scalar_with_a_tag_is_what_the_tag_says(text, value):
    found = catalog_yaml.parse(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    "text", ["!!bool 1", "!!int yes", "!!int 1.5", "!!float on", "!!float x", "!!null x", "!!binary a", "!!binary 'a b='", "!!timestamp 1"]
)
def test_a_scalar_that_does_not_match_its_tag_is_refused(text):
    with pytest.raises(catalog_yaml.NotYamlError, match=r"a value does not match its tag \(line 2\)"):
        catalog_yaml.parse(f"a:\n  {text}")


# With the line that is told, where both libraries know the same one.
UNREADABLE = {
    "a: 1\na: 2": "key 'a' is repeated (line 2)",
    "a: 1\nk0123456789: 1\nk0123456789: 2": "key is repeated (line 3)",
    "a: !!null b": "a value does not match its tag (line 1)",
    'a:\n  "b\\/c"': "found unknown escape character (line 2)",
    "? [a]\n: b": "a key is not a string (line 1)",
    "b: 1\n~: a": "a key is empty (line 2)",
    "a: &x [*x]": "an alias contains itself (line 1)",
    "a: 1\nb: {<<: b}": "a merge key needs a mapping (line 2)",
    "a: &x {c: 1}\nb: {<<: [*x, d]}": "a merge key needs a mapping (line 2)",
    "a: &x {c: 1}\nb: {<<: *x, c: 2}": "key 'c' is repeated (line 2)",
    "a: &x {c: 1}\nb: {<<: [*x, *x]}": "key 'c' is repeated (line 2)",
    "%YAML 1.2\n---\na: 1": "the directive %YAML has a version other than 1.1",
    "# c\n%TAG ! tag:x,2000:\n%YAML 1.10\n---\na: 1": "the directive %YAML has a version other than 1.1",
    "a: \ud800": None,
    "a: [b?c]": None,
    "{a?: b}": None,
    'a: "\\ud800"': None,
    'a: "\\U00110000"': None,
    "a:\n\tb: 1": None,
    "a: *x": None,
    "a: [": None,
    "a: \x01": None,
}


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(("text", "reason"), UNREADABLE.items(), ids=range(len(UNREADABLE)))
def test_what_the_server_refuses_is_refused_with_its_line(text, reason):
    with pytest.raises(catalog_yaml.NotYamlError) as refused:
        catalog_yaml.parse(text)
    assert str(refused.value) == reason if reason else not str(refused.value).startswith("None")


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(("text", "line"), [("a: 1\nb:\n\tc: 1", 3), ("a: 1\nb: *nothing", 2), ("a: 1\nb: 'c", 2), ("a: 1\nb: \x01", 0)])
def test_what_the_library_refuses_is_told_without_a_part_of_the_text(text, line):
    with pytest.raises(catalog_yaml.NotYamlError) as refused:
        catalog_yaml.parse(text)
    # Of what is no text at all, the line is not known.
    assert str(refused.value).endswith(f" (line {line})") if line else "line" not in str(refused.value)
    assert "'" not in str(refused.value) and "nothing" not in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    ("text", "value"), [("%YAML 1.1\n---\na: 1", {"a": 1}), ("\ufeffa: 1", {"a": 1}), ("a: [b]\nc: d?", {"a": ["b"], "c": "d?"}), ("", None)]
)
def test_what_the_server_reads_is_read(text, value):
    assert catalog_yaml.parse(text) == value


@pytest.mark.usefixtures("_library")
def test_without_strictness_the_last_value_of_a_key_counts_and_the_first_mapping_that_is_merged():
    assert catalog_yaml.parse("a: 1\na: 2", strict=False) == {"a": 2}
    assert catalog_yaml.parse("a: &x {c: 1}\nb: &y {c: 2, d: 3}\ne: {<<: [*x, *y]}", strict=False)["e"] == {"c": 1, "d": 3}


@pytest.mark.usefixtures("_library")
def test_a_text_may_be_nested_a_hundred_times():
    assert catalog_yaml.parse("[" * 100 + "]" * 100) is not None
    with pytest.raises(catalog_yaml.NotYamlError, match="it is nested too deeply"):
        catalog_yaml.parse("[" * 101 + "]" * 101)


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


def aliased(distinct, aliases):
    """A list with so many texts, of which the last one is there so many times more."""
    return f"[{', '.join([*(f'x{number}' for number in range(distinct - 1)), '&a x', *['*a'] * aliases])}]"


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        # The list itself counts.
        (aliased(1, 998), True),
        (aliased(1, 999), False),
        # Ninety-nine in a hundred may be aliases.
        (aliased(10, 1089), True),
        (aliased(10, 1090), False),
        # Less of what is longer.
        (f"[{', '.join([*'x' * 4040, '&a [', *'x' * 1000, ']', *['*a'] * 400])}]".replace("[,", "[").replace(", ]", "]"), True),
        (f"[{', '.join([*'x' * 4040, '&a [', *'x' * 1000, ']', *['*a'] * 420])}]".replace("[,", "[").replace(", ]", "]"), False),
    ],
    ids=range(6),
)
def test_aliases_are_refused_where_they_make_more_than_the_server_reads(text, is_read):
    try:
        catalog_yaml.parse(text)
    except catalog_yaml.NotYamlError as refused:
        assert not is_read and "too many aliases" in str(refused)
    else:
        assert is_read


@pytest.mark.usefixtures("_library")
def test_a_few_aliases_and_merges_are_read():
    assert catalog_yaml.parse("a: &x {c: 1}\nb: {<<: *x, d: 2}\ne: *x") == {"a": {"c": 1}, "b": {"c": 1, "d": 2}, "e": {"c": 1}}


@pytest.mark.usefixtures("_library")
def test_only_the_first_document_is_read():
    for text, value, has_more in (
        ("a: 1\n---\n[", {"a": 1}, True),
        ("{a: 1}\nb", {"a": 1}, True),
        ("a: 1\n---\nb: 2", {"a": 1}, True),
        ("---\na: 1\n...\n# end", {"a": 1}, False),
        ("# c", None, False),
    ):
        document = catalog_yaml.read(text)
        assert (document.value(), document.has_more) == (value, has_more)


def test_keys_are_strings():
    text = "{1: a, yes: b, 1.5: c, .inf: d, -.inf: e, .nan: f, 1e39: g, off: h}"
    assert list(catalog_yaml.parse(text, strict=False).items()) == [
        *(("1", "a"), ("true", "b"), ("1.5", "c"), (".inf", "g"), ("-.inf", "e"), (".nan", "f"), ("false", "h")),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((True, "true"), (False, "false"), (15, "15"), (1.0, "1"), (0.1, "0.1"), (1e21, "1e+21"), (1234567.0, "1.234567e+06"), (1e-05, "1e-05")),
        *((0.0001, "0.0001"), (100000.0, "100000"), (999999.5, "999999.5"), (1e6, "1e+06"), (123456789.0, "1.2345679e+08"), (16777217.0, "1.6777216e+07")),
        *((math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (1e39, "+Inf"), (-1e39, "-Inf"), (3.4028235e38, "3.4028235e+38")),
        *((1e-45, "1e-45"), (1e-46, "0"), (-1e-46, "-0"), (1.1754942e-38, "1.1754942e-38")),
    ],
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


def test_what_is_written_is_easy_to_read():
    part = ["b"]
    value = {"z": "one\ntwo\n", "é": part, "again": part, "long": "word " * 40 + "end", "answer": "yes", "odd": "a\x7f"}
    assert catalog_yaml.dumped(value) == (
        "z: |\n  one\n  two\n" + "é:\n- b\nagain:\n- b\n" + f"long: {'word ' * 40}end\n" + 'answer: "yes"\n' + 'odd: "a\\x7F"\n'
    )


def test_in_one_line_only_what_cannot_be_printed_is_an_escape():
    assert catalog_yaml.flow({"é": ["\x7f\u2028", "\U000e0001"]}) == '{"é": ["\\u007f\\u2028", "\\U000e0001"]}'
