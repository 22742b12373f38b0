"""Every constraint kind of OPT 1.4 as a row: who checks it, its finding, what it takes and what it refuses.

A row is a template with this one constraint, and two values at one place of a composition. The test and the
page docs/validation-constraints.md (``python -m bench.constraint_kinds``) are made of the same rows.
"""

# ruff: noqa: E501  # the tables read best with a row a line

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from archetypes.aom.constraints import (
    ANY_NUMBER,
    ONCE,
    OPTIONAL,
    PROHIBITED,
    ArchetypeSlot,
    CAttribute,
    CBoolean,
    CCodeReference,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
)
from templates.operational import OperationalTemplate
from tests.validators.small import (
    ABSENT,
    ITEMS,
    coded,
    coded_text,
    complex_object,
    composition,
    count,
    details,
    element,
    fixed,
    leaf,
    node,
    put,
    single,
    template,
    text,
    value_of,
)
from validators.composition import containers, data_values, matching, objects, primitives, slots, validate

NODE = "at0010"
VALUE = f"{ITEMS}[0]/value"


@dataclass(frozen=True, slots=True)
class Kind:
    """``refused`` in the place of ``accepted`` at ``path`` gives ``code``.

    Without ``refused`` the constraint refuses nothing: ``code`` is a warning, or there is none.
    """

    kind: str
    part: str
    checked_by: Callable[..., Any]
    opt: OperationalTemplate
    path: str
    accepted: Any
    refused: Any
    code: str

    def data(self, value: Any) -> dict[str, Any]:
        """The composition with the value in its place."""
        made = composition()
        put(made, ITEMS, [node("ELEMENT", NODE, NODE, value=text("x"))])
        if value is not ABSENT:
            put(made, self.path, value)
        return made


# What OPT 1.4 writes down and no data can break.
SAY_NOTHING = {
    "assumed_value (all primitive and data value kinds)": "what is meant where nothing is said; never in data",
    "CARDINALITY is_ordered": "the order of a list has no meaning that could be compared",
    "CARDINALITY is_unique": "members of different identity are never equal; no public template says true",
    "C_DV_QUANTITY property beside a list": "the list says which units; the property is its heading",
    "C_ARCHETYPE_ROOT term_definitions, term_bindings": "words, not limits; a text that is none of its code's "
    "is the warning `code.rubric`",
    "T_CONSTRAINT default_value, T_VIEW, annotations": "for forms and readers",
    "description, revision_history": "about the template",
}
# No operational template holds them; one that does is refused when it is read, with this code.
NOT_OPERATIONAL = {
    "ARCHETYPE_INTERNAL_REF": "an operational template has its targets in their places",
    "C_DV_STATE": "no public template has one",
}
UNKNOWN_KIND = "template.unknown_kind"


def kinds() -> Iterator[Kind]:
    """All rows, in the order of the specification."""
    yield from _structure()
    yield from _names()
    yield from _primitives()
    yield from _data_values()
    yield from _slots()


def _of(constraint: CObject) -> OperationalTemplate:
    return template(element(NODE, constraint))


