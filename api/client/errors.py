"""What can go wrong when a client asks.

ClientError
├── NoAnswer        the server did not answer, also when asked again
└── Refused         it answered with an error: status, code, message, findings
    ├── AccessDenied    401, 403
    ├── NotFound        404
    ├── Conflict        409
    ├── Stale           412: ``latest`` is the version to read before trying again
    ├── Invalid         422: ``findings`` say what is wrong with the data, all of it
    └── NotSupported    501: the server names what it does not do
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import httpx
import orjson

NO_TEXTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding: a stable code, where it is, what was expected and what was found, in words.

    ``path`` is the RM path in the data that was sent (in FLAT and STRUCTURED bodies the FLAT path), with
    indexes from 0; ``web_template_id`` and ``label`` name the place in the template's form, where it has one;
    ``texts`` is the message by language; ``line`` and ``column`` are of a text such as AQL, from 1.
    """

    code: str
    severity: str
    path: str
    message: str
    expected: str = ""
    found: str = ""
    archetype_path: str = ""
    web_template_id: str = ""
    label: str = ""
    texts: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    hint: str = ""
    line: int | None = None
    column: int | None = None

    @classmethod
    def from_json(cls, finding: Mapping[str, Any]) -> Self:
        """A finding as the body of an error has it."""
        return cls(
            code=finding["code"],
            severity=finding["severity"],
            path=finding["path"],
            message=finding["message"],
            expected=finding["expected"],
            found=finding["found"],
            archetype_path=finding["archetypePath"],
            web_template_id=finding.get("webTemplateId", ""),
            label=finding.get("label", ""),
            texts=finding["texts"],
            hint=finding["hint"],
            line=finding.get("line"),
            column=finding.get("column"),
        )

    def __str__(self) -> str:
        place = self.path or (f"{self.line}:{self.column}" if self.line else "")
        return f"{place}: {self.message}" if place else self.message


class ClientError(Exception):
    """Base of all that this client raises."""


class NoAnswer(ClientError):
    """Nothing is known of what the server did. Reads, and creations with their key, were tried again."""

    def __init__(self, what: str, tries: int, cause: str) -> None:
        super().__init__(f"{what}: no answer after {tries} tries ({cause})")
        self.tries = tries


class Refused(ClientError):
    """An answer that is not 2xx; ``code`` is stable, ``message`` is for people."""

    def __init__(
        self, status: int, code: str, message: str, faults: Sequence[Fault], latest: str | None
    ) -> None:
        lines = [f"{status} {code}: {message}", *(f"  {fault}" for fault in faults)]
        super().__init__("\n".join(lines))
        self.status = status
        self.code = code
        self.message = message
        self.findings = tuple(faults)
        self.latest = latest


class AccessDenied(Refused):
    """No token, a wrong one, or one that does not allow this."""


class NotFound(Refused):
    """There is no such thing, or it may not be known."""


class Conflict(Refused):
    """The state of the record forbids it."""


class Stale(Refused):
    """Somebody else wrote a version in between; ``latest`` is its uid."""


class Invalid(Refused):
    """The data were read and refused; nothing is stored."""


class NotSupported(Refused):
    """The server does not do this; the message names it."""


_BY_STATUS: Mapping[int, type[Refused]] = {
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    409: Conflict,
    412: Stale,
    422: Invalid,
    501: NotSupported,
}


def refusal(response: httpx.Response) -> Refused:
    """The error that an answer outside 2xx is; its content must have been read."""
    body = _error_body(response)
    return _BY_STATUS.get(response.status_code, Refused)(
        response.status_code,
        str(body.get("code", f"http.{response.status_code}")),
        str(body.get("message", response.reason_phrase)),
        [Fault.from_json(finding) for finding in body.get("findings", ())],
        version_in(response, "ETag"),
    )


def version_in(response: httpx.Response, header: str) -> str | None:
    """The uid in an entity tag; None without the header."""
    value = response.headers.get(header)
    return None if value is None else value.removeprefix("W/").strip('"')


def _error_body(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of an error; whatever else a proxy in between wrote is the message."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    return body if isinstance(body, dict) else {"message": response.text[:1000] or response.reason_phrase}
