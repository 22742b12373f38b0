"""The FHIR client against a server on this machine: answers, silence, cache."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date

import pytest

from archetypes.findings import Severity
from cdr.terminology import Answer, Coding, FhirTerminology, Unreachable, Verdict, terminology_findings
from cdr.terminology.check import CodeUse
from cdr.terminology.service import TerminologyUnreachable, UnknownValueSet
from tests.cdr.terminology.stand_in import SYSTEM, VALUE_SET, StandIn, running

pytestmark = pytest.mark.anyio
DAY = date(2026, 3, 2)
LEMON, APPLE, STONE = (Coding(SYSTEM, code) for code in ("L", "A", "stone"))


@pytest.fixture
def server() -> Iterator[StandIn]:
    with running() as stand_in:
        yield stand_in


@pytest.fixture
async def client(server: StandIn) -> AsyncIterator[FhirTerminology]:
    opened = FhirTerminology(server.url, timeout=0.3)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("coding", "value_set", "verdict"),
    [
        (LEMON, None, Verdict.VALID),
        (STONE, None, Verdict.INVALID),
        (LEMON, VALUE_SET, Verdict.VALID),
        (APPLE, VALUE_SET, Verdict.INVALID),
        (LEMON, "http://example.org/none", Verdict.UNKNOWN),
        (Coding("http://example.org/none", "L"), None, Verdict.UNKNOWN),
    ],
)
async def test_validate_code(
    client: FhirTerminology, coding: Coding, value_set: str | None, verdict: Verdict
) -> None:
    assert (await client.validate_code(coding, value_set, DAY)).verdict is verdict


async def test_lookup_expand_and_subsumes(client: FhirTerminology) -> None:
    assert await client.lookup(LEMON, DAY) == Answer(Verdict.VALID, "Lemon")
    assert (await client.lookup(STONE, DAY)).verdict is Verdict.UNKNOWN
    assert [coding.display for coding in await client.expand(VALUE_SET, DAY)] == ["Lemon", "Orange"]
    assert await client.subsumes(SYSTEM, "C", "L") is True
    assert await client.subsumes(SYSTEM, "L", "C") is False
    assert await client.subsumes(SYSTEM, "A", "L") is False
    with pytest.raises(UnknownValueSet):
        await client.expand("http://example.org/none", DAY)


@pytest.mark.parametrize("mode", ["broken", "garbage", "slow"])
async def test_silence_is_no_answer(server: StandIn, client: FhirTerminology, mode: str) -> None:
    server.mode = mode
    assert (await client.validate_code(LEMON, None, DAY)).verdict is Verdict.UNREACHABLE
    assert (await client.lookup(LEMON, DAY)).verdict is Verdict.UNREACHABLE
    assert await client.subsumes(SYSTEM, "C", "L") is None
    with pytest.raises(TerminologyUnreachable):
        await client.expand(VALUE_SET, DAY)
    server.mode = "ok"
    assert (await client.validate_code(LEMON, None, DAY)).verdict is Verdict.VALID


async def test_nobody_at_the_address() -> None:
    client = FhirTerminology("http://127.0.0.1:9/fhir/", timeout=0.3)
    assert (await client.validate_code(LEMON, None, DAY)).verdict is Verdict.UNREACHABLE
    await client.close()


async def test_answers_are_kept_for_a_while(server: StandIn, client: FhirTerminology) -> None:
    for _ in range(3):
        await client.validate_code(LEMON, None, DAY)
    assert len(server.asked) == 1
    forgetful = FhirTerminology(server.url, cache_seconds=0)
    for _ in range(2):
        await forgetful.validate_code(LEMON, None, DAY)
    assert len(server.asked) == 3
    await forgetful.close()


async def test_the_cache_does_not_grow_without_end(server: StandIn) -> None:
    client = FhirTerminology(server.url, cache_size=2)
    for code in ("L", "O", "A", "L"):
        await client.validate_code(Coding(SYSTEM, code), None, DAY)
    assert len(server.asked) == 4
    await client.close()


@pytest.mark.parametrize(
    ("policy", "code", "severity"),
    [
        (Unreachable.REFUSE, "terminology.unreachable", Severity.ERROR),
        (Unreachable.ACCEPT, "terminology.unchecked", Severity.WARNING),
        (Unreachable.QUEUE, "terminology.queued", Severity.WARNING),
    ],
)
async def test_what_silence_means_is_said(
    server: StandIn, client: FhirTerminology, policy: Unreachable, code: str, severity: Severity
) -> None:
    server.mode = "broken"
    checked = await terminology_findings(client, [CodeUse(LEMON, "/x/defining_code")], DAY, policy)
    (finding,) = checked
    assert (finding.code, finding.severity, finding.found) == (code, severity, "L")
    assert finding.path == "/x/defining_code/code_string"
