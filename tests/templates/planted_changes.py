"""Planted changes: one edit of a template of the library each, and what it must be told as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    Cardinality,
    CAttribute,
    CComplexObject,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CString,
    Interval,
    OrdinalItem,
    QuantityItem,
)
from templates.operational import OperationalTemplate
from templates.repository import library_templates
from tests.templates.edits import Edit, attribute, edited, having, item, named, term, with_attribute

VISIT = "helsekort_kontroll.v0"
ULTRASOUND = "helsekort_ultralyd.v0"
FIRST = "helsekort_forste_kontroll.v0"

EXAM = "/content[openEHR-EHR-SECTION.adhoc.v1,'Undersøkelse']"
CONTEXT = (
    "/context/other_context[at0001]/items[openEHR-EHR-CLUSTER.pregnancy_context.v0,'Svangerskapskontekst']"
)
PRESSURE = f"{EXAM}/items[openEHR-EHR-OBSERVATION.blood_pressure.v2,'Blodtrykk']"
EVENT = f"{PRESSURE}/data[at0001]/events[at0006]"
SYSTOLIC = f"{EVENT}/data[at0003]/items[at0004]"
POSITION = f"{EVENT}/state[at0007]/items[at0008]"
REMARK = f"{EVENT}/data[at0003]/items[at0033]"
WEIGHT = f"{EXAM}/items[openEHR-EHR-OBSERVATION.body_weight.v2,'Vekt']"
DIPSTICK = f"{EXAM}/items[openEHR-EHR-OBSERVATION.urinalysis.v1,'Urinstix']"
PROTEIN = f"{DIPSTICK}/data[at0001]/events[at0002]/data[at0003]/items[at0095]"
FUNDUS = f"{EXAM}/items[openEHR-EHR-OBSERVATION.symphysis_fundal_height.v0,'Symfyse-fundusmål']"
FUNDUS_TREE = f"{FUNDUS}/data[at0001]/events[at0002]/data[at0003]"
WORK = f"{EXAM}/items[openEHR-EHR-EVALUATION.occupation_summary.v1,'Arbeid']/data[at0001]"
EMPLOYER = (
    f"{WORK}/items[openEHR-EHR-CLUSTER.occupation_record.v1,'Stilling']"
    "/items[openEHR-EHR-CLUSTER.organisation.v1,'Arbeidssted']"
)
SLOT = f"{EMPLOYER}/items[at0022]"
AGE = f"{CONTEXT}/items[at0002]/value/value"

Made = Callable[[OperationalTemplate], OperationalTemplate]


@dataclass(frozen=True)
class Planted:
    """An edit and all changes that it must give: (code, path), the weightiest first."""

    edit: Made
    expected: tuple[tuple[str, str], ...]
    template: str = VISIT

    @property
    def old(self) -> OperationalTemplate:
        """The template before the edit."""
        return library_templates()[self.template]

    @property
    def new(self) -> OperationalTemplate:
        """The template after the edit."""
        return self.edit(self.old)


def at(path: str, edit: Edit, code: str, told_at: str | None = None, template: str = VISIT) -> Planted:
    """An edit of one node that gives one change, at its path or at another one."""
    told = path if told_at is None else told_at
    return Planted(lambda opt: edited(opt, path, edit), ((code, told),), template)


def whole(code: str, told_at: str = "", **changes: Any) -> Planted:
    """Another value in a field of the template itself."""
    return Planted(lambda opt: replace(opt, **changes), ((code, told_at),))


# --- parts that edits add -----------------------------------------------------------------------------

ELEMENT = CComplexObject(
    rm_type_name="ELEMENT",
    node_id="at9000",
    occurrences=Interval(0, 1),
    attributes=(CAttribute(rm_attribute_name="value", children=(CComplexObject(rm_type_name="DV_TEXT"),)),),
)
PATTERN = CPrimitiveObject(rm_type_name="STRING", item=CString(pattern=".{1,20}"))
VALUE_PATTERN = CAttribute(rm_attribute_name="value", existence=Interval(1, 1), children=(PATTERN,))
PULSE = CArchetypeRoot(
    rm_type_name="OBSERVATION",
    node_id="at0000",
    archetype_id="openEHR-EHR-OBSERVATION.pulse.v2",
    occurrences=Interval(0, 1),
    attributes=(named("Puls"),),
)
OPEN_SLOT = ArchetypeSlot(
    rm_type_name="CLUSTER",
    node_id="at9001",
    occurrences=Interval(0, None),
    includes=(r"openEHR-EHR-CLUSTER\.device\.v1",),
)


NINTH = OrdinalItem(value=9, terminology_id="local", code="at9004")
DESCRIPTION = {**library_templates()[VISIT].description, "use": "Alle kontroller."}


def members(attribute: CAttribute, **changes: Any) -> Cardinality:
    """The attribute's cardinality with other values of its fields."""
    assert attribute.cardinality is not None
    return replace(attribute.cardinality, **changes)


