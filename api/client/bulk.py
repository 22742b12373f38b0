"""Many compositions in one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import orjson

from api.client.formats import JsonObject
from api.client.operation import Operation


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of a line, counted from 1: ``uid`` of the version, or ``error`` as all errors are."""

    line: int
    status: int
    uid: str | None
    error: JsonObject | None


def store(
    lines: bytes, *, together: bool = False, dry_run: bool = False, key: str | None = None
) -> Operation[Sequence[LineResult]]:
    """Store compositions, one a line (NDJSON): ``ehr_id``, ``composition``, and maybe ``format``,
    ``template_id``, ``incomplete``, ``key``.

    ``together``: all in one transaction or none; then one refused line makes Invalid of the request. ``key``
    is the Idempotency-Key, with which the same lines may be sent again. At most 64 MiB.
    """
    params = {"mode": "all" if together else "each", "dry_run": "true" if dry_run else "false"}
    return Operation(
        method="POST",
        path="/bulk/v1/compositions",
        params=params,
        headers={"Content-Type": "application/x-ndjson"} | ({} if key is None else {"Idempotency-Key": key}),
        content=lines,
        read=_results,
        repeatable=key is not None or dry_run,
    )


def _results(response: httpx.Response) -> Sequence[LineResult]:
    *lines, _summary = [orjson.loads(line) for line in response.content.splitlines()]
    return [LineResult(line["line"], line["status"], line.get("uid"), line.get("error")) for line in lines]
