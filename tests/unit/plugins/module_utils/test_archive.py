"""A backup as a file: what it holds, and everything by which one that is not complete or not ours is found out."""

from __future__ import annotations

import io
import itertools
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import archive, layout, lines

ROWS = {"Type": [b'{"name":"kf.RegisteredModel"}'], "Context": [b'{"id":1,"name":"fraud"}', b'{"id":2,"name":"caf\xc3\xa9"}']}
FACTS = {"schema_version": 25, "registry": {"name": "models"}, "owner": "Zoë"}


def written(rows: Mapping[str, list[bytes]] = MappingProxyType(ROWS)) -> bytes:
    stream = io.BytesIO()
    writer = archive.Writer(stream)
    for table in layout.TABLES:
        writer.add(table, [rows.get(table.name, [])])
    writer.finish(FACTS)
    return stream.getvalue()


def rewritten(content: bytes, change: Callable[[dict[str, bytes]], Any]) -> bytes:
    """An archive whose files were changed by somebody who knows how to write one."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        files = {name: file.read(name) for name in file.namelist()}
    change(files)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return stream.getvalue()


def read(content: bytes) -> dict[str, list[bytes]]:
    reader = archive.Reader(io.BytesIO(content))
    return {table.name: list(itertools.chain.from_iterable(reader.blocks(table))) for table in layout.TABLES}


def in_manifest(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, bytes]], None]:
    def changed(files: dict[str, bytes]) -> None:
        manifest = json.loads(files[archive.MANIFEST])
        change(manifest)
        files[archive.MANIFEST] = json.dumps(manifest).encode()

    return changed


def test_what_is_written_is_read() -> None:
    content = written()
    assert read(content) == {table.name: ROWS.get(table.name, []) for table in layout.TABLES}
    manifest = archive.Reader(io.BytesIO(content)).manifest
    assert manifest["format"] == 1 and manifest["schema_version"] == 25 and manifest["registry"] == {"name": "models"}
    assert manifest["tables"]["Context"]["rows"] == 2


def test_it_is_read_without_this_collection() -> None:
    with zipfile.ZipFile(io.BytesIO(written())) as file:
        assert file.namelist()[-1] == "manifest.json"
        names = [json.loads(line)["name"] for line in file.open("tables/Context.jsonl")]
        manifest = file.read("manifest.json").decode()
    assert names == ["fraud", "café"]
    # People read it too.
    assert manifest.startswith('{\n  "format": 1,\n') and '"owner": "Zoë"' in manifest and manifest.endswith("\n}\n")


class Pipe(io.RawIOBase):
    """A stream that only goes forward, such as the standard input of a command."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.content += bytes(content)
        return len(content)


def test_it_is_written_into_a_pipe() -> None:
    pipe = Pipe()
    writer = archive.Writer(pipe)  # type: ignore[arg-type]
    for table in layout.TABLES:
        content = writer.add(table, [[row] for row in ROWS.get(table.name, [])])
        assert content.rows == len(ROWS.get(table.name, []))
    writer.finish(FACTS)
    assert read(pipe.content)["Context"] == ROWS["Context"]


def test_rows_are_sent_on_while_the_next_ones_are_read() -> None:
    pipe = Pipe()
    # Nothing stays in it.
    writer = archive.Writer(io.BufferedWriter(pipe, 1 << 24))
    sizes = []

    def blocks() -> Iterator[list[bytes]]:
        for _number in range(5):
            sizes.append(len(pipe.content))
            yield [os.urandom(1 << 17).hex().encode()]

    writer.add(layout.TABLES[0], blocks())
    sizes.append(len(pipe.content))
    # One block is compressed beside the one that is read. At the end all have been sent, and none gets smaller than what is random of it.
    assert 0 == sizes[0] == sizes[1] < sizes[2] < sizes[3] < sizes[4] and sizes[5] >= 5 << 17, sizes
    for table in layout.TABLES[1:]:
        writer.add(table, [])
    writer.finish(FACTS)
    archive.Reader(io.BytesIO(pipe.content)).prove()


