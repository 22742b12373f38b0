"""The indexes, and the version of the schema they belong to."""

from __future__ import annotations

from pymongo import ASCENDING, IndexModel

from cdr.errors import DatabaseMissing
from cdr.store.database import FAR, Database, of_an_ehr
from cdr.stored_rows import FORMAT

SCHEMA_VERSION = 1
REPEAT_SECONDS = 7 * 86_400  # how long a repeated request gets its first answer
NOTICE_SECONDS = 30 * 86_400  # how long it stays written that something was erased or withdrawn

OLD_INDEXES = frozenset({"template_time"})
_CURRENT = {"until": FAR}

VERSION_INDEXES = [
    IndexModel([("e", ASCENDING), ("o", ASCENDING), ("n", ASCENDING)], name="object", unique=True),
    IndexModel([("e", ASCENDING), ("ct", ASCENDING)], name="contribution"),
    IndexModel([("e", ASCENDING), ("until", ASCENDING), ("t", ASCENDING)], name="ehr_time"),
    # An EHR has one directory.
    IndexModel(
        [("e", ASCENDING)],
        name="directory",
        unique=True,
        partialFilterExpression={"k": "FOLDER", "until": FAR},
    ),
    # Only current versions: the questions of a population are about today.
    IndexModel([("r", ASCENDING), ("t", ASCENDING)], name="archetype_time", partialFilterExpression=_CURRENT),
    IndexModel([("r", ASCENDING), ("e", ASCENDING)], name="archetype_ehr", partialFilterExpression=_CURRENT),
    # ``until`` is the same in all of it: named, so that counting needs the index only.
    IndexModel(
        [("until", ASCENDING), ("tid", ASCENDING), ("t", ASCENDING)],
        name="current_template_time",
        partialFilterExpression=_CURRENT,
    ),
    # Compositions that rows do not decide: few, and looked at beside every index on values of rows.
    IndexModel(
        [("full", ASCENDING), ("until", ASCENDING)],
        name=f"without_rows_{FORMAT}",
        partialFilterExpression={"full": {"$lt": FORMAT}},
    ),
]


async def prepare(database: Database) -> None:
    """Create what is missing. Raises DatabaseMissing if a newer program wrote this database."""
    await _check_schema(database)
    await _mark_compositions_without_rows(database)
    await database.versions.create_indexes(VERSION_INDEXES)
    await _drop_old_indexes(database)
    for collection in (*of_an_ehr(database)[1:], database.joins, database.repeats):
        await collection.create_index("e", name="ehr")
    await database.repeats.create_index("at", name="week", expireAfterSeconds=REPEAT_SECONDS)
    await database.notices.create_index("e", name="ehr")
    await database.notices.create_index("tc", name="month", expireAfterSeconds=NOTICE_SECONDS)
    await database.erasures.create_index("at", name="time")
    await database.tags.create_index([("e", ASCENDING), ("o", ASCENDING)], name="object")
    await database.stored_queries.create_index("name", name="name")
    await database.projects.create_index("members", name="members")
    await database.permits.create_index("project", name="project")
    await database.ehrs.create_index(
        "queryable", name="not_queryable", partialFilterExpression={"queryable": False}
    )
    await database.ehrs.create_index("plain", name="plain")
    await database.ehrs.create_index("gate.open", name="closed", partialFilterExpression={"gate.open": False})
    await database.proofs.create_index("end", name="end", expireAfterSeconds=0)
    await database.ehrs.create_index("rel.org", name="in_care")
    await database.audit.create_index([("c", ASCENDING), ("s", ASCENDING)], name="chain", unique=True)
    await database.audit.create_index("entries.e", name="ehr")
    await database.templates.create_index("rk", name="repeat", sparse=True)
    await database.adl2.create_index("rk", name="repeat", sparse=True)
    await database.audit.create_index("at", name="time")
    await database.templates.create_index([("tid", ASCENDING), ("rev", ASCENDING)], name="tid", unique=True)


async def _mark_compositions_without_rows(database: Database) -> None:
    """Once: what was stored before there were rows decides for itself until ``db rows rebuild``."""
    if await database.meta.find_one({"_id": "rows"}) is None:
        unmarked = {"k": "COMPOSITION", "full": {"$exists": False}, "z": {"$exists": True}}
        await database.versions.update_many(unmarked, {"$set": {"full": 0}})
        await database.meta.update_one({"_id": "rows"}, {"$set": {"marked": True}}, upsert=True)


async def _drop_old_indexes(database: Database) -> None:
    known = await database.versions.index_information()
    for name in OLD_INDEXES & known.keys():
        await database.versions.drop_index(name)


async def _check_schema(database: Database) -> None:
    await database.meta.update_one(
        {"_id": "schema"}, {"$setOnInsert": {"version": SCHEMA_VERSION}}, upsert=True
    )
    found = await database.meta.find_one({"_id": "schema"})
    if found is None or found["version"] > SCHEMA_VERSION:
        raise DatabaseMissing(
            f"the database has schema {found and found['version']}, this program knows {SCHEMA_VERSION}: "
            "use a newer program"
        )
