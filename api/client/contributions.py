"""Contributions: several versions committed together, all or none (ITS-REST CONTRIBUTION)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from api.client.formats import JsonObject
from api.client.operation import REST, Operation
from api.client.stored import new_key


def create(ehr_id: str, contribution: Mapping[str, Any], *, key: str | None = None) -> Operation[JsonObject]:
    """Commit the canonical ``contribution``; the answer is the CONTRIBUTION with references to its versions.

    Refused: Invalid with the place of each fault, Conflict, NotFound; then none of its versions is stored.
    """
    return Operation(
        method="POST",
        path=f"{REST}/ehr/{ehr_id}/contribution",
        headers={
            "Content-Type": "application/json",
            "Prefer": "return=representation",
            "Idempotency-Key": key or new_key(),
        },
        content=orjson.dumps(contribution),
        read=_object,
        repeatable=True,
    )


def get(ehr_id: str, contribution_uid: str) -> Operation[JsonObject]:
    """The CONTRIBUTION of an id. Refused: NotFound."""
    return Operation(
        method="GET",
        path=f"{REST}/ehr/{ehr_id}/contribution/{contribution_uid}",
        read=_object,
        repeatable=True,
    )


def _object(response: httpx.Response) -> JsonObject:
    found: JsonObject = orjson.loads(response.content)
    return found
