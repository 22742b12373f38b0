"""Compositions that were accepted while a terminology server was silent, until it has been asked again.

_id  "<object>::<trunk>"    u  version uid    e  EHR    o  object    at  committed
f    findings of the check; absent while the document waits for it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from archetypes.findings import Finding, Severity
from cdr.store.database import Database, Document, store_errors
from cdr.versions import ObjectVersionId


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """One composition; ``findings`` is None while the server has not answered, else what it found wrong."""

    uid: str
    ehr_id: str
    committed: datetime
    findings: tuple[Finding, ...] | None


@dataclass(frozen=True, slots=True)
class CodeCheckDocuments:
    """The collection ``code_checks``; a commit writes into it together with its versions."""

    database: Database

    async def all(self) -> Sequence[CodeCheck]:
        """What waits, and what was found to be wrong, oldest first."""
        with store_errors():
            found = self.database.code_checks.find().sort([("at", 1), ("_id", 1)])
            return [_check(document) async for document in found]

    async def any_waiting(self) -> bool:
        """Is there anything to ask about?"""
        with store_errors():
            return await self.database.code_checks.find_one({"f": {"$exists": False}}, {"_id": 1}) is not None

    async def settle(self, uid: str, findings: Sequence[Finding]) -> None:
        """Keep what was found wrong, or nothing if nothing was."""
        key = {"_id": _key(uid)}
        with store_errors():
            if findings:
                await self.database.code_checks.update_one(
                    key, {"$set": {"f": [_stored(each) for each in findings]}}
                )
            else:
                await self.database.code_checks.delete_one(key)


def waiting_check(uid: ObjectVersionId, ehr_id: str, committed: datetime) -> Document:
    """The document of a version that is committed now and waits for its check."""
    return {"_id": _key(str(uid)), "u": str(uid), "e": ehr_id, "o": uid.object_id, "at": committed}


def _key(uid: str) -> str:
    parsed = ObjectVersionId.parse(uid)
    return f"{parsed.object_id}::{parsed.trunk}"


def _check(stored: Document) -> CodeCheck:
    findings = stored.get("f")
    read = None if findings is None else tuple(map(_finding, findings))
    return CodeCheck(stored["u"], stored["e"], stored["at"], read)


def _stored(finding: Finding) -> Document:
    return {
        "code": finding.code,
        "path": finding.path,
        "expected": finding.expected,
        "found": finding.found,
        "archetype_path": finding.archetype_path,
        "severity": finding.severity.value,
        "params": dict(finding.params),
    }


def _finding(stored: Document) -> Finding:
    return Finding(**stored | {"severity": Severity(stored["severity"])})
