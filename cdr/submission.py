"""From a composition as it was sent to a version that may be stored: the one way in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from archetypes.findings import Finding, Severity
from archetypes.rm.canonical_json import write_canonical
from archetypes.rm.iso8601 import NANOSECONDS, temporal_key
from cdr.context import Ctx
from cdr.errors import (
    AlreadyDeleted,
    BadRequest,
    InvalidComposition,
    LifecycleConflict,
    MissingTemplateId,
    ObjectDeleted,
    TemplateMismatch,
    TooLarge,
    UidMismatch,
    Unprocessable,
)
from cdr.judging import judge
from cdr.national_id import check_identifiers
from cdr.store.documents import Head, NewVersion, compress
from cdr.stored_rows import make_rows
from cdr.terminology.check import QUEUED
from cdr.versions import (
    TRANSITIONS,
    ChangeType,
    JsonObject,
    Kind,
    Lifecycle,
    ObjectVersionId,
    is_uuid,
    normal_object_id,
    text_at,
)
from validators.form_places import FormPlaces
from validators.mending import mend

PERSISTENT = "431"  # openehr group composition_category


async def new_version(
    ctx: Ctx,
    composition: JsonObject,
    uid: ObjectVersionId,
    change_type: ChangeType,
    lifecycle: Lifecycle,
    head: Head | None = None,
) -> NewVersion:
    """Validate a composition against the template that it names, and encode it.

    ``head`` is the version before, None for a new object. Raises MissingTemplateId, UnknownTemplate,
    InvalidComposition, RefusedIdentifier, TooLarge.
    """
    template_id = template_of(composition)
    opt = await ctx.templates.get(template_id)
    data = composition | {"uid": {"_type": "OBJECT_VERSION_ID", "value": str(uid)}}
    findings = await judge(ctx, opt, data, complete=lifecycle.needs_all)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidComposition(findings, FormPlaces(await ctx.templates.web_template(template_id)))
    data, _ = mend(data, findings)
    payload = write_canonical(data)
    if len(payload) > ctx.settings.body_limit:
        raise TooLarge(len(payload), ctx.settings.body_limit)
    check_identifiers(data, payload, dev=ctx.settings.is_dev)
    return NewVersion(
        uid=uid,
        kind=Kind.COMPOSITION,
        lifecycle=lifecycle,
        change_type=change_type,
        payload=payload,
        compressed=compress(payload),
        preceding=None if head is None else head.uid,
        previous_commit=None if head is None else head.committed,
        restores=head is not None and head.deleted,
        template_id=template_id,
        template_hash=opt.content_hash,
        persistent=is_persistent(data),
        access=opt.access,
        card_id=None if head is None else head.card_id,
        start_time=start_time(data),
        rows=make_rows(data),
        recheck=any(finding.code == QUEUED for finding in findings),
    )


def template_of(composition: JsonObject) -> str:
    """The id of the template that a composition names. Raises MissingTemplateId."""
    template_id = text_at(composition, "archetype_details", "template_id", "value")
    if not template_id:
        raise MissingTemplateId
    return template_id


def is_persistent(composition: JsonObject) -> bool:
    """True for category persistent."""
    return text_at(composition, "category", "defining_code", "code_string") == PERSISTENT


def check_same_kind(head: Head, composition: JsonObject, template_id: str) -> None:
    """All versions of an object share template and persistence (RM, VERSIONED_COMPOSITION invariants).

    Raises TemplateMismatch, Unprocessable.
    """
    if head.template_id != template_id:
        raise TemplateMismatch(head.template_id or "", template_id)
    if head.persistent != is_persistent(composition):
        raise Unprocessable(
            "an update may not turn a persistent composition into another kind, or the reverse",
            [Finding("composition.persistence", "/category")],
        )


def start_time(composition: JsonObject) -> datetime | None:
    """context/start_time as an instant (UTC where it has no zone), None where there is none."""
    text = text_at(composition, "context", "start_time", "value")
    key = None if text is None else temporal_key(text)
    if key is None:
        return None
    # The key counts from the day before 0001-01-01; MongoDB keeps milliseconds.
    milliseconds = key // (NANOSECONDS // 1000) - 86_400_000
    try:
        return datetime(1, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


_UPDATES = (ChangeType.MODIFICATION, ChangeType.AMENDMENT, ChangeType.RESTORATION)


def check_change(head: Head | None, change: ChangeType, lifecycle: Lifecycle) -> ChangeType:
    """The change type, if it fits what is stored (RM common, version lifecycle); ``head`` None: a new object.

    A deleted object is followed by its restoration, and by nothing else.
    Raises BadRequest, ObjectDeleted, AlreadyDeleted, LifecycleConflict.
    """
    if lifecycle is Lifecycle.DELETED or change is ChangeType.DELETED:
        _check_deletion(head, change, lifecycle)
    elif head is None and change is not ChangeType.CREATION:
        raise BadRequest(f"a new object has change type {ChangeType.CREATION} (creation), not {change}")
    elif head is not None and change not in _UPDATES:
        raise BadRequest(f"an update has change type {' or '.join(_UPDATES)}, not {change}")
    elif head is not None and head.deleted and change is not ChangeType.RESTORATION:
        raise ObjectDeleted(str(head.uid))
    elif head is not None and not head.deleted and change is ChangeType.RESTORATION:
        raise BadRequest(f"{head.uid} is not deleted: there is nothing to restore")
    before = None if head is None else head.lifecycle
    if lifecycle not in TRANSITIONS[before]:
        raise LifecycleConflict("not there yet" if before is None else before.rubric, lifecycle.rubric)
    return change


def _check_deletion(head: Head | None, change: ChangeType, lifecycle: Lifecycle) -> None:
    if lifecycle is not Lifecycle.DELETED or change is not ChangeType.DELETED:
        raise BadRequest(f"a deletion has change type and lifecycle state {Lifecycle.DELETED}, both")
    if head is None:
        raise BadRequest("there is no object yet that could be deleted")
    if head.deleted:
        raise AlreadyDeleted(str(head.uid))


def first_uid(ctx: Ctx, data: JsonObject) -> ObjectVersionId:
    """The uid of a new object: the client's if this system could have given it. Raises UidMismatch."""
    system_id = ctx.settings.system_id
    given = text_at(data, "uid", "value")
    if given is None:
        return ObjectVersionId(ctx.new_id(), system_id, 1)
    object_id = normal_object_id(given.split("::", maxsplit=1)[0])
    uid = ObjectVersionId(object_id, system_id, 1)
    if not is_uuid(object_id) or normal_object_id(given) not in (object_id, given if "::" in given else ""):
        raise UidMismatch(f"a UUID, or <UUID>::{system_id}::1", given)
    if "::" in given and ObjectVersionId.parse(given) != uid:
        raise UidMismatch(str(uid), given)
    return uid


def check_own_uid(data: JsonObject, object_id: str) -> None:
    """A body may carry the uid of any version of its own object. Raises UidMismatch."""
    given = text_at(data, "uid", "value")
    if given is not None and normal_object_id(given.split("::", maxsplit=1)[0]) != object_id:
        raise UidMismatch(object_id, given)


def deletion(ctx: Ctx, head: Head) -> NewVersion:
    """The version that deletes an object."""
    return NewVersion(
        uid=head.uid.next(ctx.settings.system_id),
        kind=head.kind,
        lifecycle=Lifecycle.DELETED,
        change_type=ChangeType.DELETED,
        payload=None,
        compressed=None,
        preceding=head.uid,
        previous_commit=head.committed,
        template_id=head.template_id,
        template_hash=None,
        persistent=head.persistent,
        access=head.access,
        card_id=head.card_id,
    )
