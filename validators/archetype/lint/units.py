"""Units of quantities are written in UCUM (RM, DV_QUANTITY.units)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import CComplexObject, CDvQuantity, CObject, CPrimitiveObject, CString
from archetypes.findings import Finding
from validators.archetype.subject import Subject, at

_ANNOTATION = re.compile(r"\{[^{}]*\}")

# What archetypes and forms write instead of the UCUM unit. Not repaired: data hold the unit as it stands.
SUGGESTIONS = MappingProxyType(
    {
        "gm": "g",
        "gm/d": "g/d",
        "gm/wk": "g/wk",
        "millisec": "ms",
        "sec": "s",
        "hr": "h",
        "dioptre": "[diop]",
        "°": "deg",
        "°C": "Cel",
        "mmHg": "mm[Hg]",
        "cmH2O": "cm[H2O]",
        "IU": "[iU]",
        " ": "1",
        "": "1",
    }
)


def check_units(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """Each unit of a quantity is UCUM, case-sensitive form (RM, DV_QUANTITY.units)."""
    for place in subject.places:
        for unit in _units(place.node):
            if not is_ucum(unit):
                yield at(place, "lint.units_not_ucum", expected=suggestion(unit), found=unit)


def _units(node: CObject) -> Iterator[str]:
    """The units of a C_DV_QUANTITY, or in the rows of a DV_QUANTITY of ADL 2."""
    if isinstance(node, CDvQuantity):
        yield from (item.units for item in node.items)
    if not isinstance(node, CComplexObject) or node.rm_type_name != "DV_QUANTITY":
        return
    for each in node.tuples:
        for cell in (row[each.members.index("units")] for row in each.rows if "units" in each.members):
            if isinstance(cell, CPrimitiveObject) and isinstance(cell.item, CString):
                yield from cell.item.values


def suggestion(unit: str) -> str:
    """The UCUM unit that was probably meant, or what a unit looks like."""
    joined = _ANNOTATION.sub(lambda match: match[0].replace(" ", "_"), unit)
    return SUGGESTIONS.get(unit) or (joined if is_ucum(joined) else "mm[Hg]")


@cache
def is_ucum(unit: str) -> bool:
    """True if a text is a unit of the Unified Code for Units of Measure, case-sensitive form.

    Annotations in braces hold printable ASCII without blanks (UCUM, section 12).
    """
    from lark.exceptions import LarkError

    try:
        _parse()(unit)
    except LarkError:
        return False
    return True


@cache
def _parse() -> Callable[[str], Any]:
    # Building the grammar takes half a second: only who checks units pays it.
    from ucumvert.parser import get_ucum_parser

    parse: Callable[[str], Any] = get_ucum_parser().parse
    return parse
