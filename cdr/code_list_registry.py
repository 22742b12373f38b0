"""The loaded releases of code lists, kept ready in memory, with a terminology server behind them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import date

from cdr.store.code_list_documents import CodeListDocuments
from cdr.terminology import Answer, Coding, LocalTerminology, TerminologyService, Verdict
from cdr.terminology.service import UnknownValueSet


class CodeListRegistry:
    """A terminology service: the releases of the store first, then the server for what they do not know.

    A release that another process imported is seen within ``refresh_seconds``.
    """

    def __init__(
        self,
        documents: CodeListDocuments,
        server: TerminologyService | None = None,
        *,
        refresh_seconds: float = 5.0,
    ) -> None:
        self._documents = documents
        self._server = server
        self._refresh_seconds = refresh_seconds
        self._known: frozenset[str] = frozenset()
        self._local = LocalTerminology()
        self._checked: float | None = None
        self._loading = asyncio.Lock()

    async def releases(self) -> LocalTerminology:
        """The releases of the store. Raises StoreUnavailable."""
        if self._is_stale():
            async with self._loading:
                if self._is_stale():
                    await self.refresh()
        return self._local

    async def refresh(self) -> None:
        """Read what was imported since. Raises StoreUnavailable."""
        names = await self._documents.names()
        if names != self._known:
            loaded = await self._documents.load(names)
            self._local, self._known = LocalTerminology(loaded), names
        self._checked = time.monotonic()

    async def is_idle(self) -> bool:
        """True without a server and a release."""
        return self._server is None and await (await self.releases()).is_idle()

    async def validate_code(self, coding: Coding, value_set: str | None, day: date) -> Answer:
        """By the loaded releases, else by the server."""
        answer = await (await self.releases()).validate_code(coding, value_set, day)
        if answer.verdict is not Verdict.UNKNOWN or self._server is None:
            return answer
        return _also_provisional(await self._server.validate_code(coding, value_set, day), answer)

    async def lookup(self, coding: Coding, day: date) -> Answer:
        """By the loaded releases, else by the server."""
        answer = await (await self.releases()).lookup(coding, day)
        if answer.verdict is not Verdict.UNKNOWN or self._server is None:
            return answer
        return _also_provisional(await self._server.lookup(coding, day), answer)

    async def expand(self, value_set: str, day: date) -> tuple[Coding, ...]:
        """Raises TerminologyUnreachable, UnknownValueSet."""
        try:
            return await (await self.releases()).expand(value_set, day)
        except UnknownValueSet:
            if self._server is None:
                raise
        return await self._server.expand(value_set, day)

    async def subsumes(self, system: str, ancestor: str, code: str) -> bool | None:
        """By the loaded releases, else by the server."""
        below = await (await self.releases()).subsumes(system, ancestor, code)
        if below is not None or self._server is None:
            return below
        return await self._server.subsumes(system, ancestor, code)

    def _is_stale(self) -> bool:
        return self._checked is None or time.monotonic() - self._checked >= self._refresh_seconds


def _also_provisional(answer: Answer, local: Answer) -> Answer:
    """A server's answer is the real list only if it knows the list."""
    unknown = answer.verdict in (Verdict.UNKNOWN, Verdict.UNREACHABLE)
    return replace(answer, provisional=local.provisional and unknown)
