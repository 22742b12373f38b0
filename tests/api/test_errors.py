"""Every error class has a status, and docs/api.md has every code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cdr.aql.errors
import templates.errors  # noqa: F401 - so that its classes are known below
from api.errors import status_of
from archetypes.errors import HelsekortError

ROOT = Path(__file__).parents[2]
DOCUMENTED = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)`", (ROOT / "docs/api.md").read_text("utf-8")))

# Raised at start, on the command line or while templates and archetypes are made: no request meets them.
NOT_IN_REQUESTS = {
    "HelsekortError",
    "CdrError",
    "RequestError",
    "TemplateError",
    "AdlSyntaxError",
    "UnknownArchetype",
    "CannotFlatten",
    "MalformedPath",
    "NotRmData",
    "NotUtf8",
    "TimeLimitExceeded",
    "DatabaseMissing",
    "DataFolderInUse",
    "LedgerUnreadable",
    "CardValueError",
    "FieldNotHeld",
    "ValueRefused",
    "GuidelineFault",
    # Validation goes on without a terminology server, and code lists are read at start.
    "MalformedCodeList",
    "TerminologyUnreachable",
    "UnknownValueSet",
    # The built-in issuer answers in the form of OAuth, and its clients meet what it says.
    "OAuthError",
    "TokenRequestFailed",
    # Verifying the audit tells it as a fault.
    "UntrustedHeads",
}


def subclasses(base: type[HelsekortError]) -> Iterator[type[HelsekortError]]:
    yield base
    for child in base.__subclasses__():
        yield from subclasses(child)


ELSEWHERE = ("tests", "api.cli", "api.demo")  # commands meet these, not the server
PRODUCT_ERRORS = {error for error in subclasses(HelsekortError) if not error.__module__.startswith(ELSEWHERE)}


@pytest.mark.parametrize("error", sorted(PRODUCT_ERRORS, key=lambda error: error.__name__))
def test_every_error_has_a_status_and_is_documented(error: type[HelsekortError]) -> None:
    status = status_of(error)
    if error.__name__ in NOT_IN_REQUESTS:
        assert status is None, "it has a status: take it off the list"
        return
    assert status is not None, f"{error.__name__} would be answered as 500"
    own_code = "code" in vars(error)
    assert not own_code or error.code in DOCUMENTED, f"docs/api.md lacks {error.code}"


def test_codes_given_when_raised_are_documented() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "api").rglob("*.py")]
    raised = {code for text in sources for code in re.findall(r'MalformedRequest\(\s*"([a-z_.]+)"', text)}
    answered = {
        code for text in sources for code in re.findall(r'error_response\(request, [^,]+, "([a-z_.]+)"', text)
    }
    assert raised and answered
    assert (raised | answered) - {"http"} <= DOCUMENTED


def test_the_syntax_error_of_aql_is_a_bad_request() -> None:
    assert status_of(cdr.aql.errors.AqlSyntaxError) == 400
