"""What names a hidden thing is hidden with it: folders, tags, contributions, and what no scope reaches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.her import EMERGENCY, FIRST, GP, MIDWIFE, SHIELDED, VISIT, Her, Somebody, entry
from tests.cdr.updates import attestation, contribution, folder, update
from tests.identity import REST, People, proven, stated

TOLD = "Planteord-Beskrivelse"
HERSELF = Somebody("nora")
OPEN, SECRET = "Planteord-Aapen", "Planteord-Skjult"
LIFESTYLE = "/content[openEHR-EHR-SECTION.adhoc.v1,'Levevaner']"


@pytest.fixture(scope="module")
def her(consenting: People) -> Her:
    """An open and a shielded entry in one contribution, both filed in one folder; a section is blocked."""
    her = Her(consenting, "21838010196", "nora")
    her.consent()
    her.begin_card()
    body = contribution(
        update("249", entry(OPEN, VISIT)),
        update("249", entry(SECRET, SHIELDED, HK16_1=17, HK16_2="at0023")),
    )
    body["audit"]["description"] = {"_type": "DV_TEXT", "value": TOLD}
    stored = rest(her, MIDWIFE, "POST", "/contribution", json=body)
    assert stored.status_code == 201, stored.text
    her.uids["contribution"] = stored.headers["ETag"].strip('W/"')
    made = rest(her, MIDWIFE, "GET", f"/contribution/{her.uids['contribution']}").json()["versions"]
    her.uids[OPEN], her.uids[SECRET] = (each["id"]["value"] for each in made)
    filed = folder("alt", folder("mer")) | {"items": [reference(her.uids[OPEN])]}
    filed["folders"][0]["items"] = [reference(her.uids[SECRET])]
    directory = rest(her, MIDWIFE, "POST", "/directory", json=filed)
    assert directory.status_code == 201, directory.text
    her.uids["directory"] = directory.headers["ETag"].strip('W/"')
    her.write("Forste", FIRST, HK3_1=3, HK3_2=1, HK7_11="Planteord-Levevaner")
    return her


def rest(her: Her, who: Somebody, method: str, path: str, **options: Any) -> Any:
    """A call about her EHR."""
    return her.rest(who.who, method, f"/ehr/{her.ehr_id}{path}", **who.said(), **options)


def reference(uid: str) -> dict[str, Any]:
    """An OBJECT_REF to a composition."""
    object_id = {"_type": "HIER_OBJECT_ID", "value": uid.partition("::")[0]}
    return {"_type": "OBJECT_REF", "namespace": "local", "type": "VERSIONED_COMPOSITION", "id": object_id}


def object_of(her: Her, word: str) -> str:
    return her.uids[word].partition("::")[0]


QUERY = "SELECT f FROM EHR e CONTAINS FOLDER f"


@pytest.mark.parametrize(("who", "sees"), [(MIDWIFE, True), (HERSELF, True), (GP, False), (EMERGENCY, False)])
def test_folders_name_nothing_that_is_hidden(her: Her, who: Somebody, sees: bool) -> None:
    of_her = {"openehr-ehr-id": her.ehr_id}
    answers = [
        rest(her, who, "GET", "/directory"),
        rest(her, who, "GET", f"/directory/{her.uids['directory']}"),
        her.rest(who.who, "POST", "/query/aql", json={"q": QUERY}, headers=of_her, **who.said()),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert object_of(her, OPEN) in answer.text
        assert (object_of(her, SECRET) in answer.text) is sees


def test_whoever_does_not_see_all_of_a_directory_does_not_write_the_next(her: Her) -> None:
    condition = {"If-Match": f'"{her.uids["directory"]}"'}
    for method, body in (("PUT", {"json": folder("ny")}), ("DELETE", {})):
        refused = rest(her, GP, method, "/directory", headers=condition, **body)
        assert (refused.status_code, refused.json()["code"]) == (403, "consent.blocked")


@pytest.mark.parametrize(("who", "sees"), [(MIDWIFE, True), (HERSELF, True), (GP, False)])
def test_a_description_is_for_those_who_see_all_that_it_is_about(her: Her, who: Somebody, sees: bool) -> None:
    audits = "SELECT v/commit_audit/description/value FROM EHR e CONTAINS VERSION v CONTAINS COMPOSITION c"
    versioned = f"/versioned_composition/{object_of(her, OPEN)}"
    answers = [
        rest(her, who, "GET", f"/contribution/{her.uids['contribution']}"),
        rest(her, who, "GET", f"{versioned}/version"),
        rest(her, who, "GET", f"{versioned}/revision_history"),
        her.rest(
            who.who,
            "POST",
            "/query/aql",
            json={"q": audits},
            headers={"openehr-ehr-id": her.ehr_id},
            **who.said(),
        ),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert (TOLD in answer.text) is sees
        assert sees or object_of(her, SECRET) not in answer.text


def test_tags_on_a_blocked_section_are_hidden_with_it(her: Her) -> None:
    path = f"/composition/{object_of(her, 'Forste')}/tags"
    body = [
        {"key": "a", "value": "Planteord-Royk", "target_path": LIFESTYLE},
        {"key": "b", "value": "Planteord-Resten", "target_path": "/context"},
        {"key": "c", "value": "Planteord-Ulest", "target_path": "/content[???"},
    ]
    assert rest(her, MIDWIFE, "PUT", path, json=body).status_code == 204
    assert len(rest(her, GP, "GET", path).json()) == 3
    blocked = her.hers("POST", "/blocks", json={"scope": "section", "target": "levevaner"})
    assert blocked.status_code == 201, blocked.text
    for place in (path, "/tags"):
        seen = rest(her, GP, "GET", place).text
        assert "Planteord-Resten" in seen and "Planteord-Royk" not in seen and "Planteord-Ulest" not in seen
        assert "Planteord-Royk" in rest(her, HERSELF, "GET", place).text
    said = rest(her, GP, "GET", f"/composition/{object_of(her, 'Forste')}").headers["openehr-item-tag"]
    assert "Planteord-Resten" in said and "Planteord-Royk" not in said and "Planteord-Ulest" not in said
    for method, at, options in (("PUT", path, {"json": []}), ("DELETE", f"{path}/b", {})):
        refused = rest(her, GP, method, at, **options)
        assert (refused.status_code, refused.json()["code"]) == (403, "consent.blocked")
    assert len(rest(her, HERSELF, "GET", path).json()) == 3


def test_the_scopes_of_a_token_hold_at_every_door_to_an_object(her: Her, consenting: People) -> None:
    """A token for visits alone tells nothing of other documents: not their history, tags or places."""
    scopes = f"user/composition-{VISIT}.crud"
    held = consenting.forged("jordmor", scope=[scopes])

    def ask(method: str, path: str, **options: Any) -> Any:
        url = f"{REST}/ehr/{her.ehr_id}{path}"
        headers = proven(held, method, url) | stated(basis="SAMTYKKE", role="JO")
        return consenting.client.request(method, url, headers=headers, **options)

    for word, status in ((OPEN, 200), ("Forste", 403)):
        place = f"/versioned_composition/{object_of(her, word)}"
        for path in (
            f"/composition/{object_of(her, word)}",
            place,
            f"{place}/version",
            f"{place}/revision_history",
            f"/composition/{object_of(her, word)}/tags",
        ):
            answer = ask("GET", path)
            assert (path, answer.status_code) == (path, status), answer.text
            if status == 403:
                assert answer.json()["code"] == "access.scope" and FIRST not in answer.text
    tags, directory = ask("GET", "/tags"), ask("GET", "/directory")
    assert (tags.status_code, directory.status_code) == (200, 200)
    assert "Planteord" not in tags.text
    assert object_of(her, OPEN) in directory.text and object_of(her, SECRET) not in directory.text
    signed = contribution(update("666", after=her.uids["Forste"], attestations=[attestation()]))
    assert ask("POST", "/contribution", json=signed).json()["code"] == "access.scope"
    signed = contribution(update("666", after=her.uids[OPEN], attestations=[attestation()]))
    assert ask("POST", "/contribution", json=signed).status_code == 201
    shown = ask("GET", f"/contribution/{her.uids['contribution']}").text
    assert object_of(her, OPEN) in shown and object_of(her, SECRET) not in shown and TOLD not in shown