def _structure() -> Iterator[Kind]:
    anything = _of(complex_object("DV_TEXT"))
    check = objects.check_object
    yield Kind(
        "OPERATIONAL_TEMPLATE",
        "template_id",
        validate.validate_composition,
        anything,
        "/archetype_details/template_id/value",
        "small.v1",
        "large.v1",
        "template.mismatch",
    )
    yield Kind(
        "C_ARCHETYPE_ROOT",
        "archetype_id",
        containers.check_container,
        anything,
        "/content[0]/archetype_node_id",
        "openEHR-EHR-OBSERVATION.small.v1",
        "openEHR-EHR-OBSERVATION.other.v1",
        "node.unexpected",
    )
    yield Kind(
        "C_COMPLEX_OBJECT",
        "rm_type_name: the class or a subclass",
        matching.fits_type,
        anything,
        VALUE,
        coded_text("at0111", "Ja"),
        count(1),
        "type.not_allowed",
    )
    yield Kind(
        "C_COMPLEX_OBJECT",
        "node_id in a list",
        containers.check_container,
        anything,
        f"{ITEMS}[0]/archetype_node_id",
        NODE,
        "at9999",
        "node.unexpected",
    )
    yield Kind(
        "C_COMPLEX_OBJECT",
        "node_id of a single attribute",
        matching.fits_node_id,
        anything,
        "/content[0]/data/archetype_node_id",
        "at0001",
        "at9999",
        "node_id.mismatch",
    )
    has_protocol = _with_protocol(ONCE)
    tree = node("ITEM_TREE", "at0050", "Tree")
    yield Kind(
        "C_ATTRIBUTE",
        "existence 1..1",
        check,
        has_protocol,
        "/content[0]/protocol",
        tree,
        ABSENT,
        "existence.missing",
    )
    yield Kind(
        "C_ATTRIBUTE",
        "existence 0..0",
        check,
        _with_protocol(PROHIBITED),
        "/content[0]/protocol",
        ABSENT,
        tree,
        "existence.prohibited",
    )
    two = [node("ELEMENT", NODE, NODE, value=text("x")) for _ in range(2)]
    several = element(NODE, occurrences=ANY_NUMBER)
    yield Kind(
        "CARDINALITY",
        "interval, lower",
        containers.check_container,
        template(several, members=Interval(2, None)),
        ITEMS,
        two,
        two[:1],
        "cardinality.too_few",
    )
    yield Kind(
        "CARDINALITY",
        "interval, upper",
        containers.check_container,
        template(several, members=Interval(0, 1)),
        ITEMS,
        two[:1],
        two,
        "cardinality.too_many",
    )
    other = [node("ELEMENT", "at0011", "at0011", value=text("x"))]
    needed = template(element(NODE, occurrences=ONCE), element("at0011"))
    yield Kind(
        "C_OBJECT",
        "occurrences, lower",
        containers.check_container,
        needed,
        ITEMS,
        two[:1],
        other,
        "occurrences.too_few",
    )
    yield Kind(
        "C_OBJECT",
        "occurrences, upper",
        containers.check_container,
        needed,
        ITEMS,
        two[:1],
        two,
        "occurrences.too_many",
    )
    none = template(element(NODE, occurrences=PROHIBITED), element("at0011"))
    yield Kind(
        "C_OBJECT",
        "occurrences 0..0",
        containers.check_container,
        none,
        ITEMS,
        other,
        two[:1],
        "occurrences.prohibited",
    )
    choice = template(
        element(
            NODE,
            value_of("DV_TEXT", "value", "STRING", CString(values=("ja",))),
            value_of("DV_COUNT", "magnitude", "INTEGER", CInteger(values=(1,))),
        )
    )
    yield Kind(
        "C_SINGLE_ATTRIBUTE",
        "several children: alternatives",
        matching.check_best,
        choice,
        VALUE,
        count(1),
        count(2),
        "number.not_in_list",
    )
    interval = _of(
        complex_object(
            "DV_INTERVAL<DV_COUNT>",
            single("lower", value_of("DV_COUNT", "magnitude", "INTEGER", CInteger(range=Interval(0, 5)))),
        )
    )
    yield Kind(
        "C_COMPLEX_OBJECT",
        "DV_INTERVAL<T>",
        matching.fits_type,
        interval,
        VALUE,
        _interval(count(1)),
        _interval(coded_quantity()),
        "type.not_allowed",
    )
    yield Kind(
        "C_COMPLEX_OBJECT",
        "bound of a DV_INTERVAL",
        primitives.check_primitive,
        interval,
        VALUE,
        _interval(count(1)),
        _interval(count(6)),
        "number.range",
    )


def coded_quantity() -> dict[str, Any]:
    """A quantity where a count is asked for."""
    return {"_type": "DV_QUANTITY", "magnitude": 1.0, "units": "1"}


def _with_protocol(existence: Interval[int]) -> OperationalTemplate:
    made = _of(complex_object("DV_TEXT"))
    root = made.definition
    content = next(a for a in root.attributes if a.rm_attribute_name == "content")
    observation = content.children[0]
    attributes = tuple(
        replace(a, existence=existence) if a.rm_attribute_name == "protocol" else a
        for a in observation.attributes  # type: ignore[attr-defined]
    )
    changed = replace(content, children=(replace(observation, attributes=attributes),))  # type: ignore[call-arg]
    others = tuple(a for a in root.attributes if a is not content)
    return replace(made, definition=replace(root, attributes=(*others, changed)))


def _interval(lower: dict[str, Any]) -> dict[str, Any]:
    return {
        "_type": "DV_INTERVAL", "lower": lower, "lower_included": True, "lower_unbounded": False,
        "upper_included": False, "upper_unbounded": True,
    }  # fmt: skip


