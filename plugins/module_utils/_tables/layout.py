# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of a registry's database: which there are, what their columns hold, and what does not belong among them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What a column holds. `TYPE` is the number of a row of the table Type, which stands for its name.
INTEGER, TRUTH, TEXT, BYTES, DOUBLE, TYPE = "integer", "truth", "text", "bytes", "double", "type"
# The table in which the server notes how far its migrations are. It belongs to the engine, and is never copied.
MIGRATIONS = "schema_migrations"


@dataclass(frozen=True)
class Column:
    """A column, and the name that its values have outside of the database."""

    name: str
    form: str

    @property
    def shown(self) -> str:
        """A type is told by its name, because two databases give it different numbers: type_id becomes type."""
        return self.name[: -len("_id")] if self.form == TYPE else self.name


@dataclass(frozen=True)
class Table:
    """A table. The columns are those that are copied."""

    name: str
    columns: tuple[Column, ...]
    # The column that counts by itself. What it holds is copied too, unless the table is that of the types.
    counter: str | None = None

    @property
    def all_columns(self) -> frozenset[str]:
        """The names of its columns in a database."""
        return frozenset(column.name for column in self.columns) | ({self.counter} if self.counter else set())


def _columns(**forms: str) -> tuple[Column, ...]:
    return tuple(Column(name, form) for form, names in forms.items() for name in names.split())


def _in_order(order: str, **forms: str) -> tuple[Column, ...]:
    """The columns in an order to read, by what they hold; those that are not named hold numbers."""
    form = {column.name: column.form for column in _columns(**forms)}
    return tuple(Column(name, form.get(name, INTEGER)) for name in order.split())


def _things(name: str, own: str) -> Table:
    order = f"id type_id name external_id {own} create_time_since_epoch last_update_time_since_epoch"
    return Table(name, _in_order(order, text="name external_id uri", type="type_id"), "id")


def _properties(name: str, owner: str) -> Table:
    order = f"{owner} name is_custom_property int_value double_value string_value byte_value proto_value bool_value"
    forms = {TRUTH: "is_custom_property bool_value", DOUBLE: "double_value", TEXT: "name string_value", BYTES: "byte_value proto_value"}
    return Table(name, _in_order(order, **forms))


# In an order in which no row comes before one that it refers to.
TABLES = (
    Table(
        "Type",
        _in_order("name type_kind version description input_type output_type external_id", text="name version description input_type output_type external_id"),
        "id",
    ),
    Table("TypeProperty", _in_order("type_id name data_type", text="name", type="type_id")),
    Table("ParentType", _in_order("type_id parent_type_id", type="type_id parent_type_id")),
    _things("Context", ""),
    _properties("ContextProperty", "context_id"),
    Table("ParentContext", _in_order("context_id parent_context_id")),
    _things("Execution", "last_known_state"),
    _properties("ExecutionProperty", "execution_id"),
    _things("Artifact", "uri state"),
    _properties("ArtifactProperty", "artifact_id"),
    Table("Event", _in_order("id artifact_id execution_id type milliseconds_since_epoch"), "id"),
    Table("EventPath", _in_order("event_id is_index_step step_index step_key", truth="is_index_step", text="step_key")),
    Table("Association", _in_order("id context_id execution_id"), "id"),
    Table("Attribution", _in_order("id context_id artifact_id"), "id"),
    Table("MLMDEnv", _in_order("schema_version")),
)
BY_NAME = {table.name: table for table in TABLES}


def foreign(found: Mapping[str, Iterable[str]]) -> list[str]:
    """What in a database is not a registry's: tables, and columns of its tables, as people name them. `found` has the columns of each table."""
    strange = [name for name in found if name not in BY_NAME and name != MIGRATIONS]
    columns = [f"{name}.{column}" for name, table in BY_NAME.items() for column in found.get(name, ()) if column not in table.all_columns]
    return sorted(strange) + sorted(columns)


def missing(found: Mapping[str, Iterable[str]]) -> list[str]:
    """What of a registry's database is not there: tables, and columns of those that are there."""
    tables = [name for name in BY_NAME if name not in found]
    columns = [f"{name}.{column}" for name, table in BY_NAME.items() if name in found for column in table.all_columns - set(found[name])]
    return sorted(tables) + sorted(columns)
