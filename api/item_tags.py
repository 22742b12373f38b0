"""The headers ``openehr-item-tag`` and ``openehr-version-item-tag`` (ITS-REST 1.1, overview).

``key="a",value="b",target_path="/..."; key="c"``: in a write all tags that the object, or its new version,
has from now on; an empty value removes them. They are checked before anything is stored, and written after
it. In the answer to a read those that are there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from api.audit_headers import header_text
from api.http_errors import MalformedRequest
from cdr import tags
from cdr.context import Ctx
from cdr.versions import JsonObject, StoredVersion, Tag

OBJECT, VERSION = "openehr-item-tag", "openehr-version-item-tag"
LONGEST = 4096  # of what clients are sure to take as one header
_PAIR = re.compile(r'\s*(key|value|target_path)\s*=\s*"((?:[^"\\]|\\.)*)"\s*([,;]|$)')


@dataclass(frozen=True, slots=True)
class WantedTags:
    """By header, the tags that it asks for; a header that is not there is left out."""

    by_header: Mapping[str, Sequence[JsonObject]]

    async def store(self, ctx: Ctx, version: StoredVersion) -> dict[str, str]:
        """Write them; returns the headers that confirm what is stored."""
        targets = {OBJECT: version.uid.object_id, VERSION: str(version.uid)}
        confirmed: dict[str, str] = {}
        for header, wanted in self.by_header.items():
            target = targets[header]
            stored = await tags.set_tags(ctx, version.ehr_id, version.kind, target, wanted)
            confirmed[header] = "; ".join(map(_text, stored))
        return confirmed


def wanted_tags(request: Request) -> WantedTags:
    """The tags that the headers ask for. Raises MalformedRequest, BadRequest."""
    found = {}
    for header in (OBJECT, VERSION):
        given = request.headers.getlist(header)
        if given:
            found[header] = _parse(header, header_text("; ".join(given)))
            tags.check_tags(found[header])
    return WantedTags(found)


def tag_headers(version: StoredVersion) -> dict[str, str]:
    """What tells the tags that a version was read with; a list is left out that some
    clients could not read as a header: it is long, or not ASCII. All of them are a resource of their own.
    """
    targets = {OBJECT: version.uid.object_id, VERSION: str(version.uid)}
    shown = {
        header: "; ".join(_text(tag) for tag in version.tags if tag.target == target)
        for header, target in targets.items()
    }
    return {header: text for header, text in shown.items() if 0 < len(text) <= LONGEST and text.isascii()}


def _parse(header: str, text: str) -> list[JsonObject]:
    read: list[JsonObject] = []
    position, new = 0, True
    while text[position:].strip(" ;"):
        match = _PAIR.match(text, position)
        if match is None:
            reason = f'{header}: cannot read at {position + 1}; write key="...",value="..."; key="..."'
            raise MalformedRequest("header.malformed", reason)
        if new:
            read.append({})
        read[-1][match[1]] = re.sub(r"\\(.)", r"\1", match[2])
        position, new = match.end(), match[3] == ";"
    return read


def _text(tag: Tag) -> str:
    given = {"key": tag.key, "value": tag.value, "target_path": tag.path}
    pairs = [f'{name}="{_escaped(text)}"' for name, text in given.items() if text is not None]
    return ",".join(pairs).encode().decode("latin-1")  # as headers are sent


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