def _names() -> Iterator[Kind]:
    name = f"{ITEMS}[0]/name"
    listed = template(element(NODE, name=fixed("Mor", "Far")))
    yield Kind(
        "name",
        "C_STRING list",
        matching.check_name,
        listed,
        name,
        text("Far"),
        text("Onkel"),
        "name.not_allowed",
    )
    by_code = template(element(NODE, name=single("name", coded("at0111"))))
    yield Kind(
        "name",
        "C_CODE_PHRASE",
        matching.check_name,
        by_code,
        name,
        coded_text("at0111", "Ja"),
        coded_text("at0112", "Nei"),
        "name.not_allowed",
    )
    siblings = template(element(NODE, name=fixed("Mor")), element(NODE, name=fixed("Far")))
    yield Kind(
        "name",
        "siblings of one node_id",
        containers.check_container,
        siblings,
        name,
        text("Far"),
        text("Onkel"),
        "name.not_allowed",
    )


def _leaf(rm_type: str, primitive: str, item: Primitive, attribute: str = "value") -> OperationalTemplate:
    return _of(value_of(rm_type, attribute, primitive, item))


def _primitives() -> Iterator[Kind]:
    def row(
        part: str,
        kind: str,
        opt: OperationalTemplate,
        accepted: Any,
        refused: Any,
        code: str,
        attribute: str = "value",
    ) -> Kind:
        return Kind(
            kind,
            part,
            primitives.check_primitive,
            opt,
            VALUE,
            _value(opt, attribute, accepted),
            _value(opt, attribute, refused),
            code,
        )

    true = _leaf("DV_BOOLEAN", "BOOLEAN", CBoolean(false_valid=False))
    false = _leaf("DV_BOOLEAN", "BOOLEAN", CBoolean(true_valid=False))
    yield row("true_valid", "C_BOOLEAN", false, False, True, "boolean.not_allowed")
    yield row("false_valid", "C_BOOLEAN", true, True, False, "boolean.not_allowed")
    listed = _leaf("DV_TEXT", "STRING", CString(values=("ja", "nei")))
    yield row("list", "C_STRING", listed, "ja", "kanskje", "string.not_in_list")
    is_open = _leaf("DV_TEXT", "STRING", CString(values=("ja",), list_open=True))
    yield row("list_open", "C_STRING", is_open, "kanskje", None, "")
    pattern = _leaf("DV_TEXT", "STRING", CString(pattern="[0-9]{4}"))
    yield row("pattern (of the whole text)", "C_STRING", pattern, "0456", "04567", "string.pattern")
    numbers = _leaf("DV_COUNT", "INTEGER", CInteger(values=(1, 2)), "magnitude")
    yield row("list", "C_INTEGER", numbers, 2, 3, "number.not_in_list", "magnitude")
    within = _leaf("DV_COUNT", "INTEGER", CInteger(range=Interval(0, 25)), "magnitude")
    yield row("range", "C_INTEGER", within, 25, 26, "number.range", "magnitude")
    for part, item, refused, code in (
        ("list", CReal(values=(50.0,)), 51.0, "number.not_in_list"),
        ("range", CReal(range=Interval(0.0, 50.0)), 50.5, "number.range"),
    ):
        opt = _of(complex_object("DV_PROPORTION", single("numerator", leaf("REAL", item))))
        yield Kind(
            "C_REAL", part, primitives.check_primitive, opt, VALUE, _percent(50.0), _percent(refused), code
        )
    yield from _times(row)


