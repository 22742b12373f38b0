"""Public queries and their data, in memory: openEHR's conformance suite, and the benchmark."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from cdr.aql import AqlError, check, compile_query, parse, resolve
from cdr.aql.reference import evaluate
from cdr.candidates import QueryAccess, Record, VersionRecord
from tests.cdr.aql.filtering import deliver
from tests.shared_data import SHARED

SUITE = SHARED / "spec" / "cnf" / "test_data_sets" / "query"
BENCH = SHARED / "bench" / "cdrbench.py"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SYSTEM = "test.system"


def answer(
    text: str, records: list[Record], parameters: dict[str, Any] | None = None
) -> list[list[Any]] | str:
    """The rows, which plan and reference agree on; or the code by which the query is refused."""
    try:
        scope = resolve(parse(text), parameters)
    except AqlError as error:
        return error.code
    findings = check(scope)
    if findings:
        return findings[0].code
    plan = compile_query(scope, QueryAccess(), now=NOW)
    rows = list(plan.run(deliver(plan.candidates, records)))
    expected = evaluate(scope, records, QueryAccess(), NOW)
    if scope.window == (0, None):
        assert sorted(map(_form, rows)) == sorted(map(_form, expected)), text
    else:
        assert len(rows) == len(expected), text
    return rows


def _form(row: list[Any]) -> str:
    return json.dumps([round(cell, 9) if isinstance(cell, float) else cell for cell in row], sort_keys=True)


def record(ehr_id: str, status: dict[str, Any], compositions: list[dict[str, Any]]) -> Record:
    """An EHR with one version of each composition."""
    facts = {
        "ehr_id": ehr_id,
        "system_id": SYSTEM,
        "time_created": "2024-01-01T08:00:00Z",
        "ehr_status": status,
    }
    return Record(ehr=facts, versions=[_version(ehr_id, n, each) for n, each in enumerate(compositions)])


def _version(ehr_id: str, number: int, composition: dict[str, Any]) -> VersionRecord:
    uid = f"{ehr_id}-{number}::{SYSTEM}::1"
    committed = f"2024-02-01T12:00:{number:02}Z"
    audit = {
        "_type": "AUDIT_DETAILS",
        "system_id": SYSTEM,
        "time_committed": {"_type": "DV_DATE_TIME", "value": committed},
        "committer": {"_type": "PARTY_IDENTIFIED", "name": "Kari"},
    }
    with_uid = {**composition, "uid": {"_type": "OBJECT_VERSION_ID", "value": uid}}
    return VersionRecord(uid=uid, composition=with_uid, audit=audit, time_committed=committed)


# -- the conformance suite ---------------------------------------------------------------------------


def suite_queries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name (``A/100_get_ehrs``) and content of every query that the suite calls valid."""
    folder = SUITE / "aql_queries_valid"
    for path in sorted(folder.rglob("*.json")):
        yield path.relative_to(folder).with_suffix("").as_posix(), json.loads(path.read_text("utf-8-sig"))


def suite_rows(name: str) -> int | None:
    """How many rows the suite expects; None where it names them by one placeholder or not at all."""
    database = "empty_db" if "empty_db" in name else "loaded_db"
    path = SUITE / "expected_results" / database / f"{name}.json"
    if not path.is_file():
        return None
    rows = json.loads(path.read_text("utf-8-sig")).get("rows")
    return len(rows) if rows is not None and all(isinstance(row, list) for row in rows) else None


@cache
def suite_data() -> tuple[Record, ...]:
    """Ten EHRs with the fifteen compositions that the expected results speak of."""
    folder = SUITE / "data_load"
    kinds = ("observation", "evaluation", "instruction", "action2")
    paths = [
        path for kind in kinds for path in sorted((folder / "compositions").glob(f"minimal_{kind}_*.json"))
    ]
    compositions = [_read(path) for path in paths]
    statuses = [_read(path) for path in sorted((folder / "ehrs").glob("*.json"))]
    assert (len(compositions), len(statuses)) == (15, 10)
    return tuple(record(suite_ehr(n), status, compositions) for n, status in enumerate(statuses, 1))


def all_types() -> tuple[Record, ...]:
    """One EHR with the composition that has a section."""
    status = _read(SUITE / "data_load" / "ehrs" / "ehr_status_01.json")
    return (
        record("all", status, [_read(SUITE / "data_load" / "compositions" / "all_types.composition.json")]),
    )


def suite_ehr(number: int) -> str:
    """The id of an EHR, from 1 on."""
    return f"00000000-0000-4000-8000-{number:012}"


def suite_text(query: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Text and parameters with our ids in the places of the placeholders."""
    filled = json.dumps(query)
    replacements = {
        "__MODIFY_EHR_ID_1__": suite_ehr(1),
        "__MODIFY_COMPOSITION_UID_1__": f"{suite_ehr(1)}-0::{SYSTEM}::1",
        "__MODIFY_COMPO_UID_1__": f"all-0::{SYSTEM}::1",
        "replaceme": f"{suite_ehr(1)}-0::{SYSTEM}::1",
    }
    for placeholder, value in replacements.items():
        filled = filled.replace(placeholder, value)
    read = json.loads(filled)
    return read["q"], read.get("query_parameters", {})


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text("utf-8-sig"))
    return read


# -- cdrbench ----------------------------------------------------------------------------------------


@cache
def bench() -> ModuleType:
    """The benchmark as a module, for its data and its queries."""
    spec = importlib.util.spec_from_file_location("cdrbench", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["cdrbench"] = module
    spec.loader.exec_module(module)
    # It leaves the files open otherwise.
    for name in ("pregnancy_status", "ips"):
        module._skel[name] = (BENCH.parent / "data" / f"{name}.json").read_text("utf-8")
    return module


@cache
def bench_data(ehrs: int = 8, each: int = 6, *, large: int = 0) -> tuple[Record, ...]:
    """EHRs with a pregnancy status and vital signs, ``large`` with a summary, as the benchmark has them."""
    module = bench()
    found = []
    for number in range(ehrs):
        kinds = ["p", *["v"] * (each - 1)] + ["l"] * (number < large)
        bodies = [module.body_for(42, kind, j * ehrs + number) for j, kind in enumerate(kinds)]
        status = json.loads(module.ehr_status(42, number))
        found.append(record(module.ehr_id(42, number), status, [json.loads(body) for body in bodies]))
    return tuple(found)
