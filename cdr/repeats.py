"""Requests that a client may send again: same key and same body, same answer (``Idempotency-Key``).

The key is written in the transaction of the commit, so it is there exactly if the commit is. It is kept
for seven days. A request that failed leaves no key: it is carried out anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from cdr.audit import Outcome
from cdr.doors import Call
from cdr.errors import AlreadyCommitted, RepeatErased, RepeatMismatch
from cdr.store.indexes import REPEAT_SECONDS
from cdr.store.waiting import Commit, RepeatKey
from cdr.versions import StoredVersion

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A key that the client chose, and the body that it sent with it."""

    key: str
    body: bytes

    def mark(self, call: Call, scope: str) -> RepeatKey:
        """The key among those of ``scope`` (an EHR, or who asks); neither text can be read from it."""
        text = "\0".join((scope, self.key)).encode()
        asked = call.action.value.encode() + b"\0" + self.body
        return RepeatKey(hashlib.sha256(text).hexdigest(), hashlib.sha256(asked).hexdigest())


@dataclass(frozen=True, slots=True)
class Committed:
    """A contribution that is stored, now or by the first of equal requests."""

    ehr_id: str
    contribution_id: str
    versions: Sequence[StoredVersion]


async def commit_once(
    call: Call, scope: str, repeatable: Repeatable | None, prepare: Callable[[], Awaitable[Commit]]
) -> Committed:
    """Commit what ``prepare`` makes, or return what the same request committed before.

    Raises RepeatMismatch, RepeatErased, and what ``prepare`` and Call.commit raise.
    """
    if repeatable is None:
        return await _commit(call, await prepare())
    key = repeatable.mark(call, scope)
    earlier = await _earlier(call, key)
    if earlier is not None:
        return earlier
    try:
        return await _commit(call, replace(await prepare(), repeat=key))
    except AlreadyCommitted:
        earlier = await _earlier(call, key)
        if earlier is None:  # it was a week old, and is gone since
            raise
        return earlier


async def _commit(call: Call, commit: Commit) -> Committed:
    return Committed(commit.ehr_id, commit.contribution_id, await call.commit(commit))


async def _earlier(call: Call, key: RepeatKey) -> Committed | None:
    """What the first of equal requests committed, None if this is the first."""
    known = await call.ctx.store.reads.repeat(key)
    if known is None:
        return None
    if known.ehr_id is None or known.contribution_id is None:
        raise RepeatErased
    if known.digest != key.digest:
        raise RepeatMismatch
    versions = [
        await call.show(version)
        for version in await call.ctx.store.reads.committed(known.ehr_id, known.contribution_id)
    ]
    what = str(versions[0].uid) if versions else known.contribution_id
    await call.record([call.entry(Outcome.GRANTED, ehr_id=known.ehr_id, what=what, detail="repeated")])
    return Committed(known.ehr_id, known.contribution_id, versions)


async def made_before(
    call: Call,
    key: RepeatKey | None,
    find: Callable[[RepeatKey, datetime], Awaitable[tuple[str, Made] | None]],
) -> Made | None:
    """What the first of equal requests made outside of contributions; None if this is the first.

    ``find`` gives what was made with the key after a time, and the digest of that request.
    Raises RepeatMismatch.
    """
    if key is None:
        return None
    found = await find(key, call.ctx.clock() - timedelta(seconds=REPEAT_SECONDS))
    if found is None:
        return None
    digest, made = found
    if digest != key.digest:
        raise RepeatMismatch
    return made
