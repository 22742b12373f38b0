"""Check digits of terminology codes: SNOMED CT (Verhoeff) and LOINC (modulus 10)."""

from __future__ import annotations

import re
from functools import reduce

_SCTID = re.compile(r"[1-9]\d{5,17}")
_LOINC = re.compile(r"\d{1,7}-\d")

# Verhoeff's code: multiplication in the dihedral group of order ten, and the powers of one permutation.
_ROTATION = tuple(tuple((row + column) % 5 + 5 * (column > 4) for column in range(10)) for row in range(5))
_REFLECTION = tuple(
    tuple((row - column) % 5 + 5 * (column < 5) for column in range(10)) for row in range(5, 10)
)
_PRODUCT = (*_ROTATION, *_REFLECTION)
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_snomed_ct(code: str) -> bool:
    """True for 6 to 18 digits with a right check digit (SNOMED CT, SCTID)."""
    if _SCTID.fullmatch(code) is None:
        return False
    check = 0
    for position, digit in enumerate(reversed(code)):
        check = _PRODUCT[check][_permuted(int(digit), position % 8)]
    return check == 0


def is_loinc(code: str) -> bool:
    """True for up to 7 digits, a hyphen and a right check digit (LOINC Users' Guide, appendix on mod 10)."""
    if _LOINC.fullmatch(code) is None:
        return False
    number, _, check = code.partition("-")
    total = 0
    for position, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return (10 - total % 10) % 10 == int(check)


def _permuted(digit: int, times: int) -> int:
    return reduce(lambda each, _: _PERMUTATION[each], range(times), digit)