def test_a_table_may_be_larger_than_what_the_first_zip_archives_could_hold() -> None:
    content = written()
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        [header] = [info.header_offset for info in file.infolist() if info.filename == archive.member("Context")]
    # After the name is a field with this number where sizes have eight bytes. Four hold those up to 4 GiB.
    place = header + 30 + len(archive.member("Context"))
    assert content[place : place + 2] == b"\x01\x00"


def test_an_archive_that_was_cut_anywhere_is_not_taken() -> None:
    content = written()
    for end in range(0, len(content) - 1, 7):
        with pytest.raises(archive.ArchiveError):
            read(content[:end])


def test_no_changed_byte_changes_what_is_read() -> None:
    content = written()
    expected = read(content)
    for place in range(0, len(content), 5):
        altered = bytearray(content)
        altered[place] ^= 0x21
        try:
            found = read(bytes(altered))
        except archive.ArchiveError:
            continue
        assert found == expected, place


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda files: files.update({"tables/Context.jsonl": b'{"id":1,"name":"other"}\n'}), "Context"),
        (lambda files: files.update({"tables/Context.jsonl": files["tables/Context.jsonl"] + b"{}\n"}), "Context"),
        (lambda files: files.update({"tables/Context.jsonl": files["tables/Context.jsonl"][:-1]}), "Context"),
        (lambda files: files.pop("tables/Context.jsonl"), "tables/Context.jsonl"),
        (lambda files: files.update({"../outside": b"x"}), "outside"),
        (lambda files: files.update({"/etc/passwd": b"x"}), "passwd"),
        (lambda files: files.pop(archive.MANIFEST), "manifest"),
        (lambda files: files.update({archive.MANIFEST: b"no JSON"}), "manifest"),
        (lambda files: files.update({archive.MANIFEST: b"[]"}), "format None"),
        (in_manifest(lambda manifest: manifest.update(format=2)), "format 2"),
        (in_manifest(lambda manifest: manifest.update(format=True)), "format True"),
        (in_manifest(lambda manifest: manifest.pop("tables")), "tables"),
        (in_manifest(lambda manifest: manifest["tables"].pop("Context")), "Context"),
        (in_manifest(lambda manifest: [manifest["tables"].pop(name) for name in ("Event", "Type", "Artifact")]), "'Artifact', 'Event', 'Type'$"),
        (in_manifest(lambda manifest: manifest["tables"].update(orders=manifest["tables"]["Type"])), "'orders'$"),
        (in_manifest(lambda manifest: manifest.update(tables=[1])), "tables"),
        (in_manifest(lambda manifest: manifest["tables"].update(Context=7)), "tables"),
        (in_manifest(lambda manifest: manifest["tables"]["Context"].update(rows="many")), "tables"),
        (in_manifest(lambda manifest: manifest["tables"]["Context"].update(rows=3)), "Context"),
        (in_manifest(lambda manifest: manifest["tables"]["Context"].update(digest="0" * 64)), "Context"),
    ],
)
def test_a_changed_archive_is_refused(change: Callable[[dict[str, bytes]], Any], message: str) -> None:
    with pytest.raises(archive.ArchiveError, match=message):
        archive.Reader(io.BytesIO(rewritten(written(), change))).prove()


