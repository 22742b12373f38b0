"""A FHIR R4 terminology server over HTTP: $validate-code, $expand, $lookup, $subsumes, with a cache."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx

from cdr.terminology.service import Answer, Coding, TerminologyUnreachable, UnknownValueSet, Verdict

_SUBSUMES = {"equivalent": True, "subsumes": True, "subsumed-by": False, "not-subsumed": False}
_UNKNOWN = ("not-found", "not-supported")


class FhirTerminology:
    """The client; ``close`` it at the end. Only answers of the server are kept, never its silence."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = 2.0,
        cache_seconds: float = 3600.0,
        cache_size: int = 10_000,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=timeout, transport=transport)
        self._cache: OrderedDict[tuple[str, tuple[tuple[str, str], ...]], tuple[float, Any]] = OrderedDict()
        self._cache_seconds = cache_seconds
        self._cache_size = cache_size

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def is_idle(self) -> bool:
        """A server may know any list."""
        return False

    async def validate_code(self, coding: Coding, value_set: str | None, day: date) -> Answer:
        """``result`` false is INVALID; a server that does not know the system says UNKNOWN."""
        if value_set is None:
            asked = {"url": coding.system, "code": coding.code}
            return await self._answer("CodeSystem/$validate-code", asked)
        asked = {"url": value_set, "system": coding.system, "code": coding.code, "date": day.isoformat()}
        return await self._answer("ValueSet/$validate-code", asked)

    async def lookup(self, coding: Coding, day: date) -> Answer:
        """The display; an unknown code is INVALID."""
        asked = {"system": coding.system, "code": coding.code, "date": day.isoformat()}
        try:
            body = await self._ask("CodeSystem/$lookup", asked)
        except TerminologyUnreachable:
            return Answer(Verdict.UNREACHABLE)
        if body.get("resourceType") != "Parameters":
            return Answer(Verdict.UNKNOWN)
        said = _parameters(body)
        return Answer(Verdict.VALID, str(said.get("display", "")), "", str(said.get("version", "")))

    async def expand(self, value_set: str, day: date) -> tuple[Coding, ...]:
        """Raises TerminologyUnreachable, UnknownValueSet."""
        body = await self._ask("ValueSet/$expand", {"url": value_set, "date": day.isoformat()})
        expansion = body.get("expansion")
        if body.get("resourceType") != "ValueSet" or not isinstance(expansion, dict):
            raise UnknownValueSet(value_set)
        members = expansion.get("contains", [])
        return tuple(
            Coding(str(m.get("system", "")), str(m.get("code", "")), str(m.get("display", "")))
            for m in members
            if isinstance(m, dict)
        )

    async def subsumes(self, system: str, ancestor: str, code: str) -> bool | None:
        """None where the server does not know, or does not answer."""
        asked = {"system": system, "codeA": ancestor, "codeB": code}
        try:
            body = await self._ask("CodeSystem/$subsumes", asked)
        except TerminologyUnreachable:
            return None
        return _SUBSUMES.get(str(_parameters(body).get("outcome")))

    async def _answer(self, operation: str, asked: Mapping[str, str]) -> Answer:
        try:
            body = await self._ask(operation, asked)
        except TerminologyUnreachable:
            return Answer(Verdict.UNREACHABLE)
        said = _parameters(body)
        if not isinstance(said.get("result"), bool):
            return Answer(Verdict.UNKNOWN)
        display, inactive = str(said.get("display", "")), said.get("inactive") is True
        if said["result"]:
            return Answer(Verdict.RETIRED if inactive else Verdict.VALID, display)
        return Answer(Verdict.INVALID, display)

    async def _ask(self, operation: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        """The resource that the server answers with. Raises TerminologyUnreachable."""
        key = (operation, tuple(sorted(asked.items())))
        known = self._cache.get(key)
        if known is not None and time.monotonic() - known[0] < self._cache_seconds:
            self._cache.move_to_end(key)
            body: Mapping[str, Any] = known[1]
            return body
        body = await self._fetch(operation, asked)
        self._cache[key] = (time.monotonic(), body)
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
        return body

    async def _fetch(self, operation: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {"Accept": "application/fhir+json"}
        try:
            response = await self._client.get(operation, params=dict(asked), headers=headers)
            body = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise TerminologyUnreachable(operation, type(error).__name__) from error
        if not isinstance(body, dict):
            raise TerminologyUnreachable(operation, "the answer is no FHIR resource")
        if response.is_success or _says_unknown(body):
            return body
        raise TerminologyUnreachable(operation, f"status {response.status_code}")


def _says_unknown(body: Mapping[str, Any]) -> bool:
    """True for an OperationOutcome that says that there is no such system, value set or code."""
    issues = body.get("issue", [])
    known = body.get("resourceType") == "OperationOutcome" and isinstance(issues, list)
    return known and any(isinstance(issue, dict) and issue.get("code") in _UNKNOWN for issue in issues)


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """The named values of a Parameters resource; each has one ``value...``."""
    members = body.get("parameter", [])
    return {
        str(member.get("name")): next((v for k, v in member.items() if k.startswith("value")), None)
        for member in (members if isinstance(members, list) else [])
        if isinstance(member, dict)
    }
