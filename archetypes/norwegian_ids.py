"""Norwegian identifiers: national ids (fødselsnummer, D-nummer) and organisation numbers.

National id: day, month, year, three digits, two check digits. Synthetic populations add to the month
(40: also the helper numbers of some hospitals, which count as synthetic here; 65; 80). A number
from 2032 on may leave a remainder of up to 3 in the first check, so that rule is used: it accepts
every older number too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum

# Namespaces of ids that stand for a person: fødselsnummer, D-nummer, felles hjelpenummer.
PERSON_NAMESPACES = frozenset({"2.16.578.1.12.4.1.4.1", "2.16.578.1.12.4.1.4.2", "2.16.578.1.12.4.1.4.3"})

_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_ORGANISATION = (3, 2, 7, 6, 5, 4, 3, 2, 1)


class NationalId(StrEnum):
    """What an eleven-digit text is taken for."""

    REAL = "real"
    SYNTHETIC = "synthetic"


def classify(text: str) -> NationalId | None:
    """The kind of a national id; None for any other text."""
    digits = re.sub(r"\s", "", text)
    if not re.fullmatch(r"[0-9]{11}", digits) or not _checks(digits):
        return None
    day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if day >= 80:  # felles hjelpenummer: the rest of the date part is random
        return NationalId.REAL
    day -= 40 if day > 40 else 0
    for offset, kind in (
        (0, NationalId.REAL),
        (40, NationalId.SYNTHETIC),
        (65, NationalId.SYNTHETIC),
        (80, NationalId.SYNTHETIC),
    ):
        if _is_date(day, month - offset, year):
            return kind
    return None


def is_organisation_number(text: str) -> bool:
    """True for nine digits whose last one checks the others (mod 11)."""
    digits = re.sub(r"\s", "", text)
    return re.fullmatch(r"[0-9]{9}", digits) is not None and _sum(digits, _ORGANISATION) % 11 == 0


def _checks(digits: str) -> bool:
    return _sum(digits[:10], _FIRST) % 11 in (0, 1, 2, 3) and _sum(digits, _SECOND) % 11 == 0


def _sum(digits: str, weights: Sequence[int]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True))


def _is_date(day: int, month: int, year: int) -> bool:
    try:
        date(2000 + year, month, day)  # the century is not known; every fourth year has a leap day
    except ValueError:
        return False
    return True
