"""From a composition as it was sent to a version that may be stored: the one way in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from archetypes.findings import Finding, Severity
from archetypes.rm.canonical_json import write_canonical
from archetypes.rm.iso8601 import NANOSECONDS, temporal_key
from cdr.context import Ctx
from cdr.errors import InvalidComposition, MissingTemplateId, TemplateMismatch, TooLarge, Unprocessable
from cdr.national_id import check_identifiers
from cdr.store.documents import Head, NewVersion, compress
from cdr.versions import ChangeType, JsonObject, Kind, Lifecycle, ObjectVersionId, text_at
from validators.composition import validate_composition

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
    findings = validate_composition(opt, data, complete=lifecycle is not Lifecycle.INCOMPLETE)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidComposition(findings)
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
        template_id=template_id,
        template_hash=opt.content_hash,
        persistent=is_persistent(data),
        start_time=start_time(data),
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
