"""The record with a terminology service: new data with retired or unknown codes are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cdr import definitions, ehrs
from cdr.compositions import create_composition
from cdr.context import Ctx
from cdr.errors import InvalidComposition
from cdr.terminology import FhirTerminology, LocalTerminology, read_code_system
from cdr.validation import judge_composition
from tests.cdr.terminology.test_local import NEW, OLD, code_system, visit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def record(ctx: Ctx) -> Ctx:
    """A record that knows two releases of ICD-10."""
    await definitions.publish_library(ctx)
    terminology = LocalTerminology([read_code_system(OLD), read_code_system(NEW)])
    return replace(ctx, terminology=terminology)


async def stored(ctx: Ctx, code: str) -> Any:
    ehr = await ehrs.create_ehr(ctx)
    return await create_composition(ctx, ehr.ehr_id, complete_visit(code))


def complete_visit(code: str) -> dict[str, Any]:
    return visit(code, pregnancy_id="S1", contact_type="at0009")


async def test_a_known_code_is_stored(record: Ctx) -> None:
    assert (await stored(record, "O15")).uid


async def test_a_retired_code_is_refused_and_its_successor_named(record: Ctx) -> None:
    with pytest.raises(InvalidComposition) as refused:
        await stored(record, "X1")
    (finding,) = refused.value.findings
    assert (finding.code, finding.expected) == ("terminology.retired", "X3")


async def test_without_a_service_only_the_template_counts(record: Ctx) -> None:
    assert (await stored(replace(record, terminology=None), "X1")).uid


async def test_a_silent_server_refuses_by_default_and_warns_if_told_to(record: Ctx) -> None:
    silent = replace(record, terminology=FhirTerminology("http://127.0.0.1:9/", timeout=0.2))
    refused = await judge_composition(silent, complete_visit("O15"))
    assert ([f.code for f in refused.findings], refused.accepted) == (["terminology.unreachable"], False)
    settings = record.settings.model_copy(update={"terminology_silence": "accept"})
    warned = await judge_composition(replace(silent, settings=settings), complete_visit("O15"))
    assert ([f.code for f in warned.findings], warned.accepted) == (["terminology.unchecked"], True)


async def test_what_lies_below_a_forbidden_code_is_kept_off_the_card(record: Ctx) -> None:
    below = code_system(
        "2025", "2025-01-01", [{"code": "O04", "display": "x", "concept": [{"code": "Q1", "display": "y"}]}]
    )
    knowing = replace(record, terminology=LocalTerminology([read_code_system(below)]))
    judged = await judge_composition(knowing, complete_visit("Q1"))
    assert [finding.code for finding in judged.findings] == ["card.not_on_card"]
