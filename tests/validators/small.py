"""A small operational template with one node for each kind of constraint, and a composition for it."""

from __future__ import annotations

import copy
import re
from typing import Any

from archetypes.aom.constraints import (
    ANY_NUMBER,
    ONCE,
    OPTIONAL,
    PROHIBITED,
    ArchetypeSlot,
    CArchetypeRoot,
    Cardinality,
    CAttribute,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
    TermDefinition,
)
from templates.operational import OperationalTemplate

Json = dict[str, Any]

OBSERVATION = "openEHR-EHR-OBSERVATION.small.v1"
COMPOSITION = "openEHR-EHR-COMPOSITION.small.v1"
SECTION = "openEHR-EHR-SECTION.small.v1"


# --- constraints ----------------------------------------------------------------------------------


def single(name: str, *children: CObject, existence: Interval[int] = ONCE) -> CAttribute:
    return CAttribute(rm_attribute_name=name, existence=existence, children=children)


def many(
    name: str, *children: CObject, existence: Interval[int] = ONCE, members: Interval[int] = ANY_NUMBER
) -> CAttribute:
    cardinality = Cardinality(interval=members, is_ordered=False)
    return CAttribute(rm_attribute_name=name, existence=existence, cardinality=cardinality, children=children)


def leaf(rm_type: str, item: Primitive | None) -> CPrimitiveObject:
    return CPrimitiveObject(rm_type_name=rm_type, item=item)


def complex_object(
    rm_type: str, *attributes: CAttribute, node_id: str = "", occurrences: Interval[int] = ONCE
) -> CObject:
    return CComplexObject(
        rm_type_name=rm_type, attributes=attributes, node_id=node_id, occurrences=occurrences
    )


def value_of(rm_type: str, attribute: str, primitive: str, item: Primitive) -> CObject:
    return complex_object(rm_type, single(attribute, leaf(primitive, item)))


def fixed(*names: str) -> CAttribute:
    return single("name", value_of("DV_TEXT", "value", "STRING", CString(values=names)))


def element(
    node_id: str, *values: CObject, occurrences: Interval[int] = OPTIONAL, name: CAttribute | None = None
) -> CObject:
    attributes = (single("value", *values),) if values else ()
    return complex_object(
        "ELEMENT", *(() if name is None else (name,)), *attributes, node_id=node_id, occurrences=occurrences
    )


def coded(*codes: str, terminology: str = "local") -> CObject:
    phrase = CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id=terminology, codes=codes)
    return complex_object("DV_CODED_TEXT", single("defining_code", phrase))


def _step(value: int, code: str) -> OrdinalItem:
    return OrdinalItem(value=value, terminology_id="local", code=code)


