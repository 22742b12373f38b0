"""Canonical JSON of the reference model, as bytes and as plain dicts.

Numbers are as orjson reads them; a byte order mark is passed over.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from archetypes.errors import MalformedJson

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_BYTES = 20_000_000
MAX_DEPTH = 200  # real compositions stay below 60; recursion over what passes is safe


def read_canonical(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The JSON object in ``data``.

    Raises MalformedJson: ``json.too_large``, ``json.syntax`` (with line and column),
    ``json.too_deep``, ``json.not_object``, ``json.duplicate_key``.
    """
    if len(data) > max_bytes:
        raise MalformedJson("json.too_large", f"{len(data)} bytes, at most {max_bytes} are read")
    try:
        value = orjson.loads(data.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        raise _malformed(error) from error
    if not isinstance(value, dict):
        raise MalformedJson("json.not_object", "the outermost value must be an object", line=1, column=1)
    if not _is_within(value, max_depth):
        raise MalformedJson("json.too_deep", f"nested deeper than {max_depth} levels")
    if data.count(b'"') > orjson.dumps(value).count(b'"'):  # fewer only where a key fell away
        key = _duplicate_key(data.removeprefix(_BYTE_ORDER_MARK))
        raise MalformedJson("json.duplicate_key", f"the key {key[:100]!r} stands twice in one object")
    return value


def write_canonical(value: Any) -> bytes:
    """JSON without spaces, in the order of the keys; TypeError if ``value`` is not JSON."""
    return orjson.dumps(value)


def _malformed(error: orjson.JSONDecodeError) -> MalformedJson:
    code = "json.too_deep" if "depth limit" in error.msg else "json.syntax"
    # Of many open brackets that are never closed orjson says that memory is short; it is not.
    message = "unexpected end of data" if "memory" in error.msg else error.msg
    return MalformedJson(code, message, line=error.lineno, column=error.colno)


def _duplicate_key(data: bytes) -> str:
    """The first key that stands twice in an object; slow, for data that is known to have one."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        found.extend(key for index, key in enumerate(keys) if key in keys[:index])

    json.loads(data, object_pairs_hook=look)
    return found[0] if found else "?"


def _is_within(value: Any, depth: int) -> bool:
    """True if no container lies deeper than ``depth`` (the outermost is at depth 1)."""
    level = [value]
    while level and depth > 0:
        level = [
            member
            for container in level
            for member in (container.values() if type(container) is dict else container)
            if type(member) is dict or type(member) is list
        ]
        depth -= 1
    return not level
