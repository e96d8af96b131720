# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup as a file: a ZIP archive with one file of JSON Lines for each table, and a manifest after them. Only the standard library, on both sides.

A ZIP archive can be written into a pipe, without a temporary file. Its directory comes last, and before it the manifest: an archive that was cut has neither.
Nothing is ever unpacked: only names that this knows are read.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, cast

from .. import _errors, _options, _texts
from . import layout, lines

FORMAT = 1
MANIFEST = "manifest.json"
# Level 6 takes twice as long for an archive that is an eighth smaller, and level 1 is not faster.
_LEVEL = 3
_CHUNK = 1 << 18
# Far more than the largest manifest has.
_LARGEST_MANIFEST = 1 << 24
_LONGEST_TEXT = 200
# RuntimeError: a file that is encrypted, or values in each other without end.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


class ArchiveError(_errors.ReportedError):
    """A file is not a backup that can be used. The text says why."""


@dataclass(frozen=True)
class Content:
    """What is known about one table in an archive. `sha256` is that of its file, `digest` is the same in every order of the rows."""

    rows: int
    digest: str
    sha256: str

    def described(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {"rows": self.rows, "digest": self.digest, "sha256": self.sha256}


def member(table: str) -> str:
    """The name of a table's file."""
    return f"tables/{table}.jsonl"


class _Forward:
    """A stream that is only written forward, for which zipfile needs to know no more: what is still to be written, and what went through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self.content, self.size = hashlib.sha256(), 0

    def write(self, part: bytes) -> int:
        self._waiting.append(part)
        return len(part)

    def flush(self) -> None:
        pass

    def send(self) -> None:
        """Write what is waiting."""
        part = b"".join(self._waiting)
        self._waiting.clear()
        self._stream.write(part)
        self._stream.flush()
        self.content.update(part)
        self.size += len(part)


class Writer:
    """Writes an archive into a stream, table by table. An archive that was not finished cannot be read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._forward = _Forward(stream)
        self._file = zipfile.ZipFile(cast(Any, self._forward), "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._contents: dict[str, Content] = {}

    def add(self, table: layout.Table, blocks: Iterable[list[bytes]]) -> Content:
        """Write the rows of a table, given as lines without their breaks. Rows are compressed while the next ones are read."""
        digest, content = lines.Digest(), hashlib.sha256()

        def compress(block: list[bytes]) -> None:
            part = b"\n".join((*block, b""))
            content.update(part)
            entry.write(part)

        with self._file.open(member(table.name), "w", force_zip64=True) as entry, ThreadPoolExecutor(1) as beside:
            compressed: Future[None] | None = None
            for block in blocks:
                digest.add(block)
                if compressed:
                    compressed.result()
                    self._forward.send()
                compressed = beside.submit(compress, block)
            if compressed:
                compressed.result()
        self._forward.send()
        self._contents[table.name] = found = Content(digest.rows, digest.text, content.hexdigest())
        return found

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the manifest, which makes the archive complete."""
        manifest = {"format": FORMAT, **facts, "tables": {name: content.described() for name, content in self._contents.items()}}
        self._file.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
        self._file.close()
        self._forward.send()

    @property
    def size(self) -> int:
        """How many bytes the archive has."""
        return self._forward.size

    @property
    def sha256(self) -> str:
        """The checksum of the archive."""
        return self._forward.content.hexdigest()


class Reader:
    """A complete archive, opened. ArchiveError when it is none."""

    def __init__(self, stream: IO[bytes]) -> None:
        try:
            self._file = zipfile.ZipFile(stream)
        except (ValueError, *_UNREADABLE):
            raise ArchiveError("the file is not a backup, or it is incomplete, because it was not written or copied completely. Use another backup") from None
        self.manifest = self._manifest()
        self.contents = self._contents()

    def blocks(self, table: layout.Table) -> Iterator[list[bytes]]:
        """The lines of a table, many at a time. After the last one they are compared with the manifest: what has been read before then is not proven."""
        expected, digest, content = self.contents[table.name], lines.Digest(), hashlib.sha256()
        try:
            with self._file.open(member(table.name)) as entry:
                stream = io.BufferedReader(cast(Any, entry), _CHUNK)
                while block := stream.readlines(_CHUNK):
                    content.update(b"".join(block))
                    rows = [line.rstrip(b"\n") for line in block]
                    digest.add(rows)
                    yield rows
        except _UNREADABLE:
            raise self._altered(table.name) from None
        if Content(digest.rows, digest.text, content.hexdigest()) != expected:
            raise self._altered(table.name)

    def prove(self) -> None:
        """Read everything. ArchiveError when anything is not as it was written."""
        for name in self.contents:
            for _block in self.blocks(layout.BY_NAME[name]):
                pass

    def prove_files(self) -> None:
        """Read everything of an archive that this process has written, without counting its rows again. ArchiveError as of `prove`."""
        for name, expected in self.contents.items():
            content = hashlib.sha256()
            try:
                with self._file.open(member(name)) as entry:
                    while part := entry.read(_CHUNK):
                        content.update(part)
            except _UNREADABLE:
                raise self._altered(name) from None
            if content.hexdigest() != expected.sha256:
                raise self._altered(name)

    def described(self) -> dict[str, Any]:
        """What the archive says of itself, which anybody can have written. ArchiveError when it does not say of which schema its rows are."""
        said = self.manifest
        engine, version = said.get("engine"), said.get("schema_version")
        if engine not in (_options.MYSQL, _options.POSTGRESQL) or not isinstance(version, int) or isinstance(version, bool):
            raise ArchiveError(f"the {MANIFEST} of the backup does not have a known engine and the version of its schema")
        registry = said["registry"].get("name") if isinstance(said.get("registry"), dict) else None
        texts = {"registry": registry, **{key: said.get(key) for key in ("cluster", "namespace", "taken_at", "server_version")}}
        shown = {key: None if value is None else _texts.line(str(value), _LONGEST_TEXT) for key, value in texts.items()}
        return {**shown, "engine": engine, "schema_version": version, "rows": sum(content.rows for content in self.contents.values())}

    def definition(self) -> dict[str, Any]:
        """The registry that was backed up, as an entry of a list of registries. Values are as they were written: only their consumer can judge them."""
        found = self.manifest.get("registry")
        if not isinstance(found, dict) or not isinstance(found.get("name"), str) or not isinstance(found.get("database"), dict):
            raise ArchiveError(f"the {MANIFEST} of the backup does not have the configuration of a registry with its database")
        # A consent is given by whoever runs a task, and never by a file.
        strange = sorted(found.keys() - (_options.REGISTRY_ITEM.keys() - {"allow_data_change"}))
        if strange:
            raise ArchiveError(f"the configuration in the {MANIFEST} of the backup has options that no backup contains: {_texts.names_of(strange)}")
        return found

    def _manifest(self) -> Mapping[str, Any]:
        try:
            if self._file.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
                raise ValueError
            manifest = json.loads(self._file.read(MANIFEST))
        except (KeyError, ValueError, *_UNREADABLE):
            raise ArchiveError(f"the file is not a backup of a model registry: it does not have a readable {MANIFEST}") from None
        version = manifest.get("format") if isinstance(manifest, dict) else None
        if version != FORMAT or isinstance(version, bool):
            raise ArchiveError(f"the backup has format {version!r}, and this version of the collection reads format {FORMAT}")
        return dict(manifest)

    def _contents(self) -> dict[str, Content]:
        try:
            entries = dict(self.manifest["tables"]).items()
            found = {name: Content(int(entry["rows"]), str(entry["digest"]), str(entry["sha256"])) for name, entry in entries}
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ArchiveError(f"the {MANIFEST} of the backup does not describe its tables") from None
        names, wanted = self._file.namelist(), [MANIFEST, *(member(name) for name in layout.BY_NAME)]
        if set(found) != set(layout.BY_NAME) or sorted(names) != sorted(wanted):
            strange = (
                sorted(set(names) ^ set(wanted)) or sorted(set(found) ^ set(layout.BY_NAME)) or sorted(name for name in set(names) if names.count(name) > 1)
            )
            raise ArchiveError(f"the backup does not consist of the files of format {FORMAT}: {', '.join(map(repr, strange[:5]))}")
        return found

    @staticmethod
    def _altered(table: str) -> ArchiveError:
        return ArchiveError(f"the backup is damaged: its table {table} is not as it was written")
