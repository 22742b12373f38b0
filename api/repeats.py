"""The header ``Idempotency-Key``: a client that got no answer may send the same request again."""

from __future__ import annotations

import re

from starlette.requests import Request

from api.http_errors import MalformedRequest
from cdr.repeats import Repeatable

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def repeatable(request: Request) -> Repeatable | None:
    """The key of a request whose body was read, with that body; None without the header.

    Raises MalformedRequest.
    """
    key = repeat_key(request)
    return None if key is None else Repeatable(key, request.state.body)


def repeat_key(request: Request) -> str | None:
    """The key that the header names. Raises MalformedRequest."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        message = "Idempotency-Key must be one text of 1 to 255 visible ASCII characters"
        raise MalformedRequest("header.malformed", message)
    return keys[0]
