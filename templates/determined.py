"""The one value that a constraint leaves, if it leaves only one."""

from __future__ import annotations

from collections.abc import Sequence

from archetypes.aom.constraints import (
    CBoolean,
    CCodePhrase,
    CDuration,
    CDvOrdinal,
    CInteger,
    CObject,
    CString,
)
from templates.data_values import DataValue, code_constraint, coded, ordinal, primitive, text
from templates.rubrics import Rubrics


def determined(alternatives: Sequence[CObject], rubrics: Rubrics) -> DataValue | None:
    """The data value, or None if there is a choice; ``alternatives`` are those of one attribute."""
    if len(alternatives) != 1:
        return None
    constraint = alternatives[0]
    match constraint.rm_type_name:
        case "DV_CODED_TEXT":
            return _coded(constraint, rubrics)
        case "DV_ORDINAL" if isinstance(constraint, CDvOrdinal) and len(constraint.items) == 1:
            return ordinal(constraint.items[0], rubrics)
        case _:
            return _primitive(constraint)


def _coded(constraint: CObject, rubrics: Rubrics) -> DataValue | None:
    limit = code_constraint(constraint)
    if not isinstance(limit, CCodePhrase) or len(limit.codes) != 1 or limit.terminology_id is None:
        return None
    code = limit.codes[0]
    return coded(code, limit.terminology_id, rubrics.of(limit.terminology_id, code) or code)


def _primitive(constraint: CObject) -> DataValue | None:
    value = primitive(constraint, "value")
    match value:
        case CString(values=(only,), list_open=False):
            return text(only)
        case CDuration(range=limits) if limits and limits.lower and limits.lower == limits.upper:
            return {"_type": "DV_DURATION", "value": limits.lower}
        case CBoolean(true_valid=true, false_valid=false) if true != false:
            return {"_type": "DV_BOOLEAN", "value": true}
    match primitive(constraint, "magnitude"):
        case CInteger(values=(number,)):
            return {"_type": "DV_COUNT", "magnitude": number}
    return None
