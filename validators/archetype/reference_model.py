"""Rules about the reference model: its classes, attributes and multiplicities."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.constraints import CDvOrdinal, CPrimitiveObject, CTerminologyCode
from archetypes.aom.narrowing import is_within
from archetypes.findings import Finding
from archetypes.intervals import Interval
from archetypes.rm.schema import rm_schema
from validators.archetype.subject import Place, Subject, at, finding

# A whole number is a number, and an ordinal may be written for a scale.
_ALSO = {"INTEGER": ("REAL",), "DV_ORDINAL": ("DV_SCALE",), "DV_SCALE": ("DV_ORDINAL",)}


def check_attributes_known(subject: Subject) -> Iterator[Finding]:
    """VCARM: the class has the attribute (ADL 1.4, cADL keywords; AOM 2, VCARM)."""
    for path, attribute, owner in subject.attributes:
        name = attribute.rm_attribute_name
        if _is_known(owner.rm_type_name) and rm_schema().attribute(owner.rm_type_name, name) is None:
            yield finding("VCARM", path, expected=owner.rm_type_name, found=name, span=attribute.span)


def check_types_known(subject: Subject) -> Iterator[Finding]:
    """VCORM: the class exists (AOM 2, VCORM)."""
    for place in subject.places:
        if not _is_known(place.node.rm_type_name):
            yield at(place, "VCORM", expected="RM 1.1.0", found=place.node.rm_type_name)


def check_types_fit(subject: Subject) -> Iterator[Finding]:
    """VCORMT: the attribute can hold the class (AOM 2, VCORMT)."""
    for place in subject.places:
        expected = _attribute_type(place)
        if expected is None or not _is_known(place.node.rm_type_name):
            continue
        if not _fits(place, expected):
            yield at(place, "VCORMT", expected=expected, found=place.node.rm_type_name)


def check_attribute_names_unique(subject: Subject) -> Iterator[Finding]:
    """VCATU: an object constrains each attribute once (AOM 2, VCATU)."""
    seen: set[tuple[int, str]] = set()
    for path, attribute, owner in subject.attributes:
        key = (id(owner), attribute.rm_attribute_name)
        if key in seen:
            yield finding("VCATU", path, found=attribute.rm_attribute_name, span=attribute.span)
        seen.add(key)


def check_existence(subject: Subject) -> Iterator[Finding]:
    """VCAEX: existence is not wider than the model's (ADL 1.4, Existence; AOM 2, VCAEX)."""
    for path, attribute, owner in subject.attributes:
        known = rm_schema().attribute(owner.rm_type_name, attribute.rm_attribute_name)
        if known is None or attribute.existence is None:
            continue
        if not is_within(attribute.existence, known.existence):
            allowed, found = str(known.existence), str(attribute.existence)
            yield finding("VCAEX", path, expected=allowed, found=found, span=attribute.span)


def check_cardinality(subject: Subject) -> Iterator[Finding]:
    """VCACA: cardinality is not wider than the model's (ADL 1.4, Cardinality; AOM 2, VCACA).

    Of an attribute that may be absent, ``0..*`` says the same as the model's ``1..*``: no members, no list.
    """
    for path, attribute, owner in subject.attributes:
        known = rm_schema().attribute(owner.rm_type_name, attribute.rm_attribute_name)
        if known is None or attribute.cardinality is None or not known.container:
            continue
        stated, allowed = attribute.cardinality.interval, known.cardinality
        if not known.mandatory:
            allowed = Interval(0, allowed.upper)
        if not is_within(stated, allowed):
            yield finding("VCACA", path, expected=str(allowed), found=str(stated), span=attribute.span)


def check_multiplicity(subject: Subject) -> Iterator[Finding]:
    """VCAM: only a container has a cardinality (ADL 1.4, Cardinality; AOM 2, VCAM)."""
    for path, attribute, owner in subject.attributes:
        known = rm_schema().attribute(owner.rm_type_name, attribute.rm_attribute_name)
        if known is not None and attribute.cardinality is not None and not known.container:
            found = str(attribute.cardinality.interval)
            yield finding("VCAM", path, expected=known.type_name, found=found, span=attribute.span)


def _is_known(type_name: str) -> bool:
    return rm_schema().get(type_name) is not None or rm_schema().is_primitive(type_name)


def _attribute_type(place: Place) -> str | None:
    """The type that the model gives to what stands at this place."""
    if place.owner is None or place.attribute is None:
        return None
    known = rm_schema().attribute(place.owner.rm_type_name, place.attribute.rm_attribute_name)
    return None if known is None else known.type_name


def _fits(place: Place, expected: str) -> bool:
    name = place.node.rm_type_name
    if isinstance(place.node, CPrimitiveObject | CDvOrdinal) and expected in _ALSO.get(name, ()):
        return True
    # The symbol of an ordinal is a coded text; ADL 2 constrains its code in its place.
    if isinstance(place.node, CTerminologyCode) and expected == "DV_CODED_TEXT":
        return True
    return rm_schema().is_a(name, expected)
