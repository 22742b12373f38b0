"""What one group transaction writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from cdr.audit import AuditBatch
from cdr.erasure_ledger import Done
from cdr.store.bars import bar_new_ehrs, bar_new_subject
from cdr.store.code_check_documents import waiting_check
from cdr.store.consents import ConsentWrite, card_gate_updates
from cdr.store.database import FAR, Collection, Database, Document
from cdr.store.documents import (
    NewVersion,
    attested,
    batch_document,
    committed_version,
    contribution_document,
    document_id,
    version_document,
)
from cdr.store.erasures import remember
from cdr.store.feed import notice, tell
from cdr.store.joins import is_joined
from cdr.store.subject_documents import change_subject, subject_document
from cdr.store.tombstones import Tombstones
from cdr.store.waiting import Commit, StatusFacts
from cdr.versions import AuditDetails, ChangeType, Lifecycle, StoredVersion, next_commit_time


class GroupRefused(Exception):
    """A gate or a predecessor of the group is not as it must be; find_losers tells whose."""


@dataclass(frozen=True, slots=True)
class GroupWrite:
    """The documents and updates of a group, with commit times given."""

    content_ehrs: list[str]
    card_gates: list[UpdateOne]
    consent: ConsentWrite
    status_updates: list[UpdateOne]
    subject_changes: list[tuple[str, StatusFacts, datetime]]
    superseded: list[UpdateOne]
    ehrs: list[Document]
    subjects: list[Document]
    documents: list[Document]
    attested: list[UpdateOne]
    contributions: list[Document]
    repeats: list[Document]
    code_checks: list[Document]
    chosen_ids: list[str]
    batch: AuditBatch
    versions: dict[Commit, tuple[StoredVersion, ...]]

    @classmethod
    def of(cls, group: Sequence[Commit], batch: AuditBatch) -> GroupWrite:
        """What the commits of ``group`` write together."""
        content = {
            commit.ehr_id
            for commit in group
            if commit.status is None and commit.consent is None and commit.gate is None
        }
        updating = [commit for commit in group if commit.status is not None and not commit.creates_ehr]
        write = cls(
            content_ehrs=sorted(content),
            card_gates=card_gate_updates(group),
            consent=ConsentWrite.of(group),
            status_updates=[_status_update(commit) for commit in updating],
            subject_changes=[],
            superseded=[],
            ehrs=[],
            subjects=[],
            documents=[],
            attested=[],
            contributions=[],
            repeats=[],
            code_checks=[],
            chosen_ids=[],
            batch=batch,
            versions={},
        )
        for commit in group:
            write._add(commit)
        return write

    def _add(self, commit: Commit) -> None:
        audit = _audit(commit)
        where: dict[str, Any] = {
            "ehr_id": commit.ehr_id,
            "contribution_id": commit.contribution_id,
            "organisation": commit.entry.organisation,
            "card_id": commit.gate.card_id if commit.gate else None,
        }
        stored = []
        together = {version.uid for version in commit.versions}
        for version in commit.versions:
            of_version = _version_audit(audit, version)
            self.documents.append(version_document(version, audit=of_version, **where))
            stored.append(committed_version(version, audit=of_version, **where))
            if version.recheck:
                self.code_checks.append(waiting_check(version.uid, commit.ehr_id, of_version.time_committed))
            if version.preceding is not None and version.preceding not in together:
                self.superseded.append(_supersede(commit.ehr_id, version, audit))
        self.versions[commit] = tuple(stored)
        self._add_contribution(commit, audit)
        if commit.status is not None:
            self._add_status(commit, commit.status, audit)

    def _add_status(self, commit: Commit, status: StatusFacts, audit: AuditDetails) -> None:
        if not commit.creates_ehr:
            self.subject_changes.append((commit.ehr_id, status, audit.time_committed))
            return
        self.ehrs.append(_ehr_document(commit, status, audit))
        subject = subject_document(status, commit.ehr_id, audit.time_committed)
        if subject is not None:
            self.subjects.append(subject)

    def _add_contribution(self, commit: Commit, audit: AuditDetails) -> None:
        self.chosen_ids.extend(commit.chosen_ids)
        for later in commit.attested:
            version = {"_id": document_id(later.uid), "e": commit.ehr_id, "z": {"$exists": True}}
            added = {"$each": attested(later.attestations, audit)}
            self.attested.append(UpdateOne(version, {"$push": {"at": added}}))
        if commit.facts is not None:
            of_all = replace(audit, change_type=commit.facts.change_type)
            self.contributions.append(
                contribution_document(commit.contribution_id, commit.ehr_id, of_all, commit.facts.versions)
            )
        if commit.repeat is not None:
            self.repeats.append(
                {
                    "_id": commit.repeat.mark,
                    "h": commit.repeat.digest,
                    "e": commit.ehr_id,
                    "ct": commit.contribution_id,
                    "at": audit.time_committed,
                }
            )


async def write_group(
    database: Database, tombstones: Tombstones, session: AsyncClientSession, write: GroupWrite
) -> None:
    """Write everything inside the session's transaction. Raises GroupRefused and the driver's errors."""
    await _pass_gates(database, session, write)
    for ehr_id, status, at in write.subject_changes:
        await change_subject(database, session, ehr_id, status, at)
        await bar_new_subject(database, tombstones, session, ehr_id, status.subject)
    await _update_all(database.versions, write.superseded, session)
    await _update_all(database.versions, write.attested, session)
    new_ids = [ehr["_id"] for ehr in write.ehrs] + write.chosen_ids
    if new_ids and await tombstones.any_of(new_ids, session):
        raise GroupRefused
    if write.ehrs and await is_joined(database, [ehr["_id"] for ehr in write.ehrs], session):
        raise GroupRefused
    await bar_new_ehrs(database, tombstones, session, write.ehrs, write.subjects)
    for collection, documents in (
        (database.repeats, write.repeats),
        (database.contributions, write.contributions),
        (database.ehrs, write.ehrs),
        (database.subjects, write.subjects),
        (database.versions, write.documents),
        (database.code_checks, write.code_checks),
        (database.consents, write.consent.events),
        (database.removals, write.consent.removals),
    ):
        if documents:
            await collection.insert_many(documents, session=session)
    for ehr_id, event, at in write.consent.notices:
        ehr = await database.ehrs.find_one({"_id": ehr_id}, {"rel": 1}, session=session)
        await tell(database, notice(event, ehr or {"_id": ehr_id}, at), session)
    for removal in write.consent.removals:
        joined = await database.joins.distinct("_id", {"e": removal["e"]}, session=session)
        await remember(
            database,
            tombstones,
            session,
            erasure=removal["_id"],
            done=Done.WITHDRAWAL,
            ids=[removal["e"], *joined],
            at=removal["at"],
        )
    if write.consent.cards:
        await database.cards.bulk_write(write.consent.cards, session=session)
    await database.audit.insert_one(batch_document(write.batch), session=session)


async def _pass_gates(database: Database, session: AsyncClientSession, write: GroupWrite) -> None:
    if write.content_ehrs:
        open_gates = {"_id": {"$in": write.content_ehrs}, "gate.open": True, "gate.mod": True}
        passed = await database.ehrs.update_many(open_gates, {"$inc": {"gate.w": 1}}, session=session)
        if passed.matched_count != len(write.content_ehrs):
            raise GroupRefused
    await _update_all(database.ehrs, write.card_gates, session)
    await _update_all(database.ehrs, write.consent.gates, session)
    await _update_all(database.ehrs, write.status_updates, session)


async def _update_all(collection: Collection, updates: list[UpdateOne], session: AsyncClientSession) -> None:
    """Run updates each of which must find its document."""
    if not updates:
        return
    result = await collection.bulk_write(updates, ordered=True, session=session)
    if result.matched_count != len(updates):
        raise GroupRefused


def _audit(commit: Commit) -> AuditDetails:
    """The audit of the contribution: one commit time for all of its versions."""
    before = [version.previous_commit for version in commit.versions]
    before += [later.committed for later in commit.attested]
    moments = [next_commit_time(commit.clock, moment) for moment in [*before, None]]
    return AuditDetails(
        commit.system_id, commit.committer, max(moments), ChangeType.CREATION, commit.description
    )


def _version_audit(audit: AuditDetails, version: NewVersion) -> AuditDetails:
    """The audit of one version: that of the contribution, but for what is said of the version alone."""
    return replace(
        audit,
        change_type=version.change_type,
        committer=version.committer or audit.committer,
        description=audit.description if version.description is None else version.description,
    )


def _supersede(ehr_id: str, version: NewVersion, audit: AuditDetails) -> UpdateOne:
    """End the preceding version; a deletion was never current, it must only be there."""
    assert version.preceding is not None  # asked for successors only
    preceding: Document = {"_id": document_id(version.preceding), "e": ehr_id}
    if version.restores:
        deleted = Lifecycle.DELETED.value
        return UpdateOne(preceding | {"lc": deleted}, {"$set": {"lc": deleted}})
    return UpdateOne(preceding | {"until": FAR}, {"$set": {"until": audit.time_committed}})


def _ehr_document(commit: Commit, status: StatusFacts, audit: AuditDetails) -> Document:
    relations = [{"org": commit.in_care_of, "since": audit.time_committed}] if commit.in_care_of else []
    return {
        "_id": commit.ehr_id,
        "gate": {"open": True, "mod": status.is_modifiable, "w": 0},
        "system": commit.system_id,
        "created": audit.time_committed,
        "status": status.object_id,
        "queryable": status.is_queryable,
        "rel": relations,
    }


def _status_update(commit: Commit) -> UpdateOne:
    status = commit.status
    assert status is not None  # asked for status updates only
    change = {
        "$set": {"gate.mod": status.is_modifiable, "queryable": status.is_queryable},
        "$inc": {"gate.w": 1},
    }
    gate = {"gate.open": True, "gate.mod": True} if commit.needs_modifiable else {"gate.open": True}
    return UpdateOne({"_id": commit.ehr_id, **gate}, change)
