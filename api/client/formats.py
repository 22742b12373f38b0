"""The formats of a composition, by media type."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import httpx
import orjson

JsonObject = dict[str, Any]
Body = Mapping[str, Any] | str | bytes


class Format(StrEnum):
    """How a composition is written; XML is text or bytes, the others are objects."""

    JSON = "application/json"
    XML = "application/xml"
    FLAT = "application/openehr.wt.flat+json"
    STRUCTURED = "application/openehr.wt.structured+json"


def write(body: Body) -> bytes:
    """The bytes of a body; text and bytes are taken as they are."""
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def read(response: httpx.Response) -> JsonObject | str:
    """The body of an answer: an object where it is JSON, else its text."""
    if response.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
        found: JsonObject = orjson.loads(response.content)
        return found
    return response.text
