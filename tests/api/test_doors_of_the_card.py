"""Who sees what of a card at each door, before and after she withdraws: planted words tell.

The woman has been pregnant three times and has one birth. One card ended in week 9; an entry was erased by
decision; EPDS and the question about violence are shielded; one section and one entry are blocked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from tests.api.her import (
    DOCUMENT,
    EMERGENCY,
    FIRST,
    GP,
    HOSPITAL,
    MIDWIFE,
    SHIELDED,
    VISIT,
    Her,
    Somebody,
    entry,
)
from tests.cdr.updates import contribution, folder, update
from tests.identity import People

REST, CARD = "/openehr/v1", "/api/maternity-record/v1"
VISIBLE, SECTION, SECRET, WEEK_9, ENTRY, ERASED = WORDS = (
    "Planteord-Kontroll",
    "Planteord-Levevaner",
    "Planteord-Skjermet",
    "Planteord-Uke9",
    "Planteord-Sperret",
    "Planteord-Slettet",
)
HERSELF = Somebody("mona")
ANALYST, OFFICER, OPERATOR = Somebody("analytiker"), Somebody("personvernombud"), Somebody("driftsvakt")
EDITOR, SYSTEM = Somebody("redaktor"), Somebody("fagsystem")


@pytest.fixture(scope="module")
def her(consenting: People) -> Her:
    """The story up to the day of the test."""
    her = Her(consenting, "12918510026", "mona")
    her.consent()
    early = her.begin_card()
    her.write(WEEK_9)
    ended = her.card(
        "jordmor", "POST", f"/record/{early}/updateStatus", json={"status": "TERMINATED"}, **MIDWIFE.said()
    )
    assert ended.status_code == 200, ended.text
    her.begin_card()
    relation = her.call(MIDWIFE, "POST", f"/access/v1/ehr/{her.ehr_id}/relations", json={})
    assert relation.status_code < 300, relation.text
    her.write(VISIBLE)
    her.write("Første kontroll", FIRST, HK3_1=3, HK3_2=1, HK7_11=SECTION)
    her.write(SECRET, SHIELDED, HK16_1=17, HK16_2="at0023")
    her.write(ENTRY)
    her.write(ERASED)
    for word, uid in her.uids.items():
        tagged = f"/ehr/{her.ehr_id}/composition/{uid.partition('::')[0]}/tags"
        if word == WEEK_9:
            continue
        tag = [{"key": "ord", "value": word}]
        assert her.rest("jordmor", "PUT", tagged, json=tag, **MIDWIFE.said()).status_code == 204
    decision = {"decision": "2026/1234-5", "decidedBy": "Kari Nordmann"}
    gone = her.uids[ERASED].partition("::")[0]
    assert her.card("personvernombud", "POST", f"/entries/{gone}/erasure", json=decision).status_code == 204
    hidden = her.uids[ENTRY].partition("::")[0]
    for block in (
        {"scope": "section", "target": "levevaner"},
        {"scope": "entry", "target": hidden, "against": "organisation", "name": "999000037"},
    ):
        assert her.hers("POST", "/blocks", json=block).status_code == 201
    return her


def reads(her: Her, who: Somebody, path: str) -> str:
    """What somebody gets to read of every entry under a pattern of addresses."""
    answers = []
    for uid in her.uids.values():
        place = path.format(ehr=her.ehr_id, uid=uid, object=uid.partition("::")[0])
        answers.append(her.call(who, "GET", place))
    return "".join(answer.text for answer in answers if answer.status_code == 200)


def answer(her: Her, who: Somebody, method: str, path: str, **options: Any) -> str:
    """A body, if it is an answer."""
    got = her.call(who, method, path.format(ehr=her.ehr_id), **options)
    return got.text if got.status_code == 200 else ""


ALL = {"q": "SELECT c FROM EHR e CONTAINS COMPOSITION c"}
DOORS: dict[str, Callable[[Her, Somebody], str]] = {
    "composition": lambda her, who: reads(her, who, REST + "/ehr/{ehr}/composition/{uid}"),
    "flat": lambda her, who: reads(her, who, REST + "/ehr/{ehr}/composition/{object}?format=FLAT"),
    "version": lambda her, who: reads(her, who, REST + "/ehr/{ehr}/versioned_composition/{object}/version"),
    "tags": lambda her, who: answer(her, who, "GET", REST + "/ehr/{ehr}/tags"),
    "query of one": lambda her, who: answer(
        her, who, "POST", REST + "/query/aql", json=ALL, headers={"openehr-ehr-id": her.ehr_id}
    ),
    "query of all": lambda her, who: answer(her, who, "POST", REST + "/query/aql", json=ALL),
    "rows as CSV": lambda her, who: answer(
        her, who, "POST", REST + "/query/aql", json=ALL, headers={"Accept": "text/csv"}
    ),
    "her copy": lambda her, who: answer(her, who, "GET", CARD + "/consent/copy"),
    "log": lambda her, who: answer(her, who, "GET", "/access/v1/ehr/{ehr}/log"),
    "audit": lambda her, who: answer(her, who, "GET", "/access/v1/audit?ehr_id={ehr}"),
    "events": lambda her, who: answer(
        her,
        who,
        "GET",
        "/events/v1/events?since=2026-01-01T00:00:00Z",
        headers={"Accept": "application/json"},
    ),
    "archive": lambda her, who: answer(her, who, "GET", "/bulk/v1/ehrs/{ehr}"),
}
DATA = ("composition", "flat", "version", "query of one", "query of all", "rows as CSV")
ALL_BUT_ERASED = {VISIBLE, SECTION, SECRET, WEEK_9, ENTRY}
# What each sees at the doors to data; at the others (and the rest of the people at all) nothing.
SEEN: dict[str, tuple[Somebody, set[str]]] = {
    "she herself": (HERSELF, ALL_BUT_ERASED),
    "the author's organisation": (MIDWIFE, {VISIBLE, SECRET, ENTRY}),
    "her GP": (GP, {VISIBLE, ENTRY}),
    "the hospital": (HOSPITAL, {VISIBLE}),
    "the hospital in an emergency": (EMERGENCY, {VISIBLE, SECTION, ENTRY}),
    "analyst": (ANALYST, set()),
    "data-protection officer": (OFFICER, set()),
    "operator": (OPERATOR, set()),
    "editor": (EDITOR, set()),
    "system": (SYSTEM, set()),
}
ELSEWHERE: dict[tuple[str, str], set[str]] = {
    ("she herself", "her copy"): ALL_BUT_ERASED,
    ("operator", "archive"): ALL_BUT_ERASED,  # a whole record moves, or nothing does
}


def expected(role: str, door: str) -> set[str]:
    """The planted words that a role may see at a door."""
    words = SEEN[role][1] if door in DATA else ELSEWHERE.get((role, door), set())
    if door == "tags":  # the tag on the first visit has another word, that on the card of week 9 none
        words = SEEN[role][1] - {SECTION, WEEK_9}
    in_care = SEEN[role][0] in (MIDWIFE, GP, HOSPITAL, EMERGENCY)
    if door in ("query of all", "rows as CSV") and in_care and SEEN[role][0] != MIDWIFE:
        return set()  # a query over all ranges over those whose relation is on record
    return words


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", SEEN)
def test_planted_words(her: Her, role: str, door: str) -> None:
    text = DOORS[door](her, SEEN[role][0])
    words = {word for word in WORDS if word in text}
    if role == "analyst":  # what an analyst sees of an open entry is for the queries to decide
        assert words <= ({VISIBLE, ENTRY} if "query" in door or "rows" in door else set())
    else:
        assert words == expected(role, door)


def test_the_total_is_left_out_until_she_asks(her: Her) -> None:
    def counts(query: str) -> set[str]:
        copy = her.hers("GET", f"/consent/copy{query}").json()
        (summary,) = found(copy, "openEHR-EHR-EVALUATION.obstetric_summary.v1")
        return {item["archetype_node_id"] for item in summary["data"]["items"]}

    assert counts("") == {"at0006"}
    assert counts("?total=true") == {"at0002", "at0006"}


def found(node: Any, node_id: str) -> list[Any]:
    """The objects with this node id, at any depth."""
    if isinstance(node, list):
        return [each for member in node for each in found(member, node_id)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("archetype_node_id") == node_id else []
    return own + [each for member in node.values() for each in found(member, node_id)]


def test_a_card_without_a_birth_is_hers_until_she_lets_it_stay(her: Her) -> None:
    def history(who: Somebody) -> list[str]:
        return [card["recordStatus"]["status"] for card in her.call(who, "GET", CARD + "/history").json()]

    assert (history(HERSELF), history(MIDWIFE)) == (["TERMINATED", "ACTIVE"], ["ACTIVE"])
    (early, _) = her.hers("GET", "/history").json()
    shown = f"/record/{early['recordId']}/visibility"
    assert her.hers("POST", shown, json={"shown": True}).status_code == 204
    assert history(MIDWIFE) == ["TERMINATED", "ACTIVE"]
    assert WEEK_9 in DOORS["composition"](her, GP)
    assert her.hers("POST", shown, json={"shown": False}).status_code == 204
    assert WEEK_9 not in DOORS["composition"](her, GP)


# --- withdrawal: one row for every operation of the server ------------------------------------------------

CLOSED = "closed"  # refused with consent.missing from the next call on
SILENT = "silent"  # answers, and holds nothing of hers
APART = "apart"  # holds nothing of a card; the reason stands beside it

Row = tuple[str, str] | tuple[str, Somebody, dict[str, Any]]
NEW = entry("etter", VISIT, HK13_17="etter")
AS_JSON = {"headers": {"Accept": "application/json"}}
IF_VERSION: dict[str, Any] = {"headers": {"If-Match": "{version}"}}
IF_FOLDER: dict[str, Any] = {"headers": {"If-Match": "{folder}"}}
OF_HER: dict[str, Any] = {"headers": {"openehr-ehr-id": "{ehr_id}"}}


def closed(who: Somebody = MIDWIFE, **options: Any) -> Row:
    return CLOSED, who, options


def silent(who: Somebody = MIDWIFE, **options: Any) -> Row:
    return SILENT, who, options


def apart(reason: str) -> Row:
    return APART, reason


ITS_STATUS = "the EHR and its status say who she is, nothing of a card"
TEMPLATES = "templates, queries and code lists are about no person"
UPKEEP = "erases, joins or imports whole records; operators only"
PROJECTS = "what analysts may see; about no person"
HER_OWN = "her decision itself"

OBJECT = "/openehr/v1/ehr/{ehr_id}/versioned_composition/{versioned_object_uid}"

ROWS: dict[str, Row] = {
    "GET /health/live": apart("no data"),
    "GET /health/ready": apart("no data"),
    "POST /bulk/v1/compositions": silent(content="{line}"),
    "GET /bulk/v1/ehrs/{ehr_id}": silent(OPERATOR),  # refused while something of a card is in it
    "POST /bulk/v1/ehrs": apart("a new EHR; one with entries of a card is refused for want of consent"),
    "GET /api/maternity-record/v1/status": silent(SYSTEM),
    "GET /api/maternity-record/v1/history": closed(),
    "POST /api/maternity-record/v1/record": closed(),
    "POST /api/maternity-record/v1/record/{record_id}/updateStatus": closed(json={"status": "DELIVERED"}),
    "POST /api/maternity-record/v1/record/{record_id}/visibility": closed(HERSELF, json={"shown": True}),
    "POST /api/maternity-record/v1/entries/{entry_id}/erasure": apart("removes, and shows nothing"),
    "POST /api/maternity-record/v1/person": apart("the register of persons tells, and is told nothing"),
    "GET /api/maternity-record/v1/consent": apart(HER_OWN),
    "POST /api/maternity-record/v1/consent": apart(HER_OWN),
    "POST /api/maternity-record/v1/consent/push": apart(
        "the register of consents tells, and is told nothing"
    ),
    "GET /api/maternity-record/v1/consent/withdrawal": closed(HERSELF),
    "POST /api/maternity-record/v1/consent/withdrawal": closed(HERSELF, json=DOCUMENT),
    "GET /api/maternity-record/v1/consent/removals/{removal_id}": apart(HER_OWN),
    "GET /api/maternity-record/v1/consent/copy": closed(HERSELF),
    "GET /api/maternity-record/v1/blocks": silent(HERSELF),
    "POST /api/maternity-record/v1/blocks": closed(HERSELF, json={"scope": "card"}),
    "DELETE /api/maternity-record/v1/blocks/{block_id}": closed(HERSELF),
    "GET /events/v1/events": silent(SYSTEM, params={"since": "2026-01-01T00:00:00Z"}, **AS_JSON),
    "GET /events/v1/webhooks": apart("addresses of systems; what they are sent is the feed"),
    "POST /events/v1/webhooks": apart("addresses of systems; what they are sent is the feed"),
    "DELETE /events/v1/webhooks/{webhook_id}": apart("addresses of systems"),
    "GET /access/v1/ehr/{ehr_id}/log": silent(HERSELF),
    "GET /access/v1/ehr/{ehr_id}/relations": silent(HERSELF),
    "POST /access/v1/ehr/{ehr_id}/relations": apart("who has her in treatment; no card is needed for that"),
    "DELETE /access/v1/ehr/{ehr_id}/relations/{organisation}": apart("who has her in treatment"),
    "GET /access/v1/audit": silent(OFFICER),
    "GET /access/v1/audit/check": silent(OFFICER),
    "GET /access/v1/audit/export": silent(OFFICER),
    "OPTIONS /openehr/v1": apart("no data"),
    "POST /openehr/v1/ehr/find": apart(ITS_STATUS),
    "GET /openehr/v1/ehr/{ehr_id}/subject_ids": apart(ITS_STATUS),
    "POST /openehr/v1/ehr/{ehr_id}/subject_ids": apart(ITS_STATUS),
    "POST /openehr/v1/ehr/{ehr_id}/subject_ids/withdraw": apart(ITS_STATUS),
    "POST /openehr/v1/ehr": apart(ITS_STATUS),
    "GET /openehr/v1/ehr": apart(ITS_STATUS),
    "PUT /openehr/v1/ehr/{ehr_id}": apart(ITS_STATUS),
    "GET /openehr/v1/ehr/{ehr_id}": silent(),
    "GET /openehr/v1/ehr/{ehr_id}/ehr_status": silent(),
    "PUT /openehr/v1/ehr/{ehr_id}/ehr_status": apart(ITS_STATUS),
    "GET /openehr/v1/ehr/{ehr_id}/ehr_status/{version_uid}": apart(ITS_STATUS),
    "GET /openehr/v1/ehr/{ehr_id}/versioned_ehr_status": silent(),
    "GET /openehr/v1/ehr/{ehr_id}/versioned_ehr_status/revision_history": silent(),
    "GET /openehr/v1/ehr/{ehr_id}/versioned_ehr_status/version": silent(),
    "GET /openehr/v1/ehr/{ehr_id}/versioned_ehr_status/version/{version_uid}": apart(ITS_STATUS),
    "POST /openehr/v1/ehr/{ehr_id}/composition": closed(json=NEW),
    "GET /openehr/v1/ehr/{ehr_id}/composition/{uid_based_id}": closed(),
    "PUT /openehr/v1/ehr/{ehr_id}/composition/{versioned_object_uid}": closed(json=NEW, **IF_VERSION),
    "DELETE /openehr/v1/ehr/{ehr_id}/composition/{version_uid}": closed(),
    f"GET {OBJECT}": closed(),
    f"GET {OBJECT}/revision_history": closed(),
    f"GET {OBJECT}/version": closed(),
    f"GET {OBJECT}/version/{{version_uid}}": closed(),
    "POST /openehr/v1/ehr/{ehr_id}/contribution": closed(json=contribution(update("249", NEW))),
    "GET /openehr/v1/ehr/{ehr_id}/contribution/{contribution_uid}": closed(),
    "POST /openehr/v1/ehr/{ehr_id}/directory": closed(json=folder("etter")),
    "GET /openehr/v1/ehr/{ehr_id}/directory": closed(),
    "PUT /openehr/v1/ehr/{ehr_id}/directory": closed(json=folder("etter"), **IF_FOLDER),
    "DELETE /openehr/v1/ehr/{ehr_id}/directory": closed(**IF_FOLDER),
    "GET /openehr/v1/ehr/{ehr_id}/directory/{version_uid}": closed(),
    "GET /openehr/v1/ehr/{ehr_id}/tags": closed(),
    "GET /openehr/v1/ehr/{ehr_id}/{tagged}/{uid_based_id}/tags": closed(),
    "PUT /openehr/v1/ehr/{ehr_id}/{tagged}/{uid_based_id}/tags": closed(json=[{"key": "ord"}]),
    "DELETE /openehr/v1/ehr/{ehr_id}/{tagged}/{uid_based_id}/tags/{key}": closed(),
    "GET /openehr/v1/query/aql": closed(params=ALL, **OF_HER),
    "POST /openehr/v1/query/aql": closed(json=ALL, **OF_HER),
    "POST /openehr/v1/query/check": apart("looks at templates only"),
    "POST /openehr/v1/query/complete": apart("looks at templates only"),
    "POST /openehr/v1/query/explain": closed(json=ALL, **OF_HER),
    "GET /openehr/v1/query/{qualified_query_name}": closed(**OF_HER),
    "POST /openehr/v1/query/{qualified_query_name}": closed(json={}, **OF_HER),
    "GET /openehr/v1/query/{qualified_query_name}/{version}": closed(**OF_HER),
    "POST /openehr/v1/query/{qualified_query_name}/{version}": closed(json={}, **OF_HER),
    "GET /analysis/v1/tables": silent(ANALYST),
    "GET /analysis/v1/tables/{name}": silent(ANALYST),
    "GET /analysis/v1/tables/{name}/codebook": silent(ANALYST),
    "GET /analysis/v1/projects": apart(PROJECTS),
    "PUT /analysis/v1/projects/{name}": apart(PROJECTS),
    "DELETE /analysis/v1/projects/{name}": apart(PROJECTS),
    "GET /analysis/v1/projects/{name}/permits": apart(PROJECTS),
    "POST /analysis/v1/projects/{name}/permits": apart(PROJECTS),
    "DELETE /analysis/v1/projects/{name}/permits/{permit_id}": apart(PROJECTS),
    "POST /openehr/v1/validate": apart("judges what is sent, and looks nothing up"),
    "DELETE /openehr/v1/admin/ehr/all": apart(UPKEEP),
    "DELETE /openehr/v1/admin/ehr/{ehr_id}": apart(UPKEEP),
    "GET /openehr/v1/admin/ehr/{ehr_id}/joins": apart(UPKEEP),
    "POST /openehr/v1/admin/ehr/{ehr_id}/joins": apart(UPKEEP),
    "DELETE /openehr/v1/admin/ehr/{ehr_id}/joins/{joined_ehr_id}": apart(UPKEEP),
    "DELETE /openehr/v1/admin/ehr/{ehr_id}/{erasable}/{versioned_object_uid}": apart(UPKEEP),
}
NO_PERSON = ("/openehr/v1/definition/", "/issuer/", "/.well-known/")
HELP = """
no row for {route} in ROWS of tests/api/test_doors_of_the_card.py.
Say what it does once a woman has withdrawn:
    "{route}": closed(json=...),   refused with consent.missing (give what a valid request needs)
    "{route}": silent(...),        answers, and holds nothing of hers
    "{route}": apart("reason"),    holds nothing of a card
