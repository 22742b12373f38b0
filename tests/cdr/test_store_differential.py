"""MongoDB's candidates lead to the rows that the slow evaluator of AQL finds in the same data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
import pytest

from cdr.aql import check, collectors, compile_query, parse, resolve
from cdr.aql.reference import evaluate
from cdr.aql.scope import Scope
from cdr.candidates import QueryAccess, Record, VersionRecord
from cdr.sight import Sight, Sights
from cdr.store.database import FAR, Document
from cdr.store.documents import NewVersion, compress, version_document
from cdr.store.mongo import Store
from cdr.stored_rows import make_rows
from cdr.submission import start_time
from cdr.versions import AuditDetails, ChangeType, Kind, Lifecycle, ObjectVersionId, iso, text_at
from templates.operational import TemplateAccess
from tests.cdr.aql.queries import SYSTOLIC
from tests.cdr.aql.records import PRESSURE, random_records
from tests.cdr.aql.test_differential import ACCESSES, NOW, queries_of
from tests.cdr.aql.test_differential import _bag as bag
from tests.cdr.aql.test_differential import _check_rows as check_rows

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SEEDS = 40
# The reference knows nothing of what is hidden: with these, rows and compositions are compared.
SIGHTS = (
    Sights(Sight(shielded_of=frozenset())),
    Sights(by_ehr={"ehr-0": Sight(cards=frozenset({"card"}))}),
    Sights(Sight(shielded_of=frozenset()), {"ehr-1": Sight()}),
)
MARKED = {"template.v1": TemplateAccess.SHIELDED, "template.v2": TemplateAccess.CARD}


async def test_the_store_equals_the_reference(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors, "_CUT_EVERY", 1)
    await store.hot_indexes.make(systolic_key())
    found = 0
    for seed in range(SEEDS):
        rng = Random(seed)
        records = [as_stored(record) for record in random_records(rng)]
        await fill(store, records)
        for query in queries_of(rng):
            access = rng.choice(ACCESSES)
            scope = resolve(parse(query.text))
            assert check(scope) == []
            expected = evaluate(scope, records, access, NOW)
            for by_rows in (True, False):
                rows = await rows_of(store, scope, access, by_rows=by_rows)
                check_rows(scope, records, access, expected, rows, query.sort_columns)
            found += len(rows)
            seen = replace(access, sights=rng.choice(SIGHTS))
            rows, again = [await rows_of(store, scope, seen, by_rows=by_rows) for by_rows in (True, False)]
            assert len(rows) == len(again)
            if scope.window == (0, None):
                assert bag(scope, rows) == bag(scope, again)
    assert found > SEEDS


def systolic_key() -> str:
    """The code of the value that most queries are about."""
    query = f"SELECT o/{SYSTOLIC}/magnitude FROM OBSERVATION o[{PRESSURE}]"
    needs = compile_query(resolve(parse(query)), QueryAccess()).candidates.rows
    assert needs is not None
    assert needs.keys is not None
    return next(key for key in needs.keys if not key.endswith("~"))


def as_stored(record: Record) -> Record:
    """The record with times and audits in the store's own spelling, which is not what is compared."""
    created = iso(datetime.fromisoformat(record.ehr["time_created"]))
    versions = [
        replace(
            version,
            time_committed=iso(datetime.fromisoformat(version.time_committed)),
            audit=audit_of(version).to_canonical(),
        )
        for version in record.versions
    ]
    return Record(ehr={**record.ehr, "time_created": created}, versions=versions)


def audit_of(version: VersionRecord) -> AuditDetails:
    return AuditDetails(
        version.audit["system_id"],
        version.audit["committer"],
        datetime.fromisoformat(version.time_committed),
        ChangeType(version.audit["change_type"]["defining_code"]["code_string"]),
    )


async def rows_of(store: Store, scope: Scope, access: QueryAccess, *, by_rows: bool) -> list[list[Any]]:
    execution = compile_query(scope, access, now=NOW, by_rows=by_rows).start()
    rows: list[list[Any]] = []
    async with store.candidates.snapshot(30) as snapshot:
        async for record in snapshot.records(execution.plan.candidates):
            rows += execution.feed(record)
            if execution.done:
                break
    return rows + execution.finish()


async def fill(store: Store, records: Sequence[Record]) -> None:
    """Put the records in place of whatever the store holds."""
    database = store._database
    ehrs, versions = [], []
    for record in records:
        ehr_id = record.ehr["ehr_id"]
        status = record.ehr["ehr_status"]
        ehrs.append(
            {
                "_id": ehr_id,
                "gate": {"open": True, "mod": True, "w": 0},
                "system": record.ehr["system_id"],
                "created": datetime.fromisoformat(record.ehr["time_created"]),
                "status": f"{ehr_id}-status",
                "queryable": status["is_queryable"],
            }
        )
        versions.append(whole_document(ehr_id, Kind.EHR_STATUS, status))
        if "directory" in record.ehr:
            versions.append(whole_document(ehr_id, Kind.FOLDER, record.ehr["directory"]))
        versions += documents_of(ehr_id, record.versions)
    for collection, documents in ((database.ehrs, ehrs), (database.versions, versions)):
        await collection.delete_many({})
        await collection.insert_many(documents)


def documents_of(ehr_id: str, versions: Sequence[VersionRecord]) -> list[Document]:
    documents = [document_of(ehr_id, version) for version in versions]
    begins = {(document["o"], document["n"]): document["tc"] for document in documents}
    for document, version in zip(documents, versions, strict=True):
        if version.composition is not None:
            document["until"] = begins.get((document["o"], document["n"] + 1), FAR)
            assert (document["until"] == FAR) == version.is_latest
    return documents


def document_of(ehr_id: str, version: VersionRecord) -> Document:
    composition = None if version.composition is None else dict(version.composition)
    payload = None if composition is None else orjson.dumps(composition)
    uid = ObjectVersionId.parse(version.uid)
    template_id = text_at(composition, "archetype_details", "template_id", "value")
    new = NewVersion(
        uid=uid,
        kind=Kind.COMPOSITION,
        lifecycle=Lifecycle(version.lifecycle),
        change_type=ChangeType.CREATION,
        payload=payload,
        compressed=None if payload is None else compress(payload),
        preceding=uid.preceding,
        template_id=template_id,
        access=MARKED.get(template_id or "", TemplateAccess.OPEN),
        start_time=None if composition is None else start_time(composition),
        rows=None if composition is None else make_rows(composition),
    )
    audit = audit_of(version)
    return version_document(
        new, ehr_id=ehr_id, contribution_id=version.contribution, audit=audit, card_id="card"
    )


def whole_document(ehr_id: str, kind: Kind, whole: dict[str, Any]) -> Document:
    """What an EHR has one of."""
    payload = orjson.dumps(whole)
    new = NewVersion(
        uid=ObjectVersionId(f"{ehr_id}-{kind.value}", "sys", 1),
        kind=kind,
        lifecycle=Lifecycle.COMPLETE,
        change_type=ChangeType.CREATION,
        payload=payload,
        compressed=compress(payload),
    )
    audit = AuditDetails("sys", {}, datetime(2020, 1, 1, tzinfo=UTC), ChangeType.CREATION)
    return version_document(new, ehr_id=ehr_id, contribution_id="c", audit=audit)
