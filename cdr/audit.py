"""The audit as values: who did what to whom, why and with what outcome, in chains of hashed batches.

Each writing process owns chains; a batch carries the hash of the one before it, and the first batch of
a chain carries the last hashes of the chains that were open then. So no entry can be changed, nor a
batch be taken out of the middle, without :func:`chain_faults` telling. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain at some time, as it was published."""

    chain: str
    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class AuditState:
    """What a check of the whole audit found."""

    batches: int
    entries: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """Which entries somebody looks for: all that is said must fit; ``since`` <= time < ``until``."""

    ehr_id: str | None = None
    actor: str | None = None
    hpr: str | None = None
    organisation: str | None = None
    action: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


class ChainCheck:
    """Looks at every batch, in the order of chain and sequence, and says what is wrong.

    ``promised`` are chain and hash of the ends that other chains started from, ``published`` the heads that
    are known from outside the database. Holds one batch at a time.
    """

    def __init__(self, promised: Iterable[tuple[str, str]], published: Iterable[Head] = ()) -> None:
        self._promised = set(promised)
        self._published = {(head.chain, head.sequence): head for head in published}
        self._last: AuditBatch | None = None
        self.batches = 0
        self.entries = 0

    def see(self, batch: AuditBatch) -> list[str]:
        """The faults that the next batch shows."""
        before = self._last if self._last is not None and self._last.chain == batch.chain else None
        self._last = batch
        self.batches += 1
        self.entries += len(batch.entries)
        self._promised.discard((batch.chain, batch.digest))
        faults = _batch_faults(batch, before)
        published = self._published.pop((batch.chain, batch.sequence), None)
        if published is not None and published.digest != batch.digest:
            faults.append(f"chain {batch.chain}, batch {batch.sequence}: is not the one that was published")
        return faults

    def missing(self) -> list[str]:
        """The faults that show when there are no more batches."""
        ends = [
            f"chain {chain}: its end {digest[:12]} is missing" for chain, digest in sorted(self._promised)
        ]
        heads = sorted(self._published)
        return ends + [
            f"chain {chain}: batch {number}, which was published, is missing" for chain, number in heads
        ]


def chain_faults(batches: Sequence[AuditBatch], published: Iterable[Head] = ()) -> list[str]:
    """What is wrong with the whole audit, given every batch, in the order of chain and sequence."""
    check = ChainCheck((end for batch in batches for end in batch.heads.items()), published)
    return [fault for batch in batches for fault in check.see(batch)] + check.missing()


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


def batch_line(batch: AuditBatch) -> bytes:
    """A batch as one line of an export (NDJSON)."""
    return orjson.dumps(asdict(batch), option=orjson.OPT_APPEND_NEWLINE)


def read_batch(line: bytes) -> AuditBatch:
    """The batch in a line of an export. Raises ValueError."""
    try:
        said = orjson.loads(line)
        entries = [
            AuditEntry(
                **{**entry, "at": datetime.fromisoformat(entry["at"]), "outcome": Outcome(entry["outcome"])}
            )
            for entry in said.pop("entries")
        ]
        return AuditBatch(**said, entries=tuple(entries))
    except (KeyError, TypeError) as error:
        raise ValueError("not a batch of the audit") from error
