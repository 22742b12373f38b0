"""Points of time in parameters and headers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime

from api.http_errors import MalformedRequest

# The zone's plus sign arrives as a space when the client forgot to escape it.
_EXTENDED = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)(Z|z|[+\- ]\d\d(?::?\d\d)?)?", re.ASCII
)


def version_time(text: str | None, name: str = "version_at_time") -> datetime | None:
    """The parameter ``name``: ISO 8601 extended; without a zone it is the server's local time.

    Raises MalformedRequest for anything else.
    """
    if text is None:
        return None
    match = _EXTENDED.fullmatch(text)
    if match is None:
        raise _malformed(name, text)
    day, clock, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{(zone or '').replace(' ', '+').upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _malformed(name, text) from error


def _malformed(name: str, text: str) -> MalformedRequest:
    message = f"{name}: {text!r} is not a time such as 2026-03-01T12:30:00+01:00"
    return MalformedRequest("parameter.malformed", message)


def http_date(moment: datetime) -> str:
    """A time as HTTP headers write it (RFC 9110, 5.6.7), in whole seconds."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