def test_what_was_just_written_is_read_as_a_whole() -> None:
    content = written({"Context": [b'{"name":"%d"}' % number for number in range(100_000)]})
    archive.Reader(io.BytesIO(content)).prove_files()
    altered = bytearray(content)
    altered[len(content) // 2] ^= 0x21
    with pytest.raises(archive.ArchiveError, match="its table Context is not as it was written"):
        archive.Reader(io.BytesIO(altered)).prove_files()
    other = rewritten(content, lambda files: files.update({"tables/Context.jsonl": files["tables/Context.jsonl"].replace(b"99", b"98")}))
    with pytest.raises(archive.ArchiveError, match="its table Context is not as it was written"):
        archive.Reader(io.BytesIO(other)).prove_files()


def test_the_registry_of_an_archive_is_read_as_it_was_written_and_only_if_there_is_one() -> None:
    definition = {"name": "{{ 6 * 7 }}", "database": {"type": "generated"}}

    def of(registry: Any) -> dict[str, Any]:
        content = rewritten(written(), in_manifest(lambda manifest: manifest.update(registry=registry)))
        return archive.Reader(io.BytesIO(content)).definition()

    assert of(definition) == definition
    for registry in (None, [], "one", {"name": "one"}, {"name": 1, "database": {}}, {"name": "one", "database": "mysql"}):
        with pytest.raises(archive.ArchiveError, match="configuration of a registry"):
            of(registry)
    for option in ("allow_data_change", "delete_data", "state"):
        with pytest.raises(archive.ArchiveError, match=f"options that no backup contains: {option}"):
            of({**definition, option: True})
    with pytest.raises(archive.ArchiveError, match=r"no backup contains: delete_data, kubeconfig and state$"):
        of({**definition, "state": 1, "delete_data": 1, "kubeconfig": 1})


def test_an_archive_says_of_which_schema_its_rows_are() -> None:
    facts = {"engine": "mysql", "schema_version": 21, "cluster": "https://api:6443", "namespace": 7, "taken_at": "x" * 300}

    def of(**changes: Any) -> dict[str, Any]:
        content = rewritten(written(), in_manifest(lambda manifest: manifest.update({**facts, **changes})))
        return archive.Reader(io.BytesIO(content)).described()

    assert of() == {
        "engine": "mysql",
        "schema_version": 21,
        "rows": 3,
        "registry": "models",
        "cluster": "https://api:6443",
        "namespace": "7",
        "taken_at": f"{'x' * 200} … (100 more characters)",
        "server_version": None,
    }
    assert of(registry=["models"])["registry"] is None and of(engine="postgresql")["engine"] == "postgresql"
    for wrong in ({"engine": "oracle"}, {"engine": None}, {"schema_version": "21"}, {"schema_version": True}, {"schema_version": None}):
        with pytest.raises(archive.ArchiveError, match="known engine and the version"):
            of(**wrong)


def test_a_file_that_is_in_an_archive_twice_is_named() -> None:
    stream = io.BytesIO(written())
    with zipfile.ZipFile(stream, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("tables/Context.jsonl", "")
    with pytest.raises(archive.ArchiveError, match=r"does not consist of the files of format 1: 'tables/Context.jsonl'$"):
        archive.Reader(stream)


def test_of_strange_files_in_an_archive_the_first_five_are_named() -> None:
    content = rewritten(written(), lambda files: files.update({f"x{number}": b"" for number in range(9)}))
    with pytest.raises(archive.ArchiveError, match=r"'x0', 'x1', 'x2', 'x3', 'x4'$"):
        archive.Reader(io.BytesIO(content))


def test_a_manifest_that_is_too_large_is_not_read() -> None:
    def filled(size: int) -> archive.Reader:
        content = rewritten(written(), lambda files: files.update({archive.MANIFEST: files[archive.MANIFEST].ljust(size)}))
        return archive.Reader(io.BytesIO(content))

    assert filled(1 << 24).manifest["format"] == 1
    with pytest.raises(archive.ArchiveError, match="readable manifest"):
        filled((1 << 24) + 1)


def test_an_archive_that_is_packed_again_is_the_same() -> None:
    assert read(rewritten(written(), lambda files: None)) == read(written())


def digest(*rows: bytes) -> str:
    found = lines.Digest()
    for row in rows:
        found.add([row])
    return found.text


def test_a_digest_is_of_the_rows_in_any_order() -> None:
    assert digest(b"a", b"b", b"b") == digest(b"b", b"a", b"b")
    assert len({digest(), digest(b""), digest(b"a"), digest(b"a", b"b"), digest(b"a", b"b", b"b"), digest(b"ab")}) == 6
    assert len(digest()) == 64


PROPERTIES = layout.BY_NAME["ContextProperty"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"double_value":3}', '{"double_value":3.0}'),
        ('{"double_value":1.7976931348623157e308}', '{"double_value":1.7976931348623157e+308}'),
        ('{"double_value":1e16}', '{"double_value":10000000000000000}'),
        ('{"double_value":-0}', '{"double_value":0}'),
        ('{"double_value":"NaN"}', '{"double_value":NaN}'),
        ('{"double_value":"-Infinity"}', '{"double_value":-Infinity}'),
        ('{"double_value":null,"string_value":"\\u000a"}', '{"double_value":null,"string_value":"\\n"}'),
        ('{"double_value":-0.0,"string_value":"\\u000a"}', '{"double_value":0,"string_value":"\\n"}'),
        ('{"double_value":null,"string_value":"\\/"}', '{"double_value":null,"string_value":"/"}'),
    ],
)
def test_the_same_row_is_the_same_line(one: str, other: str) -> None:
    assert lines.canonical(PROPERTIES)([one.encode()]) == lines.canonical(PROPERTIES)([other.encode()])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"double_value":0.1}', '{"double_value":0.10000000000000002}'),
        ('{"double_value":null,"string_value":"a"}', '{"double_value":null,"string_value":"a "}'),
        ("{}", '{"string_value":"null"}'),
        ('{"double_value":null,"string_value":"\\\\n"}', '{"double_value":null,"string_value":"\\n"}'),
        ("{}", '{"bool_value":false}'),
    ],
)
def test_another_row_is_another_line(one: str, other: str) -> None:
    assert lines.canonical(PROPERTIES)([one.encode()]) != lines.canonical(PROPERTIES)([other.encode()])


