"""Values made from the constraint of a card field: one that it allows and one that it refuses.

For the coverage table of the card, for forms and for tests. The refused value breaks the constraint
itself where there is one (range, list, unit, pattern); an open node refuses another data type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import (
    CBoolean,
    CCodePhrase,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CReal,
    CString,
    Interval,
)
from archetypes.patterns import matches
from archetypes.rm.iso8601 import duration_days
from archetypes.rm.schema import rm_schema
from templates.data_values import (
    PERCENT,
    DataValue,
    admits_text,
    alternatives,
    code_constraint,
    coded,
    data_value,
    primitive,
    text,
)
from templates.operational import Node
from templates.placements import in_one_entry
from templates.rubrics import Rubrics

UNKNOWN_CODE = "at9999"
UNKNOWN_TEXT = "ikke i listen"
LONG_TEXT = "x" * 5000
UNKNOWN_UNIT = "[ukjent]"
EXAMPLE_TEXTS = ("Eksempel", "0123", "999000018", "90000000", "A")
FOREIGN_TYPES: tuple[DataValue, ...] = (
    {"_type": "DV_COUNT", "magnitude": 1},
    {"_type": "DV_BOOLEAN", "value": True},
    {"_type": "DV_TEXT", "value": "en tekst"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedValues:
    """``value`` is the plain form of ``accepted``; both data values belong under ``attribute``.

    ``broken`` says what the refused value breaks: range, list, code, unit, pattern or type.
    """

    value: Any
    accepted: DataValue
    refused: DataValue
    broken: str
    attribute: str = "value"


def generated_values(node: Node, language: str = "nb") -> GeneratedValues:
    """Values for a node that holds a card field (an ELEMENT or a careflow step)."""
    constraint, rubrics = node.constraint, Rubrics(node.root, language)
    if not isinstance(constraint, CComplexObject):
        raise ValueError(f"{node.path} holds no field value")
    if constraint.rm_type_name == "ISM_TRANSITION":
        return _careflow(constraint, rubrics)
    allowed = alternatives(constraint)
    value = _ALLOWED.get(allowed[0].rm_type_name, _nothing)(allowed[0])
    accepted = data_value(value, constraint, rubrics)
    broken, refused = _refused(allowed, accepted)
    return GeneratedValues(value=value, accepted=accepted, refused=refused, broken=broken)


def as_argument(value: Any, node: Node, nodes: Sequence[Node]) -> Any:
    """What to give to ``compose`` for a field with ``nodes``, so that ``value`` goes to ``node``."""
    if not in_one_entry(nodes) or node.constraint.rm_type_name == "ISM_TRANSITION":
        return value
    return [*[None] * nodes.index(node), value]


def _careflow(constraint: CComplexObject, rubrics: Rubrics) -> GeneratedValues:
    step = constraint.node_id
    return GeneratedValues(
        value=step,
        accepted=coded(step, "local", rubrics.name(step)),
        refused=coded(UNKNOWN_CODE, "local", UNKNOWN_TEXT),
        broken="code",
        attribute="careflow_step",
    )


# --- allowed ----------------------------------------------------------------------------------------


def _nothing(constraint: CObject) -> Any:
    raise ValueError(f"no value can be made for {constraint.rm_type_name}")


def _allowed_text(constraint: CObject) -> Any:
    allowed = primitive(constraint, "value")
    return _example(allowed) if isinstance(allowed, CString) else EXAMPLE_TEXTS[0]


def _example(allowed: CString) -> str:
    if allowed.values:
        return allowed.values[0]
    return next(t for t in EXAMPLE_TEXTS if allowed.pattern is None or matches(allowed.pattern, t))


def _allowed_code(constraint: CObject) -> Any:
    limit = code_constraint(constraint)
    if isinstance(limit, CCodePhrase) and limit.codes:
        return limit.codes[0]
    system = limit.terminology_id if limit and limit.terminology_id else "SNOMED-CT"
    return {"code": "1", "system": system, "display": EXAMPLE_TEXTS[0]}


def _allowed_quantity(constraint: CObject) -> Any:
    items = constraint.items if isinstance(constraint, CDvQuantity) else ()
    if not items:
        return {"magnitude": 1, "units": "1"}
    decimals = items[0].precision.upper if items[0].precision else 0
    return {"magnitude": round(_middle(items[0].magnitude), decimals or None), "units": items[0].units}


def _middle(limits: Interval[float] | Interval[int] | None) -> float:
    if limits is None:
        return 1
    if limits.lower is not None and limits.upper is not None:
        return (limits.lower + limits.upper) / 2
    return limits.lower + 1 if limits.lower is not None else (limits.upper or 2) - 1


def _allowed_number(constraint: CObject, attribute: str = "magnitude") -> Any:
    allowed = primitive(constraint, attribute)
    if not isinstance(allowed, CInteger | CReal):
        return 1
    return allowed.values[0] if allowed.values else int(_middle(allowed.range))


def _allowed_proportion(constraint: CObject) -> Any:
    return {"numerator": _allowed_number(constraint, "numerator"), "denominator": 100, "type": PERCENT}


def _allowed_ordinal(constraint: CObject) -> Any:
    return constraint.items[0].code if isinstance(constraint, CDvOrdinal) and constraint.items else 1


def _allowed_duration(constraint: CObject) -> Any:
    allowed = primitive(constraint, "value")
    if not isinstance(allowed, CDuration):
        return "P1W"
    if allowed.range is not None and allowed.range.lower is not None:
        return allowed.range.lower
    return "P1W" if "W" in (allowed.pattern or "W") else "P1D"


def _allowed_date(constraint: CObject) -> Any:
    return "2026-01-15"


def _allowed_date_time(constraint: CObject) -> Any:
    return "2026-01-15T10:30:00+01:00"


def _allowed_boolean(constraint: CObject) -> Any:
    allowed = primitive(constraint, "value")
    return allowed.true_valid if isinstance(allowed, CBoolean) else True


def _allowed_identifier(constraint: CObject) -> Any:
    allowed = primitive(constraint, "id")
    return {"id": _example(allowed) if isinstance(allowed, CString) else "999000018"}


_ALLOWED: Mapping[str, Callable[[CObject], Any]] = MappingProxyType(
    {
        "DV_TEXT": _allowed_text,
        "DV_CODED_TEXT": _allowed_code,
        "DV_QUANTITY": _allowed_quantity,
        "DV_COUNT": _allowed_number,
        "DV_PROPORTION": _allowed_proportion,
        "DV_ORDINAL": _allowed_ordinal,
        "DV_DURATION": _allowed_duration,
        "DV_DATE": _allowed_date,
        "DV_DATE_TIME": _allowed_date_time,
        "DV_BOOLEAN": _allowed_boolean,
        "DV_IDENTIFIER": _allowed_identifier,
    }
)


# --- refused ----------------------------------------------------------------------------------------


def _refused(allowed: list[CObject], accepted: DataValue) -> tuple[str, DataValue]:
    if len(allowed) == 1:
        breaker = _BREAKERS.get(allowed[0].rm_type_name)
        broken = breaker(allowed[0], accepted) if breaker else None
        if broken is not None:
            return broken
    # Another alternative might take what breaks the first: only a foreign type is refused by all.
    return "type", next(value for value in FOREIGN_TYPES if not _takes(allowed, value["_type"]))


def _takes(allowed: list[CObject], type_name: str) -> bool:
    return any(rm_schema().is_a(type_name, alternative.rm_type_name) for alternative in allowed)


Broken = tuple[str, DataValue] | None


def _break_text(constraint: CObject, accepted: DataValue) -> Broken:
    allowed = primitive(constraint, "value")
    if not isinstance(allowed, CString) or allowed.list_open:
        return None
    unfit = next((t for t in (UNKNOWN_TEXT, LONG_TEXT) if not admits_text(allowed, t)), None)
    return None if unfit is None else ("list" if allowed.values else "pattern", text(unfit))


def _break_code(constraint: CObject, accepted: DataValue) -> Broken:
    limit = code_constraint(constraint)
    if not isinstance(limit, CCodePhrase) or limit.terminology_id is None:
        return None
    system = limit.terminology_id if limit.codes else "ukjent"
    return "code", coded(UNKNOWN_CODE, system, UNKNOWN_TEXT)


def _break_quantity(constraint: CObject, accepted: DataValue) -> Broken:
    items = constraint.items if isinstance(constraint, CDvQuantity) else ()
    if not items:
        return None
    outside = _outside(items[0].magnitude)
    if outside is not None:
        return "range", accepted | {"magnitude": outside}
    return "unit", accepted | {"units": UNKNOWN_UNIT}


def _outside(limits: Interval[float] | Interval[int] | None) -> float | None:
    if limits is None or (limits.lower is None and limits.upper is None):
        return None
    return limits.upper + 1 if limits.upper is not None else (limits.lower or 0) - 1


def _break_count(constraint: CObject, accepted: DataValue) -> Broken:
    allowed = primitive(constraint, "magnitude")
    if not isinstance(allowed, CInteger):
        return None
    outside = max(allowed.values) + 1 if allowed.values else _outside(allowed.range)
    return None if outside is None else ("range", accepted | {"magnitude": int(outside)})


def _break_proportion(constraint: CObject, accepted: DataValue) -> Broken:
    allowed = primitive(constraint, "numerator")
    outside = _outside(allowed.range) if isinstance(allowed, CReal) else None
    return None if outside is None else ("range", accepted | {"numerator": outside})


def _break_ordinal(constraint: CObject, accepted: DataValue) -> Broken:
    return "code", accepted | {"symbol": coded(UNKNOWN_CODE, "local", UNKNOWN_TEXT)}


def _break_duration(constraint: CObject, accepted: DataValue) -> Broken:
    allowed = primitive(constraint, "value")
    if not isinstance(allowed, CDuration):
        return None
    upper = allowed.range.upper if allowed.range else None
    if upper is not None:
        days = int(duration_days(upper) or 0)
        beyond = f"P{days // 7 + 1}W" if "W" in (allowed.pattern or "W") else f"P{days + 1}D"
        return "range", accepted | {"value": beyond}
    return None if allowed.pattern is None else ("pattern", accepted | {"value": "PT1S"})


def _break_boolean(constraint: CObject, accepted: DataValue) -> Broken:
    allowed = primitive(constraint, "value")
    if not isinstance(allowed, CBoolean) or allowed.true_valid == allowed.false_valid:
        return None
    return "list", accepted | {"value": not allowed.true_valid}


def _break_identifier(constraint: CObject, accepted: DataValue) -> Broken:
    allowed = primitive(constraint, "id")
    return ("pattern", accepted | {"id": UNKNOWN_TEXT}) if isinstance(allowed, CString) else None


_BREAKERS: Mapping[str, Callable[[CObject, DataValue], Broken]] = MappingProxyType(
    {
        "DV_TEXT": _break_text,
        "DV_CODED_TEXT": _break_code,
        "DV_QUANTITY": _break_quantity,
        "DV_COUNT": _break_count,
        "DV_PROPORTION": _break_proportion,
        "DV_ORDINAL": _break_ordinal,
        "DV_DURATION": _break_duration,
        "DV_BOOLEAN": _break_boolean,
        "DV_IDENTIFIER": _break_identifier,
    }
)
