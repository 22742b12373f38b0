"""Commits: those that wait together go into one transaction (docs/architecture.md, "Commit").

A transaction writes the gate of each EHR (so that erasure, a closed status and another process's
commits conflict with it), supersedes predecessors, inserts versions and the audit batch. What any
commit of the group does wrong aborts all: then the heads are read, the losers are answered, and the
rest is tried again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from cdr.errors import CdrError, Conflict, StoreUnavailable
from cdr.store.audit_log import AuditChain, open_chain
from cdr.store.database import DURABLE, Database, store_errors
from cdr.store.losers import find_losers
from cdr.store.tombstones import Tombstones
from cdr.store.transaction import GroupRefused, GroupWrite, write_group
from cdr.store.waiting import Commit, split_group
from cdr.versions import StoredVersion

Versions = tuple[StoredVersion, ...]
Waiting = dict[Commit, "asyncio.Future[Versions]"]
DUPLICATE = 11000
UNKNOWN_RESULT = "UnknownTransactionCommitResult"
TRANSIENT = "TransientTransactionError"


class TogetherRefused(Exception):
    """Nothing of a number of commits was stored; ``refusals`` says whose fault it was."""

    def __init__(self, refusals: Mapping[Commit, CdrError]) -> None:
        super().__init__(f"{len(refusals)} commits are refused")
        self.refusals = refusals


class CommitQueue:
    """Takes commits from many callers and writes them in groups, one group at a time."""

    def __init__(
        self, database: Database, tombstones: Tombstones, *, group_size: int, patience: float
    ) -> None:
        self._database = database
        self._tombstones = tombstones
        self._group_size = group_size
        self._patience = patience
        self._waiting: Waiting = {}
        self._arrived = asyncio.Event()
        self._stopping = False
        self._chain: AuditChain | None = None
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        self._arrived.set()
        if self._worker is not None:
            await self._worker

    async def submit(self, commit: Commit) -> Versions:
        """Return the versions once they are durable.

        Raises UnknownEhr, EhrClosed, EhrNotModifiable, EhrExists, SubjectExists, ObjectExists,
        UnknownObject, VersionConflict; StoreUnavailable if the database does not answer in time (in
        the rare case of an answer lost during the last attempt the commit may yet be stored).
        """
        if self._stopping:
            raise StoreUnavailable("the server stops")
        future: asyncio.Future[Versions] = asyncio.get_running_loop().create_future()
        self._waiting[commit] = future
        self._arrived.set()
        return await future

    async def refusals(self, commits: Sequence[Commit]) -> Mapping[Commit, CdrError]:
        """Which of the commits the record would refuse as it stands. Raises StoreUnavailable."""
        with store_errors():
            return await self._losers(commits)

    async def write_together(self, commits: Sequence[Commit]) -> Mapping[Commit, Versions]:
        """Write all in one transaction of their own, or nothing. Raises TogetherRefused, StoreUnavailable."""
        apart = CommitQueue(
            self._database, self._tombstones, group_size=len(commits), patience=self._patience
        )
        deadline = asyncio.get_running_loop().time() + self._patience
        with store_errors():
            while True:
                _check_apart(commits)
                written = await apart._attempt(commits, deadline)
                if written is not None:
                    return written
                if refused := await self._losers(commits):
                    raise TogetherRefused(refused)
                if asyncio.get_running_loop().time() > deadline:
                    raise StoreUnavailable("other writers were always faster")

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            group, later = split_group(list(self._waiting), self._group_size)
            taken: Waiting = {commit: self._waiting.pop(commit) for commit in group}
            if not later:
                self._arrived.clear()
            if taken:
                await self._commit(taken)
            if self._stopping and not self._waiting:
                return

    async def _commit(self, taken: Waiting) -> None:
        """Write a group and answer everybody in it; never raises."""
        try:
            with store_errors():
                await self._until_written(taken)
        except StoreUnavailable as error:
            self._chain = None  # whether the batch was written is not known: go on in a new chain
            _fail(taken, error)
        except Exception as error:  # noqa: BLE001 - a bug must reach its caller, not stop the queue
            self._chain = None
            await self._one_by_one(taken, error)

    async def _one_by_one(self, taken: Waiting, error: Exception) -> None:
        """Let a commit that no group can hold fail alone."""
        if len(taken) == 1:
            _fail(taken, error)
            return
        for commit, future in taken.items():
            if not future.done():
                await self._commit({commit: future})

    async def _until_written(self, taken: Waiting) -> None:
        deadline = asyncio.get_running_loop().time() + self._patience
        remaining = dict(taken)
        while remaining:
            written = await self._attempt(list(remaining), deadline)
            if written is not None:
                for commit, versions in written.items():
                    _succeed(remaining[commit], versions)
                return
            for commit, error in (await self._losers(list(remaining))).items():
                _fail({commit: remaining.pop(commit)}, error)
            if asyncio.get_running_loop().time() > deadline:
                raise StoreUnavailable("other writers were always faster")
            await asyncio.sleep(random.uniform(0.0005, 0.005))

    async def _losers(self, group: Sequence[Commit]) -> dict[Commit, CdrError]:
        return await find_losers(self._database, self._tombstones, group)

    async def _attempt(self, group: Sequence[Commit], deadline: float) -> dict[Commit, Versions] | None:
        """One transaction; None if it was aborted and may be tried again."""
        try:
            return await self._transact(group, deadline)
        except (GroupRefused, DuplicateKeyError):
            return None
        except BulkWriteError as error:
            if {fault["code"] for fault in error.details["writeErrors"]} != {DUPLICATE}:
                raise
            return None
        except PyMongoError as error:
            late = asyncio.get_running_loop().time() > deadline
            if late or not (error.has_error_label(TRANSIENT) or isinstance(error, ConnectionFailure)):
                raise
            if isinstance(error, ConnectionFailure):
                await asyncio.sleep(0.1)
            return None

    async def _transact(self, group: Sequence[Commit], deadline: float) -> dict[Commit, Versions]:
        self._chain = self._chain or await open_chain(self._database)
        batch = self._chain.batch([commit.entry for commit in group])
        write = GroupWrite.of(group, batch)
        async with self._database.client.start_session(causal_consistency=False) as session:
            await session.start_transaction(ReadConcern("snapshot"), DURABLE)
            try:
                await write_group(self._database, self._tombstones, session, write)
            except BaseException:
                with suppress(PyMongoError):
                    await session.abort_transaction()
                raise
            while True:
                try:
                    await session.commit_transaction()
                    break
                except (ConnectionFailure, OperationFailure) as error:
                    if not error.has_error_label(UNKNOWN_RESULT):
                        raise
                    if asyncio.get_running_loop().time() > deadline:
                        raise StoreUnavailable("the answer to a commit was lost") from error
                    await asyncio.sleep(0.1)
        self._chain.advance(batch)
        return write.versions


def _check_apart(commits: Sequence[Commit]) -> None:
    """Commits of one object, or of one key, are not for one transaction. Raises TogetherRefused."""
    _, later = split_group(commits, len(commits))
    if later:
        twice = "another line writes the same object, or has the same key"
        raise TogetherRefused({commit: Conflict(twice) for commit in later})


def _succeed(future: asyncio.Future[Versions], versions: Versions) -> None:
    with suppress(asyncio.InvalidStateError):  # the caller may have gone away
        future.set_result(versions)


def _fail(taken: Waiting, error: Exception) -> None:
    for future in taken.values():
        with suppress(asyncio.InvalidStateError):
            future.set_exception(error)
