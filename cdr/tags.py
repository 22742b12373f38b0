"""Item tags of compositions and EHR_STATUS (ITS-REST 1.1): words on an object or a version; not versioned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cdr.access import Action
from cdr.audit import Outcome
from cdr.consent import card_closed
from cdr.consent_errors import CardBlocked
from cdr.doors import Call, reading, writing
from cdr.errors import BadRequest, UnknownEhr, UnknownObject, UnknownTag, UnknownVersion
from cdr.seen_tags import visible_tags
from cdr.versions import Kind, ObjectVersionId, Tag, normal_object_id

__all__ = ["Tag", "check_tags", "delete_tag", "get_ehr_tags", "get_tags", "set_tags"]

MAX_TAGS = 100  # of one target
_LONGEST = {"key": 200, "value": 1000, "target_path": 1000}


@reading(Action.READ_TAGS)
async def get_ehr_tags(
    call: Call, ehr_id: str, *, key: str | None = None, value: str | None = None, path: str | None = None
) -> Sequence[Tag]:
    """The tags of an EHR that have this key, value and target path, where one is given.

    Raises UnknownEhr, CardClosed.
    """
    ehr_id = normal_object_id(ehr_id)
    if not await call.ctx.store.reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    if call.sight.lack is not None:
        raise card_closed(call.sight.lack)
    wanted = {"key": key, "value": value, "path": path}
    given = {name: text for name, text in wanted.items() if text is not None}
    return await visible_tags(call, ehr_id, await call.ctx.store.tags.of_ehr(ehr_id, given))


@reading(Action.READ_TAGS)
async def get_tags(call: Call, ehr_id: str, kind: Kind, uid: str) -> Sequence[Tag]:
    """The tags of an object, or of one version. Raises UnknownEhr, UnknownObject, UnknownVersion."""
    ehr_id, target = await _target(call, ehr_id, kind, uid)
    return await visible_tags(call, ehr_id, await call.ctx.store.tags.of_target(ehr_id, target))


@writing(Action.WRITE_TAGS)
async def set_tags(
    call: Call, ehr_id: str, kind: Kind, uid: str, tags: Sequence[Mapping[str, Any]]
) -> Sequence[Tag]:
    """Replace all tags of a target; key and target path identify a tag.

    Raises BadRequest, UnknownEhr, UnknownObject, UnknownVersion, CardBlocked.
    """
    ehr_id, target = await _target(call, ehr_id, kind, uid)
    read = check_tags(tags, target, kind)
    await _require_all_seen(call, ehr_id, target)
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=target)])
    await call.ctx.store.tags.replace(ehr_id, target, read)
    return read


@writing(Action.WRITE_TAGS)
async def delete_tag(call: Call, ehr_id: str, kind: Kind, uid: str, key: str) -> None:
    """Delete the tags of a target that have this key. Raises UnknownTag, and what get_tags raises."""
    ehr_id, target = await _target(call, ehr_id, kind, uid)
    await _require_all_seen(call, ehr_id, target)
    await call.record([call.entry(Outcome.GRANTED, ehr_id=ehr_id, what=target)])
    if not await call.ctx.store.tags.delete(ehr_id, target, key):
        raise UnknownTag(key[: _LONGEST["key"]])


async def _require_all_seen(call: Call, ehr_id: str, target: str) -> None:
    """Whoever does not see all tags of a target changes none: others would be lost. Raises CardBlocked."""
    found = await call.ctx.store.tags.of_target(ehr_id, target) if call.sight.sections else ()
    if len(await visible_tags(call, ehr_id, found)) < len(found):
        raise CardBlocked


def check_tags(
    tags: Sequence[Mapping[str, Any]], target: str = "", kind: Kind = Kind.COMPOSITION
) -> Sequence[Tag]:
    """The tags of a target, read. Raises BadRequest."""
    read = [_read(tag, f"/[{index}]", target, kind) for index, tag in enumerate(tags)]
    if len(read) > MAX_TAGS or len({(tag.key, tag.path) for tag in read}) < len(read):
        raise BadRequest(f"at most {MAX_TAGS} tags, each with a key and target_path of its own")
    return read


def _read(tag: Mapping[str, Any], place: str, target: str, kind: Kind) -> Tag:
    """One UPDATE_ITEM_TAG; ``target`` and ``owner_id`` of a tag that was read are passed over."""
    unknown = sorted(set(tag) - {"_type", "key", "value", "target_path", "target", "owner_id"})
    if unknown:
        raise BadRequest(f"{place}/{unknown[0][:100]} is not a member of a tag")
    texts = {name: _text(tag.get(name), f"{place}/{name}", longest) for name, longest in _LONGEST.items()}
    if not texts["key"]:
        raise BadRequest(f"{place}/key is needed")
    return Tag(target, kind, texts["key"], texts["value"], texts["target_path"])


def _text(value: Any, place: str, longest: int) -> str | None:
    if not isinstance(value, str | None) or len(value or "") > longest:
        raise BadRequest(f"{place} must be a text of at most {longest} characters")
    return value


async def _target(call: Call, ehr_id: str, kind: Kind, uid: str) -> tuple[str, str]:
    """The EHR, and the object or version as tags name it, if they are there."""
    ehr_id, reads = normal_object_id(ehr_id), call.ctx.store.reads
    version = ObjectVersionId.parse(uid) if "::" in uid else None
    object_id = normal_object_id(uid) if version is None else version.object_id
    head = await reads.head(ehr_id, object_id)
    if head is None or head.kind is not kind:
        known = await reads.has_ehr(ehr_id)
        raise call.absent(UnknownObject(object_id)) if known else UnknownEhr(ehr_id)
    call.require_visible(object_id, head)
    if version is not None and await reads.version(ehr_id, version) is None:
        raise UnknownVersion(uid)
    return ehr_id, object_id if version is None else str(version)
