"""Compositions in every format (ITS-REST COMPOSITION)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
import orjson

from api.client.errors import Fault
from api.client.formats import Body, Format, JsonObject, read, write
from api.client.operation import REST, Operation
from api.client.stored import Stored, new_key, stored


@dataclass(frozen=True, slots=True)
class Version:
    """A composition as it was read: an object, text for XML, None where it is deleted."""

    stored: Stored
    composition: JsonObject | str | None


def create(
    ehr_id: str,
    composition: Body,
    form: Format = Format.JSON,
    *,
    template_id: str | None = None,
    incomplete: bool = False,
    key: str | None = None,
) -> Operation[Stored]:
    """Store a composition as version 1 of a new object.

    ``template_id`` is needed for FLAT and STRUCTURED. ``incomplete`` stores a draft, which may lack what is
    mandatory. ``key`` is the Idempotency-Key; without one, one is made. Refused: Invalid with all findings,
    NotFound, Conflict, AccessDenied.
    """
    headers = _sending(form, template_id, incomplete)
    return Operation(
        method="POST",
        path=f"{REST}/ehr/{ehr_id}/composition",
        headers={**headers, "Idempotency-Key": key or new_key()},
        content=write(composition),
        read=stored,
        repeatable=True,
    )


def update(
    ehr_id: str,
    preceding_uid: str,
    composition: Body,
    form: Format = Format.JSON,
    *,
    template_id: str | None = None,
    incomplete: bool = False,
) -> Operation[Stored]:
    """Store the next version after ``preceding_uid``. Refused as :func:`create`, and Stale."""
    headers = _sending(form, template_id, incomplete)
    return Operation(
        method="PUT",
        path=f"{REST}/ehr/{ehr_id}/composition/{preceding_uid.partition('::')[0]}",
        headers={**headers, "If-Match": f'"{preceding_uid}"'},
        content=write(composition),
        read=stored,
    )


def get(
    ehr_id: str, uid: str, form: Format = Format.JSON, *, at: datetime | None = None
) -> Operation[Version]:
    """The latest version of an object, that at a time, or that which ``uid`` names. Refused: NotFound."""
    return Operation(
        method="GET",
        path=f"{REST}/ehr/{ehr_id}/composition/{uid}",
        params={} if at is None else {"version_at_time": at.isoformat()},
        headers={"Accept": form},
        read=_version,
        repeatable=True,
    )


def delete(ehr_id: str, preceding_uid: str) -> Operation[Stored]:
    """Delete logically: the next version carries no data. Refused: NotFound, Conflict."""
    return Operation(method="DELETE", path=f"{REST}/ehr/{ehr_id}/composition/{preceding_uid}", read=stored)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the server says of a composition: whether it would be stored, and every finding."""

    valid: bool
    template_id: str
    findings: tuple[Fault, ...]


def validate(
    composition: Body,
    form: Format = Format.JSON,
    *,
    template_id: str | None = None,
    incomplete: bool = False,
) -> Operation[Judged]:
    """What would be said about a composition; nothing is stored."""
    return Operation(
        method="POST",
        path=f"{REST}/validate",
        headers=_sending(form, template_id, incomplete),
        content=write(composition),
        read=_judged,
        repeatable=True,
    )


def _judged(response: httpx.Response) -> Judged:
    said = orjson.loads(response.content)
    return Judged(said["valid"], said["templateId"], tuple(map(Fault.from_json, said["findings"])))


def _sending(form: Format, template_id: str | None, incomplete: bool) -> Mapping[str, str]:
    headers: dict[str, str] = {"Content-Type": form, "Prefer": "return=minimal"}
    if template_id is not None:
        headers["openehr-template-id"] = template_id
    if incomplete:
        headers["openehr-version"] = 'lifecycle_state.code_string="553"'
    return headers


def _version(response: httpx.Response) -> Version:
    return Version(stored(response), read(response) if response.content else None)
