"""Templates: publish, list, read (ITS-REST DEFINITION, ADL 1.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from cdr.access import Action
from cdr.audit import Outcome
from cdr.doors import Call, reading, writing
from cdr.errors import Conflict, TemplateExists, TemplateNotFound, UnknownTemplate
from cdr.repeats import Repeatable, made_before
from cdr.store.waiting import RepeatKey
from cdr.stored_rows.places import shared_code
from cdr.templates import PublishedTemplate
from templates.operational import OperationalTemplate
from templates.opt import read_opt, write_opt
from templates.repository import library_templates


class PathCodeShared(Conflict):
    """Two places of the published templates have one path code: queries would take one for the other."""

    code = "template.path_code"

    def __init__(self, places: str) -> None:
        super().__init__(f"these places have one path code, give one of the nodes another id: {places}")


@writing(Action.PUBLISH_TEMPLATE)
async def publish_template(
    call: Call, source: bytes, *, repeatable: Repeatable | None = None
) -> PublishedTemplate:
    """Publish an operational template (OPT 1.4 XML).

    A published template never changes: raises TemplateExists for a known id, also with the same
    content; RepeatMismatch; PathCodeShared; and the errors of ``read_opt``.
    """
    key = None if repeatable is None else repeatable.mark(call, f"actor {call.ctx.actor.id}")
    earlier = await _published_by(call, key)
    if earlier is not None:
        return earlier
    compiled = await asyncio.to_thread(read_opt, source)
    if await call.ctx.store.templates.newest_revision(compiled.template_id):
        raise TemplateExists(compiled.template_id)
    await _require_own_codes(call, [compiled])
    try:
        return await _publish(call, compiled, source, 1, key)
    except TemplateExists:  # by the same request, a moment ago
        earlier = await _published_by(call, key)
        if earlier is None:
            raise
        return earlier


@writing(Action.PUBLISH_TEMPLATE)
async def publish_library(call: Call) -> Sequence[PublishedTemplate]:
    """Publish the templates of our library that the server does not hold yet; returns the new ones.

    One whose content differs from what is published becomes its next revision.
    """
    await call.record([call.entry(Outcome.GRANTED, what="library")])
    library = await asyncio.to_thread(library_templates)
    await _require_own_codes(call, list(library.values()))
    new = []
    for template_id, compiled in sorted(library.items()):
        known = await call.ctx.store.templates.newest(template_id)
        if known is None or known.content_hash != compiled.content_hash:
            revision = known.revision + 1 if known else 1
            new.append(await _publish(call, compiled, write_opt(compiled), revision))
    return new


@reading(Action.READ_TEMPLATE)
async def list_templates(call: Call) -> Sequence[PublishedTemplate]:
    """The newest revision of every template, by id."""
    return await call.ctx.store.templates.all_newest()


@reading(Action.READ_TEMPLATE)
async def get_template(call: Call, template_id: str) -> PublishedTemplate:
    """The newest revision of a template. Raises TemplateNotFound."""
    found = await call.ctx.store.templates.newest(template_id)
    if found is None:
        raise TemplateNotFound(template_id)
    return found


@reading(Action.READ_TEMPLATE)
async def get_web_template(call: Call, template_id: str) -> dict[str, Any]:
    """The web template (JSON form) of the newest revision. Raises TemplateNotFound."""
    try:
        return await call.ctx.templates.web_template(template_id)
    except UnknownTemplate as error:
        raise TemplateNotFound(template_id) from error


@reading(Action.READ_TEMPLATE)
async def get_operational_template(call: Call, template_id: str) -> OperationalTemplate:
    """The newest revision of a template, compiled. Raises TemplateNotFound."""
    try:
        return await call.ctx.templates.get(template_id)
    except UnknownTemplate as error:
        raise TemplateNotFound(template_id) from error


async def _published_by(call: Call, key: RepeatKey | None) -> PublishedTemplate | None:
    """What the first of equal requests published; None if this is the first. Raises RepeatMismatch."""
    earlier = await made_before(call, key, call.ctx.store.templates.published_by)
    if earlier is not None:
        await call.record([call.entry(Outcome.GRANTED, what=earlier.template_id, detail="repeated")])
    return earlier


async def _require_own_codes(call: Call, templates: Sequence[OperationalTemplate]) -> None:
    """No place has the path code of another, there or in what is published. Raises PathCodeShared."""
    published = await call.ctx.templates.all()
    places = await asyncio.to_thread(shared_code, [*templates, *published])
    if places is not None:
        raise PathCodeShared(places)


async def _publish(
    call: Call,
    compiled: OperationalTemplate,
    source: bytes,
    revision: int,
    repeat: RepeatKey | None = None,
) -> PublishedTemplate:
    published = PublishedTemplate(
        template_id=compiled.template_id,
        revision=revision,
        concept=compiled.concept,
        archetype_id=compiled.definition.archetype_id,
        created=call.ctx.clock(),
        content_hash=compiled.content_hash,
        source=source,
    )
    await call.record([call.entry(Outcome.GRANTED, what=f"{published.template_id} revision {revision}")])
    if not await call.ctx.store.templates.add(published, repeat):
        raise TemplateExists(published.template_id)
    call.ctx.templates.add(published, compiled)
    return published
