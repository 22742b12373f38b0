"""Rows of compositions: what they hold, that they are kept at commit, made again, and found wrong."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Any

import pytest

from bench.women import women
from cdr import compositions, definitions, ehrs, queries, row_upkeep
from cdr.context import Ctx
from cdr.definitions import PathCodeShared
from cdr.stored_rows import MAX_ROWS, chain, make_rows, places, root_code, slot_segment
from cdr.stored_rows.places import place_marks, shared_code
from templates.opt import write_opt
from templates.repository import library_templates
from tests.cdr.aql.records import (
    DEVICE,
    ENCOUNTER,
    PRESSURE,
    composition,
    element,
    event,
    node,
    observation,
    pressure,
    quantity,
    text,
)
from tests.cdr.small_template import note, small_template


def code(archetype: str, *segments: tuple[str, str | None]) -> str:
    found = root_code(archetype)
    for attribute, node_id in segments:
        found = chain(found, slot_segment(attribute, node_id))
    return found


SYSTOLIC = code(
    PRESSURE,
    *(("data", "at0001"), ("events", "at0006"), ("data", "at0003"), ("items", "at0004")),
    *(("value", None), ("magnitude", None)),
)


def test_events_and_archetype_roots_have_rows_and_the_rest_folds_into_them() -> None:
    device = node("CLUSTER", DEVICE, "cuff", items=[element("at0001", text("L"))])
    one = observation(PRESSURE, pressure(148, 94), pressure(152, None), name="pressure")
    one["protocol"] = node("ITEM_TREE", "at0011", items=[device, device])
    rows = make_rows(composition(ENCOUNTER, node("SECTION", "at0007", "mother", items=[one])))
    assert rows is not None
    shape = [(row["c"], row["p"], row.get("a", ""), row["m"]) for row in rows]
    assert shape == [
        ("COMPOSITION", -1, ENCOUNTER, "composition"),
        ("SECTION", 0, "", "mother"),
        ("OBSERVATION", 1, PRESSURE, "pressure"),
        ("POINT_EVENT", 2, "", "node"),
        ("POINT_EVENT", 2, "", "node"),
        ("CLUSTER", 2, DEVICE, "cuff"),
        ("CLUSTER", 2, DEVICE, "cuff"),
    ]
    assert [row["v"].get(SYSTOLIC) for row in rows] == [None, None, None, 148, 152, None, None]


def test_siblings_of_one_node_id_have_rows_of_their_own() -> None:
    twice = event("2024-01-01", element("at0004", quantity(1)), element("at0004", quantity(2)))
    rows = make_rows(composition(ENCOUNTER, observation(PRESSURE, twice)))
    assert rows is not None
    assert [(row["p"], row["v"][SYSTOLIC]) for row in rows if SYSTOLIC in row["v"]] == [(2, 1), (2, 2)]


def test_codes_are_the_same_for_all_minor_versions_of_an_archetype_and_no_other() -> None:
    assert root_code(PRESSURE) == root_code(PRESSURE + ".0.4")
    assert len({root_code(PRESSURE), root_code(PRESSURE + "0"), root_code(PRESSURE + "-rc.1")}) == 3


@pytest.mark.parametrize(
    "content",
    [
        [observation(PRESSURE, *[pressure(1, 2)] * MAX_ROWS)],
        [observation(PRESSURE, *[event("2024", element("at0004", text("x" * 3000)))] * 400)],
        [observation(PRESSURE, event("2024", element("at0004", {"_type": "DV_COUNT", "magnitude": 2**63})))],
    ],
    ids=["too many", "too large", "beyond 64 bits"],
)
def test_what_rows_cannot_hold_has_none(content: list[dict[str, Any]]) -> None:
    assert make_rows(composition(ENCOUNTER, *content)) is None


@pytest.mark.anyio
async def test_rows_are_kept_at_commit_made_again_and_found_wrong(ctx: Ctx) -> None:
    ehr_id = (await ehrs.create_ehr(ctx)).ehr_id
    stored = [await compositions.create_composition(ctx, ehr_id, note()) for _ in range(3)]
    versions = ctx.store._database.versions
    kept = await versions.find({"k": "COMPOSITION"}, {"rows": 1, "full": 1}).to_list()
    assert all(document["full"] == 1 and document["rows"] for document in kept)
    assert (await row_upkeep.check_rows(ctx)).wrong == ()

    ids = [f"{each.uid.object_id}::1" for each in stored]
    await versions.update_one({"_id": ids[0]}, {"$unset": {"rows": ""}, "$set": {"full": 0}})
    await versions.update_one({"_id": ids[1]}, {"$set": {"rows.0.m": "another name"}})
    found = await row_upkeep.check_rows(ctx)
    assert (found.checked, found.outdated, found.wrong) == (3, 1, (ids[1],))

    # A composition without rows takes part in queries as before.
    text_ = "SELECT c/uid/value, c/name/value FROM EHR e CONTAINS COMPOSITION c"
    assert len((await queries.run_query(ctx, text_)).rows) == 3
    steps: list[tuple[int, int]] = []
    assert (await row_upkeep.rebuild_rows(ctx, progress=lambda *step: steps.append(step))).made == 1
    assert steps == [(1, 1)]
    assert (await versions.find_one({"_id": ids[0]}, {"rows": 1, "full": 1})) == kept[0] | {"_id": ids[0]}


# -- path codes ---------------------------------------------------------------------------------------


def test_every_value_of_the_card_stands_under_a_code_of_its_template() -> None:
    library = library_templates()
    for contact in (contact for woman in women(3, "codes") for contact in woman.contacts):
        rows = make_rows(contact.composition(library))
        assert rows is not None
        codes = {stored.rstrip("~") for row in rows for stored in row["v"]}
        known = {codes_of(mark) for mark in place_marks(library[contact.template_id])}
        assert codes <= known, contact.id


def codes_of(mark: int) -> str:
    return urlsafe_b64encode((mark >> 16).to_bytes(6)).decode()


def test_no_two_places_of_the_library_share_a_code() -> None:
    assert shared_code(list(library_templates().values())) is None


async def test_a_template_whose_places_share_a_code_is_not_published(
    ctx: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With codes of eight bits, for nobody can wait for a case with forty-eight."""

    def short(above: str, segment: str) -> str:
        digest = blake2b(f"{above}{segment}".encode(), digest_size=1).digest()
        return urlsafe_b64encode(bytes(5) + digest).decode()

    monkeypatch.setattr(places, "chain", short)
    opt = write_opt(small_template("crowded.v0"))
    with pytest.raises(PathCodeShared) as caught:
        await definitions.publish_template(ctx, opt)
    assert "openEHR-EHR-COMPOSITION.note.v1/" in str(caught.value)
    assert await ctx.store.templates.newest_revision("crowded.v0") in (None, 0)