def joined(*new: CObject) -> Edit:
    """The node with others after it."""
    return lambda node: (node, *new)


def child_added(name: str, new: CObject) -> Edit:
    """The node with one more child under an attribute."""
    return attribute(name, lambda each: replace(each, children=(*each.children, new)))


def codes(*kept: str) -> Edit:
    """The code phrase with other codes."""
    return having(codes=kept)


def units(*items: QuantityItem) -> Edit:
    """The quantity with other units."""
    return having(items=items)


def magnitude(low: float, high: float) -> Edit:
    """The quantity's first unit with another range."""
    return lambda node: replace(node, items=(replace(node.items[0], magnitude=Interval(low, high)),))


def decimals(low: int, high: int) -> Edit:
    """The quantity's first unit with another precision."""
    return lambda node: replace(node, items=(replace(node.items[0], precision=Interval(low, high)),))


def renamed(node: CComplexObject) -> CComplexObject:
    """A node that gets another code, whose text is the same."""
    return replace(node, node_id="at9002")


def renaming(opt: OperationalTemplate) -> OperationalTemplate:
    """Systolic pressure under a new code with the old name."""

    def with_term(root: CArchetypeRoot) -> CArchetypeRoot:
        terms = {lang: {**codes, "at9002": codes["at0004"]} for lang, codes in root.terms.items()}
        return replace(root, terms=terms)

    return edited(edited(opt, SYSTOLIC, renamed), PRESSURE, with_term)


def without_language(opt: OperationalTemplate, language: str) -> OperationalTemplate:
    """Every archetype without its texts in a language."""
    return replace(opt, definition=_without(opt.definition, language))


def _without(node: Any, language: str) -> Any:
    if not isinstance(node, CComplexObject):
        return node
    attributes = tuple(
        replace(each, children=tuple(_without(child, language) for child in each.children))
        for each in node.attributes
    )
    if isinstance(node, CArchetypeRoot):
        terms = {tongue: codes for tongue, codes in node.terms.items() if tongue != language}
        return replace(node, attributes=attributes, terms=terms)
    return replace(node, attributes=attributes)


def without_note(opt: OperationalTemplate) -> OperationalTemplate:
    """One annotation less."""
    return replace(
        opt, annotations={path: notes for path, notes in opt.annotations.items() if path != SYSTOLIC}
    )


def second_event(opt: OperationalTemplate) -> OperationalTemplate:
    """A second event: the first is no longer the only one, and forms show it."""
    other = CComplexObject(rm_type_name="EVENT", node_id="at9003", occurrences=Interval(0, 1))
    return edited(opt, EVENT, joined(other))


# --- the table ----------------------------------------------------------------------------------------

