"""The errors of the card API, numbered as NHN's Maternity Record API does, beside what every error has.

Body: ``errorCode``, ``errorMessage``, ``eventId``, besides what every error has; header ``nhn-error-code``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from api.caller import event_id

CARD_PATH = "/api/maternity-record/v1"

UNKNOWN = "DHG-0001"
# The longest beginning of our code that is named here gives the number.
_NUMBERS: Mapping[str, str] = {
    "consent.deceased": "DHG-0002",
    "consent.missing": "DHG-0003",
    "consent.confidential_address": "DHG-0004",
    "consent.blocked": "DHG-0005",
    "access": "DHG-0005",
    "store": "DHG-0006",
    "version.conflict": "DHG-0008",
    "consent.changed": "DHG-0008",
    "card.exists": "DHG-0009",
    "consent.given": "DHG-0009",
    "token": "DHG-0010",
    "proof": "DHG-0010",
    "json": "DHG-0011",
    "body": "DHG-0011",
    "request": "DHG-0012",
    "block": "DHG-0012",
    "consent.not_confirmed": "DHG-0012",
    "composition": "DHG-0012",
    "person": "DHG-0013",
    "identifier": "DHG-0013",
    "card": "DHG-0015",
    "object": "DHG-0017",
}


def error_number(code: str) -> str:
    """The number of one of our error codes, ``DHG-0001`` (unknown) for one that has none of its own."""
    parts = code.split(".")
    beginnings = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_NUMBERS[text] for text in beginnings if text in _NUMBERS), UNKNOWN)


def card_error(request: Request, code: str, message: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What the body and the headers of an error have more on a route of the card API; nothing elsewhere."""
    if not request.scope["path"].startswith(CARD_PATH):
        return {}, {}
    number = error_number(code)
    body = {"errorCode": number, "errorMessage": message, "eventId": event_id(request)}
    return body, {"nhn-error-code": number}