"""


def operations(consenting: People) -> list[str]:
    described = consenting.client.app.openapi()["paths"]  # type: ignore[attr-defined]
    return [f"{method.upper()} {path}" for path, known in described.items() for method in known]


def test_every_operation_has_a_row(consenting: People) -> None:
    about_people = [route for route in operations(consenting) if not route.split()[1].startswith(NO_PERSON)]
    missing = [route for route in about_people if route not in ROWS]
    assert not missing, "".join(HELP.format(route=route) for route in missing)
    assert set(ROWS) <= set(about_people), "rows of operations that are gone"


class Places(dict[str, str]):
    """Values of what stands in braces in an address, a header or a body."""

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.format_map(self) if value.count("{") == 1 else value
        if isinstance(value, dict):
            return {name: self.filled(member) for name, member in value.items()}
        return value


def prepared(her: Her) -> Places:
    """Everything that a valid request could name."""
    base, said = f"/ehr/{her.ehr_id}", MIDWIFE.said()
    directory = her.rest("jordmor", "POST", f"{base}/directory", json=folder("mappe"), **said)
    stored = her.call(
        EDITOR,
        "PUT",
        f"{REST}/definition/query/no.test::alle/1.0.0",
        content=ALL["q"],
        headers={"Content-Type": "text/plain"},
    )
    assert (directory.status_code, stored.status_code) == (201, 200), (directory.text, stored.text)
    uid = her.uids[VISIBLE]
    version = her.rest(
        "jordmor", "GET", f"{base}/versioned_composition/{uid.partition('::')[0]}/version", **said
    )
    line = f'{{"ehr_id": "{her.ehr_id}", "composition": {orjson.dumps(NEW).decode()}}}'
    return Places(
        ehr_id=her.ehr_id,
        uid_based_id=uid.partition("::")[0],
        versioned_object_uid=uid.partition("::")[0],
        version_uid=uid,
        version=f'"{uid}"',
        folder=directory.headers["ETag"],
        contribution_uid=version.json()["contribution"]["id"]["value"],
        tagged="composition",
        name="contact",
        key="ord",
        qualified_query_name="no.test::alle",
        record_id=her.hers("GET", "/history").json()[-1]["recordId"],
        block_id=her.hers("GET", "/blocks").json()["blocks"][0]["id"],
        line=line,
    )


def calls(her: Her, places: Places, kind: str, method_wanted: str = "") -> list[tuple[str, Any]]:
    """Every operation of a kind (and of one method), carried out."""
    answers = []
    for route, row in ROWS.items():
        if row[0] == kind and len(row) == 3 and route.startswith(method_wanted):
            method, path = route.split()
            here = Places(places, version=places["version"])
            if "directory" in path:
                here["version_uid"] = places["folder"].strip('W/"')
            if "{version}" in path:
                path = path.replace("{version}", "1.0.0")
            address = path.format_map(here)
            options = {name: here.filled(value) for name, value in row[2].items()}
            if "content" in options:
                options["content"] = places["line"]
                options["headers"] = {"Content-Type": "application/x-ndjson"}
            answers.append((route, her.call(row[1], method, address, **options)))
    return answers


def test_withdrawal_closes_every_door_at_once(her: Her, consenting: People) -> None:
    places = prepared(her)
    reading = calls(her, places, CLOSED, "GET")
    assert {route: got.status_code for route, got in reading if got.status_code != 200} == {}
    removals = consenting.client.app.state.platform.store.removals  # type: ignore[attr-defined]
    consenting.client.portal.call(removals.stop)  # type: ignore[union-attr]
    withdrawn = her.hers("POST", "/consent/withdrawal", json=DOCUMENT)
    assert withdrawn.status_code == 202
    check_closed(her, places)  # everything is stored still
    consenting.client.portal.call(restart, removals)  # type: ignore[union-attr]
    ended(her, withdrawn.json()["removal"])
    check_closed(her, places)  # nothing is


async def restart(removals: Any) -> None:
    removals.start()


def check_closed(her: Her, places: Places) -> None:
    """Each door is closed, with one code, and nothing that was planted comes out anywhere."""
    for route, got in calls(her, places, CLOSED):
        assert (route, got.status_code, got.json()["code"]) == (route, 403, "consent.missing")
        assert not any(word in got.text for word in WORDS)
    for route, got in calls(her, places, SILENT):
        assert got.status_code in (200, 403), (route, got.text)
        assert not any(word in got.text for word in WORDS), route
    for who in (HERSELF, MIDWIFE, GP, HOSPITAL, EMERGENCY, ANALYST):
        for door in DOORS.values():
            assert not any(word in door(her, who) for word in WORDS)


def ended(her: Her, job: str) -> None:
    for _ in range(400):
        if her.hers("GET", f"/consent/removals/{job}").json()["ended"]:
            return
        time.sleep(0.05)
    raise AssertionError("the removal does not end")


def test_the_audit_holds_together(her: Her) -> None:
    checked = her.call(OFFICER, "GET", "/access/v1/audit/check")
    assert checked.status_code == 200 and "false" not in checked.text.lower(), checked.text
