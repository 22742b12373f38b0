"""Nobody gets into a use case without an access decision, or out of it without an audit entry."""

from __future__ import annotations

import inspect
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import pytest

from cdr import (
    access_log,
    adl2,
    card_tables,
    cards,
    code_checks,
    code_list_impact,
    code_lists,
    compositions,
    consents,
    contributions,
    definitions,
    directory,
    ehrs,
    her_copy,
    joining,
    projects,
    queries,
    relations,
    restoring,
    row_upkeep,
    stored_queries,
    subjects,
    tags,
    validation,
)
from cdr.access import Action
from cdr.audit import AuditEntry, AuditSearch, Outcome
from cdr.context import Ctx
from cdr.doors import Call, action_of, asking, reading, writing
from cdr.erasure_ledger import Done, Erased
from cdr.errors import BadRequest, CdrError, NotAllowed, UnknownEhr
from cdr.settings import Mode, Settings
from cdr.terminology import CodeSystemRelease, Concept
from cdr.versions import Kind
from templates.opt import write_opt
from templates.repository import library_templates
from tests.archetypes.adl_texts import small_adl2
from tests.cdr.consent_arguments import CONSENT_ARGUMENTS
from tests.cdr.small_template import note, random_id, status
from tests.cdr.updates import contribution, folder, update

pytestmark = pytest.mark.anyio

SOME_EHR = "8849182c-82ad-4088-a07f-48ead4180515"
MODULES = (
    access_log,
    card_tables,
    projects,
    code_checks,
    code_list_impact,
    code_lists,
    ehrs,
    compositions,
    contributions,
    directory,
    definitions,
    adl2,
    queries,
    relations,
    row_upkeep,
    stored_queries,
    tags,
    validation,
    joining,
    subjects,
    cards,
    consents,
    her_copy,
    restoring,
)
UseCase = Callable[..., Awaitable[Any]]
Arrange = Callable[[Ctx], Awaitable[dict[str, Any]]]


def public_functions(module: ModuleType) -> dict[str, UseCase]:
    """The async functions that a module offers."""
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.iscoroutinefunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
    }


USE_CASES = {name: function for module in MODULES for name, function in public_functions(module).items()}


async def an_ehr(ctx: Ctx) -> dict[str, Any]:
    return {"ehr_id": (await ehrs.create_ehr(ctx, status=status("p-1"))).ehr_id}


async def a_status(ctx: Ctx) -> dict[str, Any]:
    created = await ehrs.create_ehr(ctx)
    return {"ehr_id": created.ehr_id, "status": status(), "preceding_uid": str(created.status.uid)}


async def a_note(ctx: Ctx) -> dict[str, Any]:
    return await an_ehr(ctx) | {"composition": note()}