def _times(row: Callable[..., Kind]) -> Iterator[Kind]:
    dates = ("DV_DATE", "DATE")
    times = ("DV_TIME", "TIME")
    moments = ("DV_DATE_TIME", "DATE_TIME")
    for (rm_type, primitive), part, how, accepted, refused, code in (
        (dates, "pattern, field mandatory", {"pattern": "yyyy-mm-dd"}, "2026-02-03", "2026-02", "temporal.pattern"),
        (dates, "pattern, field optional", {"pattern": "yyyy-mm-??"}, "2026-02", "2026", "temporal.pattern"),
        (dates, "pattern, field prohibited", {"pattern": "yyyy-mm-XX"}, "2026-02", "2026-02-03", "temporal.pattern"),
        (dates, "range", {"range": Interval("2025-01-01", "2026-12-31")}, "2026-02-03", "2027-01-01", "temporal.range"),
        (times, "pattern", {"pattern": "HH:MM:??"}, "10:30", "10", "temporal.pattern"),
        (times, "range", {"range": Interval("08:00:00", "16:00:00")}, "10:30:00", "17:00:00", "temporal.range"),
        (times, "timezone_validity mandatory", {"timezone_validity": 1001}, "10:30:00+01:00", "10:30:00", "temporal.timezone"),
        (times, "timezone_validity prohibited", {"timezone_validity": 1003}, "10:30:00", "10:30:00Z", "temporal.timezone"),
        (moments, "pattern", {"pattern": "yyyy-mm-ddTHH:MM:SS"}, "2026-02-03T10:30:00", "2026-02-03T10:30", "temporal.pattern"),
        (moments, "range", {"range": Interval("2025-01-01T00:00:00", None)}, "2026-02-03T10:30:00", "2024-02-03T10:30:00", "temporal.range"),
        (moments, "timezone_validity", {"timezone_validity": 1001}, "2026-02-03T10:30:00Z", "2026-02-03T10:30:00", "temporal.timezone"),
    ):  # fmt: skip
        opt = _leaf(rm_type, primitive, CTemporal(rm_type=primitive, **how))  # type: ignore[arg-type]
        yield row(part, f"C_{primitive}", opt, accepted, refused, code)
    weeks = _leaf("DV_DURATION", "DURATION", CDuration(pattern="PWD"))
    yield row("pattern (weeks beside days)", "C_DURATION", weeks, "P20W3D", "P5M", "duration.pattern")
    term = _leaf("DV_DURATION", "DURATION", CDuration(range=Interval("P4W", "P43W6D")))
    yield row("range", "C_DURATION", term, "P280D", "P44W", "duration.range")


def _value(opt: OperationalTemplate, attribute: str, value: Any) -> Any:
    """The data value of the template's element with this leaf; None stays None."""
    if value is None:
        return None
    observation = next(a for a in opt.definition.attributes if a.rm_attribute_name == "content").children[0]
    rm_type = next(c.rm_type_name for c in _all(observation) if c.rm_type_name.startswith("DV_"))
    return {"_type": rm_type, attribute: value}


def _all(constraint: CObject) -> Iterator[CObject]:
    yield constraint
    attributes: tuple[CAttribute, ...] = getattr(constraint, "attributes", ())
    for attribute in attributes:
        for child in attribute.children:
            yield from _all(child)


def _percent(numerator: float, kind: int = 2) -> dict[str, Any]:
    return {"_type": "DV_PROPORTION", "numerator": numerator, "denominator": 100.0, "type": kind}


def _quantity(magnitude: float, units: str, precision: int = 0) -> dict[str, Any]:
    return {"_type": "DV_QUANTITY", "magnitude": magnitude, "units": units, "precision": precision}


