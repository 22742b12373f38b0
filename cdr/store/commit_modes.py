"""Other ways of a commit than the queue: a trial that stores nothing, and all of a number or none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from cdr.audit import AuditBatch, Outcome
from cdr.errors import Conflict
from cdr.store.audit_log import AuditLog
from cdr.store.commits import CommitQueue, TogetherRefused
from cdr.store.transaction import GroupWrite
from cdr.store.waiting import Commit
from cdr.versions import StoredVersion

Versions = tuple[StoredVersion, ...]


class CommitSink(Protocol):
    """Where use cases put their commits."""

    async def submit(self, commit: Commit) -> Versions:
        """The versions as they are stored. Raises as CommitQueue.submit."""


class Abandoned(Conflict):
    """This would have been stored, but all or nothing was asked for, and something else was refused."""

    code = "bulk.abandoned"

    def __init__(self) -> None:
        super().__init__("nothing is stored, for another line was refused")


@dataclass(frozen=True, slots=True)
class DryRun:
    """Says what the store would say, and stores nothing but that it was asked."""

    queue: CommitQueue
    audit: AuditLog

    async def submit(self, commit: Commit) -> Versions:
        """The versions as they would be stored. Raises as CommitQueue.submit."""
        refused = await self.queue.refusals([commit])
        if refused:
            raise refused[commit]
        await self.audit.record([replace(commit.entry, outcome=Outcome.GRANTED, detail="dry run")])
        unwritten = AuditBatch.sealed("", 0, "", {}, [commit.entry])
        return GroupWrite.of([commit], unwritten).versions[commit]


class Together:
    """Waits for a number of commits, then stores all of them in one transaction, or none."""

    def __init__(self, queue: CommitQueue, count: int) -> None:
        self._queue = queue
        self._left = count
        self._refused = False
        self._waiting: dict[Commit, asyncio.Future[Versions]] = {}
        self._writing: asyncio.Task[None] | None = None

    def seat(self) -> Seat:
        """The place of one of the number."""
        return Seat(self)

    async def submit(self, commit: Commit) -> Versions:
        """The versions once all are stored. Raises Abandoned, and as CommitQueue.submit."""
        future: asyncio.Future[Versions] = asyncio.get_running_loop().create_future()
        self._waiting[commit] = future
        self._arrived()
        return await future

    def without(self, *, refused: bool) -> None:
        """One of the number will not come: it was ``refused``, or is stored already."""
        self._refused |= refused
        self._arrived()

    def _arrived(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        commits = list(self._waiting)
        try:
            if self._refused:  # whoever mends the others' faults is told of these too
                raise TogetherRefused(await self._queue.refusals(commits))
            written = await self._queue.write_together(commits)
        except TogetherRefused as error:
            self._fail(error.refusals)
        except Exception as error:  # noqa: BLE001 - whoever waits must be answered, also of a bug
            self._fail(dict.fromkeys(self._waiting, error))
        else:
            for commit, versions in written.items():
                with suppress(asyncio.InvalidStateError):  # the caller may have gone away
                    self._waiting[commit].set_result(versions)

    def _fail(self, refusals: Mapping[Commit, Exception]) -> None:
        for commit, future in self._waiting.items():
            with suppress(asyncio.InvalidStateError):
                future.set_exception(refusals.get(commit) or Abandoned())


class Seat:
    """One place at a :class:`Together`; leave it in any case, for the others wait."""

    def __init__(self, together: Together) -> None:
        self._together = together
        self._taken = False

    async def submit(self, commit: Commit) -> Versions:
        """As Together.submit."""
        self._taken = True
        return await self._together.submit(commit)

    def leave(self, *, refused: bool) -> None:
        """No commit comes from here, or it came."""
        if not self._taken:
            self._taken = True
            self._together.without(refused=refused)