PLANTED: Mapping[str, Planted] = {
    # Nodes.
    "an element is removed": at(SYSTOLIC, lambda _: None, "path.removed"),
    "an element is hidden by 0..0": at(SYSTOLIC, having(occurrences=Interval(0, 0)), "path.removed"),
    "a filled archetype is removed": at(WEIGHT, lambda _: None, "path.removed"),
    "an element gets another code": Planted(renaming, (("path.renamed", SYSTOLIC),)),
    "an optional element is added": at(
        SYSTOLIC, joined(ELEMENT), "path.added", f"{EVENT}/data[at0003]/items[at9000]"
    ),
    "a mandatory element is added": at(
        SYSTOLIC,
        joined(replace(ELEMENT, occurrences=Interval(1, 1))),
        "path.added_mandatory",
        f"{EVENT}/data[at0003]/items[at9000]",
    ),
    "a second event appears": Planted(
        second_event,
        (
            ("path.added", f"{PRESSURE}/data[at0001]/events[at9003]"),
            ("flat_path.changed", f"{EVENT}/data[at0003]/items[at0004]/value"),
            ("flat_path.changed", f"{EVENT}/data[at0003]/items[at0005]/value"),
            ("flat_path.changed", f"{EVENT}/data[at0003]/items[at0033]/value"),
            ("flat_path.changed", f"{EVENT}/state[at0007]/items[at0008]/value"),
            ("flat_path.changed", f"{EVENT}/time"),
        ),
    ),
    # Types.
    "a text becomes a count": at(
        f"{REMARK}/value", having(rm_type_name="DV_COUNT", attributes=()), "type.changed"
    ),
    "a text must be coded": at(f"{REMARK}/value", having(rm_type_name="DV_CODED_TEXT"), "type.narrowed"),
    "an event need not be a point": at(
        f"{DIPSTICK}/data[at0001]/events[at0002]", having(rm_type_name="EVENT"), "type.widened"
    ),
    "an alternative type is removed": at(
        f"{FUNDUS_TREE}/items[at0006]",
        attribute("value", lambda each: replace(each, children=each.children[:1])),
        "type.removed",
        f"{FUNDUS_TREE}/items[at0006]/value",
    ),
    "an alternative type is added": Planted(
        lambda opt: edited(opt, REMARK, child_added("value", CComplexObject(rm_type_name="DV_MULTIMEDIA"))),
        (("type.added", f"{REMARK}/value"), ("flat_path.changed", f"{REMARK}/value")),
    ),
    # How many.
    "an element becomes mandatory": at(SYSTOLIC, having(occurrences=Interval(1, 1)), "occurrences.mandatory"),
    "an element becomes optional": at(
        f"{CONTEXT}/items[at0001]", having(occurrences=Interval(0, 1)), "occurrences.widened"
    ),
    "pressure only once": at(PRESSURE, having(occurrences=Interval(0, 1)), "occurrences.narrowed"),
    "pressure any number of times": at(
        PRESSURE, having(occurrences=Interval(0, None)), "occurrences.widened"
    ),
    "an attribute becomes mandatory": at(
        SYSTOLIC,
        with_attribute(CAttribute(rm_attribute_name="feeder_audit", existence=Interval(1, 1))),
        "existence.mandatory",
        f"{SYSTOLIC}/feeder_audit",
    ),
    "an attribute is prohibited": at(
        SYSTOLIC,
        with_attribute(CAttribute(rm_attribute_name="null_flavour", existence=Interval(0, 0))),
        "existence.narrowed",
        f"{SYSTOLIC}/null_flavour",
    ),
    "an attribute becomes optional": at(
        PRESSURE,
        attribute("data", lambda each: replace(each, existence=Interval(0, 1))),
        "existence.widened",
        f"{PRESSURE}/data",
    ),
    "a list must not be empty": at(
        f"{EVENT}/data[at0003]",
        attribute("items", lambda each: replace(each, cardinality=members(each, interval=Interval(1, None)))),
        "cardinality.mandatory",
        f"{EVENT}/data[at0003]/items",
    ),
    "a list gets an end": at(
        f"{EVENT}/data[at0003]",
        attribute(
            "items",
            lambda each: replace(each, cardinality=members(each, interval=Interval(0, 2))),
        ),
        "cardinality.narrowed",
        f"{EVENT}/data[at0003]/items",
    ),
    "members must be unique": at(
        f"{EVENT}/data[at0003]",
        attribute("items", lambda each: replace(each, cardinality=members(each, is_unique=True))),
        "cardinality.narrowed",
        f"{EVENT}/data[at0003]/items",
    ),
    # Names.
    "a fixed name is changed": at(PRESSURE, attribute("name", lambda _: named("BT")), "name.changed"),
    "a name is changed in the default language": at(
        PRESSURE, term("nb", "at0004", text="Overtrykk"), "name.changed", SYSTOLIC
    ),
    "a name is fixed": at(SYSTOLIC, with_attribute(named("Systolisk")), "name.fixed"),
    "a name is freed": at(PRESSURE, attribute("name", lambda _: None), "name.freed"),
    "a name of structure is changed": at(
        PRESSURE, term("nb", "at0003", text="Målinger"), "hidden_name.changed", f"{EVENT}/data[at0003]"
    ),
    "the text of a code is changed": at(PRESSURE, term("nb", "at1001", text="Sitter"), "code.text_changed"),
    "a name is changed in English": at(
        PRESSURE, term("en", "at0004", text="Upper pressure"), "text.other_language_changed"
    ),
    "a description is changed": at(
        PRESSURE, term("nb", "at0004", description="Det høyeste trykket."), "description.changed"
    ),
    # Values.
    "a text gets a pattern": at(
        f"{REMARK}/value",
        lambda node: replace(node, attributes=(VALUE_PATTERN,)),
        "constraint.added",
        f"{REMARK}/value/value",
    ),
    "a pattern is changed": at(
        f"{EMPLOYER}/items[at0003]/value/id", item(pattern="[0-9]{11}"), "pattern.changed"
    ),
    "a pattern is removed": at(f"{EMPLOYER}/items[at0003]/value/id", item(pattern=None), "pattern.removed"),
    "a duration may not have days": at(AGE, item(pattern="PW"), "pattern.narrowed"),
    "a duration may have hours": at(AGE, item(pattern="PWDTH"), "pattern.widened"),
    "a duration becomes shorter": at(AGE, item(range=Interval("P0W", "P42W")), "range.narrowed"),
    "a duration becomes longer": at(AGE, item(range=Interval("P0W", "P50W")), "range.widened"),
    "a range of percent is narrowed": at(
        f"{FUNDUS_TREE}/items[at0005]/value/numerator", item(range=Interval(1.0, 99.0)), "range.narrowed"
    ),
    "a number is shifted": at(
        f"{FUNDUS_TREE}/items[at0005]/value/numerator", item(range=Interval(50.0, 150.0)), "range.narrowed"
    ),
    "one more number in a list": at(
        f"{FUNDUS_TREE}/items[at0005]/value/type", item(values=(2, 3)), "value.added"
    ),
    "a list of numbers is opened": at(
        f"{FUNDUS_TREE}/items[at0005]/value/type", item(values=()), "values.opened"
    ),
    "any number becomes a list": at(
        f"{FUNDUS_TREE}/items[at0005]/value/type",
        lambda node: replace(node, item=CInteger(values=(2,), assumed_value=2)),
        "assumed.changed",
    ),
    "a listed text is removed": at(
        "/context/other_context[at0001]/items[at0005]/value/value",
        item(values=("Endelig", "Foreløpig")),
        "value.removed",
        template="helsekort_lab.v0",
    ),
    # Codes.
    "a code is removed": at(
        f"{POSITION}/value/defining_code", codes("at1000", "at1001", "at1002", "at1003"), "code.removed"
    ),
    "a code is added": at(
        f"{CONTEXT}/items[at0007]/value/defining_code", codes("at0009", "at0012", "at0008"), "code.added"
    ),
    "a list of codes is opened": at(f"{POSITION}/value/defining_code", codes(), "values.opened"),
    "codes of another terminology": at(
        f"{POSITION}/value/defining_code", having(terminology_id="SNOMED-CT"), "terminology.changed"
    ),
    "codes from a value set outside": at(
        f"{POSITION}/value/defining_code",
        lambda node: ConstraintRef(rm_type_name=node.rm_type_name, reference="ac0001"),
        "value_set.changed",
    ),
    "a text is limited to codes": at(
        f"{POSITION}/value",
        lambda node: replace(node, attributes=()),
        "constraint.removed",
        f"{POSITION}/value/defining_code",
    ),
    # Quantities and ordinals.
    "a unit is removed": Planted(
        lambda opt: edited(opt, f"{SYSTOLIC}/value", units(QuantityItem(units="kPa"))),
        (("unit.removed", f"{SYSTOLIC}/value"), ("unit.added", f"{SYSTOLIC}/value")),
    ),
    "a unit is added": at(
        f"{SYSTOLIC}/value",
        lambda node: replace(node, items=(*node.items, QuantityItem(units="kPa"))),
        "unit.added",
    ),
    "the property is changed": at(f"{SYSTOLIC}/value", having(property="openehr::122"), "property.changed"),
    "a magnitude is narrowed": at(f"{SYSTOLIC}/value", magnitude(80, 220), "range.narrowed"),
    "a magnitude is widened": at(f"{SYSTOLIC}/value", magnitude(40, 300), "range.widened"),
    "more decimals": at(f"{SYSTOLIC}/value", decimals(0, 1), "precision.widened"),
    "fewer decimals": at(
        f"{WEIGHT}/data[at0002]/events[at0003]/data[at0001]/items[at0004]/value",
        decimals(0, 0),
        "precision.narrowed",
    ),
    "an ordinal is removed": at(
        f"{PROTEIN}/value", lambda node: replace(node, items=node.items[:-1]), "ordinal.removed"
    ),
    "an ordinal is added": at(
        f"{PROTEIN}/value",
        lambda node: replace(
            node, items=(*node.items, OrdinalItem(value=9, terminology_id="local", code="at9004"))
        ),
        "ordinal.added",
    ),
    "an ordinal counts otherwise": at(
        f"{PROTEIN}/value",
        lambda node: replace(node, items=(replace(node.items[0], value=0.0), *node.items[1:])),
        "ordinal.value_changed",
    ),
    # Slots and archetypes.
    "a slot is closed": at(SLOT, lambda _: None, "slot.closed"),
    "a slot takes fewer": at(
        SLOT, having(includes=(r"openEHR-EHR-CLUSTER\.electronic_communication\.v1",)), "slot.narrowed"
    ),
    "a slot takes anything": at(SLOT, having(includes=(".*",)), "slot.widened"),
    "a slot is added": at(SLOT, joined(OPEN_SLOT), "slot.added", f"{EMPLOYER}/items[at9001]"),
    "a section takes one more archetype": at(
        WEIGHT, joined(PULSE), "slot.filler_added", f"{EXAM}/items[openEHR-EHR-OBSERVATION.pulse.v2,'Puls']"
    ),
    "an archetype of another version": at(
        WEIGHT, having(archetype_id="openEHR-EHR-OBSERVATION.body_weight.v3"), "archetype.version_changed"
    ),
    # The whole.
    "another template id": whole("template.id_changed", template_id="helsekort_kontroll.v1"),
    "another uid": whole("metadata.changed", uid="9c2f6a0e-0000-4000-8000-000000000001"),
    "another description": whole(
        "description.changed",
        description={**library_templates()[VISIT].description, "use": "Alle kontroller."},
    ),
    "a note less": Planted(
        without_note, (("annotation.removed", SYSTOLIC), ("annotation.removed", SYSTOLIC))
    ),
    "a default value": Planted(
        lambda opt: replace(opt, defaults={f"{REMARK}/value": {"_type": "DV_TEXT", "value": "Ingen"}}),
        (("default.changed", ""), ("default.changed", "")),
    ),
    "a hint for forms": Planted(
        lambda opt: replace(opt, view={SYSTOLIC: {"pass_through": "true"}}), (("annotation.added", SYSTOLIC),)
    ),
    "a translation less": Planted(lambda opt: without_language(opt, "en"), (("language.removed", ""),)),
    "one more node in another template": at(
        "/context/other_context[at0001]/items[at0005]",
        joined(ELEMENT),
        "path.added",
        "/context/other_context[at0001]/items[at9000]",
        template=ULTRASOUND,
    ),
}
# What an edit turned round gives: a change and its opposite are different kinds.
TURNED_ROUND: Mapping[str, str] = {
    "an element is removed": "path.added",
    "a filled archetype is removed": "slot.filler_added",
    "an alternative type is removed": "type.added",
    "a text gets a pattern": "constraint.removed",
    "a listed text is removed": "value.added",
    "a list of codes is opened": "values.closed",
    "a pattern is removed": "pattern.added",
    "a translation less": "language.added",
    "a note less": "annotation.added",
    "a list must not be empty": "cardinality.widened",
    "a text is limited to codes": "constraint.added",
    "more decimals": "precision.narrowed",
    "an event need not be a point": "type.narrowed",
}

__all__ = ["PLANTED", "TURNED_ROUND", "Planted"]