ELEMENTS = (
    element(
        "at0010",
        CDvQuantity(
            rm_type_name="DV_QUANTITY",
            items=(
                QuantityItem(units="cm", magnitude=Interval(120.0, 210.0), precision=Interval(0, 1)),
                QuantityItem(units="m", magnitude=Interval(1.2, 2.1, True, False)),
            ),
        ),
        occurrences=ONCE,
    ),
    element("at0011", coded("at0111", "at0112")),
    element(
        "at0012",
        CDvOrdinal(
            rm_type_name="DV_ORDINAL",
            items=(_step(0, "at0120"), _step(1, "at0121")),
        ),
    ),
    element("at0013", value_of("DV_COUNT", "magnitude", "INTEGER", CInteger(range=Interval(0, 25)))),
    element("at0014", value_of("DV_TEXT", "value", "STRING", CString(pattern="[0-9]{4}"))),
    element("at0015", value_of("DV_BOOLEAN", "value", "BOOLEAN", CBoolean(false_valid=False))),
    element(
        "at0016",
        value_of("DV_DATE", "value", "DATE", CTemporal(rm_type="DATE", pattern="yyyy-mm-??")),
    ),
    element(
        "at0017",
        value_of(
            "DV_DURATION", "value", "DURATION", CDuration(pattern="PWD", range=Interval("P4W", "P43W6D"))
        ),
    ),
    element(
        "at0018",
        complex_object(
            "DV_PROPORTION",
            single("numerator", leaf("REAL", CReal(range=Interval(0.0, 100.0)))),
            single("type", leaf("INTEGER", CInteger(values=(2,)))),
        ),
    ),
    element("at0019", value_of("DV_TEXT", "value", "STRING", CString(values=("ja", "nei"))), coded("at0191")),
    element(
        "at0020",
        complex_object(
            "DV_INTERVAL<DV_COUNT>",
            single(
                "lower",
                value_of("DV_COUNT", "magnitude", "INTEGER", CInteger(range=Interval(0, 10))),
                existence=OPTIONAL,
            ),
        ),
    ),
    element(
        "at0021",
        complex_object(
            "DV_CODED_TEXT",
            single(
                "defining_code",
                CCodeReference(
                    rm_type_name="CODE_PHRASE", reference_set_uri="terminology:ATC", terminology_id="ATC"
                ),
            ),
        ),
    ),
    element("at0030", name=fixed("Mor")),
    element("at0030", name=fixed("Far")),
    element("at0031", occurrences=PROHIBITED),
    ArchetypeSlot(
        rm_type_name="CLUSTER",
        node_id="at0040",
        occurrences=OPTIONAL,
        includes=(r"openEHR-EHR-CLUSTER\.open(-[a-z]+)?\.v1",),
    ),
)


def template(*elements: CObject, members: Interval[int] = ANY_NUMBER) -> OperationalTemplate:
    tree = complex_object("ITEM_TREE", many("items", *elements, members=members), node_id="at0003")
    event = complex_object("POINT_EVENT", single("data", tree), node_id="at0002", occurrences=Interval(1, 2))
    history = complex_object("HISTORY", many("events", event), node_id="at0001")
    terms = {"nb": {code: TermDefinition(text) for code, text in TERMS.items()}}
    observation = CArchetypeRoot(
        rm_type_name="OBSERVATION",
        archetype_id=OBSERVATION,
        node_id="at0000",
        occurrences=Interval(1, 1),
        attributes=(
            single("data", history),
            single("protocol", complex_object("ITEM_TREE", node_id="at0050"), existence=OPTIONAL),
            single("subject", complex_object("PARTY_SELF")),
        ),
        terms=terms,
    )
    root = CArchetypeRoot(
        rm_type_name="COMPOSITION",
        archetype_id=COMPOSITION,
        node_id="at0000",
        attributes=(
            single("category", coded("433", terminology="openehr")),
            many("content", observation),
        ),
        terms=terms,
    )
    return OperationalTemplate(template_id="small.v1", concept="small", language="nb", definition=root)


TERMS = {
    "at0000": "Liten",
    "at0010": "Høyde",
    "at0011": "Utfall",
    "at0111": "Ja",
    "at0112": "Nei",
    "at0030": "Person",
    "at0191": "Vet ikke",
}


# --- data -----------------------------------------------------------------------------------------


def text(value: str) -> Json:
    return {"_type": "DV_TEXT", "value": value}


def phrase(code: str, terminology: str = "local") -> Json:
    return {
        "_type": "CODE_PHRASE",
        "terminology_id": {"_type": "TERMINOLOGY_ID", "value": terminology},
        "code_string": code,
    }


def coded_text(code: str, value: str, terminology: str = "local") -> Json:
    return {"_type": "DV_CODED_TEXT", "value": value, "defining_code": phrase(code, terminology)}


def node(rm_type: str, node_id: str, name: str, **attributes: Any) -> Json:
    return {"_type": rm_type, "name": text(name), "archetype_node_id": node_id, **attributes}


def details(archetype_id: str, **attributes: Any) -> Json:
    return {
        "_type": "ARCHETYPED",
        "archetype_id": {"_type": "ARCHETYPE_ID", "value": archetype_id},
        "rm_version": "1.1.0",
        **attributes,
    }


