"""Scrubbing a replica set that is not ours to stop: what its operators do, member by member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient

from cdr.store.database import store_errors

_ONE_MEMBER = """{number}. {host} ({state})
   a. {first}
   b. Stop mongod, empty its dbpath, delete its log files.
   c. Start mongod: it copies what is stored now from the others (initial sync).
   d. Wait until rs.status() shows it as SECONDARY."""


async def replica_set_members(uri: str) -> Sequence[tuple[str, str]]:
    """Host and state of each member, the primary last. Raises StoreUnavailable."""
    async with AsyncMongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=10_000) as client:
        with store_errors():
            status = await client.admin.command("replSetGetStatus")
    members = [(str(member["name"]), str(member["stateStr"])) for member in status["members"]]
    return sorted(members, key=lambda member: (member[1] == "PRIMARY", member))


def scrub_procedure(members: Sequence[tuple[str, str]]) -> str:
    """What to do, in words; the primary goes last, for it needs another member to take over."""
    steps = [_step(number, host, state) for number, (host, state) in enumerate(members, 1)]
    alone = ["A set of one member has nobody to copy from: add a second member first (rs.add)."]
    return "\n".join(
        [
            *(alone if len(members) < 2 else []),
            "Rewrite one member at a time; the service stays up:",
            *steps,
            "Then: helsekort db scrub --mongodb-uri ... --done",
        ]
    )


def _step(number: int, host: str, state: str) -> str:
    primary = state == "PRIMARY"
    first = "Make another member primary: rs.stepDown()." if primary else "The others go on serving."
    return _ONE_MEMBER.format(number=number, host=host, state=state, first=first)


async def record_scrub(uri: str, database: str) -> None:
    """Keep when all members were rewritten. Raises StoreUnavailable."""
    async with AsyncMongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=10_000) as client:
        with store_errors():
            await client[database]["meta"].update_one(
                {"_id": "scrub"}, {"$set": {"at": datetime.now(UTC)}}, upsert=True
            )
