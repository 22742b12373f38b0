"""What makes an example data value whole: the parts that the template is silent about (RM 1.1.0).

Each function gets the object as the template's constraints made it, and adds what the reference model
demands, so that the parts agree with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import (
    CBoolean,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CReal,
    CString,
    Interval,
)
from archetypes.rm.value_domains import GROUPS, STATE_AFTER
from archetypes.terminology.openehr import terminology
from templates.data_values import PERCENT, DataValue, code_phrase, coded, ordinal, primitive
from templates.example_primitives import Choice, Impossible, number, whole_number
from templates.rubrics import Rubrics, openehr_rubric

EXAMPLE_CODE = "EXAMPLE-CODE"  # stands where the template lists no codes: not a code of any terminology
EXAMPLE_TERMINOLOGY = "EXAMPLE-TERMINOLOGY"
UNKNOWN = ("253", "openehr")  # the null flavour "unknown"

RATIO, UNITARY, _PERCENT, FRACTION, INTEGER_FRACTION = range(5)
_DENOMINATORS: Mapping[int, int] = MappingProxyType({UNITARY: 1, PERCENT: 100})
_GROUP_CODES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("COMPOSITION", "category"): "433",  # event
        ("EVENT_CONTEXT", "setting"): "238",  # other care
        ("ELEMENT", "null_flavour"): "253",  # unknown
        ("ISM_TRANSITION", "current_state"): "532",  # completed
        ("ISM_TRANSITION", "transition"): "548",  # finish
        ("INTERVAL_EVENT", "math_function"): "146",  # mean
        ("PARTY_RELATED", "relationship"): "10",  # mother
    }
)


def group_code(class_name: str, attribute: str) -> str | None:
    """A code of the openEHR group that the attribute is coded by; None if it is by none."""
    group = next((g for name, a, g in GROUPS if (name, a) == (class_name, attribute)), None)
    if group is None:
        return None
    usual = _GROUP_CODES.get((class_name, attribute))
    return usual or min(terminology().groups[group])


def code_example(constraint: CObject, choice: Choice, usual: tuple[str, str] | None = None) -> DataValue:
    """A CODE_PHRASE; ``usual`` is the code and terminology to take where the template lists none."""
    limited_to = getattr(constraint, "terminology_id", None)
    if isinstance(constraint, CCodePhrase) and constraint.codes:
        return code_phrase(choice.pick(constraint.codes), limited_to or EXAMPLE_TERMINOLOGY)
    if usual is not None and limited_to in (None, "", usual[1]):
        return code_phrase(*usual)
    return code_phrase(EXAMPLE_CODE, limited_to or EXAMPLE_TERMINOLOGY)


def quantity_example(constraint: CDvQuantity, choice: Choice) -> DataValue:
    """A DV_QUANTITY with a unit of the list and a magnitude in the unit's range."""
    if not constraint.items:
        code = (constraint.property or "").rpartition("::")[2].rstrip("]")
        units = sorted(terminology().units_of(code)) or ["1"]
        return {"_type": "DV_QUANTITY", "magnitude": number(None, choice), "units": choice.pick(units)}
    item = choice.pick(constraint.items)
    precision = item.precision
    decimals = (
        None if precision is None or precision.upper is None or precision.upper < 0 else precision.upper
    )
    made: DataValue = {
        "_type": "DV_QUANTITY",
        "magnitude": number(item.magnitude, choice, decimals),
        "units": item.units,
    }
    return made if decimals is None else {**made, "precision": decimals}


def ordinal_example(constraint: CDvOrdinal, choice: Choice, rubrics: Rubrics) -> DataValue:
    """A DV_ORDINAL or DV_SCALE of the list."""
    if constraint.items:
        return ordinal(choice.pick(constraint.items), rubrics, constraint.rm_type_name)
    symbol = coded(EXAMPLE_CODE, EXAMPLE_TERMINOLOGY, "Example")
    return {"_type": constraint.rm_type_name, "value": 1, "symbol": symbol}


def completed_value(made: DataValue, constraint: CObject, choice: Choice, rubrics: Rubrics) -> DataValue:
    """``made`` with what its type demands; a type without rules comes back as it is."""
    complete = _COMPLETIONS.get(made["_type"])
    return made if complete is None else complete(made, constraint, choice, rubrics)


# --- texts and codes ---------------------------------------------------------------------------------


def _coded_text(made: DataValue, constraint: CObject, choice: Choice, rubrics: Rubrics) -> DataValue:
    if "defining_code" not in made:
        made["defining_code"] = code_phrase(EXAMPLE_CODE, EXAMPLE_TERMINOLOGY)
    code, system = made["defining_code"]["code_string"], made["defining_code"]["terminology_id"]["value"]
    rubric = rubrics.of(system, code)
    allowed = primitive(constraint, "value")
    closed = isinstance(allowed, CString) and allowed.values and not allowed.list_open
    if rubric and isinstance(allowed, CString) and rubric in allowed.values:
        made["value"] = rubric
    elif not closed:
        made["value"] = rubric or code
    return made


def openehr_coded(code: str, language: str) -> DataValue:
    """A DV_CODED_TEXT of the openEHR terminology."""
    return coded(code, "openehr", openehr_rubric(code, language) or code)


