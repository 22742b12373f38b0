"""The audit as values: who did what to whom, why and with what outcome, in chains of hashed batches.

Each writing process owns chains; a batch carries the hash of the one before it, and the first batch of
a chain carries the last hashes of the chains that were open then. So no entry can be changed, nor a
batch be taken out of the middle, without :func:`chain_faults` telling. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from cdr.versions import iso


class Outcome(StrEnum):
    """How an access ended."""

    DONE = "done"
    GRANTED = "granted"  # a read that was let in; what it found is not recorded
    DENIED = "denied"
    REFUSED = "refused"  # let in, but the request was at fault; ``detail`` holds the error's code


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One access.

    ``what`` names the object (a version id, a template id), never content; ``why`` is the access basis and
    ``reason`` what was said of an emergency. ``name`` is that of a professional or a member of staff, never
    of a citizen. ``source`` is the calling system, ``event`` the id that it gave the call.
    """

    at: datetime
    actor: str
    role: str
    organisation: str
    action: str
    outcome: Outcome
    ehr_id: str | None = None
    what: str = ""
    why: str = ""
    detail: str = ""
    kind: str = ""
    name: str = ""
    hpr: str = ""
    unit: str = ""
    client: str = ""
    source: str = ""
    event: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditBatch:
    """Entries that were written together; ``previous`` is empty in the first batch of a chain.

    ``heads`` maps the ids of other chains to their last hashes, in the first batch of a chain only.
    """

    chain: str
    sequence: int
    previous: str
    heads: Mapping[str, str]
    entries: tuple[AuditEntry, ...]
    digest: str

    @classmethod
    def sealed(
        cls,
        chain: str,
        sequence: int,
        previous: str,
        heads: Mapping[str, str],
        entries: Sequence[AuditEntry],
    ) -> AuditBatch:
        """A batch with its hash."""
        digest = batch_digest(chain, sequence, previous, heads, entries)
        return cls(chain, sequence, previous, heads, tuple(entries), digest)


def batch_digest(
    chain: str, sequence: int, previous: str, heads: Mapping[str, str], entries: Iterable[AuditEntry]
) -> str:
    """SHA-256 over everything in the batch, hex."""
    content = [chain, sequence, previous, dict(heads), [_texts(entry) for entry in entries]]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def chain_faults(batches: Iterable[AuditBatch]) -> list[str]:
    """What is wrong with the whole audit, given every batch, in the order of chain and sequence."""
    faults: list[str] = []
    last: dict[str, AuditBatch] = {}
    digests: set[str] = set()
    promised: list[tuple[str, str]] = []
    for batch in batches:
        before = last.get(batch.chain)
        faults += _batch_faults(batch, before)
        promised += batch.heads.items()
        digests.add(batch.digest)
        last[batch.chain] = batch
    faults += [
        f"chain {chain}: its end {digest[:12]} is missing"
        for chain, digest in promised
        if digest not in digests
    ]
    return faults


def _batch_faults(batch: AuditBatch, before: AuditBatch | None) -> list[str]:
    faults = []
    place = f"chain {batch.chain}, batch {batch.sequence}"
    if batch.sequence != (before.sequence + 1 if before else 0):
        faults.append(f"{place}: the batch before it is missing")
    elif batch.previous != (before.digest if before else ""):
        faults.append(f"{place}: does not follow the batch before it")
    expected = batch_digest(batch.chain, batch.sequence, batch.previous, batch.heads, batch.entries)
    if batch.digest != expected:
        faults.append(f"{place}: was changed")
    return faults


# What entries have had from the beginning; what came later is in the hash where it says something.
LATER_FIELDS = ("kind", "name", "hpr", "unit", "client", "source", "event", "reason")


def _texts(entry: AuditEntry) -> list[str | None]:
    later = [f"{name}={text}" for name in LATER_FIELDS if (text := getattr(entry, name))]
    return [
        iso(entry.at),
        entry.actor,
        entry.role,
        entry.organisation,
        entry.action,
        entry.outcome.value,
        entry.ehr_id,
        entry.what,
        entry.why,
        entry.detail,
        *later,
    ]
