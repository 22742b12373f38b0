"""AQL of analysts: nothing that names or tells, pseudonyms, and no small counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cdr import projects
from cdr.analysis.aql_view import Withheld
from cdr.compositions import create_composition
from cdr.context import Ctx, utc_now
from cdr.definitions import publish_library
from cdr.ehrs import create_ehr, erase_ehr
from cdr.queries import explain_query, run_query, stream_query
from cdr.versions import Lifecycle
from templates.compose import compose
from templates.header import HPR, Header, Party
from templates.repository import library_templates
from tests.cdr.analysis.test_analyst import NAME, NOTE, analyst, officer, planted
from tests.cdr.small_template import status
from tests.cdr.test_access import KARI, person

__all__ = ["planted"]
pytestmark = pytest.mark.anyio

FROM = "FROM EHR e CONTAINS COMPOSITION c"
PRESSURE = f"{FROM} CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"
SYSTOLIC = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude"
PERSON = f"{FROM} CONTAINS CLUSTER p[openEHR-EHR-CLUSTER.person.v1, 'Mor']"
EPDS = f"{FROM} CONTAINS OBSERVATION b[openEHR-EHR-OBSERVATION.edinburgh_pnd_scale.v0]"
NOTES = f"{FROM} CONTAINS EVALUATION n[openEHR-EHR-EVALUATION.clinical_synopsis.v1]"
NOTE_PATH = "n/data[at0001]/items[at0002]/value/value"
SMOKING = f"{FROM} CONTAINS EVALUATION s[openEHR-EHR-EVALUATION.tobacco_smoking_summary.v2]"
STATUS = "s/data[at0001]/items[at0089]/value/defining_code/code_string"

REFUSED = [
    ("SELECT c FROM EHR e CONTAINS COMPOSITION c", "identifier"),
    ("SELECT e FROM EHR e", "identifier"),
    (f"SELECT c/composer/identifiers/id {FROM}", "identifier"),
    (f"SELECT c/composer {FROM}", "identifier"),
    ("SELECT e/ehr_status/subject/external_ref/id/value FROM EHR e", "identifier"),
    ("SELECT v/commit_audit FROM EHR e CONTAINS VERSION v", "free text"),
    (f"SELECT p/items[at0001]/value/value {PERSON}", "identifier"),
    (f"SELECT p/items[at0001] {PERSON}", "identifier"),
    (f"SELECT {NOTE_PATH} {NOTES}", "free text"),
    (f"SELECT LENGTH({NOTE_PATH}) {NOTES}", "free text"),
    (f"SELECT MAX({NOTE_PATH}) {NOTES}", "free text"),
    (f"SELECT COUNT(*) {NOTES} WHERE {NOTE_PATH} LIKE '*{NOTE}*'", "free text"),
    (f"SELECT c/uid/value {NOTES} ORDER BY {NOTE_PATH}", "free text"),
    (f"SELECT x/value/value {FROM} CONTAINS ELEMENT x", "free text"),
    (f"SELECT x {FROM} CONTAINS ELEMENT x", "free text"),
    (f"SELECT x {FROM} CONTAINS SECTION x", "free text"),
    ("SELECT COUNT(*) FROM EHR e WHERE e/ehr_id/value = 'x'", "may stand in SELECT only"),
    ("SELECT e/ehr_id/value AS id FROM EHR e ORDER BY id", "orders nothing"),
    ("SELECT COUNT(*) FROM EHR e[ehr_id/value='x']", "no condition that stands in a predicate"),
    (f"SELECT x/name/value {FROM} CONTAINS ELEMENT x[value/value='{NOTE}']", "no condition"),
    (f"SELECT x/value/magnitude {EPDS} CONTAINS ELEMENT x[at0054]", "restricted"),
    (f"SELECT COUNT(x/value) {EPDS} CONTAINS ELEMENT x[at0054]", "restricted"),
]


async def test_what_an_analyst_may_not_ask(ctx: Ctx) -> None:
    await publish_library(ctx)
    for text, why in REFUSED:
        with pytest.raises(Withheld) as refused:
            await run_query(analyst(ctx), text)
        assert any(why in finding.expected for finding in refused.value.findings), text
    for use_case in (explain_query, stream_query):
        with pytest.raises(Withheld):
            await use_case(analyst(ctx), text)


async def test_ids_are_pseudonyms_and_measures_are_as_they_are(planted: Ctx) -> None:
    ids = "e/ehr_id/value AS ehr, c/uid/value AS uid, c/composer/name AS author"
    text = f"SELECT {ids}, {SYSTOLIC} AS s {PRESSURE}"
    (real,) = (await run_query(planted, text)).rows
    (seen,) = (await run_query(analyst(planted), text)).rows
    assert seen[3] == real[3] == 120
    assert not set(real[:3]) & set(seen[:3])
    assert all(len(cell) == 32 for cell in seen[:3])
    stream = await stream_query(analyst(planted), text)
    assert [row async for batch in stream.batches for row in batch] == [seen]
    assert (await run_query(planted, text, ehr_id=real[0])).rows == [real]
    with pytest.raises(Withheld):
        await run_query(analyst(planted), text, ehr_id=real[0])


async def test_a_permitted_field_may_be_asked_for(planted: Ctx) -> None:
    await projects.create_project(officer(planted), "notes", title="Notes", members=["ada"])
    ada = analyst(planted, project="notes")
    until = utc_now() + timedelta(days=1)
    await projects.permit(officer(planted), "notes", what="HK13.17", reason="notes", until=until)
    with pytest.raises(Withheld):  # the same archetype holds the note of the postnatal visit
        await run_query(ada, f"SELECT {NOTE_PATH} {NOTES}")
    await projects.permit(officer(planted), "notes", what="HK19.14", reason="notes", until=until)
    assert (await run_query(ada, f"SELECT {NOTE_PATH} {NOTES}")).rows == [[NOTE]]
    with pytest.raises(Withheld):
        await run_query(ada, f"SELECT p/items[at0001]/value/value {PERSON}")
    await projects.permit(officer(planted), "notes", what="identifier", reason="linkage", until=until)
    names = await run_query(ada, f"SELECT p/items[at0001]/value/value {PERSON}")
    assert [NAME] in list(names.rows)


async def women_who_smoke(ctx: Ctx, codes: list[str]) -> Ctx:
    """A woman for each code, all with consent."""
    ctx = replace(ctx, clock=utc_now)
    await publish_library(ctx)
    for number, code in enumerate(codes):
        header = Header(
            start_time="2025-03-10T10:00:00+01:00",
            setting="228",
            composer=Party(name="Lege", identifier="999000099", issuer=HPR),
            pregnancy_id=f"0c0a9a12-5f0e-4a8e-9d2e-{number:012}",
            contact_type="at0008",
        )
        composition = compose(library_templates()["helsekort_forste_kontroll.v0"], header, {"HK7.1": code})
        ehr_id = (await create_ehr(ctx, status=person(KARI) if not number else status(f"s{number}"))).ehr_id
        await create_composition(ctx, ehr_id, composition, lifecycle=Lifecycle.INCOMPLETE)
    return ctx


async def test_small_groups_and_what_would_tell_them_are_hidden(ctx: Ctx) -> None:
    codes = ["at0006"] * 8 + ["at0005"] * 6 + ["at0003"] * 2
    planted = await women_who_smoke(ctx, codes)
    text = f"SELECT {STATUS} AS status, COUNT(*) AS n {SMOKING} ORDER BY n DESC"
    assert (await run_query(planted, text)).rows == [["at0006", 8], ["at0005", 6], ["at0003", 2]]
    await projects.create_project(planted, "smoke", title="Smoke", members=[])
    ada = replace(planted, project="smoke")
    answer = await run_query(ada, text)
    assert answer.rows == [["at0006", 8], ["at0005", None], ["at0003", None]]
    assert answer.notes["_hidden_cells"] == 2
    assert (await run_query(ada, f"{text} LIMIT 1")).rows == [["at0006", 8]]
    assert (await run_query(ada, text, offset=1, fetch=1)).rows == [["at0005", None]]
    stream = await stream_query(ada, text)
    assert [row async for batch in stream.batches for row in batch] == answer.rows
    few = f"SELECT COUNT(*) AS n, MAX(c/context/start_time/value) AS last {SMOKING} WHERE {STATUS} = 'at0003'"
    assert (await run_query(ada, few)).rows == [[None, None]]
    nobody = f"SELECT COUNT(*) AS n {SMOKING} WHERE {STATUS} = 'at0009'"
    assert (await run_query(ada, nobody)).rows == [[0]]
    without_ehr = "SELECT COUNT(c) AS n FROM COMPOSITION c"
    assert (await run_query(ada, without_ehr)).rows == [[16]]
    until = utc_now() + timedelta(days=1)
    await projects.permit(planted, "smoke", what="small cells", reason="inside", until=until)
    assert (await run_query(ada, text)).rows == [["at0006", 8], ["at0005", 6], ["at0003", 2]]


async def test_an_answer_about_the_past_says_how_many_were_erased(planted: Ctx) -> None:
    then = utc_now().isoformat()
    text = f"SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c AS OF '{then}'"
    (row,) = (await run_query(planted, "SELECT e/ehr_id/value FROM EHR e")).rows
    before = await run_query(planted, text)
    assert (len(before.rows), before.notes["_erased_since"]) == (2, 0)
    await erase_ehr(planted, row[0])
    after = await run_query(planted, text)
    assert (after.rows, after.notes["_erased_since"]) == ([], 1)
    assert (await stream_query(planted, text)).erased_since == 1
