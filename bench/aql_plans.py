"""Writes ``docs/aql-plans.md``: the plan, the index and the time of each query of a load driver.

    python -m bench.aql_plans --driver FILE [--records 100] [--out docs/aql-plans.md]

The driver is a Python file that makes data and queries for any openEHR server (``QUERIES``, ``body_for``,
``ehr_id``, ``ehr_status``, ``templates``). The times of one run are to be compared with each other.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from cdr.aql import compile_query, parse, resolve
from cdr.aql.compile import Plan
from cdr.candidates import QueryAccess, VersionFilter
from cdr.query_running import Bounds, RunningHere
from cdr.store.candidate_explain import Reading
from cdr.store.documents import NewVersion, compress, version_document
from cdr.store.embedded import EmbeddedMongod
from cdr.store.mongo import Store
from cdr.stored_rows import make_rows
from cdr.submission import start_time
from cdr.versions import AuditDetails, ChangeType, Kind, Lifecycle, ObjectVersionId

HEAD = """# The plans of the benchmark's 19 queries

Made by `python -m bench.aql_plans --driver FILE` over {records} EHRs with {each} compositions each and {large} large ones.
The plan is what `POST /openehr/v1/query/explain` tells.
`examined` are index keys and documents that the searches look at if they run to their end, `candidates` what they hand over, `rows` the answer.
A count hands over groups of values; a query that stops early looks at less.
`before` is the time of the same query decided on compositions, without conditions on values in the database, in the same run: the ratio counts, not the milliseconds.

| query | indexes | stored | keys examined | documents examined | candidates | rows | ms | before |
|---|---|---|---|---|---|---|---|---|"""  # noqa: E501 - a page, not code
SEED = 42
EACH = 20
RUNS = 5
BATCH = 500


def main() -> None:
    """Load, ask, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--driver", type=Path, required=True, help="the load driver")
    parser.add_argument("--records", type=int, default=100, help="EHRs of 20 compositions (default 100)")
    parser.add_argument("--out", type=Path, default=Path("docs/aql-plans.md"))
    arguments = parser.parse_args()
    answers = asyncio.run(_answers(_driver(arguments.driver), arguments.records))
    arguments.out.write_text("\n".join(_page(answers, arguments.records)), encoding="utf-8")


def _driver(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("driver", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True)
class Answer:
    """One query: its plan and search, its rows, and the median times with and without rows kept."""

    name: str
    plan: str
    reading: Reading | None
    rows: int
    milliseconds: float
    before: float


async def _answers(driver: ModuleType, records: int) -> list[Answer]:
    with tempfile.TemporaryDirectory(prefix="helsekort-plans-") as folder:
        mongod = await EmbeddedMongod.start(Path(folder), mongod=None, cache_mib=512)
        try:
            store = await Store.open(mongod.uri, hot_indexes=16)
            await _load(store, driver, records)
            for _ in range(2):  # indexes on values are made once they were asked for
                answers = [await _answer(store, driver, records, each) for each in driver.QUERIES]
            await store.close()
            return answers
        finally:
            await mongod.stop()


async def _load(store: Store, driver: ModuleType, records: int) -> None:
    database = store._database
    ehrs = [
        {
            "_id": driver.ehr_id(SEED, number),
            "gate": {"open": True, "mod": True, "w": 0},
            "system": "bench",
            "created": datetime.now(UTC),
            "status": "",
            "queryable": True,
        }
        for number in range(records)
    ]
    await database.ehrs.insert_many(ehrs)
    documents = []
    for document in _documents(driver, records):
        documents.append(document)
        if len(documents) == BATCH:
            await database.versions.insert_many(documents)
            documents = []
    if documents:
        await database.versions.insert_many(documents)


def _documents(driver: ModuleType, records: int) -> Iterator[dict[str, Any]]:
    kinds = ["p" if each == 0 else "v" for each in range(EACH) for _ in range(records)]
    kinds += ["l"] * (records // 10)
    audit = AuditDetails(
        "bench", {"_type": "PARTY_IDENTIFIED", "name": "x"}, datetime.now(UTC), ChangeType.CREATION
    )
    for number, kind in enumerate(kinds):
        body = json.loads(driver.body_for(SEED, kind, number))
        uid = ObjectVersionId(f"{number:08}-0000-4000-8000-000000000000", "bench", 1)
        body["uid"] = {"_type": "OBJECT_VERSION_ID", "value": str(uid)}
        payload = orjson.dumps(body)
        version = NewVersion(
            uid=uid,
            kind=Kind.COMPOSITION,
            lifecycle=Lifecycle.COMPLETE,
            change_type=ChangeType.CREATION,
            payload=payload,
            compressed=compress(payload),
            template_id=body["archetype_details"]["template_id"]["value"],
            start_time=start_time(body),
            rows=make_rows(body),
        )
        ehr_id = driver.ehr_id(SEED, number % records)
        yield version_document(version, ehr_id=ehr_id, contribution_id=str(number), audit=audit)


async def _answer(store: Store, driver: ModuleType, records: int, query: Sequence[str]) -> Answer:
    name, text, kind = query
    chance = random.Random(name)
    some = [driver.ehr_id(SEED, chance.randrange(records)) for _ in range(20)]
    text = text.replace("{EHR}", some[0]).replace("{EHRS}", ",".join(f"'{each}'" for each in some))
    scope = resolve(parse(text), {"ehr_id": some[0]} if kind == "ehr" else {})
    plan = compile_query(scope, QueryAccess.all_except())
    before = _without_rows(compile_query(scope, QueryAccess.all_except(), by_rows=False))
    rows, milliseconds = await _timed(store, plan)
    rows_before, milliseconds_before = await _timed(store, before)
    assert rows == rows_before, name
    reading = await store.candidates.explain(plan.candidates, 60)
    return Answer(
        name, plan.explain().replace(some[0], "<ehr>"), reading, rows, milliseconds, milliseconds_before
    )


def _without_rows(plan: Plan) -> Plan:
    """The plan as it was before there were rows: no condition on values either."""
    plain: list[VersionFilter] = [
        replace(branch, leaves=(), absent=frozenset()) for branch in plan.candidates.branches
    ]
    return replace(plan, candidates=replace(plan.candidates, branches=tuple(plain)))


async def _timed(store: Store, plan: Plan) -> tuple[int, float]:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        running = RunningHere(store.candidates, plan, Bounds(seconds=120, rows=1_000_000))
        rows = sum([len(batch.rows) async for batch in running.batches()])
        times.append(time.perf_counter() - started)
    return rows, 1000 * statistics.median(times)


def _page(answers: Sequence[Answer], records: int) -> Iterator[str]:
    yield HEAD.format(records=records, each=EACH, large=records // 10)
    for answer in answers:
        yield _row(answer)
    for answer in answers:
        yield f"\n## {answer.name}\n"
        yield f"```\n{answer.plan}```"
    yield ""


def _row(answer: Answer) -> str:
    reading = answer.reading
    assert reading is not None
    cells = (
        answer.name,
        ", ".join(reading.indexes) or "none",
        reading.stored,
        reading.keys_examined,
        reading.documents_examined,
        reading.found,
        answer.rows,
        f"{answer.milliseconds:.1f}",
        f"{answer.before:.1f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
