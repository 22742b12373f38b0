"""What ``ctx/`` says once stands wherever it belongs, unless the body says something else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from templates.repository import library_templates
from templates.simplified import from_flat

TEMPLATE = library_templates()["helsekort_kontroll.v0"]
ROOT = "svangerskapskontroll"
NEEDED = {"ctx/language": "nb", "ctx/territory": "NO", "ctx/composer_name": "Kari"}
BODY = {
    f"{ROOT}/undersøkelse/blodtrykk/systolisk|magnitude": 118,
    f"{ROOT}/vurdering_og_tiltak/henvisning/bestilling/tjeneste": "Ultralyd",
    f"{ROOT}/vurdering_og_tiltak/informasjon_gitt/tema": "Amming",
    f"{ROOT}/undersøkelse/fosterlyd:0/frekvens|magnitude": 140,
    f"{ROOT}/undersøkelse/fosterlyd:1/frekvens|magnitude": 150,
}
NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)


def _made(**keys: Any) -> dict[str, Any]:
    context = {f"ctx/{name}": value for name, value in keys.items()}
    return from_flat(TEMPLATE, {**NEEDED, **context, **BODY}, now=NOW)


def _entries(composition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["name"]["value"]: entry for section in composition["content"] for entry in section["items"]}


def test_defaults() -> None:
    made = _made()
    assert made["context"]["start_time"]["value"] == NOW.isoformat()
    assert made["context"]["setting"]["defining_code"]["code_string"] == "238"
    assert made["category"]["defining_code"]["code_string"] == "433"
    assert made["territory"]["code_string"] == "NO"
    for entry in _entries(made).values():
        assert entry["language"]["code_string"] == "nb"
        assert entry["encoding"]["code_string"] == "UTF-8"
    referral = _entries(made)["Henvisning"]
    assert referral["narrative"]["value"] == "Henvisning"
    assert referral["activities"][0]["action_archetype_id"] == "/.*/"
    assert _entries(made)["Informasjon gitt"]["time"]["value"] == NOW.isoformat()


def test_each_fetus_has_its_number() -> None:
    items = _made()["content"][0]["items"]
    subjects = [entry["subject"] for entry in items if entry["name"]["value"] == "Fosterlyd"]
    assert [subject["identifiers"][0]["id"] for subject in subjects] == ["1", "2"]


def test_times() -> None:
    made = _made(
        time="2026-01-01T08:00:00Z",
        end_time="2026-01-01T09:00:00Z",
        history_origin="2026-01-01T08:10:00Z",
        action_time="2026-01-01T08:20:00Z",
        activity_timing="R1/2026-02-01/P1W",
    )
    entries = _entries(made)
    history = entries["Blodtrykk"]["data"]
    assert made["context"]["start_time"]["value"] == "2026-01-01T08:00:00Z"
    assert made["context"]["end_time"]["value"] == "2026-01-01T09:00:00Z"
    assert (history["origin"]["value"], history["events"][0]["time"]["value"]) == (
        "2026-01-01T08:10:00Z",
    ) * 2
    assert entries["Informasjon gitt"]["time"]["value"] == "2026-01-01T08:20:00Z"
    assert entries["Henvisning"]["activities"][0]["timing"] == {
        "_type": "DV_PARSABLE",
        "value": "R1/2026-02-01/P1W",
        "formalism": "timing",
    }


def test_people_and_places() -> None:
    made = from_flat(
        TEMPLATE,
        {
            **NEEDED,
            **BODY,
            "ctx/composer_id": "1",
            "ctx/id_scheme": "HPR",
            "ctx/id_namespace": "NO",
            "ctx/provider_name": "Per",
            "ctx/health_care_facility|name": "Bydel",
            "ctx/health_care_facility|id": "2",
            "ctx/location": "Rom 3",
            "ctx/setting": "primary nursing care",
            "ctx/work_flow_id|id": "5",
            "ctx/work_flow_id|type": "PLAN",
            "ctx/link:0|type": "problem",
            "ctx/link:0|meaning": "note",
            "ctx/link:0|target": "ehr://1",
            "ctx/instruction_narrative": "Henvises",
            "ctx/participation_name": "Anne",
            "ctx/participation_function": "requester",
            "ctx/participation_identifiers": "a::b::c::d;e::f::g::h",
            "ctx/participation_name:1": "Liv",
            "ctx/participation_function:1": "performer",
            "ctx/participation_mode:1": "face-to-face communication",
            "ctx/participation_identifiers:1|issuer:0": "a",
            "ctx/participation_identifiers:1|id:0": "c",
        },
        now=NOW,
    )
    reference = made["composer"]["external_ref"]
    assert (reference["id"]["value"], reference["id"]["scheme"], reference["namespace"]) == ("1", "HPR", "NO")
    context = made["context"]
    assert context["health_care_facility"]["name"] == "Bydel"
    assert context["location"] == "Rom 3"
    assert context["setting"]["defining_code"]["code_string"] == "229"
    first, second = context["participations"]
    assert [each["id"] for each in first["performer"]["identifiers"]] == ["c", "g"]
    assert first["mode"]["value"] == "not specified"
    assert second["performer"]["identifiers"] == [{"_type": "DV_IDENTIFIER", "issuer": "a", "id": "c"}]
    assert made["links"][0]["target"]["value"] == "ehr://1"
    for entry in _entries(made).values():
        assert entry["provider"]["name"] == "Per"
        assert entry["workflow_id"]["id"]["value"] == "5"
        assert entry["other_participations"] == context["participations"]
    assert _entries(made)["Henvisning"]["narrative"]["value"] == "Henvises"


def test_the_woman_herself() -> None:
    given = {key: value for key, value in NEEDED.items() if key != "ctx/composer_name"}
    made = from_flat(TEMPLATE, {**given, "ctx/composer_self": "true", **BODY}, now=NOW)
    assert made["composer"] == {"_type": "PARTY_SELF"}


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        (f"{ROOT}/language|code", "en", ("language", "code_string")),
        (f"{ROOT}/territory|code", "SE", ("territory", "code_string")),
        (f"{ROOT}/composer|name", "Liv", ("composer", "name")),
        (f"{ROOT}/context/start_time", "2025-01-01T00:00:00Z", ("context", "start_time", "value")),
        (f"{ROOT}/context/_location", "Rom 4", ("context", "location")),
        (f"{ROOT}/context/setting|code", "231", ("context", "setting", "defining_code", "code_string")),
        (f"{ROOT}/_uid", "a::b::1", ("uid", "value")),
        (f"{ROOT}/_name", "Kontroll", ("name", "value")),
    ],
)
def test_the_body_wins(key: str, value: str, place: tuple[str, ...]) -> None:
    context = {"ctx/location": "Rom 3", "ctx/setting": "229", "ctx/time": "2026-01-01T08:00:00Z"}
    found: Any = from_flat(TEMPLATE, {**NEEDED, **context, **BODY, key: value}, now=NOW)
    for name in place:
        found = found[name]
    assert found == value