async def an_object(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_ehr(ctx)
    stored = await compositions.create_composition(ctx, arguments["ehr_id"], note())
    return arguments | {"object_id": stored.uid.object_id}


async def a_version(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_object(ctx)
    return {"ehr_id": arguments["ehr_id"], "version_uid": f"{arguments['object_id']}::no.helsekort.cdr::1"}


async def an_update(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_object(ctx)
    preceding = f"{arguments['object_id']}::no.helsekort.cdr::1"
    return arguments | {"composition": note(), "preceding_uid": preceding}


async def a_composition_uid(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_version(ctx)
    return {"ehr_id": arguments["ehr_id"], "uid": arguments["version_uid"]}


async def a_contribution(ctx: Ctx) -> dict[str, Any]:
    ehr = await ehrs.create_ehr(ctx)
    return {"ehr_id": ehr.ehr_id, "uid": ehr.status.contribution_id}


async def a_new_contribution(ctx: Ctx) -> dict[str, Any]:
    return await an_ehr(ctx) | {"body": contribution(update("249", note()))}


async def a_folder(ctx: Ctx) -> dict[str, Any]:
    return await an_ehr(ctx) | {"folder": folder()}


async def a_directory(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_folder(ctx)
    await directory.create_directory(ctx, **arguments)
    return {"ehr_id": arguments["ehr_id"]}


async def a_directory_version(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_directory(ctx)
    latest = await directory.get_directory(ctx, **arguments)
    return arguments | {"preceding_uid": str(latest.uid)}


async def a_directory_update(ctx: Ctx) -> dict[str, Any]:
    return await a_directory_version(ctx) | {"folder": folder("new")}


async def a_subject(ctx: Ctx) -> dict[str, Any]:
    await an_ehr(ctx)
    return {"subject_id": "p-1", "namespace": "demo"}


async def a_source(ctx: Ctx) -> dict[str, Any]:
    return {"source": write_opt(library_templates()["helsekort_kontroll.v0"])}


async def a_template(ctx: Ctx) -> dict[str, Any]:
    published = await definitions.publish_template(ctx, **await a_source(ctx))
    return {"template_id": published.template_id}


async def an_adl2_source(ctx: Ctx) -> dict[str, Any]:
    return {"source": small_adl2(f"openEHR-EHR-CLUSTER.t{uuid.uuid4().hex}.v1.0.0").encode()}


async def an_adl2_template(ctx: Ctx) -> dict[str, Any]:
    return {"template_id": (await adl2.publish_adl2(ctx, **await an_adl2_source(ctx))).id}


async def a_query(ctx: Ctx) -> dict[str, Any]:
    return {"text": "SELECT e/ehr_id/value FROM EHR e"}


async def a_begun_query(ctx: Ctx) -> dict[str, Any]:
    return {"text": "SELECT e/", "position": 9}


async def a_named_query(ctx: Ctx) -> dict[str, Any]:
    return await a_query(ctx) | {"name": "no.helsekort::all"}


async def the_start_of_a_name(ctx: Ctx) -> dict[str, Any]:
    return {"start": "no.helsekort"}


async def a_stored_query(ctx: Ctx) -> dict[str, Any]:
    stored = await stored_queries.store_query(ctx, **await a_named_query(ctx))
    return {"name": stored.name, "version": stored.version}


async def a_document(ctx: Ctx) -> dict[str, Any]:
    return {"composition": note()}


async def a_target(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_object(ctx)
    return {"ehr_id": arguments["ehr_id"], "kind": Kind.COMPOSITION, "uid": arguments["object_id"]}


async def some_tags(ctx: Ctx) -> dict[str, Any]:
    return await a_target(ctx) | {"tags": [{"key": "flag"}]}


async def a_tag(ctx: Ctx) -> dict[str, Any]:
    arguments = await a_target(ctx)
    await tags.set_tags(ctx, **arguments, tags=[{"key": "flag"}])
    return arguments | {"key": "flag"}


async def a_release(ctx: Ctx) -> dict[str, Any]:
    return {"release": CodeSystemRelease("urn:oid:1.2.3", "1", date(2026, 1, 1), {"a": Concept("a", "A")})}


async def a_code_list(ctx: Ctx) -> dict[str, Any]:
    await code_lists.import_code_list(ctx, **await a_release(ctx))
    return {"url": "urn:oid:1.2.3"}


async def an_added_id(ctx: Ctx) -> dict[str, Any]:
    return await an_ehr(ctx) | {"namespace": "demo", "subject_id": "was-hers"}


async def a_former_id(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_added_id(ctx)
    await subjects.add_subject_id(ctx, **arguments)
    return arguments


async def two_ehrs(ctx: Ctx) -> dict[str, Any]:
    joined = await ehrs.create_ehr(ctx)
    return await an_ehr(ctx) | {"joined_id": joined.ehr_id, "reason": "one woman"}


async def a_join(ctx: Ctx) -> dict[str, Any]:
    arguments = await two_ehrs(ctx)
    await joining.join_ehrs(ctx, **arguments)
    return {name: arguments[name] for name in ("ehr_id", "joined_id")}


async def a_relation(ctx: Ctx) -> dict[str, Any]:
    arguments = await an_ehr(ctx)
    await relations.open_relation(ctx, **arguments)
    return arguments | {"organisation": ctx.actor.organisation}


async def a_search(ctx: Ctx) -> dict[str, Any]:
    return {"wanted": AuditSearch()}


async def a_table(ctx: Ctx) -> dict[str, Any]:
    return {"name": "woman"}


async def a_new_project(ctx: Ctx) -> dict[str, Any]:
    return {"name": "anaemia", "title": "Anaemia", "members": ["ada"]}


async def a_project(ctx: Ctx) -> dict[str, Any]:
    return {"name": (await projects.create_project(ctx, **await a_new_project(ctx))).name}


async def members(ctx: Ctx) -> dict[str, Any]:
    return await a_project(ctx) | {"members": ["ada", "bo"]}


async def of_a_project(ctx: Ctx) -> dict[str, Any]:
    return {"project": (await a_project(ctx))["name"]}


async def a_new_permit(ctx: Ctx) -> dict[str, Any]:
    until = ctx.clock() + timedelta(days=30)
    return await of_a_project(ctx) | {"what": "HK13.17", "reason": "notes", "until": until}


async def a_permit(ctx: Ctx) -> dict[str, Any]:
    made = await projects.permit(ctx, **await a_new_permit(ctx))
    return {"project": made.project, "permit_id": made.id}


async def some_lines(ctx: Ctx) -> dict[str, Any]:
    return {"lines": [Erased(random_id(), Done.EHR, ctx.clock(), ("mark",))]}


async def nothing(ctx: Ctx) -> dict[str, Any]:
    return {}


ARGUMENTS: dict[str, Arrange] = {
    **CONSENT_ARGUMENTS,
    "read_log": an_ehr,
    "search_audit": a_search,
    "export_audit": nothing,
    "check_audit": nothing,
    "get_relations": an_ehr,
    "open_relation": an_ehr,
    "end_relation": a_relation,
    "list_card_tables": nothing,
    "card_table": a_table,
    "table_codebook": a_table,
    "create_project": a_new_project,
    "list_projects": nothing,
    "set_members": members,
    "end_project": a_project,
    "permit": a_new_permit,
    "list_permits": of_a_project,
    "withdraw_permit": a_permit,
    "create_ehr": nothing,
    "get_ehr": an_ehr,
    "get_ehr_by_subject": a_subject,
    "get_ehr_status": an_ehr,
    "update_ehr_status": a_status,
    "get_versioned_ehr_status": an_ehr,
    "get_ehr_status_history": an_ehr,
    "erase_ehr": an_ehr,
    "reapply_erasures": some_lines,
    "delete_all_ehrs": nothing,
    "create_composition": a_note,
    "get_composition": a_composition_uid,
    "update_composition": an_update,
    "delete_composition": a_version,
    "get_versioned_composition": an_object,
    "get_composition_history": an_object,
    "get_composition_version": an_object,
    "create_contribution": a_new_contribution,
    "get_contribution": a_contribution,
    "erase_object": an_object,
    "get_subject_ids": an_ehr,
    "add_subject_id": an_added_id,
    "withdraw_subject_id": a_former_id,
    "join_ehrs": two_ehrs,
    "split_ehrs": a_join,
    "get_joins": an_ehr,
    "get_ehr_tags": an_ehr,
    "get_tags": a_target,
    "set_tags": some_tags,
    "delete_tag": a_tag,
    "create_directory": a_folder,
    "get_directory": a_directory,
    "update_directory": a_directory_update,
    "delete_directory": a_directory_version,
    "publish_adl2": an_adl2_source,
    "get_adl2": an_adl2_template,
    "list_adl2_templates": nothing,
    "publish_template": a_source,
    "publish_library": nothing,
    "list_templates": nothing,
    "get_template": a_template,
    "get_web_template": a_template,
    "get_operational_template": a_template,
    "run_query": a_query,
    "stream_query": a_query,
    "explain_query": a_query,
    "check_query": a_query,
    "complete_query": a_begun_query,
    "judge_composition": a_document,
    "import_code_list": a_release,
    "list_code_lists": nothing,
    "get_code_list": a_code_list,
    "code_list_impact": a_release,
    "recheck_codes": nothing,
    "list_code_checks": nothing,
    "store_query": a_named_query,
    "list_queries": the_start_of_a_name,
    "get_query": a_stored_query,
    "rebuild_rows": nothing,
    "check_rows": nothing,
    "delete_query": a_stored_query,
}


async def entries(ctx: Ctx) -> list[AuditEntry]:
    """The whole audit."""
    return [entry async for batch in ctx.store.audit_batches() for entry in batch.entries]


def test_every_use_case_is_behind_a_door_and_is_tried_here() -> None:
    assert {name for name, function in USE_CASES.items() if action_of(function) is None} == set()
    assert set(USE_CASES) == set(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_each_use_case_leaves_an_entry(ctx: Ctx, name: str) -> None:
    arguments = await ARGUMENTS[name](ctx)
    before = Counter(await entries(ctx))
    await USE_CASES[name](ctx, **arguments)
    new = list(Counter(await entries(ctx)) - before)
    action = action_of(USE_CASES[name])
    assert action is not None
    assert {entry.action for entry in new} == {action.value}
    assert {entry.actor for entry in new} == {"anna"}
    assert {entry.organisation for entry in new} == {"Solbakken helsestasjon"}
    if "ehr_id" in arguments:
        assert {entry.ehr_id for entry in new} <= {arguments["ehr_id"], arguments.get("joined_id"), None}
    assert await ctx.store.audit_faults() == []


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_production_lets_nobody_in_before_it_can_check_identities(ctx: Ctx, name: str) -> None:
    arguments = await ARGUMENTS[name](ctx)
    before = len(await entries(ctx))
    settings = Settings(
        mode=Mode.PRODUCTION, issuer="https://issuer.example", public_url="https://cdr.example"
    )
    with pytest.raises(NotAllowed):
        await USE_CASES[name](replace(ctx, settings=settings), **arguments)
    found = await entries(ctx)
    assert len(found) == before + 1
    (denied,) = [entry for entry in found if entry.outcome is Outcome.DENIED]
    assert denied.action == action_of(USE_CASES[name])
    assert denied.ehr_id == arguments.get("ehr_id")


async def test_a_refused_request_is_in_the_audit_with_its_code(ctx: Ctx) -> None:
    nobody = random_id()
    with pytest.raises(UnknownEhr):
        await compositions.create_composition(ctx, nobody, note())
    (entry,) = await ctx.store.audit_entries(nobody)
    assert (entry.outcome, entry.detail) == (Outcome.REFUSED, "ehr.unknown")


async def test_a_use_case_that_forgets_its_entry_gives_no_answer(ctx: Ctx) -> None:
    @asking(Action.QUERY)
    async def forgetful(call: Call) -> str:
        return "secret"

    with pytest.raises(AssertionError, match="forgetful"):
        await forgetful(ctx)


async def test_the_error_of_a_read_rises_after_its_entry(ctx: Ctx) -> None:
    @reading(Action.READ_EHR)
    async def failing(call: Call, ehr_id: str) -> str:
        raise BadRequest("no")

    with pytest.raises(BadRequest):
        await failing(ctx, SOME_EHR.upper())
    assert [entry.outcome for entry in await ctx.store.audit_entries(SOME_EHR)] == [Outcome.GRANTED]


async def test_the_basis_of_a_request_is_recorded(ctx: Ctx) -> None:
    @writing(Action.ERASE_EHR)
    async def recording(call: Call, *, ehr_id: str) -> None:
        await call.record([call.entry(Outcome.DONE)])

    await recording(replace(ctx, basis="SAMTYKKE"), ehr_id=SOME_EHR)
    assert [entry.why for entry in await ctx.store.audit_entries(SOME_EHR)] == ["SAMTYKKE"]


async def test_the_audit_says_which_object_was_read(ctx: Ctx) -> None:
    arguments = await a_composition_uid(ctx)
    await compositions.get_composition(ctx, arguments["ehr_id"], arguments["uid"])
    found = await ctx.store.audit_entries(arguments["ehr_id"])
    assert ("composition.read", arguments["uid"]) in {(entry.action, entry.what) for entry in found}


async def test_a_text_that_is_no_ehr_id_does_not_get_into_the_audit(ctx: Ctx) -> None:
    with pytest.raises(UnknownEhr):
        await ehrs.get_ehr(ctx, "13097248022")
    (entry,) = await entries(ctx)
    assert entry.action == "ehr.read"
    assert "13097248022" not in str(entry)


def test_every_error_of_ours_has_a_code_of_its_own() -> None:
    def below(kind: type[CdrError]) -> list[type[CdrError]]:
        own = [each for each in kind.__subclasses__() if each.__module__ == "cdr.errors"]
        return [*own, *(deeper for each in own for deeper in below(each))]

    codes = [kind.code for kind in below(CdrError)]
    assert len(codes) == len(set(codes))
