"""Tags as far as a caller may know them: on objects that it sees, and in these on places that it sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace

from archetypes.errors import MalformedPath
from archetypes.paths import RmPath
from cdr.card_gate import shown
from cdr.doors import Call
from cdr.versions import JsonObject, ObjectVersionId, StoredVersion, Tag


async def visible_tags(call: Call, ehr_id: str, found: Sequence[Tag]) -> Sequence[Tag]:
    """The tags on what the caller may see."""
    hidden = await call.hidden_among(ehr_id, {_object_of(tag) for tag in found})
    return await _in_sight(call, ehr_id, [tag for tag in found if _object_of(tag) not in hidden])


async def _in_sight(call: Call, ehr_id: str, found: Sequence[Tag]) -> Sequence[Tag]:
    """The tags on places that the caller may see, of objects that it sees at least in part."""
    if not call.sight.sections:
        return found
    targets = {tag.target for tag in found if tag.path}
    data = {target: await _seen_of(call, ehr_id, target) for target in targets}
    return [tag for tag in found if not tag.path or _leads_into(tag.path, data[tag.target])]


async def _seen_of(call: Call, ehr_id: str, target: str) -> JsonObject | None:
    """What the caller sees of a target of which some sections are hidden; None where all of it is seen."""
    reads = call.ctx.store.reads
    version = ObjectVersionId.parse(target) if "::" in target else None
    found = await (reads.version(ehr_id, version) if version else reads.latest(ehr_id, target))
    if found is None:
        return {}
    visible = shown(call.sight, found, frozenset())
    return None if visible is found else visible.data


def _leads_into(path: str, data: JsonObject | None) -> bool:
    """Is the place of a tag in what is seen? A path that nobody can follow may be in what is not."""
    if data is None:
        return True
    try:
        return any(True for _ in RmPath.parse(path).matches(data))
    except MalformedPath:
        return False


def _object_of(tag: Tag) -> str:
    return tag.target.partition("::")[0]


async def with_tags(
    call: Call, ehr_id: str, object_id: str, version: Awaitable[StoredVersion]
) -> StoredVersion:
    """A version of an object with its tags, which are read meanwhile. Raises what reading it raises."""
    found, tags = await asyncio.gather(version, call.ctx.store.tags.of_object(ehr_id, object_id))
    targets = {object_id, str(found.uid)}
    its = [tag for tag in tags if tag.target in targets]
    return replace(found, tags=tuple(await _in_sight(call, ehr_id, its)))
