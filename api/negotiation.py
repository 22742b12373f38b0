"""Media types in and out, ``Prefer``, ``ETag`` and ``If-Match`` (ITS-REST 1.1, overview; RFC 9110).

Old spellings are read (strong ETags, names of 1.0.3), the new ones are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import quote

from starlette.requests import Request

from api.http_errors import MalformedRequest, NotAcceptable, UnsupportedMediaType

JSON = "application/json"
XML = "application/xml"
TEXT = "text/plain"
WEB_TEMPLATE = "application/openehr.wt+json"
SCHEMA = "application/schema+json"
_OTHER_SPELLINGS: Mapping[str, str] = {"text/xml": XML, "text/json": JSON}
# Ids of templates may hold any character: visible ASCII and spaces stand as they are in an entity tag.
_IN_A_TAG = "".join(map(chr, range(0x20, 0x7F))).replace('"', "").replace("%", "")


class Preference(StrEnum):
    """How much of the result the client wants back."""

    MINIMAL = "minimal"
    REPRESENTATION = "representation"
    IDENTIFIER = "identifier"


_PREFERENCES: Mapping[str, Preference] = {known.value: known for known in Preference}


def preference(request: Request) -> Preference | None:
    """What ``Prefer: return=`` asks for; a preference that we do not know is passed over (RFC 7240)."""
    for part in ",".join(request.headers.getlist("prefer")).replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        if name.strip().lower() == "return":
            return _PREFERENCES.get(value.strip().strip('"').lower())
    return None


def accepted(request: Request, *offered: str) -> str:
    """The first of the ``offered`` media types with the highest weight in ``Accept``.

    Raises NotAcceptable when the client takes none of them.
    """
    header = ",".join(request.headers.getlist("accept")).strip()
    if not header or header == "*/*" or header == offered[0]:
        return offered[0]
    ranges = [_media_range(part) for part in header.split(",") if part.strip()]
    weighed = [(_weight(ranges, media_type), media_type) for media_type in offered]
    best = max(weight for weight, _ in weighed)
    if best <= 0:
        raise NotAcceptable(header, offered)
    return next(media_type for weight, media_type in weighed if weight == best)


def _media_range(part: str) -> tuple[str, float]:
    """``type/subtype;q=0.5`` as name and weight."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    name = _OTHER_SPELLINGS.get(name, name)
    weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError as error:
        raise MalformedRequest(
            "header.malformed", f"Accept: {part.strip()!r} has no readable weight"
        ) from error


def _weight(ranges: list[tuple[str, float]], media_type: str) -> float:
    """The weight of the most exact range that covers the media type; 0 when none does."""
    weights = dict(reversed(ranges))
    whole_type = media_type.partition("/")[0] + "/*"
    return next((weights[name] for name in (media_type, whole_type, "*/*") if name in weights), 0.0)


def require_content_type(request: Request, *expected: str) -> None:
    """Refuse a body that is not UTF-8 text of one of the ``expected`` media types.

    Content-Type must be there: a web page of another origin can send a body without it and without asking.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(f"Content-Encoding {encoding}", "it uncompressed")
    header = request.headers.get("content-type")
    if header in expected:
        return
    wanted = " or ".join(expected)
    if header is None:
        raise UnsupportedMediaType("no Content-Type", wanted)
    name, _, parameters = header.partition(";")
    if not any(content_type(request, media_type) for media_type in expected):
        raise UnsupportedMediaType(f"Content-Type {name.strip()}", wanted)
    charset = _charset(parameters)
    if charset not in ("utf-8", "utf8", "us-ascii") and not content_type(request, XML):
        raise UnsupportedMediaType(f"character set {charset}", "UTF-8")


def content_type(request: Request, media_type: str) -> bool:
    """True if the body is said to be of ``media_type``, in any spelling."""
    name = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _OTHER_SPELLINGS.get(name, name) == media_type


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def etag(uid: str) -> str:
    """The weak entity tag of a version uid, ehr_id or template id; what no header can carry is escaped."""
    return f'W/"{quote(uid, safe=_IN_A_TAG)}"'


def if_match(request: Request) -> str | None:
    """The uid in ``If-Match`` with or without quotes and ``W/``; None when the header is absent."""
    headers = request.headers.getlist("if-match")
    if not headers:
        return None
    header = ",".join(headers)
    uid = header.strip().removeprefix("W/").strip('"')
    if not uid or "," in uid or uid == "*":
        raise MalformedRequest("header.malformed", f"If-Match: {header!r} is not one version uid")
    return uid


def required_if_match(request: Request) -> str:
    """The uid in ``If-Match``; raises MalformedRequest when it is absent."""
    uid = if_match(request)
    if uid is None:
        raise MalformedRequest(
            "header.if_match_missing", "If-Match with the uid of the latest version is required"
        )
    return uid
