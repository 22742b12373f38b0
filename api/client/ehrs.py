"""EHRs and their status (ITS-REST EHR, EHR_STATUS)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import httpx
import orjson

from api.client.formats import JsonObject
from api.client.operation import REST, Operation
from api.client.stored import Stored, new_key, stored

STATUS_ARCHETYPE = "openEHR-EHR-EHR_STATUS.generic.v1"
NATIONAL_ID = "2.16.578.1.12.4.1.4.1"  # fødselsnummer


@dataclass(frozen=True, slots=True)
class Ehr:
    """An EHR; ``status`` is the canonical EHR_STATUS, ``created`` has a zone."""

    ehr_id: str
    system_id: str
    created: datetime
    status: JsonObject


@dataclass(frozen=True, slots=True)
class Status:
    """The EHR_STATUS and the version that it is of."""

    stored: Stored
    status: JsonObject


def create(
    subject: tuple[str, str] | None = None,
    *,
    ehr_id: str | None = None,
    status: JsonObject | None = None,
    key: str | None = None,
) -> Operation[Ehr]:
    """A new EHR of ``subject`` (namespace, id), or with a whole ``status``; ``ehr_id`` a UUID of your choice.

    ``key`` is the Idempotency-Key; without one, one is made. Refused: Conflict (the id or the subject has an
    EHR), Invalid.
    """
    body = status or (None if subject is None else status_of(*subject))
    return Operation(
        method="POST" if ehr_id is None else "PUT",
        path=f"{REST}/ehr" if ehr_id is None else f"{REST}/ehr/{ehr_id}",
        headers=_sending({"Prefer": "return=representation", "Idempotency-Key": key or new_key()}, body),
        content=None if body is None else orjson.dumps(body),
        read=_ehr,
        repeatable=True,
    )


def get(ehr_id: str) -> Operation[Ehr]:
    """The EHR of an id. Refused: NotFound."""
    return Operation(method="GET", path=f"{REST}/ehr/{ehr_id}", read=_ehr, repeatable=True)


def of_subject(namespace: str, subject_id: str) -> Operation[Ehr]:
    """The EHR of a subject. Refused: NotFound."""
    params = {"subject_id": subject_id, "subject_namespace": namespace}
    return Operation(method="GET", path=f"{REST}/ehr", params=params, read=_ehr, repeatable=True)


def get_status(ehr_id: str) -> Operation[Status]:
    """The latest status. Refused: NotFound."""
    return Operation(method="GET", path=f"{REST}/ehr/{ehr_id}/ehr_status", read=_status, repeatable=True)


def update_status(ehr_id: str, status: JsonObject, *, preceding_uid: str) -> Operation[Stored]:
    """A new version of the status after ``preceding_uid``. Refused: NotFound, Stale, Invalid."""
    return Operation(
        method="PUT",
        path=f"{REST}/ehr/{ehr_id}/ehr_status",
        headers=_sending({"If-Match": f'"{preceding_uid}"'}, status),
        content=orjson.dumps(status),
        read=stored,
    )


def status_of(namespace: str, subject_id: str) -> JsonObject:
    """A canonical EHR_STATUS for a person of that id: queryable and modifiable."""
    reference = {
        "_type": "PARTY_REF",
        "namespace": namespace,
        "type": "PERSON",
        "id": {"_type": "GENERIC_ID", "value": subject_id, "scheme": namespace},
    }
    return {
        "_type": "EHR_STATUS",
        "archetype_node_id": STATUS_ARCHETYPE,
        "archetype_details": {
            "_type": "ARCHETYPED",
            "archetype_id": {"_type": "ARCHETYPE_ID", "value": STATUS_ARCHETYPE},
            "rm_version": "1.1.0",
        },
        "name": {"_type": "DV_TEXT", "value": "EHR status"},
        "subject": {"_type": "PARTY_SELF", "external_ref": reference},
        "is_queryable": True,
        "is_modifiable": True,
    }


def _sending(headers: dict[str, str], body: JsonObject | None) -> dict[str, str]:
    return headers if body is None else {**headers, "Content-Type": "application/json"}


def _ehr(response: httpx.Response) -> Ehr:
    body = orjson.loads(response.content)
    return Ehr(
        ehr_id=body["ehr_id"]["value"],
        system_id=body["system_id"]["value"],
        created=datetime.fromisoformat(body["time_created"]["value"]),
        status=body["ehr_status"],
    )


def _status(response: httpx.Response) -> Status:
    return Status(stored(response), orjson.loads(response.content))
