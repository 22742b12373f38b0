"""Lines of a bulk request and of its answer (NDJSON)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson

from api.composition_formats import composition_reader
from api.errors import error_body, status_of
from api.http_errors import MalformedRequest
from archetypes.errors import HelsekortError
from archetypes.rm.canonical_json import read_canonical
from cdr.bulk import BulkItem, BulkResult
from cdr.context import Ctx
from cdr.errors import TooLarge
from cdr.repeats import Repeatable
from cdr.versions import JsonObject, Lifecycle

_MEMBERS = {"ehr_id", "composition", "format", "template_id", "incomplete", "key"}
_STATES: Mapping[bool, Lifecycle] = {False: Lifecycle.COMPLETE, True: Lifecycle.INCOMPLETE}


async def read_lines(ctx: Ctx, body: bytes, key: str | None) -> Sequence[BulkItem]:
    """One item for each line that is not empty; what is wrong with a line is in its item.

    With a ``key``, equal lines are one request that is repeated; a line may have a key of its own.
    """
    numbered = enumerate(body.split(b"\n"), start=1)
    return [await _read_line(ctx, number, line, key) for number, line in numbered if line.strip()]


async def _read_line(ctx: Ctx, number: int, line: bytes, key: str | None) -> BulkItem:
    try:
        if len(line) > ctx.settings.body_limit:
            raise TooLarge(len(line), ctx.settings.body_limit)
        stated = read_canonical(line)
        _check_members(stated)
        read = await composition_reader(ctx, stated.get("format", "JSON"), stated.get("template_id"))
        composition = read(stated["composition"])
    except HelsekortError as error:
        return BulkItem(line=number, error=error)
    return BulkItem(
        line=number,
        ehr_id=stated["ehr_id"],
        composition=composition,
        lifecycle=_STATES[stated.get("incomplete", False)],
        repeatable=_repeatable(stated.get("key"), key, line.strip()),
    )


def _check_members(stated: JsonObject) -> None:
    """Raises MalformedRequest."""
    unknown = sorted(set(stated) - _MEMBERS)
    if unknown:
        raise _malformed(unknown[0], "is no member of a line")
    wanted: Sequence[tuple[str, type, bool]] = (
        ("ehr_id", str, True),
        ("composition", dict, True),
        ("format", str, False),
        ("template_id", str, False),
        ("incomplete", bool, False),
        ("key", str, False),
    )
    for name, kind, needed in wanted:
        if (needed or name in stated) and not isinstance(stated.get(name), kind):
            raise _malformed(name, f"must be of type {_JSON_NAMES[kind]}")


_JSON_NAMES: Mapping[type, str] = {str: "string", dict: "object", bool: "boolean"}


def _malformed(name: str, reason: str) -> MalformedRequest:
    return MalformedRequest("bulk.malformed", f"/{name} {reason}")


def _repeatable(own: str | None, common: str | None, line: bytes) -> Repeatable | None:
    digest = hashlib.sha256(line).digest()
    if own is not None:
        return Repeatable(own, digest)
    return None if common is None else Repeatable(f"{common}/{digest.hex()}", digest)


def result_line(result: BulkResult, language: str, *, stored: int) -> bytes:
    """What became of a line; ``stored`` is the status of one that is well."""
    told: dict[str, Any] = {"line": result.line, "ehr_id": result.ehr_id}
    if result.error is None:
        told |= {"status": stored, "uid": result.uid}
    else:
        status = status_of(type(result.error)) or HTTPStatus.INTERNAL_SERVER_ERROR
        told |= {"status": int(status), "error": error_body(result.error, language)}
    return orjson.dumps(told) + b"\n"


def summary_line(results: Mapping[str, int]) -> bytes:
    """The last line of an answer."""
    return orjson.dumps({"summary": results}) + b"\n"
