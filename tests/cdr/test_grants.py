"""Scopes of SMART on openEHR: what their patterns name, and what a token with them may do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdr import compositions, ehrs, queries, stored_queries
from cdr.access import Asked, decide
from cdr.access_rules import SCOPES, Action
from cdr.actor import ActorKind
from cdr.audit import Outcome
from cdr.context import Ctx
from cdr.errors import NotAllowed
from cdr.facts import Facts
from cdr.grants import Grant, read_grants
from cdr.identity.mapping import claim_mapping
from cdr.settings import BUILTIN, Settings
from tests.cdr.small_template import TEMPLATE_ID, note
from tests.cdr.test_access import ANALYST, CITIZEN, HERS, IN_CARE, MIDWIFE


@pytest.mark.parametrize(
    ("pattern", "name", "named"),
    [
        ("*", "MyHospital::Template.v0", True),
        ("*", "", True),
        ("**", "a::b", True),
        ("MyHospital::Template.v0", "MyHospital::Template.v0", True),
        ("MyHospital::Template.v0", "MyHospital::Template_v0", False),
        ("*::Template.v0", "Other::Template.v0", True),
        ("*::Template.v0", "Template.v0", False),
        ("MyHospital::*", "MyHospital::a", True),
        ("MyHospital::*", "Other::a", False),
        ("helsekort_*", "helsekort_kontroll.v0", True),
        ("helsekort_*", "", False),
        (".*", "anything", False),
    ],
)
def test_patterns(pattern: str, name: str, named: bool) -> None:
    assert Grant("user", "template", pattern, "r").names(name) is named


def test_only_scopes_about_data_are_grants() -> None:
    scopes = ["openid", "launch/patient", "user/composition-*.crud", "user/observation-*.r", "user/aql-x.z"]
    assert read_grants(scopes) == (Grant("user", "composition", "*", "crud"),)


def test_every_scope_of_the_mapping_means_something() -> None:
    for name, meaning in claim_mapping().scopes.items():
        assert len(read_grants(meaning.grants)) == len(meaning.grants) > 0, name


@pytest.mark.parametrize(
    ("scopes", "action", "code"),
    [
        (["user/composition-*.r"], Action.READ_COMPOSITION, ""),
        (["user/composition-*.r"], Action.CREATE_COMPOSITION, "access.scope"),
        (["user/aql-*.rs"], Action.READ_COMPOSITION, "access.scope"),
        (["patient/composition-*.r"], Action.READ_COMPOSITION, ""),
        (["patient/composition-*.r", "user/composition-x.r"], Action.READ_COMPOSITION, ""),
    ],
)
def test_the_decision_asks_for_scopes(scopes: list[str], action: Action, code: str) -> None:
    actor = replace(MIDWIFE, grants=read_grants(scopes), launch_ehr="ehr-1")
    assert decide(Asked(actor, action, IN_CARE, "UNNTAK", ehr_id="ehr-1")).code == code


def test_a_token_for_one_patient_opens_her_record_only() -> None:
    scope = read_grants(["patient/composition-*.r"])
    actor = replace(MIDWIFE, grants=scope, launch_ehr="ehr-1")
    for ehr_id, code in (("ehr-1", ""), ("ehr-2", "access.scope")):
        assert decide(Asked(actor, Action.READ_EHR, IN_CARE, "UNNTAK", ehr_id=ehr_id)).code == code
    herself = replace(CITIZEN, grants=scope)
    assert decide(Asked(herself, Action.READ_EHR, HERS, ehr_id="ehr-1")).allowed
    assert not decide(Asked(herself, Action.READ_EHR, Facts(exists=True), ehr_id="ehr-2")).allowed


def test_scopes_are_asked_of_known_actions() -> None:
    assert set(SCOPES) <= set(Action)


@pytest.fixture
def enforcing(ctx: Ctx) -> Ctx:
    return replace(
        ctx, actor=MIDWIFE, settings=Settings(mode=ctx.settings.mode, issuer=BUILTIN), basis="UNNTAK"
    )


@pytest.mark.anyio
async def test_a_template_out_of_scope_is_neither_written_nor_read(enforcing: Ctx) -> None:
    ehr = await ehrs.create_ehr(enforcing)
    for pattern, allowed in ((TEMPLATE_ID, True), ("other.v0", False)):
        limited = replace(MIDWIFE, grants=read_grants([f"user/composition-{pattern}.c"]))
        caller = replace(enforcing, actor=limited)
        if allowed:
            await compositions.create_composition(caller, ehr.ehr_id, note())
            continue
        with pytest.raises(NotAllowed) as refused:
            await compositions.create_composition(caller, ehr.ehr_id, note())
        assert refused.value.code == "access.scope"
    (uid,) = {
        entry.what for entry in await enforcing.store.audit_entries(ehr.ehr_id) if "::" in entry.what
    } - {str(ehr.status.uid)}
    for pattern, allowed in ((TEMPLATE_ID, True), ("other.v0", False)):
        limited = replace(MIDWIFE, grants=read_grants([f"user/composition-{pattern}.r"]))
        caller = replace(enforcing, actor=limited)
        if allowed:
            assert (await compositions.get_composition(caller, ehr.ehr_id, uid)).template_id == TEMPLATE_ID
            continue
        with pytest.raises(NotAllowed) as refused:
            await compositions.get_composition(caller, ehr.ehr_id, uid)
        assert refused.value.code == "access.scope"
    entries = [e for e in await enforcing.store.audit_entries(ehr.ehr_id) if e.action != "composition.read"]
    assert sorted(entry.outcome for entry in entries) == [Outcome.DENIED, Outcome.DONE, Outcome.DONE]


@pytest.mark.anyio
async def test_a_stored_query_in_scope_runs_and_no_other(enforcing: Ctx) -> None:
    text = "SELECT e/ehr_id/value FROM EHR e"
    limited = replace(ANALYST, kind=ActorKind.ANALYST, grants=read_grants(["user/aql-no.helsekort::*.crs"]))
    caller = replace(enforcing, actor=limited)
    await stored_queries.store_query(caller, "no.helsekort::all", text)
    await queries.run_query(caller, text, name="no.helsekort::all/1.0.0")
    for name in (None, "org.other::all/1.0.0"):
        with pytest.raises(NotAllowed) as refused:
            await queries.run_query(caller, text, name=name)
        assert refused.value.code == "access.scope"
