"""Norwegian national ids in data: real ones stay out of development, synthetic ones out of production.

Eleven digits: day, month, year, three digits, two check digits. Synthetic populations add to the month
(40: also the helper numbers of some hospitals, which count as synthetic here; 65; 80). A number
from 2032 on may leave a remainder of up to 3 in the first check, so that rule is used: it accepts
every older number too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any

from archetypes.findings import Finding
from cdr.errors import RefusedIdentifier
from cdr.versions import JsonObject

ELEVEN_DIGITS = re.compile(rb'"\s*\d{6}\s?\d{5}\s*"')
_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


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


def check_identifiers(data: JsonObject, payload: bytes, *, dev: bool) -> None:
    """Refuse identifiers in canonical data that this server must not hold.

    ``payload`` is the JSON of ``data``. Raises RefusedIdentifier.
    """
    if not ELEVEN_DIGITS.search(payload):
        return
    forbidden = NationalId.REAL if dev else NationalId.SYNTHETIC
    findings = [
        Finding("identifier.refused", path, found=forbidden.value)
        for path, text in _identifiers(data, "")
        if classify(text) is forbidden
    ]
    if findings:
        raise RefusedIdentifier(_reason(forbidden), findings)


def _reason(forbidden: NationalId) -> str:
    if forbidden is NationalId.REAL:
        return "this is a development server: it takes no national ids that could be a real person's"
    return "this is a production server: it takes no synthetic national ids"


def _identifiers(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts that identify somebody: DV_IDENTIFIER.id and the ids of references to parties."""
    if isinstance(node, list):
        for index, member in enumerate(node):
            yield from _identifiers(member, f"{path}[{index}]")
    elif isinstance(node, dict):
        for key, value in node.items():
            here = f"{path}/{key}"
            if key == "id" and isinstance(value, str):
                yield here, value
            elif key == "external_ref" and isinstance(value, dict):
                yield from _reference_id(value, here)
            else:
                yield from _identifiers(value, here)


def _reference_id(reference: JsonObject, path: str) -> Iterator[tuple[str, str]]:
    identifier = reference.get("id")
    value = identifier.get("value") if isinstance(identifier, dict) else None
    if isinstance(value, str):
        yield f"{path}/id/value", value


def _checks(digits: str) -> bool:
    numbers = [int(digit) for digit in digits]
    first = sum(weight * digit for weight, digit in zip(_FIRST, numbers, strict=False)) % 11
    second = sum(weight * digit for weight, digit in zip(_SECOND, numbers, strict=True)) % 11
    return first in (0, 1, 2, 3) and second == 0


def _is_date(day: int, month: int, year: int) -> bool:
    try:
        date(2000 + year, month, day)  # the century is not known; every fourth year has a leap day
    except ValueError:
        return False
    return True