def consistent_transition(made: DataValue, constraint: CObject, language: str) -> DataValue:
    """An ISM_TRANSITION whose transition leads to its state."""
    stated = made.get("transition")
    if stated is None:
        return made
    state = made["current_state"]["defining_code"]["code_string"]
    if STATE_AFTER.get(stated["defining_code"]["code_string"]) == state:
        return made
    fitting = [t for t in _allowed_codes(constraint, "transition") if STATE_AFTER[t] == state]
    if fitting:
        return {**made, "transition": openehr_coded(fitting[0], language)}
    after = STATE_AFTER.get(stated["defining_code"]["code_string"])
    if after in _allowed_codes(constraint, "current_state", STATE_AFTER.values()):
        return {**made, "current_state": openehr_coded(str(after), language)}
    raise Impossible("no transition leads to the state that the template wants")


def _allowed_codes(constraint: CObject, attribute: str, known: Any = STATE_AFTER) -> list[str]:
    limits = _codes_below(constraint.attribute(attribute)) if isinstance(constraint, CComplexObject) else []
    return [code for code in (limits or known) if code in known]


def _codes_below(attribute: Any) -> list[str]:
    children = attribute.children if attribute is not None else ()
    phrases = (
        phrase
        for child in children
        if isinstance(child, CComplexObject)
        for _, phrase in child.children()
        if isinstance(phrase, CCodePhrase)
    )
    return [code for phrase in phrases for code in phrase.codes]


# --- numbers -----------------------------------------------------------------------------------------


def _proportion(made: DataValue, constraint: CObject, choice: Choice, rubrics: Rubrics) -> DataValue:
    """Type, numerator and denominator that agree (RM, DV_PROPORTION)."""
    made.pop("is_integral", None)  # a function of the numbers
    allowed = primitive(constraint, "type")
    kinds = allowed.values if isinstance(allowed, CInteger) and allowed.values else (RATIO, *range(1, 5))
    integral = primitive(constraint, "is_integral")
    for kind in choice.among([kind for kind in kinds if kind in range(5)])[0]:
        numbers = _of_kind(kind, constraint, choice, integral if isinstance(integral, CBoolean) else None)
        if numbers is not None:
            return {**made, **numbers, "type": kind}
    raise Impossible("no kind of proportion fits the numbers that the template allows")


def _of_kind(
    kind: int, constraint: CObject, choice: Choice, integral: CBoolean | None
) -> dict[str, float] | None:
    is_whole_kind = kind in (FRACTION, INTEGER_FRACTION)
    whole = is_whole_kind or (integral is not None and not integral.false_valid)
    if is_whole_kind and integral is not None and not integral.true_valid:
        return None
    fixed = _DENOMINATORS.get(kind)
    try:
        numerator = _number_of(constraint, "numerator", choice, whole)
        denominator = fixed if fixed is not None else _number_of(constraint, "denominator", choice, whole)
    except Impossible:
        return None
    if denominator == 0:
        denominator = 1
    fits = _allows(primitive(constraint, "denominator"), denominator)
    must_be_broken = integral is not None and not integral.true_valid
    if must_be_broken and numerator == int(numerator) and denominator == int(denominator):
        numerator = numerator + 0.5
    fits = fits and _allows(primitive(constraint, "numerator"), numerator)
    return {"numerator": numerator, "denominator": denominator} if fits else None


def _number_of(constraint: CObject, attribute: str, choice: Choice, whole: bool) -> float:
    allowed = primitive(constraint, attribute)
    limits: Interval[Any] | None = Interval(1.0, 10.0)
    if isinstance(allowed, CReal | CInteger):
        limits = allowed.range
    values = allowed.values if isinstance(allowed, CReal | CInteger) else ()
    if values:
        return choice.pick(values)
    return whole_number(limits, choice) if whole else number(limits, choice)


def _allows(allowed: Any, value: float) -> bool:
    if not isinstance(allowed, CReal | CInteger):
        return True
    if allowed.values:
        return value in allowed.values
    limits: Interval[Any] | None = allowed.range
    return limits is None or limits.contains(value)


def _interval(made: DataValue, constraint: CObject, choice: Choice, rubrics: Rubrics) -> DataValue:
    for side in ("lower", "upper"):
        made.setdefault(f"{side}_unbounded", side not in made)
        made.setdefault(f"{side}_included", side in made)
    return made


def _multimedia(made: DataValue, constraint: CObject, choice: Choice, rubrics: Rubrics) -> DataValue:
    if "uri" not in made and "data" not in made:
        made["uri"] = {"_type": "DV_URI", "value": "https://example.org/example"}
    return made


def _party(made: DataValue, constraint: CObject, choice: Choice, rubrics: Rubrics) -> DataValue:
    if not {"name", "identifiers", "external_ref"} & set(made):
        made["name"] = "Example"
    return made


_COMPLETIONS: Mapping[str, Callable[[DataValue, CObject, Choice, Rubrics], DataValue]] = MappingProxyType(
    {
        "DV_CODED_TEXT": _coded_text,
        "DV_PROPORTION": _proportion,
        "DV_INTERVAL": _interval,
        "DV_MULTIMEDIA": _multimedia,
        "PARTY_RELATED": _party,
        "PARTY_IDENTIFIED": _party,
    }
)
