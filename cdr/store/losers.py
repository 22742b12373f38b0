"""Why a commit cannot go in: asked only after a transaction was aborted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdr.consent import consent_facts
from cdr.errors import (
    AlreadyCommitted,
    CdrError,
    ContributionExists,
    DirectoryExists,
    EhrClosed,
    EhrExists,
    EhrNotModifiable,
    ObjectExists,
    SubjectExists,
    UnknownEhr,
    UnknownObject,
    UnknownVersion,
    VersionConflict,
)
from cdr.store.consents import CONSENT_MEMBERS, consent_error
from cdr.store.database import FAR, Database, Document
from cdr.store.documents import HEAD_FIELDS, NewVersion, document_id, head
from cdr.store.joins import is_joined
from cdr.store.tombstones import Tombstones
from cdr.store.waiting import Commit
from cdr.versions import Kind


async def find_losers(
    database: Database, tombstones: Tombstones, group: Sequence[Commit]
) -> dict[Commit, CdrError]:
    """The commits that the record as it stands refuses, each with its error; the others may try again."""
    gates = await _gates(database, group)
    losers: dict[Commit, CdrError] = {}
    for commit in group:
        error = await _repeat_error(database, commit) or (
            await _creation_error(database, tombstones, commit, gates)
            if commit.creates_ehr
            else _gate_error(commit, gates.get(commit.ehr_id))
        )
        error = error or await _subject_error(database, commit)
        error = error or await _version_error(database, tombstones, commit)
        error = error or await _contribution_error(database, commit)
        if error is not None:
            losers[commit] = error
    return losers


async def _gates(database: Database, group: Sequence[Commit]) -> Mapping[str, Document]:
    ids = list({commit.ehr_id for commit in group})
    documents = await database.ehrs.find({"_id": {"$in": ids}}, {"gate": 1, **CONSENT_MEMBERS}).to_list()
    return {document["_id"]: document for document in documents}


async def _creation_error(
    database: Database, tombstones: Tombstones, commit: Commit, gates: Mapping[str, Document]
) -> CdrError | None:
    used = commit.ehr_id in gates or await tombstones.any_of([commit.ehr_id])
    if used or await is_joined(database, [commit.ehr_id]):
        return EhrExists(commit.ehr_id)
    return None


def _gate_error(commit: Commit, ehr: Document | None) -> CdrError | None:
    if ehr is None:
        return UnknownEhr(commit.ehr_id)
    if not ehr["gate"]["open"]:
        return EhrClosed(commit.ehr_id)
    content = commit.status is None and commit.consent is None
    if (content or commit.needs_modifiable) and not ehr["gate"]["mod"]:
        return EhrNotModifiable(commit.ehr_id)
    return consent_error(commit, consent_facts(ehr))


async def _subject_error(database: Database, commit: Commit) -> CdrError | None:
    if commit.status is None or commit.status.subject is None:
        return None
    namespace, subject_id = commit.status.subject
    holder = await database.subjects.find_one({"_id": {"ns": namespace, "id": subject_id}})
    if holder is None or holder["e"] == commit.ehr_id:
        return None
    return SubjectExists(namespace)


async def _repeat_error(database: Database, commit: Commit) -> CdrError | None:
    if commit.repeat is None:
        return None
    known = await database.repeats.find_one({"_id": commit.repeat.mark}, {"_id": 1})
    return AlreadyCommitted() if known else None


async def _contribution_error(database: Database, commit: Commit) -> CdrError | None:
    for later in commit.attested:
        version = {"_id": document_id(later.uid), "e": commit.ehr_id, "z": {"$exists": True}}
        if await database.versions.find_one(version, {"_id": 1}) is None:
            return UnknownVersion(str(later.uid))
    if commit.facts is None:
        return None
    taken = await database.contributions.find_one({"_id": commit.contribution_id}, {"_id": 1})
    return ContributionExists(commit.contribution_id) if taken else None


async def _version_error(database: Database, tombstones: Tombstones, commit: Commit) -> CdrError | None:
    for erased in commit.chosen_ids:
        if await tombstones.any_of([erased]):
            return ObjectExists(erased)
    for version in commit.versions:
        error = await _head_error(database, commit.ehr_id, version)
        if error is not None:
            return error
    return None


async def _head_error(database: Database, ehr_id: str, version: NewVersion) -> CdrError | None:
    object_id = version.uid.object_id
    if version.preceding is None:
        # Object ids are unique over all EHRs: the _id of a version does not hold its EHR.
        if await database.versions.find_one({"_id": f"{object_id}::1"}, {"_id": 1}):
            return ObjectExists(object_id)
        return await _directory_error(database, ehr_id, version)
    latest = await database.versions.find_one({"e": ehr_id, "o": object_id}, HEAD_FIELDS, sort=[("n", -1)])
    if latest is None:
        return UnknownObject(object_id)
    uid = head(latest).uid
    if uid != version.preceding:
        return VersionConflict(str(uid))
    return await _directory_error(database, ehr_id, version) if version.restores else None


async def _directory_error(database: Database, ehr_id: str, version: NewVersion) -> CdrError | None:
    if version.kind is not Kind.FOLDER:
        return None
    current = {"e": ehr_id, "k": Kind.FOLDER.value, "until": FAR}
    taken = await database.versions.find_one(current, {"_id": 1})
    return DirectoryExists(ehr_id) if taken else None
