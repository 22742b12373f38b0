"""The constraint tree: what archetypes and operational templates say about the data (AOM 1.4 and AOM 2).

All nodes are frozen and know their place in the source. An unbounded side of an interval is ``None``.
``CAttribute.existence`` and ``.cardinality`` are ``None`` where the text is silent: then the reference
model decides. In an operational template both are always stated.

Both generations have the same nodes. ADL 2 says with tuples and terminology codes what ADL 1.4 says with
``CDvQuantity``, ``CDvOrdinal``, ``CDvState``, ``CCodePhrase`` and ``ConstraintRef``; and a specialised
ADL 2 archetype holds only what it changes (``differential_path``, ``sibling_order``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from archetypes.findings import SourceSpan
from archetypes.intervals import ANY_NUMBER as ANY_NUMBER
from archetypes.intervals import ONCE as ONCE
from archetypes.intervals import OPTIONAL as OPTIONAL
from archetypes.intervals import PROHIBITED as PROHIBITED
from archetypes.intervals import Interval as Interval


@dataclass(frozen=True, slots=True)
class Cardinality:
    """How many members a container attribute may have in all."""

    interval: Interval[int] = ANY_NUMBER
    is_ordered: bool = True
    is_unique: bool = False


# --- primitives ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CBoolean:
    """Which of the two values are allowed."""

    true_valid: bool = True
    false_valid: bool = True
    assumed_value: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CString:
    """A closed list (``list_open`` opens it again) or a pattern that must match the whole text."""

    pattern: str | None = None
    values: tuple[str, ...] = ()
    list_open: bool = False
    assumed_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CInteger:
    """A list or a range of whole numbers."""

    values: tuple[int, ...] = ()
    range: Interval[int] | None = None
    assumed_value: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CReal:
    """A list or a range of numbers."""

    values: tuple[float, ...] = ()
    range: Interval[float] | None = None
    assumed_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CTemporal:
    """A date, time or date-time: pattern such as ``yyyy-mm-??`` or range of ISO 8601 texts."""

    rm_type: str  # DATE, TIME or DATE_TIME
    pattern: str | None = None
    range: Interval[str] | None = None
    timezone_validity: int | None = None
    assumed_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CDuration:
    """A duration: pattern of allowed fields such as ``PWD`` and/or a range of ISO 8601 durations."""

    pattern: str | None = None
    range: Interval[str] | None = None
    assumed_value: str | None = None


Primitive = CBoolean | CString | CInteger | CReal | CTemporal | CDuration


# --- objects ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SiblingOrder:
    """``before [id3]`` or ``after [id3]``: where a specialisation puts its nodes among inherited ones."""

    is_before: bool
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CObject:
    """Base of all object constraints.

    ``node_id`` is the at-code or id-code, or empty where the object needs none (data values).
    ``occurrences`` count where ``occurrences_stated``; in ADL 2 they may be left to the reference model, and
    are ``0..*`` here. ``sibling_order`` anchors this node and those that follow it in a specialisation.
    ``comment`` is what the text says beside the node, a line each.
    """

    rm_type_name: str
    occurrences: Interval[int] = ONCE
    occurrences_stated: bool = True
    node_id: str = ""
    sibling_order: SiblingOrder | None = None
    comment: str = field(default="", compare=False, repr=False)
    span: SourceSpan | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CAttribute:
    """What may stand in one attribute; more than one child under a single attribute are alternatives.

    ``differential_path`` leads from the owner to the object of the parent archetype that has the attribute
    (``/data[id2]/events[id3]``); empty where it is the owner itself.
    """

    rm_attribute_name: str
    differential_path: str = ""
    existence: Interval[int] | None = None
    cardinality: Cardinality | None = None
    children: tuple[CObject, ...] = ()
    comment: str = field(default="", compare=False, repr=False)
    span: SourceSpan | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CAttributeTuple:
    """Attributes whose values belong together: each row gives one constraint for each member (AOM 2)."""

    members: tuple[str, ...]
    rows: tuple[tuple[CObject, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CComplexObject(CObject):
    """An RM object; without attributes: any instance of the type or of a subtype.

    ``default_value`` is an ODIN object (AOM 2).
    """

    attributes: tuple[CAttribute, ...] = ()
    tuples: tuple[CAttributeTuple, ...] = ()
    default_value: Any = None

    def attribute(self, name: str) -> CAttribute | None:
        """The constraint on attribute ``name``, or None if nothing is said about it."""
        for attribute in self.attributes:  # asked for so often that a generator would show
            if attribute.rm_attribute_name == name:
                return attribute
        return None

    def children(self) -> Iterator[tuple[CAttribute, CObject]]:
        """All child objects with the attribute that they stand under."""
        return ((attribute, child) for attribute in self.attributes for child in attribute.children)


@dataclass(frozen=True, slots=True)
class TermDefinition:
    """Text and description of one code in one language, and what else the archetype says of it."""

    text: str
    description: str = ""
    other: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


Terms = Mapping[str, Mapping[str, TermDefinition]]  # language -> code -> definition
Bindings = Mapping[str, Mapping[str, str]]  # terminology -> code or path -> target


@dataclass(frozen=True, slots=True, kw_only=True)
class CArchetypeRoot(CComplexObject):
    """The root of an archetype inside a template, with the archetype's own terms; ``use_archetype`` in ADL 2.

    ``node_id`` is the root's at-code (``at0000``, ``at0000.1``), in ADL 2 that of the node that it fills;
    in paths of data ``archetype_id`` stands in its place.
    """

    archetype_id: str
    template_id: str | None = None
    terms: Terms = field(default_factory=lambda: MappingProxyType({}))
    term_bindings: Bindings = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchetypeSlot(CObject):
    """A place for other archetypes; patterns match the whole archetype id.

    ``other_includes`` and ``other_excludes`` are assertions about anything but the id, kept as text and not
    evaluated. ``is_closed``: nothing but what already fills it (AOM 2).
    """

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    other_includes: tuple[str, ...] = ()
    other_excludes: tuple[str, ...] = ()
    is_closed: bool = False

    @property
    def states_anything(self) -> bool:
        """True if the slot has assertions."""
        return bool(self.includes or self.excludes or self.other_includes or self.other_excludes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchetypeInternalRef(CObject):
    """``use_node``: the constraint at ``target_path`` of the same archetype, again.

    ``occurrences`` is None-like (``inherits_occurrences``) where the text states none.
    """

    target_path: str
    inherits_occurrences: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintRef(CObject):
    """A code of the archetype (``ac0001``) that is bound to a value set outside."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CPrimitiveObject(CObject):
    """A leaf of a primitive type; ``item`` None: any value.

    ``others`` are further constraints, any of which is enough (AOM 2: ``|0..5|, |10..20|``); an assumed value
    is that of the last of them.
    """

    item: Primitive | None = None
    others: tuple[Primitive, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CTerminologyCode(CObject):
    """One code or one value set of the archetype (AOM 2): ``at5``, ``ac1``.

    ``status`` is ``required``, ``extensible``, ``preferred``, ``example``, or empty (which means required).
    """

    code: str
    status: str = ""
    assumed_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CCodePhrase(CObject):
    """Codes of one terminology; an empty list: any code of it."""

    terminology_id: str | None = None
    codes: tuple[str, ...] = ()
    assumed_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CCodeReference(CObject):
    """Codes of a value set outside, named by a URI (``C_CODE_REFERENCE`` of OPT 1.4)."""

    reference_set_uri: str
    terminology_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityItem:
    """One allowed unit, with its range of magnitudes and of decimals."""

    units: str
    magnitude: Interval[float] | None = None
    precision: Interval[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CDvQuantity(CObject):
    """``property`` is an openEHR code phrase (``openehr::122``); an empty list: any unit of it."""

    property: str | None = None
    items: tuple[QuantityItem, ...] = ()
    assumed_value: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdinalItem:
    """One allowed pair of value and symbol."""

    value: float
    terminology_id: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CDvOrdinal(CObject):
    """DV_ORDINAL or DV_SCALE by a list of value and symbol; an empty list: any."""

    items: tuple[OrdinalItem, ...] = ()
    assumed_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTransition:
    """What takes a state machine from one state to the next."""

    event: str
    next_state: str
    guard: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of a DV_STATE; one without transitions is terminal."""

    name: str
    transitions: tuple[StateTransition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CDvState(CObject):
    """DV_STATE by its state machine (``C_DV_STATE``); no states: any."""

    states: tuple[State, ...] = ()
    assumed_value: str | None = None