def test_a_text_that_looks_like_a_column_hides_nothing() -> None:
    line = b'{"double_value":3,"string_value":"\\"double_value\\":null"}'
    assert b'"double_value":3.0' in lines.canonical(PROPERTIES)([line])[0]


# Each is a number in one of the ways in which engines write it.
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).flatmap(
    lambda number: st.sampled_from([repr(number), f"{number:.17g}", f"{number:.17e}", f"{number:.17E}"])
) | st.integers(-(2**53), 2**53).map(str)
LIKE_COLUMNS = st.sampled_from(['"double_value":null', '"double_value":3', "double_value", '"double_value"', ":null", "\\"])
STRINGS = st.lists(st.text() | LIKE_COLUMNS).map("".join)


@seed(4)
@settings(max_examples=200, deadline=None)
@given(STRINGS, st.none() | NUMBERS | st.sampled_from(["NaN", "Infinity", "-Infinity", '"NaN"', '"-Infinity"']), st.none() | STRINGS, st.booleans())
def test_a_line_is_what_json_would_write(name: str, number: str | None, text: str | None, is_ascii: bool) -> None:
    texts = [json.dumps(value, ensure_ascii=is_ascii) for value in (name, text)]
    double = "" if number is None else f'"double_value":{number},'
    line = f'{{"name":{texts[0]},{double}"string_value":{texts[1]}}}'
    row = {"name": name, **({} if number is None else {"double_value": float(number.strip('"')) + 0.0}), "string_value": text}
    assert lines.canonical(PROPERTIES)([line.encode()]) == [json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()]


def columns() -> dict[str, list[str]]:
    return {table.name: sorted(table.all_columns) for table in layout.TABLES}


def test_what_a_registry_does_not_have_is_named() -> None:
    found = {**columns(), layout.MIGRATIONS: ["version", "dirty"], "orders": ["id"], "customers": []}
    found["Event"] = [*found["Event"], "price", "day"]
    found["Context"] = [*found["Context"], "price"]
    del found["Type"]
    assert layout.foreign(columns()) == [] and layout.missing(columns()) == []
    assert layout.foreign(found) == ["customers", "orders", "Context.price", "Event.day", "Event.price"]


def test_what_a_registry_lacks_is_named() -> None:
    found = columns()
    del found["Event"], found["Attribution"]
    for table, column in (("Context", "id"), ("Artifact", "uri"), ("Artifact", "state"), ("Artifact", "id"), ("Artifact", "name")):
        found[table].remove(column)
    assert layout.missing(found) == ["Attribution", "Event", "Artifact.id", "Artifact.name", "Artifact.state", "Artifact.uri", "Context.id"]


def test_no_table_comes_before_what_it_refers_to() -> None:
    names = [table.name for table in layout.TABLES]
    assert len(names) == 15 and names[0] == "Type"
    for owner, owned in (
        ("Context", "ContextProperty"),
        ("Context", "Attribution"),
        ("Artifact", "Attribution"),
        ("Execution", "Association"),
        ("Event", "EventPath"),
    ):
        assert names.index(owner) < names.index(owned)


def test_numbers_of_types_are_in_no_line() -> None:
    for table in layout.TABLES:
        assert not [column.shown for column in table.columns if column.shown.endswith("type_id")]