def _data_values() -> Iterator[Kind]:
    items = (QuantityItem(units="cm", magnitude=Interval(120.0, 210.0), precision=Interval(0, 1)),)
    height = _of(CDvQuantity(rm_type_name="DV_QUANTITY", items=items))
    good = _quantity(170.0, "cm")
    check = data_values.check_quantity
    yield Kind(
        "C_DV_QUANTITY", "list, units", check, height, VALUE, good, _quantity(170.0, "kg"), "quantity.units"
    )
    yield Kind(
        "C_DV_QUANTITY",
        "list, magnitude",
        check,
        height,
        VALUE,
        good,
        _quantity(211.0, "cm"),
        "quantity.magnitude",
    )
    yield Kind(
        "C_DV_QUANTITY",
        "list, precision",
        check,
        height,
        VALUE,
        good,
        _quantity(170.0, "cm", 2),
        "quantity.precision",
    )
    length = _of(CDvQuantity(rm_type_name="DV_QUANTITY", property="[openehr::122]"))
    yield Kind(
        "C_DV_QUANTITY", "property", check, length, VALUE, good, _quantity(70.0, "kg"), "quantity.units"
    )
    for rm_type, kind in (("DV_ORDINAL", "C_DV_ORDINAL"), ("DV_SCALE", "C_DV_SCALE")):
        steps = tuple(OrdinalItem(value=n, terminology_id="local", code=f"at012{n}") for n in (0, 1))
        ordinal = _of(CDvOrdinal(rm_type_name=rm_type, items=steps))
        right = {"_type": rm_type, "value": 1, "symbol": coded_text("at0121", "Litt")}
        check = data_values.check_ordinal
        yield Kind(kind, "list, value", check, ordinal, VALUE, right, right | {"value": 2}, "ordinal.value")
        yield Kind(
            kind,
            "list, symbol of the same item",
            check,
            ordinal,
            VALUE,
            right,
            right | {"value": 0},
            "ordinal.symbol",
        )
    codes = _of(coded("at0111", "at0112"))
    check = data_values.check_code
    yes = coded_text("at0111", "Ja")
    yield Kind(
        "C_CODE_PHRASE", "code_list", check, codes, VALUE, yes, coded_text("at0113", "?"), "code.not_in_list"
    )
    yield Kind(
        "C_CODE_PHRASE",
        "terminology_id",
        check,
        codes,
        VALUE,
        yes,
        coded_text("at0111", "Ja", "ICD-10"),
        "code.terminology",
    )
    subset = _of(
        _coded_by(
            CCodeReference(
                rm_type_name="CODE_PHRASE", reference_set_uri="terminology:ATC", terminology_id="ATC"
            )
        )
    )
    check = data_values.check_code_reference
    atc = coded_text("J06BB01", "anti-D", "ATC")
    yield Kind(
        "C_CODE_REFERENCE",
        "terminology_id",
        check,
        subset,
        VALUE,
        atc,
        coded_text("J06BB01", "anti-D", "ICD-10"),
        "code.terminology",
    )
    yield Kind(
        "C_CODE_REFERENCE",
        "referenceSetUri (checked by the terminology service)",
        check,
        subset,
        VALUE,
        atc,
        None,
        "code.not_checked",
    )
    bound = _of(_coded_by(ConstraintRef(rm_type_name="CODE_PHRASE", reference="ac0001")))
    yield Kind(
        "CONSTRAINT_REF",
        "reference (checked where it is bound)",
        data_values.check_constraint_reference,
        bound,
        VALUE,
        atc,
        None,
        "code.not_checked",
    )
    ratio = _of(complex_object("DV_PROPORTION", single("type", leaf("INTEGER", CInteger(values=(2,))))))
    yield Kind(
        "C_COMPLEX_OBJECT",
        "DV_PROPORTION type",
        primitives.check_primitive,
        ratio,
        VALUE,
        _percent(50.0),
        _percent(50.0, 0),
        "number.not_in_list",
    )
    whole = _of(
        complex_object("DV_PROPORTION", single("is_integral", leaf("BOOLEAN", CBoolean(false_valid=False))))
    )
    yield Kind(
        "C_COMPLEX_OBJECT",
        "DV_PROPORTION is_integral (computed)",
        objects.check_object,
        whole,
        VALUE,
        _percent(50.0),
        _percent(50.5),
        "boolean.not_allowed",
    )


def _coded_by(constraint: CObject) -> CObject:
    return complex_object("DV_CODED_TEXT", single("defining_code", constraint))


def _slots() -> Iterator[Kind]:
    mine, other = "openEHR-EHR-CLUSTER.mine.v1", "openEHR-EHR-CLUSTER.other.v1"
    for part, includes, excludes in (
        ("includes", (r"openEHR-EHR-CLUSTER\.mine\.v1",), ()),
        ("excludes", (), (r"openEHR-EHR-CLUSTER\.other\.v1",)),
        ("includes, and everything excluded: a closed list", (r"openEHR-EHR-CLUSTER\.mine\.v1",), (".*",)),
    ):
        slot = ArchetypeSlot(
            rm_type_name="CLUSTER", occurrences=OPTIONAL, includes=includes, excludes=excludes
        )
        yield Kind(
            "ARCHETYPE_SLOT",
            part,
            slots.check_slot,
            template(slot),
            ITEMS,
            [_filler(mine)],
            [_filler(other)],
            "slot.not_admitted",
        )
    needed = template(
        ArchetypeSlot(rm_type_name="CLUSTER", occurrences=ONCE, includes=(".*",)), element(NODE)
    )
    plain = [node("ELEMENT", NODE, NODE, value=text("x"))]
    yield Kind(
        "ARCHETYPE_SLOT",
        "occurrences",
        containers.check_container,
        needed,
        ITEMS,
        [_filler(mine)],
        plain,
        "occurrences.too_few",
    )
    wrong = node(
        "SECTION",
        "openEHR-EHR-SECTION.mine.v1",
        "x",
        archetype_details=details("openEHR-EHR-SECTION.mine.v1"),
    )
    yield Kind(
        "ARCHETYPE_SLOT",
        "rm_type_name",
        containers.check_container,
        needed,
        ITEMS,
        [_filler(mine)],
        [_filler(mine), wrong],
        "rm.wrong_type",
    )


def _filler(archetype_id: str) -> dict[str, Any]:
    inside = node("ELEMENT", "at0001", "x", value=text("fritt"))
    return node("CLUSTER", archetype_id, "x", archetype_details=details(archetype_id), items=[inside])