def count(magnitude: int) -> Json:
    return {"_type": "DV_COUNT", "magnitude": magnitude}


VALUES: dict[str, Json] = {
    "at0010": {"_type": "DV_QUANTITY", "magnitude": 170.5, "units": "cm", "precision": 1},
    "at0011": coded_text("at0111", "Ja"),
    "at0012": {"_type": "DV_ORDINAL", "value": 1, "symbol": coded_text("at0121", "Litt")},
    "at0013": count(3),
    "at0014": text("0456"),
    "at0015": {"_type": "DV_BOOLEAN", "value": True},
    "at0016": {"_type": "DV_DATE", "value": "2026-02"},
    "at0017": {"_type": "DV_DURATION", "value": "P20W3D"},
    "at0018": {"_type": "DV_PROPORTION", "numerator": 50.0, "denominator": 100.0, "type": 2},
    "at0019": text("ja"),
    "at0020": {
        "_type": "DV_INTERVAL",
        "lower": count(2),
        "lower_included": True,
        "lower_unbounded": False,
        "upper_included": False,
        "upper_unbounded": True,
    },
    "at0021": coded_text("J06BB01", "anti-D", "ATC"),
}


def composition() -> Json:
    elements = [node("ELEMENT", code, code, value=copy.deepcopy(value)) for code, value in VALUES.items()]
    elements.append(node("ELEMENT", "at0030", "Mor", value=text("Kari")))
    elements.append(node("ELEMENT", "at0030", "Far", null_flavour=coded_text("253", "unknown", "openehr")))
    cluster = "openEHR-EHR-CLUSTER.open.v1"
    filler = node("CLUSTER", cluster, "Åpen", items=[node("ELEMENT", "at0001", "x", value=text("fritt"))])
    filler["archetype_details"] = details(cluster)
    elements.append(filler)
    tree = node("ITEM_TREE", "at0003", "Tree", items=elements)
    moment = {"_type": "DV_DATE_TIME", "value": "2026-02-03T10:30:00+01:00"}
    event = node("POINT_EVENT", "at0002", "Hendelse", time=dict(moment), data=tree)
    observation = node("OBSERVATION", OBSERVATION, "Liten", archetype_details=details(OBSERVATION))
    observation |= {
        "language": phrase("nb", "ISO_639-1"),
        "encoding": phrase("UTF-8", "IANA_character-sets"),
        "subject": {"_type": "PARTY_SELF"},
        "data": node("HISTORY", "at0001", "History", origin=dict(moment), events=[event]),
    }
    template_id = {"_type": "TEMPLATE_ID", "value": "small.v1"}
    root = node(
        "COMPOSITION", COMPOSITION, "Liten", archetype_details=details(COMPOSITION, template_id=template_id)
    )
    return root | {
        "language": phrase("nb", "ISO_639-1"),
        "territory": phrase("NO", "ISO_3166-1"),
        "category": coded_text("433", "event", "openehr"),
        "composer": {"_type": "PARTY_IDENTIFIED", "name": "Jordmor"},
        "context": {
            "_type": "EVENT_CONTEXT",
            "start_time": dict(moment),
            "setting": coded_text("231", "midwifery care", "openehr"),
        },
        "content": [observation],
    }


ITEMS = "/content[0]/data/events[0]/data/items"
PLACES = {code: f"{ITEMS}[{index}]" for index, code in enumerate(VALUES)}


# --- changing data by path ------------------------------------------------------------------------


def steps(path: str) -> list[str | int]:
    return [
        int(part) if part.isdigit() else part for part in re.findall(r"[A-Za-z_@]+[A-Za-z0-9_]*|\d+", path)
    ]


def at(data: Any, path: str) -> Any:
    for step in steps(path):
        data = data[step]
    return data


def put(data: Any, path: str, value: Any) -> None:
    *above, last = steps(path)
    for step in above:
        data = data[step]
    if value is ABSENT:
        del data[last]
    else:
        data[last] = value


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
