"""Queries that ask terminologies: expansions, questions and look-ups against loaded releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from cdr.aql import AqlError, compile_query, parse, print_query, resolve
from cdr.aql.checks import check
from cdr.aql.reference import evaluate
from cdr.candidates import QueryAccess
from cdr.context import Ctx
from cdr.errors import QueryNotSupported
from cdr.queries import run_query
from cdr.query_terminology import TerminologySilent, with_terminology
from cdr.terminology import FhirTerminology, LocalTerminology, read_code_system, read_value_set
from tests.cdr.aql.filtering import deliver
from tests.cdr.aql.records import DIAGNOSIS, coded, composition, ehr, element, node

pytestmark = pytest.mark.anyio
ICD = "urn:oid:2.16.578.1.12.4.1.1.7110"
URL = "http://example.org/eclampsia"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CODE = "v/data[at0003]/items[at0004]/value/defining_code"
FROM = f"FROM COMPOSITION c CONTAINS EVALUATION v[{DIAGNOSIS}]"
EXPAND = f"TERMINOLOGY('expand', 'hl7.org/fhir/4.0', '{URL}')"


def local() -> LocalTerminology:
    concepts = [{"code": "O14", "display": "Preeklampsi"}, {"code": "O15", "display": "Eklampsi"}]
    system = {"resourceType": "CodeSystem", "url": ICD, "version": "2026", "date": "2026-01-01"}
    includes = [{"system": ICD, "concept": [{"code": "O14"}, {"code": "O15"}]}]
    values = {
        "resourceType": "ValueSet",
        "url": URL,
        "version": "1",
        "date": "2026-01-01",
        "compose": {"include": includes},
    }
    return LocalTerminology(
        [read_code_system(orjson.dumps(system | {"concept": concepts})), read_value_set(orjson.dumps(values))]
    )


def problem(code: str, terminology: str) -> dict[str, Any]:
    tree = node("ITEM_TREE", "at0003", items=[element("at0004", coded(code, code, terminology))])
    return node("EVALUATION", DIAGNOSIS, code, data=tree)


RECORD = ehr(
    "e1",
    composition("openEHR-EHR-COMPOSITION.encounter.v1", problem("O14", "ICD-10")),
    composition("openEHR-EHR-COMPOSITION.encounter.v1", problem("O15", "icd-10")),
    composition("openEHR-EHR-COMPOSITION.encounter.v1", problem("O14", "local")),
    composition("openEHR-EHR-COMPOSITION.encounter.v1", problem("Z32", "ICD-10")),
)


async def answer(text: str) -> list[Any]:
    scope = await with_terminology(resolve(parse(text)), local(), NOW.date())
    assert check(scope) == []
    plan = compile_query(scope, QueryAccess(), now=NOW)
    rows = list(plan.run(deliver(plan.candidates, [RECORD])))
    assert sorted(map(str, rows)) == sorted(map(str, evaluate(scope, [RECORD], now=NOW)))
    return sorted(row[0] for row in rows)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (f"{CODE}/code_string matches {EXPAND}", ["O14", "O14", "O15"]),
        (f"{CODE} matches {EXPAND}", ["O14", "O15"]),
        (f"v/data[at0003]/items[at0004]/value matches {EXPAND}", ["O14", "O15"]),
        (f"{CODE} matches {{terminology://fhir.hl7.org/ValueSet/$expand?url={URL}}}", ["O14", "O15"]),
        (f"{CODE}/code_string matches {{'Z32', {EXPAND}}}", ["O14", "O14", "O15", "Z32"]),
        (f"NOT {CODE} matches {EXPAND}", ["O14", "Z32"]),
        (f"TERMINOLOGY('validate', 'hl7.org/fhir/r4', 'system={ICD}&code=O14&url={URL}') = true", 4),
        (f"TERMINOLOGY('validate', 'hl7.org/fhir/r4', 'system={ICD}&code=Z32&url={URL}') = true", 0),
        (f"v/name/value = TERMINOLOGY('lookup', 'hl7.org/fhir/4.0', 'system={ICD}&code=O14')", 0),
    ],
)
async def test_r34_r35_a_terminology_answers_before_the_query_runs(where: str, found: Any) -> None:
    rows = await answer(f"SELECT v/name/value AS n {FROM} WHERE {where}")
    assert rows == found if isinstance(found, list) else len(rows) == found


async def test_an_answer_can_be_a_column() -> None:
    text = f"SELECT TERMINOLOGY('lookup', 'hl7.org/fhir/4.0', 'system={ICD}&code=O14') AS d {FROM}"
    assert await answer(text) == ["Preeklampsi"] * 4


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("TERMINOLOGY('translate', 'hl7.org/fhir/4.0', 'x')", "aql.terminology.operation"),
        ("TERMINOLOGY('expand', 'example.org', 'x')", "aql.terminology.service"),
        ("TERMINOLOGY('expand', 'hl7.org/fhir/4.0', 'http://nowhere')", "aql.terminology.value_set"),
        ("TERMINOLOGY('lookup', 'hl7.org/fhir/4.0', 'system=x')", "aql.terminology.parameters"),
        ("{terminology://snomed-ct/somewhere}", "aql.terminology.uri"),
        ("{ehr://a/b}", "aql.terminology.uri"),
    ],
)
async def test_a_question_that_nobody_can_answer_is_refused(call: str, code: str) -> None:
    with pytest.raises(AqlError) as caught:
        await answer(f"SELECT v/name/value {FROM} WHERE {CODE}/code_string matches {call}")
    assert caught.value.code == code


async def test_without_a_service_a_query_is_refused_and_with_a_silent_one_it_fails(ctx: Ctx) -> None:
    text = f"SELECT v/name/value {FROM} WHERE {CODE}/code_string matches {EXPAND}"
    with pytest.raises(QueryNotSupported):
        await run_query(replace(ctx, terminology=None), text)
    silent = FhirTerminology("http://127.0.0.1:9/", timeout=0.2)
    with pytest.raises(TerminologySilent):
        await run_query(replace(ctx, terminology=silent), text)
    await silent.close()
    assert (await run_query(replace(ctx, terminology=local()), text)).rows == []


async def test_the_executed_query_shows_the_codes() -> None:
    text = f"SELECT v/name/value {FROM} WHERE {CODE}/code_string matches {EXPAND}"
    scope = await with_terminology(resolve(parse(text)), local(), NOW.date())
    assert "{'O14', 'O15'}" in print_query(scope.query)
