"""The demo's conversation with a server over REST: what an EHR system of a GP, midwife or hospital does."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import httpx

from api.demo.story import Contact, Woman
from archetypes.errors import HelsekortError

REST = "/openehr/v1"
NATIONAL_ID_NAMESPACE = "2.16.578.1.12.4.1.4.1"  # fødselsnummer


class UnexpectedAnswer(HelsekortError):
    """The server answered otherwise than the demo expects."""

    code = "demo.unexpected"

    def __init__(self, wanted: str, response: httpx.Response) -> None:
        request = f"{response.request.method} {response.request.url.path}"
        super().__init__(f"{request}: expected {wanted}, got {response.status_code} {response.text[:1000]}")


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query of the demo; titles in Norwegian and English."""

    name: str
    nb: str
    en: str
    aql: str


def read_queries() -> tuple[NamedQuery, ...]:
    """The five queries, in the order in which they are shown."""
    table = tomllib.loads((files("api") / "demo" / "queries.toml").read_text("utf-8"))
    return tuple(NamedQuery(name=name, **fields) for name, fields in table.items())


def template_ids(client: httpx.Client) -> list[str]:
    """The published templates."""
    return sorted(
        item["template_id"] for item in _json(client.get(f"{REST}/definition/template/adl1.4"), 200)
    )


def open_record(client: httpx.Client, woman: Woman) -> str:
    """The id of a new EHR for the woman."""
    response = client.post(
        f"{REST}/ehr", json=_ehr_status(woman), headers={"Prefer": "return=representation"}
    )
    return str(_json(response, 201)["ehr_id"]["value"])


def register(client: httpx.Client, ehr_id: str, contact: Contact, composition: Mapping[str, Any]) -> str:
    """Send a contact as its organisation; the version's uid."""
    committer = f'external_ref.id="{contact.organisation_number}", external_ref.namespace="brreg", '
    committer += 'external_ref.type="ORGANISATION"'
    response = client.post(
        f"{REST}/ehr/{ehr_id}/composition",
        json=composition,
        headers={"Prefer": "return=minimal", "openEHR-AUDIT_DETAILS.committer": committer},
    )
    if response.status_code not in (201, 204):
        raise UnexpectedAnswer("201", response)
    return response.headers["ETag"].removeprefix("W/").strip('"')


def read_back(client: httpx.Client, ehr_id: str, uid: str) -> dict[str, Any]:
    """A stored composition, without the uid that the server gave it."""
    composition = _json(client.get(f"{REST}/ehr/{ehr_id}/composition/{uid}"), 200)
    return {name: value for name, value in composition.items() if name != "uid"}


def refuse(client: httpx.Client, ehr_id: str, composition: Mapping[str, Any]) -> dict[str, Any]:
    """The error body for a composition that must not be taken."""
    body: dict[str, Any] = _json(client.post(f"{REST}/ehr/{ehr_id}/composition", json=composition), 422)
    return body


def ask(client: httpx.Client, query: NamedQuery, ehr_id: str) -> dict[str, Any]:
    """The RESULT_SET of a query."""
    body = {"q": query.aql, "query_parameters": {"ehr_id": ehr_id}}
    result: dict[str, Any] = _json(client.post(f"{REST}/query/aql", json=body), 200)
    return result


def with_faults(composition: Mapping[str, Any]) -> dict[str, Any]:
    """A visit with slips of the pen: pressures with a digit too many, grams for kilograms, no language."""
    faulty = deepcopy(dict(composition))
    for node in _nodes(faulty):
        if node.get("_type") == "DV_QUANTITY" and node.get("units") == "mm[Hg]":
            node["magnitude"] *= 10
        elif node.get("_type") == "DV_QUANTITY" and node.get("units") == "kg":
            node["units"] = "g"
    del faulty["language"]
    return faulty


def _nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(node for child in value.values() for node in _nodes(child))]
    return [node for child in value for node in _nodes(child)] if isinstance(value, list) else []


def _ehr_status(woman: Woman) -> dict[str, Any]:
    identifier = {"_type": "GENERIC_ID", "value": woman.national_id, "scheme": "fnr"}
    reference = {
        "_type": "PARTY_REF",
        "namespace": NATIONAL_ID_NAMESPACE,
        "type": "PERSON",
        "id": identifier,
    }
    return {
        "_type": "EHR_STATUS",
        "archetype_node_id": "openEHR-EHR-EHR_STATUS.generic.v1",
        "archetype_details": {
            "_type": "ARCHETYPED",
            "archetype_id": {"_type": "ARCHETYPE_ID", "value": "openEHR-EHR-EHR_STATUS.generic.v1"},
            "rm_version": "1.1.0",
        },
        "name": {"_type": "DV_TEXT", "value": "EHR status"},
        "subject": {"_type": "PARTY_SELF", "external_ref": reference},
        "is_queryable": True,
        "is_modifiable": True,
    }


def _json(response: httpx.Response, status: int) -> Any:
    if response.status_code != status:
        raise UnexpectedAnswer(str(status), response)
    return json.loads(response.content)
