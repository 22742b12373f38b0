"""Writes ``docs/aql-plans.md``: plan, index, time and rightness of each query of a load driver.

    python -m bench.aql_plans --driver FILE [--records 100] [--out docs/aql-plans.md]

The driver is a Python file that makes data and queries for any openEHR server (``QUERIES``, ``body_for``,
``ehr_id``, ``ehr_status``, ``templates``). The times of one run are to be compared with each other. Exit
status 1 if an answer is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from bench.query_oracle import ANSWERS, Document, World
from cdr.aql import compile_query, parse, resolve
from cdr.aql.compile import Plan
from cdr.aql.scope import Scope
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
`examined` are index keys and documents that the searches look at if they run to their end, `estimated` what a sample of a thousand versions lets expect, `candidates` what they hand over, `rows` the answer.
A count hands over groups of values; a query that stops early looks at less.
`answer` is what `bench/query_oracle.py` says of the rows, which works them out over the same data in plain Python and uses nothing of the product; rows and compositions are both asked.
`before` is the time of the same query decided on compositions, without conditions on values in the database, in the same run: the ratio counts, not the milliseconds.

| query | indexes | stored | keys examined | documents examined | estimated | candidates | rows | answer | ms | before |
|---|---|---|---|---|---|---|---|---|---|---|"""  # noqa: E501 - a page, not code
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
    wrong = [f"{each.name}: {each.fault}" for each in answers if each.fault]
    sys.exit("\n".join(wrong) or 0)


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
    fault: str | None
    milliseconds: float
    before: float


async def _answers(driver: ModuleType, records: int) -> list[Answer]:
    with tempfile.TemporaryDirectory(prefix="helsekort-plans-") as folder:
        mongod = await EmbeddedMongod.start(Path(folder), mongod=None, cache_mib=512)
        try:
            store = await Store.open(mongod.uri, hot_indexes=16)
            stored = await _load(store, driver, records)
            asked = [_Asked.of(driver, records, each) for each in driver.QUERIES]
            for each in asked:  # indexes on values are made once they were asked for
                await _timed(store, each.plan, runs=1)
            answers = [await _answer(store, each, stored) for each in asked]
            await store.close()
            return answers
        finally:
            await mongod.stop()


async def _load(store: Store, driver: ModuleType, records: int) -> list[Document]:
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
    documents, stored = [], []
    for ehr_id, body, document in _documents(driver, records):
        stored.append(Document(ehr_id, body))
        documents.append(document)
        if len(documents) == BATCH:
            await database.versions.insert_many(documents)
            documents = []
    if documents:
        await database.versions.insert_many(documents)
    return stored


def _documents(driver: ModuleType, records: int) -> Iterator[tuple[str, Mapping[str, Any], dict[str, Any]]]:
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
        made = version_document(version, ehr_id=ehr_id, contribution_id=str(number), audit=audit)
        yield ehr_id, body, made


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query of the driver, about the EHRs ``some``."""

    name: str
    scope: Scope
    some: Sequence[str]

    @classmethod
    def of(cls, driver: ModuleType, records: int, query: Sequence[str]) -> _Asked:
        name, text, kind = query
        chance = random.Random(name)
        some = [driver.ehr_id(SEED, chance.randrange(records)) for _ in range(20)]
        text = text.replace("{EHR}", some[0]).replace("{EHRS}", ",".join(f"'{each}'" for each in some))
        return cls(name, resolve(parse(text), {"ehr_id": some[0]} if kind == "ehr" else {}), some)

    @property
    def plan(self) -> Plan:
        return compile_query(self.scope, QueryAccess.all_except())

    @property
    def before(self) -> Plan:
        return _without_rows(compile_query(self.scope, QueryAccess.all_except(), by_rows=False))


async def _answer(store: Store, asked: _Asked, stored: Sequence[Document]) -> Answer:
    plan = asked.plan
    rows, milliseconds = await _timed(store, plan)
    rows_before, milliseconds_before = await _timed(store, asked.before)
    right = ANSWERS[asked.name](World(stored, asked.some[0], asked.some))
    fault = right.fault(rows) or right.fault(rows_before)
    reading = await store.candidates.explain(plan.candidates, 60)
    told = plan.explain().replace(asked.some[0], "<ehr>")
    return Answer(asked.name, told, reading, len(rows), fault, milliseconds, milliseconds_before)


def _without_rows(plan: Plan) -> Plan:
    """The plan as it was before there were rows: no condition on values either."""
    plain: list[VersionFilter] = [
        replace(branch, leaves=(), absent=frozenset()) for branch in plan.candidates.branches
    ]
    return replace(plan, candidates=replace(plan.candidates, branches=tuple(plain)))


async def _timed(store: Store, plan: Plan, runs: int = RUNS) -> tuple[list[list[Any]], float]:
    times: list[float] = []
    rows: list[list[Any]] = []
    for _ in range(runs):
        started = time.perf_counter()
        running = RunningHere(store.candidates, plan, Bounds(seconds=120, rows=1_000_000))
        rows = [row async for batch in running.batches() for row in batch.rows]
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
        reading.estimated,
        reading.found,
        answer.rows,
        answer.fault or "right",
        f"{answer.milliseconds:.1f}",
        f"{answer.before:.1f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
