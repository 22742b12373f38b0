"""The smallest template: a note with a context and nothing in it; and compositions of it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from archetypes.aom.constraints import CArchetypeRoot, CAttribute, CComplexObject, Interval
from cdr.store.template_documents import PublishedTemplate
from cdr.versions import JsonObject
from templates.operational import OperationalTemplate

TEMPLATE_ID = "note.v0"
ARCHETYPE_ID = "openEHR-EHR-COMPOSITION.note.v1"


def small_template(template_id: str = TEMPLATE_ID, access: str = "") -> OperationalTemplate:
    """A template that wants a category and a context, and takes any."""
    return OperationalTemplate(
        template_id=template_id,
        description={"other_details.helsekort.access": access},
        concept="Note",
        language="en",
        content_hash="0" * 64,
        definition=CArchetypeRoot(
            rm_type_name="COMPOSITION",
            node_id="at0000",
            archetype_id=ARCHETYPE_ID,
            attributes=(
                CAttribute(
                    rm_attribute_name="category",
                    existence=Interval(1, 1),
                    children=(CComplexObject(rm_type_name="DV_CODED_TEXT"),),
                ),
                CAttribute(
                    rm_attribute_name="context",
                    existence=Interval(1, 1),
                    children=(CComplexObject(rm_type_name="EVENT_CONTEXT"),),
                ),
            ),
        ),
    )


def published_small_template(
    template_id: str = TEMPLATE_ID, access: str = ""
) -> tuple[PublishedTemplate, OperationalTemplate]:
    """The template as a registry wants to know it."""
    opt = small_template(template_id, access)
    published = PublishedTemplate(
        template_id=template_id,
        revision=1,
        concept=opt.concept,
        archetype_id=ARCHETYPE_ID,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        content_hash=opt.content_hash,
        source=b"<template/>",
    )
    return published, opt


def note(
    name: str = "Note", *, template_id: str = TEMPLATE_ID, start: str = "2026-02-01T09:30:00+01:00"
) -> JsonObject:
    """A valid composition of the template."""
    return {
        "_type": "COMPOSITION",
        "name": {"_type": "DV_TEXT", "value": name},
        "archetype_node_id": ARCHETYPE_ID,
        "archetype_details": {
            "_type": "ARCHETYPED",
            "archetype_id": {"_type": "ARCHETYPE_ID", "value": ARCHETYPE_ID},
            "template_id": {"_type": "TEMPLATE_ID", "value": template_id},
            "rm_version": "1.1.0",
        },
        "language": _code("ISO_639-1", "en"),
        "territory": _code("ISO_3166-1", "NO"),
        "category": {
            "_type": "DV_CODED_TEXT",
            "value": "event",
            "defining_code": _code("openehr", "433"),
        },
        "composer": {"_type": "PARTY_IDENTIFIED", "name": "Anna Berg"},
        "context": {
            "_type": "EVENT_CONTEXT",
            "start_time": {"_type": "DV_DATE_TIME", "value": start},
            "setting": {
                "_type": "DV_CODED_TEXT",
                "value": "midwifery care",
                "defining_code": _code("openehr", "231"),
            },
        },
    }


def persistent(composition: JsonObject) -> JsonObject:
    """The same composition as a persistent one."""
    category = {
        "_type": "DV_CODED_TEXT",
        "value": "persistent",
        "defining_code": _code("openehr", "431"),
    }
    return {key: value for key, value in composition.items() if key != "context"} | {"category": category}


def status(subject_id: str | None = None, *, modifiable: bool = True, queryable: bool = True) -> JsonObject:
    """A valid EHR_STATUS."""
    subject: JsonObject = {"_type": "PARTY_SELF"}
    if subject_id is not None:
        subject["external_ref"] = {
            "_type": "PARTY_REF",
            "namespace": "demo",
            "type": "PERSON",
            "id": {"_type": "GENERIC_ID", "value": subject_id, "scheme": "demo"},
        }
    return {
        "_type": "EHR_STATUS",
        "archetype_node_id": "openEHR-EHR-EHR_STATUS.generic.v1",
        "name": {"_type": "DV_TEXT", "value": "EHR status"},
        "archetype_details": {
            "_type": "ARCHETYPED",
            "archetype_id": {"_type": "ARCHETYPE_ID", "value": "openEHR-EHR-EHR_STATUS.generic.v1"},
            "rm_version": "1.1.0",
        },
        "subject": subject,
        "is_queryable": queryable,
        "is_modifiable": modifiable,
    }


def random_id() -> str:
    """An id that nothing has."""
    return str(uuid.uuid4())


def _code(terminology: str, code: str) -> JsonObject:
    return {
        "_type": "CODE_PHRASE",
        "terminology_id": {"_type": "TERMINOLOGY_ID", "value": terminology},
        "code_string": code,
    }
