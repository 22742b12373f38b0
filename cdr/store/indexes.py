"""The indexes, and the version of the schema they belong to."""

from __future__ import annotations

from pymongo import ASCENDING, IndexModel

from cdr.errors import DatabaseMissing
from cdr.store.database import FAR, Database

SCHEMA_VERSION = 1

_CURRENT = {"until": FAR}

VERSION_INDEXES = [
    IndexModel([("e", ASCENDING), ("o", ASCENDING), ("n", ASCENDING)], name="object", unique=True),
    IndexModel([("e", ASCENDING), ("ct", ASCENDING)], name="contribution"),
    IndexModel([("e", ASCENDING), ("until", ASCENDING), ("t", ASCENDING)], name="ehr_time"),
    # Only current versions: the questions of a population are about today.
    IndexModel([("r", ASCENDING), ("t", ASCENDING)], name="archetype_time", partialFilterExpression=_CURRENT),
    IndexModel([("r", ASCENDING), ("e", ASCENDING)], name="archetype_ehr", partialFilterExpression=_CURRENT),
    IndexModel(
        [("tid", ASCENDING), ("t", ASCENDING)], name="template_time", partialFilterExpression=_CURRENT
    ),
]


async def prepare(database: Database) -> None:
    """Create what is missing. Raises DatabaseMissing if a newer program wrote this database."""
    await _check_schema(database)
    await database.versions.create_indexes(VERSION_INDEXES)
    await database.subjects.create_index("e", name="ehr")
    await database.ehrs.create_index(
        "queryable", name="not_queryable", partialFilterExpression={"queryable": False}
    )
    await database.ehrs.create_index("gate.open", name="closed", partialFilterExpression={"gate.open": False})
    await database.audit.create_index([("c", ASCENDING), ("s", ASCENDING)], name="chain", unique=True)
    await database.audit.create_index("entries.e", name="ehr")
    await database.templates.create_index([("tid", ASCENDING), ("rev", ASCENDING)], name="tid", unique=True)


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
