"""Asks terminologies what a query needs to know of them, before it runs."""

from __future__ import annotations

from datetime import date

from cdr.aql.errors import AqlSemanticError
from cdr.aql.scope import Scope, resolve
from cdr.aql.terminology import Code, Question, Reply, Request, answered, questions, request_of
from cdr.errors import CdrError
from cdr.terminology.service import (
    SYSTEM_URIS,
    Coding,
    TerminologyService,
    TerminologyUnreachable,
    UnknownValueSet,
    Verdict,
    system_uri,
)

MOST_CODES = 20_000


class TerminologySilent(CdrError):
    """A terminology that a query asks does not answer."""

    code = "terminology.silent"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the terminology server does not answer: {reason}")
        self.reason = reason


async def with_terminology(scope: Scope, service: TerminologyService | None, day: date) -> Scope:
    """The query without questions to terminologies; itself if it has none, or nobody can be asked.

    Raises AqlSemanticError for a question that makes no sense, TerminologySilent.
    """
    asked = questions(scope.query)
    if not asked or service is None:
        return scope
    replies = {question: await _reply(question, service, day) for question in asked}
    return resolve(answered(scope, replies))


async def _reply(question: Question, service: TerminologyService, day: date) -> Reply:
    request = request_of(question)
    try:
        return await _ask(request, service, day)
    except UnknownValueSet as error:
        message = f"no terminology here knows the value set {error.url}"
        at = question.position
        raise AqlSemanticError("aql.terminology.value_set", message, at, subject=error.url) from error
    except TerminologyUnreachable as error:
        raise TerminologySilent(error.reason) from error


async def _ask(request: Request, service: TerminologyService, day: date) -> Reply:
    given = request.parameters
    if request.operation == "expand":
        codings = await service.expand(_url(given["url"]), day)
        if len(codings) > MOST_CODES:
            raise UnknownValueSet(f"{given['url']} (it has more than {MOST_CODES} codes)")
        return tuple(Code(_names(coding.system), coding.code) for coding in codings)
    if request.operation == "subsumes":
        return await service.subsumes(_system(given["system"]), given["codeA"], given["codeB"])
    coding = Coding(_system(given.get("system", "")), given["code"])
    if request.operation == "lookup":
        answer = await service.lookup(coding, day)
        _heard(answer.verdict, "lookup")
        return answer.display or None
    answer = await service.validate_code(coding, given.get("url"), day)
    _heard(answer.verdict, "validate")
    return None if answer.verdict is Verdict.UNKNOWN else answer.verdict is Verdict.VALID


def _heard(verdict: Verdict, operation: str) -> None:
    if verdict is Verdict.UNREACHABLE:
        raise TerminologySilent(operation)


def _url(text: str) -> str:
    """A value set; ``snomed-ct?fhir_vs=...`` has the name of a terminology in place of its address."""
    name, mark, rest = text.partition("?")
    return text if ":" in name else f"{_system(name)}{mark}{rest}"


def _system(name: str) -> str:
    return system_uri(next((known for known in SYSTEM_URIS if known.lower() == name.lower()), name))


def _names(system: str) -> tuple[str, ...]:
    """What data may call a terminology: its address, and the names of openEHR for it in any case."""
    known = [name for name, uri in SYSTEM_URIS.items() if uri == system]
    return tuple(dict.fromkeys([system, *known, *(name.lower() for name in known)]))
