"""The card's tables as they are named in ``tables.toml``; where a field lies, the templates say."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


class Grain(StrEnum):
    """What has a row in a table."""

    WOMAN = "woman"
    PREGNANCY = "pregnancy"
    CONTACT = "contact"
    FETUS = "fetus"
    TEST = "test"
    SF = "sf"
    EARLIER = "earlier"


class Pick(StrEnum):
    """Which of several values a row shows: the last or the first in time, or all of them in one text."""

    LAST = "last"
    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldColumn:
    """A column that holds a field of the card.

    ``fields`` are several only where the card tells apart by time what is one result. ``node`` counts from 1
    the nodes that hold the field in one entry. ``beside``: another field with its value, which must stand in
    the same instance. ``form`` is ``code``, ``text``, ``given``, ``instant`` or ``written`` where the node
    leaves a choice. ``names_a_person`` and ``restricted`` say who may see it.
    """

    name: str
    fields: tuple[str, ...]
    nb: str
    en: str
    pick: Pick = Pick.LAST
    node: int | None = None
    beside: tuple[str, str] | None = None
    form: str | None = None
    names_a_person: bool = False
    restricted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDefinition:
    """A table; ``results`` are the kinds of rows of the table of tests."""

    name: str
    grain: Grain
    nb: str
    en: str
    columns: tuple[FieldColumn, ...]
    results: tuple[FieldColumn, ...] = ()


@cache
def table_definitions() -> Mapping[str, TableDefinition]:
    """The tables by name, in the order of the file."""
    made = {name: _table(name, raw) for name, raw in _source().items() if name != "elsewhere"}
    return MappingProxyType(made)


@cache
def fields_elsewhere() -> Mapping[str, str]:
    """Fields that no table has, each with the reason."""
    return MappingProxyType(dict(_source()["elsewhere"]))


@cache
def naming_fields() -> frozenset[str]:
    """Fields that name a person or tell how to reach her."""
    return _fields_of(lambda column: column.names_a_person)


@cache
def restricted_fields() -> frozenset[str]:
    """Fields of the restricted part of the card."""
    return _fields_of(lambda column: column.restricted)


def _fields_of(condition: Any) -> frozenset[str]:
    columns = (column for table in table_definitions().values() for column in table.columns)
    return frozenset(field for column in columns if condition(column) for field in column.fields)


def _source() -> dict[str, Any]:
    return tomllib.loads((files("cdr.analysis") / "tables.toml").read_text("utf-8"))


def _table(name: str, raw: Mapping[str, Any]) -> TableDefinition:
    return TableDefinition(
        name=name,
        grain=Grain(raw["grain"]),
        nb=raw["nb"],
        en=raw["en"],
        columns=tuple(_column(each, spec) for each, spec in raw["columns"].items()),
        results=tuple(_column(each, spec) for each, spec in raw.get("results", {}).items()),
    )


def _column(name: str, raw: Mapping[str, Any]) -> FieldColumn:
    beside = raw.get("beside")
    return FieldColumn(
        name=name,
        fields=tuple(raw["field"].split()),
        nb=raw["nb"],
        en=raw["en"],
        pick=Pick(raw.get("pick", Pick.LAST)),
        node=raw.get("node"),
        beside=None if beside is None else (beside[0], beside[1]),
        form=raw.get("as"),
        names_a_person=raw.get("names", False),
        restricted=raw.get("restricted", False),
    )
