"""Templates of ADL 2, and the archetypes that they are made of: publish, list, read (ITS-REST DEFINITION).

An operational template is kept as it is. A template is compiled with its overlays and with what was published
before. Compositions are not checked against them: for that a template is published as OPT 1.4 too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype, ArtefactKind
from archetypes.errors import AdlSyntaxError, HelsekortError
from archetypes.findings import Finding, Severity
from archetypes.importing import error_finding, read_archetype
from archetypes.repository import ArchetypeRepository, newest
from cdr.access import Action
from cdr.audit import Outcome
from cdr.doors import Call, reading, writing
from cdr.errors import BadRequest, TemplateExists, TemplateNotFound
from cdr.repeats import Repeatable, made_before
from cdr.store.adl2_documents import Adl2Artefact
from cdr.store.waiting import RepeatKey
from templates.errors import InvalidTemplate, TemplateError, UnreadableTemplate
from validators.archetype import validate_archetype

__all__ = ["Adl2Artefact", "get_adl2", "list_adl2_templates", "publish_adl2"]

SENT = "body"  # the name of what was sent, in findings


@writing(Action.PUBLISH_TEMPLATE)
async def publish_adl2(call: Call, source: bytes, *, repeatable: Repeatable | None = None) -> Adl2Artefact:
    """Publish a template, an operational template or an archetype, as ADL 2 text.

    Raises UnreadableTemplate, InvalidTemplate (not valid, or made of what is not published), BadRequest
    (ADL 1.4, an overlay alone), TemplateExists, RepeatMismatch.
    """
    key = None if repeatable is None else repeatable.mark(call, f"actor {call.ctx.actor.id}")
    earlier = await _published_by(call, key)
    if earlier is not None:
        return earlier
    known = await call.ctx.store.adl2.sources()
    made = await asyncio.to_thread(_compiled, source, known, call.ctx.clock())
    await call.require(made.id)
    await call.record([call.entry(Outcome.GRANTED, what=made.id)])
    if not await call.ctx.store.adl2.add(made, key):
        earlier = await _published_by(call, key)  # by the same request, a moment ago
        if earlier is None:
            raise TemplateExists(made.id)
        return earlier
    return made


@reading(Action.READ_TEMPLATE)
async def list_adl2_templates(call: Call) -> Sequence[Adl2Artefact]:
    """All templates, by id; archetypes are not listed."""
    return await call.ctx.store.adl2.templates()


@reading(Action.READ_TEMPLATE)
async def get_adl2(call: Call, template_id: str) -> Adl2Artefact:
    """What is published under an id; a shorter version means the newest that begins so.

    Raises TemplateNotFound.
    """
    found = newest(template_id, await call.ctx.store.adl2.ids())
    artefact = None if found is None else await call.ctx.store.adl2.get(found)
    if artefact is None:
        raise TemplateNotFound(template_id)
    return artefact


async def _published_by(call: Call, key: RepeatKey | None) -> Adl2Artefact | None:
    """What the first of equal requests published; None if this is the first. Raises RepeatMismatch."""
    earlier = await made_before(call, key, call.ctx.store.adl2.published_by)
    if earlier is not None:
        await call.record([call.entry(Outcome.GRANTED, what=earlier.id, detail="repeated")])
    return earlier


def _compiled(source: bytes, known: Mapping[str, bytes], created: datetime) -> Adl2Artefact:
    """Read, check and compile; ``known`` are the texts of what may be used. Raises as publish_adl2."""
    repository = ArchetypeRepository.of_texts(known)
    try:
        sent = read_archetype(source, SENT)
        _check_kind(sent)
        findings = [each for each in validate_archetype(sent, repository) if each.severity is Severity.ERROR]
        operational = None if findings else _operational(sent, repository)
    except TemplateError:
        raise
    except (HelsekortError, RecursionError) as error:
        raise _refusal(error) from error
    if findings:
        raise InvalidTemplate(findings)
    return Adl2Artefact(
        id=sent.archetype_id.rpartition("::")[2],
        kind=sent.kind,
        concept=_concept(sent),
        archetype_id=sent.parent_id or sent.archetype_id,
        created=created,
        source=source,
        operational=operational,
    )


def _operational(sent: Archetype, repository: ArchetypeRepository) -> bytes | None:
    if sent.kind is ArtefactKind.TEMPLATE:
        return print_adl(repository.operational_template(sent)).encode()
    if sent.kind is ArtefactKind.OPERATIONAL_TEMPLATE:
        return print_adl(sent).encode()
    repository.flattened(sent)  # what cannot be laid over its parent is of no use to a template
    return None


def _check_kind(sent: Archetype) -> None:
    if not sent.is_adl2:
        raise BadRequest("this is ADL 1.4; a template is sent to adl1.4 as OPT 1.4")
    if sent.kind is ArtefactKind.TEMPLATE_OVERLAY:
        raise BadRequest("an overlay is sent with its template, below it")


def _refusal(error: HelsekortError | RecursionError) -> HelsekortError:
    if isinstance(error, BadRequest):
        return error
    if isinstance(error, RecursionError):
        return UnreadableTemplate([Finding("adl.syntax", "", found="nested too deeply")])
    kind = UnreadableTemplate if isinstance(error, AdlSyntaxError) else InvalidTemplate
    return kind([error_finding(error, SENT)])


def _concept(sent: Archetype) -> str:
    known = sent.terminology.terms.get(sent.original_language, {}).get(sent.concept)
    return sent.concept if known is None else known.text
