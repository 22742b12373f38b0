"""Makes the smallest template and composition for a row of the conformance schedule's tables.

A row on a data type becomes the value of one ELEMENT, a row on a structure a composition of its own.
Times stand in the tables with ISO 8601's ``T`` before them; openEHR's form (BASE, Iso8601_time) has none,
so it is taken away. A terminology that a row names for a value set is written as OPT writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from archetypes.aom.constraints import (
    ANY_NUMBER,
    ONCE,
    OPTIONAL,
    CArchetypeRoot,
    CAttribute,
    CBoolean,
    CCodePhrase,
    CCodeReference,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
)
from templates.operational import OperationalTemplate
from tests.validators.conformance_tables import Row
from tests.validators.small import (
    COMPOSITION,
    OBSERVATION,
    Json,
    coded_text,
    complex_object,
    details,
    element,
    leaf,
    many,
    node,
    phrase,
    single,
    template,
    text,
)
from tests.validators.small import composition as small_composition

MOMENT = {"_type": "DV_DATE_TIME", "value": "2026-02-03T10:30:00+01:00"}
CARDINALITIES = {
    "any": ANY_NUMBER,
    "1plus": Interval(1, None),
    "3plus": Interval(3, None),
    "opt": OPTIONAL,
    "mand": ONCE,
    "3to5": Interval(3, 5),
}
EXISTENCE = {"any": OPTIONAL, "opt": OPTIONAL, "mand": ONCE}
COUNTS = {"no": 0, "one": 1, "three": 3}
Cells = Mapping[str, str]
Instance = tuple[OperationalTemplate, Json]


def instance(row: Row) -> Instance:
    """The template that the row constrains and the composition that it describes."""
    structure = next((build for prefix, build in STRUCTURES.items() if row.case.startswith(prefix)), None)
    if structure is not None:
        return structure(row)
    name = row.case.removeprefix("CONT-").partition("-")[0]
    if name.startswith("DV_INTERVAL_"):
        constraint, value = interval(name.removeprefix("DV_INTERVAL_"), row)
    else:
        constraint, value = VALUES[name](name, cells_of(row))
    return _with_element(constraint, value)


def cells_of(row: Row) -> Cells:
    """The cells that hold something; ``subject`` names the first column."""
    return {name: cell for name, cell in row.cells.items() if cell.upper() != "NULL"} | {
        "subject": next(iter(row.cells))
    }


# --- structures -----------------------------------------------------------------------------------


def _composition(root: CArchetypeRoot, **attributes: Any) -> Instance:
    data = {**small_composition(), **attributes}
    opt = OperationalTemplate(template_id="small.v1", concept="small", language="nb", definition=root)
    return opt, {name: value for name, value in data.items() if value is not None}


def _root(*attributes: CAttribute) -> CArchetypeRoot:
    return CArchetypeRoot(
        rm_type_name="COMPOSITION", archetype_id=COMPOSITION, node_id="at0000", attributes=attributes
    )


def _tree(items: list[Json] | None = None) -> Json:
    return node("ITEM_TREE", "at0003", "Tree") | ({} if items is None else {"items": items})


def _event(rm_type: str = "POINT_EVENT", **attributes: Any) -> Json:
    width = {"math_function": coded_text("640", "actual", "openehr"), "width": _duration("PT1H")}
    extra = width if rm_type == "INTERVAL_EVENT" else {}
    return node(rm_type, "at0002", "Event", time=dict(MOMENT), **{"data": _tree()}, **extra) | attributes


def _duration(value: str) -> Json:
    return {"_type": "DV_DURATION", "value": value}


def _history(events: list[Json] | None) -> Json:
    return node("HISTORY", "at0001", "History", origin=dict(MOMENT)) | (
        {} if events is None else {"events": events}
    )


def _observation(data: Json | None, **attributes: Json) -> Json:
    header = {
        "archetype_details": details(OBSERVATION),
        "language": phrase("nb", "ISO_639-1"),
        "encoding": phrase("UTF-8", "IANA_character-sets"),
        "subject": {"_type": "PARTY_SELF"},
    }
    written = attributes if data is None else {"data": data, **attributes}
    return node("OBSERVATION", OBSERVATION, "Observation", **header, **written)


def _observation_root(*attributes: CAttribute) -> CArchetypeRoot:
    return CArchetypeRoot(
        rm_type_name="OBSERVATION",
        archetype_id=OBSERVATION,
        node_id="at0000",
        occurrences=ANY_NUMBER,
        attributes=attributes,
    )


def _one_observation(observation: Json, *attributes: CAttribute) -> Instance:
    return _composition(_root(many("content", _observation_root(*attributes))), content=[observation])


def compositions(row: Row) -> Instance:
    found = re.match(r"CONT-COMP-content_card_(\w+?)-context_(\w+)", row.case)
    assert found is not None
    count = COUNTS[row.cells["content"].split()[0]]
    context = dict(small_composition()["context"])
    if row.cells["context"] == "context with other_context":
        context["other_context"] = _tree()
    root = _root(
        many("content", members=CARDINALITIES[found[1]], existence=OPTIONAL),
        single("context", existence=EXISTENCE[found[2]]),
    )
    return _composition(
        root,
        content=[_observation(_history([_event()])) for _ in range(count)] or None,
        context=None if row.cells["context"] == "no context" else context,
    )


def observations(row: Row) -> Instance:
    found = re.match(r"CONT-OBS-state_ex_(\w+)-protocol_ex_(\w+)", row.case)
    assert found is not None
    is_there = {name: row.cells[name] == "present" for name in ("data", "state", "protocol")}
    extra = {"state": _history([_event()]), "protocol": _tree()}
    observation = _observation(
        _history([_event()]) if is_there["data"] else None,
        **{name: value for name, value in extra.items() if is_there[name]},
    )
    return _one_observation(
        observation,
        single("state", existence=EXISTENCE[found[1]]),
        single("protocol", existence=EXISTENCE[found[2]]),
    )


def histories(row: Row) -> Instance:
    found = re.match(r"CONT-HIST-events_card_(\w+?)-summary_ex_(\w+)", row.case)
    assert found is not None
    count = COUNTS[row.cells["events"].split()[0]]
    history = _history([_event() for _ in range(count)] or None)
    if row.cells["summary"] == "present":
        history["summary"] = _tree()
    constraint = complex_object(
        "HISTORY",
        many("events", members=CARDINALITIES[found[1]], existence=OPTIONAL),
        single("summary", existence=EXISTENCE[found[2]]),
        node_id="at0001",
    )
    return _one_observation(_observation(history), single("data", constraint))


def events(row: Row) -> Instance:
    if "state" in row.cells:
        event = _event()
        if row.cells["data"] == "absent":
            del event["data"]
        if row.cells["state"] == "present":
            event["state"] = _tree()
        state = single("state", existence=EXISTENCE[row.case.rpartition("_")[2]])
        return _one_event("EVENT", event, state)
    wanted = row.case.removeprefix("CONT-EVENT-type_").upper()
    return _one_event("EVENT" if wanted == "ANY" else wanted, _event(row.cells["event"]))


def item_structures(row: Row) -> Instance:
    wanted = row.case.removeprefix("CONT-ITEM_STR-type_").upper()
    rm_type = row.cells["event"]
    value = node("ELEMENT", "at0005", "x", value=text("x"))
    data = node(rm_type, "at0003", "Data") | ({"item": value} if rm_type == "ITEM_SINGLE" else {})
    allowed = complex_object("ITEM_STRUCTURE" if wanted == "ANY" else wanted, node_id="at0003")
    return _one_event("EVENT", _event(data=data), single("data", allowed))


def _one_event(rm_type: str, event: Json, *attributes: CAttribute) -> Instance:
    constraint = complex_object(rm_type, *attributes, node_id="at0002", occurrences=ANY_NUMBER)
    history = complex_object("HISTORY", many("events", constraint), node_id="at0001")
    return _one_observation(_observation(_history([event])), single("data", history))


STRUCTURES: Mapping[str, Callable[[Row], Instance]] = {
    "CONT-COMP": compositions,
    "CONT-OBS": observations,
    "CONT-HIST": histories,
    "CONT-EVENT": events,
    "CONT-ITEM_STR": item_structures,
}


# --- data values ----------------------------------------------------------------------------------


def _with_element(constraint: CObject, value: Json) -> Instance:
    data = small_composition()
    tree = data["content"][0]["data"]["events"][0]["data"]
    tree["items"] = [node("ELEMENT", "at0010", "Value", value=value)]
    return template(element("at0010", constraint)), data


def _object(rm_type: str, **items: Primitive | None) -> CObject:
    """A data value with the primitives that are given; what the template says must be there, must."""
    kinds: Mapping[type, str] = {
        CBoolean: "BOOLEAN", CString: "STRING", CInteger: "INTEGER", CReal: "REAL", CDuration: "DURATION",
    }  # fmt: skip
    return complex_object(
        rm_type,
        *(
            single(name, leaf(item.rm_type if isinstance(item, CTemporal) else kinds[type(item)], item))
            for name, item in items.items()
            if item is not None
        ),
    )


def _data(rm_type: str, **attributes: Any) -> Json:
    return {"_type": rm_type} | {name: value for name, value in attributes.items() if value is not None}


def _listed(cell: str | None) -> tuple[str, ...]:
    return () if cell is None else tuple(part.strip() for part in cell.strip("[]").split(","))


def _number(cell: str | None) -> Any:
    return None if cell is None else float(cell) if "." in cell else int(cell)


def _whole(cell: str | None, values: str | None = None) -> CInteger | None:
    if cell is None and values is None:
        return None
    return CInteger(range=_numbers(cell), values=tuple(int(value) for value in _listed(values)))


def _real(cell: str | None) -> CReal | None:
    return None if cell is None else CReal(range=_numbers(cell))


def _numbers(cell: str | None) -> Any:
    if cell is None:
        return None
    lower, upper = cell.split("..")
    return Interval(_number(lower), _number(upper))


def _string(pattern: str | None, values: str | None) -> CString | None:
    return None if pattern is None and values is None else CString(pattern=pattern, values=_listed(values))


def booleans(name: str, cells: Cells) -> tuple[CObject, Json]:
    valid = {key: cells[f"C_BOOLEAN.{key}"] == "true" for key in ("true_valid", "false_valid")}
    return _object(name, value=CBoolean(**valid)), _data(name, value=cells["value"] == "true")


def identifiers(name: str, cells: Cells) -> tuple[CObject, Json]:
    attribute = cells["subject"]
    item = _string(cells.get("C_STRING.pattern"), cells.get("C_STRING.list"))
    data = {"id": "1"} | {attribute: cells.get(attribute)}
    return _object(name, **{attribute: item}), _data(name, **data)


def texts(name: str, cells: Cells) -> tuple[CObject, Json]:
    item = _string(cells.get("C_STRING.pattern"), cells.get("C_STRING.list"))
    return _object(name, value=item), _data(name, value=cells.get("value"))


def parsables(name: str, cells: Cells) -> tuple[CObject, Json]:
    items = {
        key: _string(cells.get(f"C_STRING.pattern ({key})"), cells.get(f"C_STRING.list ({key})"))
        for key in ("value", "formalism")
    }
    return _object(name, **items), _data(name, value=cells.get("value"), formalism=cells.get("formalism"))


def coded_texts(name: str, cells: Cells) -> tuple[CObject, Json]:
    terminology = cells.get("terminology_id")
    code = _data("CODE_PHRASE", code_string=cells.get("code_string"))
    if terminology is not None:
        code["terminology_id"] = {"_type": "TERMINOLOGY_ID", "value": terminology}
    data = _data(name, value="text", defining_code=code)
    if "constraint_bindings" in cells:
        bound = cells["constraint_bindings"].strip("[]").replace("_", "-")
        reference = CCodeReference(
            rm_type_name="CODE_PHRASE", reference_set_uri=f"terminology:{bound}", terminology_id=bound
        )
        return complex_object(name, single("defining_code", reference)), data
    if "C_CODE_PHRASE.code_list" not in cells:
        return complex_object(name), data
    codes = _codes(cells["C_CODE_PHRASE.code_list"], cells["C_CODE_PHRASE.terminology_id"])
    return complex_object(name, single("defining_code", codes)), data


def _codes(cell: str, terminology: str) -> CObject:
    return CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id=terminology, codes=_listed(cell))


def multimedia(name: str, cells: Cells) -> tuple[CObject, Json]:
    data = _data(name, size=_number(cells.get("size")), uri=_data("DV_URI", value="https://example.org/x"))
    if "media_type" in cells:
        data["media_type"] = phrase(cells["media_type"], "IANA_media-types")
    attributes = []
    if "C_CODE_PHRASE" in cells:
        attributes.append(single("media_type", _codes(cells["C_CODE_PHRASE"], "IANA_media-types")))
    size = _whole(cells.get("C_INTEGER.range"), cells.get("C_INTEGER.list"))
    if size is not None:
        attributes.append(single("size", leaf("INTEGER", size)))
    return complex_object(name, *attributes), data


def counts(name: str, cells: Cells) -> tuple[CObject, Json]:
    item = _whole(cells.get("C_INTEGER.range"), cells.get("C_INTEGER.list"))
    return _object(name, magnitude=item), _data(name, magnitude=_number(cells.get("magnitude")))


def quantities(name: str, cells: Cells) -> tuple[CObject, Json]:
    data = _data(name, magnitude=_number(cells.get("magnitude")), units=cells.get("units"))
    if "C_DV_QUANTITY.property" not in cells:
        return complex_object(name), data
    items = tuple(_unit(part) for part in _listed(cells.get("C_DV_QUANTITY.list")))
    code = cells["C_DV_QUANTITY.property"].split()[0]
    return CDvQuantity(rm_type_name=name, property=f"[{code}]", items=items), data


def _unit(part: str) -> QuantityItem:
    units, _, magnitude = part.partition(" ")
    if ".." in units:  # the tables on intervals write the range first
        units, magnitude = magnitude, units
    return QuantityItem(units=units, magnitude=_numbers(magnitude or None))


def ordinals(name: str, cells: Cells) -> tuple[CObject, Json]:
    constraint = next((cell for key, cell in cells.items() if key.endswith(".list")), None)
    data = _data(name, value=_number(cells.get("value")))
    if "symbol" in cells:
        terminology, code = cells["symbol"].split("::")
        data["symbol"] = coded_text(code, code, terminology)
    if constraint is None:
        return complex_object(name), data
    return CDvOrdinal(rm_type_name=name, items=tuple(_step(part) for part in constraint.split(","))), data


def _step(part: str) -> OrdinalItem:
    value, _, symbol = part.strip().partition("|")
    terminology, code = symbol.strip("[]").split("::")
    return OrdinalItem(value=float(value), terminology_id=terminology, code=code)


def proportions(name: str, cells: Cells) -> tuple[CObject, Json]:
    names = ("type", "numerator", "denominator", "precision")
    data = _data(name, **{key: _number(cells.get(key)) for key in names})
    constraint = _object(
        name,
        type=_whole(None, cells.get("C_INTEGER.list")),
        numerator=_real(cells.get("C_REAL.range (num)")),
        denominator=_real(cells.get("C_REAL.range (den)")),
    )
    return constraint, data


# --- dates, times and durations -------------------------------------------------------------------

FIELDS = {
    "DATE": ("year", "month", "day"),
    "TIME": ("hour", "minute", "second"),
    "DATE_TIME": ("year", "month", "day", "hour", "minute", "second"),
}
LETTERS = {"year": "yyyy", "month": "mm", "day": "dd", "hour": "HH", "minute": "MM", "second": "SS"}
SEPARATORS = {"month": "-", "day": "-", "hour": "T", "minute": ":", "second": ":"}
VALIDITY = {"mandatory": 1001, "optional": 1002, "prohibited": 1003}
DURATION_FIELDS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")


def temporals(name: str, cells: Cells) -> tuple[CObject, Json]:
    kind = name.removeprefix("DV_")
    value = cells.get("value")
    data = _data(name, value=None if value is None else written(value, kind))
    pattern = _pattern(kind, cells)
    bounds = cells.get(f"C_{kind}.range")
    zone = VALIDITY.get(cells.get("timezone_validity", ""))
    if pattern is None and bounds is None:
        return complex_object(name), data
    item = CTemporal(
        rm_type=kind, pattern=pattern, range=_range(bounds, kind) if bounds else None, timezone_validity=zone
    )
    return _object(name, value=item), data


def written(value: str, kind: str) -> str:
    return value.strip("'\"").removeprefix("T") if kind == "TIME" else value.strip("'\"")


def _pattern(kind: str, cells: Cells) -> str | None:
    if not any(f"{field}_validity" in cells for field in FIELDS[kind]):
        return None
    pattern = ""
    for index, field in enumerate(FIELDS[kind]):
        validity = cells.get(f"{field}_validity", "mandatory")
        letters = {"mandatory": LETTERS[field], "optional": "??", "prohibited": "XX"}[validity]
        pattern += (SEPARATORS[field] if index else "") + letters
    return pattern


def _range(cell: str, kind: str) -> Interval[str]:
    if cell.startswith((">=", "<=")):
        bound = written(cell[2:], kind)
        return Interval(bound, None) if cell[0] == ">" else Interval(None, bound)
    lower, upper = cell.split("..")
    return Interval(written(lower, kind), written(upper, kind))


def durations(name: str, cells: Cells) -> tuple[CObject, Json]:
    value = cells.get("value")
    data = _data(name, value=None if value is None else value.strip("'\""))
    days, hours = (
        "".join(field[0].upper() for field in fields if cells.get(f"{field}_allowed") == "true")
        for fields in (DURATION_FIELDS[:4], DURATION_FIELDS[4:])
    )
    pattern = f"P{days}{'T' if hours else ''}{hours}" if "years_allowed" in cells else None
    bounds = Interval(cells["range.lower"], cells["range.upper"]) if "range.lower" in cells else None
    if pattern is None and bounds is None:
        return complex_object(name), data
    return _object(name, value=CDuration(pattern=pattern, range=bounds)), data


# --- intervals ------------------------------------------------------------------------------------


def interval(argument: str, row: Row) -> tuple[CObject, Json]:
    cells = cells_of(row)
    data: Json = {"_type": "DV_INTERVAL"}
    attributes = []
    for side in ("lower", "upper"):
        constraint, value = bound(argument, row.case, _side(cells, side, argument))
        if len(value) > 1:
            data[side] = value
        attributes.append(single(side, constraint, existence=OPTIONAL))
        for mark in ("unbounded", "included"):
            data[f"{side}_{mark}"] = cells.get(f"{side}_{mark}", str(mark == "included").lower()) == "true"
    return complex_object(f"DV_INTERVAL<{argument}>", *attributes), data


def _side(cells: Cells, side: str, argument: str) -> Cells:
    """The cells about one bound, named as in the tables on single values."""
    value = "magnitude" if argument == "DV_COUNT" else "value"
    mine = {value: cells[side]} if side in cells else {}
    for name, cell in cells.items():
        if name.endswith(f" ({side})"):
            mine[name.removesuffix(f" ({side})")] = cell
        elif name.startswith(f"{side}."):
            mine[name.removeprefix(f"{side}.")] = cell
    return mine


def bound(argument: str, case: str, cells: Cells) -> tuple[CObject, Json]:
    if argument == "DV_QUANTITY":
        magnitude, _, units = cells.get("value", "").partition(" ")
        given = {"magnitude": magnitude, "units": units} if magnitude else {}
        listed = {"C_DV_QUANTITY.property": "openehr::127"} if "C_DV_QUANTITY.list" in cells else {}
        return quantities(argument, {**cells, **given, **listed})
    if argument == "DV_PROPORTION" and (kind := PROPORTION_KINDS.get(case.rpartition("validate_")[2])):
        cells = {**cells, "C_INTEGER.list": kind}
    return VALUES[argument](argument, cells)


# Constraints that the tables on intervals of proportions state in the text above them.
PROPORTION_KINDS = {
    "ratio": "[0]",
    "unitary": "[1]",
    "percentage": "[2]",
    "fraction": "[3]",
    "integer_fraction": "[4]",
    "ratio_range": "[0]",
}

VALUES: Mapping[str, Callable[[str, Cells], tuple[CObject, Json]]] = {
    "DV_BOOLEAN": booleans,
    "DV_IDENTIFIER": identifiers,
    "DV_TEXT": texts,
    "DV_URI": texts,
    "DV_EHR_URI": texts,
    "DV_PARSABLE": parsables,
    "DV_CODED_TEXT": coded_texts,
    "DV_MULTIMEDIA": multimedia,
    "DV_COUNT": counts,
    "DV_QUANTITY": quantities,
    "DV_ORDINAL": ordinals,
    "DV_SCALE": ordinals,
    "DV_PROPORTION": proportions,
    "DV_DATE": temporals,
    "DV_TIME": temporals,
    "DV_DATE_TIME": temporals,
    "DV_DURATION": durations,
}
