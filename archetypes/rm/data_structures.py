"""Trees, lists, tables and histories of data (RM, data structures)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from archetypes.rm.common import Locatable
from archetypes.rm.data_types import DataValue, DvCodedText, DvDateTime, DvDuration, DvText

T = TypeVar("T", bound="ItemStructure", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStructure(Locatable):
    """Base of all structures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Locatable):
    """Base of the members of structures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element(Item):
    """One value, or the reason why there is none."""

    null_flavour: DvCodedText | None = None
    value: DataValue | None = None
    null_reason: DvText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Item):
    """A group of items."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStructure(DataStructure):
    """Base of structures of items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSingle(ItemStructure):
    """One element."""

    item: Element


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemList(ItemStructure):
    """A list of elements."""

    items: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTable(ItemStructure):
    """A table; each row is a cluster."""

    rows: tuple[Cluster, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTree(ItemStructure):
    """A tree of items."""

    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Locatable, Generic[T]):
    """Data of a time."""

    time: DvDateTime
    data: T
    state: ItemStructure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointEvent(Event[T]):
    """Data of a point in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalEvent(Event[T]):
    """Data of a span of time, by a function such as mean."""

    width: DvDuration
    math_function: DvCodedText
    sample_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History(DataStructure, Generic[T]):
    """Events in time."""

    origin: DvDateTime
    period: DvDuration | None = None
    duration: DvDuration | None = None
    summary: ItemStructure | None = None
    events: tuple[Event[T], ...] = ()
