"""Stored queries: named AQL in semantic versions (ITS-REST DEFINITION, query; QUERY, stored)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cdr.access import Action
from cdr.aql.checks import check
from cdr.aql.errors import AqlSemanticError
from cdr.aql.parser import parse
from cdr.aql.scope import Scope, resolve
from cdr.aql.terminology import questions, request_of
from cdr.audit import Outcome
from cdr.doors import Call, reading, writing
from cdr.errors import MalformedName, QueryExists, QueryNotSupported, UnknownQuery
from cdr.query_parameters import QueryParameter
from cdr.store.stored_query_documents import StoredQuery

__all__ = [
    "StoredQuery",
    "delete_query",
    "get_query",
    "list_queries",
    "store_query",
]

_NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.\-]*::)?[A-Za-z0-9_.\-]+", re.ASCII)
_VERSION = re.compile(r"(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?(?:\.(0|[1-9]\d{0,8}))?", re.ASCII)
_LONGEST_NAME = 200
_FIRST = "1.0.0"
# Values for parameters while a query is only checked: one of them fits wherever a parameter may stand.
_STAND_INS: tuple[Any, ...] = ("x", 1, ["x"], "openEHR-EHR-COMPOSITION.x.v1", "at0001")


@writing(Action.STORE_QUERY)
async def store_query(
    call: Call,
    name: str,
    text: str,
    *,
    version: str | None = None,
    description: Mapping[str, str] | None = None,
    parameters: Sequence[QueryParameter] = (),
) -> StoredQuery:
    """Store a version of a query, which then never changes; without ``version`` the next patch version.

    ``parameters`` are checked when it runs. Raises MalformedName, QueryExists, AqlSyntaxError,
    AqlSemanticError, QueryNotSupported.
    """
    _check_name(name)
    if version is not None and len(_numbers(version)) != 3:
        raise MalformedName(f"a query is stored as major.minor.patch, not as {version!r}")
    check_text(text)
    await call.record([call.entry(Outcome.GRANTED, what=f"query {name}")])
    while True:
        query = StoredQuery(
            name,
            version or await _next_version(call, name),
            text,
            call.ctx.clock(),
            description or {},
            [each.to_json() for each in parameters],
        )
        if await call.ctx.store.stored_queries.add(query):
            return query
        if version is not None:
            raise QueryExists(name, version)


@reading(Action.READ_QUERY)
async def list_queries(call: Call, start: str) -> Sequence[StoredQuery]:
    """All versions of the queries whose name begins so, by name and newest version first."""
    found = await call.ctx.store.stored_queries.beginning_with(start)
    newest_first = sorted(found, key=lambda query: _numbers(query.version), reverse=True)
    return sorted(newest_first, key=lambda query: query.name)


@reading(Action.READ_QUERY)
async def get_query(call: Call, name: str, version: str = "") -> StoredQuery:
    """The newest version that begins with ``version`` (``2``, ``2.1``, ``2.1.0`` or nothing).

    Raises MalformedName, UnknownQuery.
    """
    return await _find(call, name, version)


@writing(Action.DELETE_QUERY)
async def delete_query(call: Call, name: str, version: str) -> None:
    """Delete one version, named in full. Raises MalformedName, UnknownQuery."""
    if len(_numbers(version)) != 3:
        raise MalformedName(f"name the version in full (major.minor.patch), not as {version!r}")
    query = await _find(call, name, version)
    await call.record([call.entry(Outcome.GRANTED, what=f"query {name}/{version}")])
    if not await call.ctx.store.stored_queries.delete(query):
        raise UnknownQuery(name, version)


def check_text(text: str) -> None:
    """Understand a query as far as is possible without the values of its parameters.

    Raises AqlSyntaxError, AqlSemanticError, QueryNotSupported.
    """
    scope = _understood(text)
    for question in () if scope is None else questions(scope.query):
        request_of(question)
    findings = [] if scope is None else check(scope, terminology=True)
    if findings:
        raise QueryNotSupported(findings)


def _understood(text: str) -> Scope | None:
    """The scope with stand-ins for parameters; None where no stand-in fits."""
    query = parse(text)
    tried: dict[str, int] = {}
    while True:
        try:
            return resolve(query, {name: _STAND_INS[index] for name, index in tried.items()})
        except AqlSemanticError as error:
            if not error.code.startswith("aql.parameter") or not error.subject:
                if tried and error.code.startswith("aql.parameter"):
                    return None
                raise
            tried[error.subject] = tried.get(error.subject, -1) + 1
            if tried[error.subject] == len(_STAND_INS):
                return None


async def _find(call: Call, name: str, version: str) -> StoredQuery:
    _check_name(name)
    wanted = _numbers(version) if version else ()
    versions = await call.ctx.store.stored_queries.versions(name)
    fitting = [query for query in versions if _numbers(query.version)[: len(wanted)] == wanted]
    if not fitting:
        raise UnknownQuery(name, version)
    return max(fitting, key=lambda query: _numbers(query.version))


async def _next_version(call: Call, name: str) -> str:
    versions = await call.ctx.store.stored_queries.versions(name)
    if not versions:
        return _FIRST
    major, minor, patch = max(_numbers(query.version) for query in versions)
    return f"{major}.{minor}.{patch + 1}"


def _check_name(name: str) -> None:
    """``[namespace::]name``; ``aql`` is the name of queries that are not stored."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise MalformedName(
            f"{name[:_LONGEST_NAME]!r} is not [namespace::]name of letters, digits, '_', '.', '-'"
        )
    if name.rpartition("::")[2].lower() == "aql":
        raise MalformedName("the name aql is reserved")


def _numbers(version: str) -> tuple[int, ...]:
    """``2.1`` as (2, 1). Raises MalformedName."""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise MalformedName(f"{version[:100]!r} is not a version such as 1, 1.2 or 1.2.3")
    return tuple(int(number) for number in match.groups() if number is not None)
