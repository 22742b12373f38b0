"""What the OpenAPI description says beyond what the routes' signatures tell: bodies, errors, examples."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.negotiation import JSON, XML
from api.version import VERSION

JsonSchema = dict[str, Any]

DESCRIPTION = """
openEHR REST API (ITS-REST 1.1, reading the spellings of 1.0.3) of a clinical data repository for the
Norwegian maternity health card. Bodies are canonical openEHR JSON. Every answer that is not 2xx has the body
`Error`; the texts of its findings come in Norwegian or English, by `Accept-Language`.
"""

TAGS = [
    {"name": "EHR", "description": "Create and find records of persons."},
    {"name": "EHR_STATUS", "description": "Subject, modifiable, queryable; versioned."},
    {"name": "COMPOSITION", "description": "Clinical documents: create, read, update, delete; versioned."},
    {"name": "CONTRIBUTION", "description": "Several versions committed together, all or none."},
    {"name": "DIRECTORY", "description": "The folders of an EHR; versioned."},
    {"name": "ITEM_TAG", "description": "Tags on objects and versions; not versioned."},
    {
        "name": "Definition",
        "description": "Templates, web templates, stored queries. "
        "To read: [every field of the card's templates](/docs/templates).",
    },
    {"name": "Query", "description": "AQL."},
    {"name": "Bulk", "description": "Many compositions in one request."},
    {"name": "Card", "description": "The card of one woman, as NHN's Maternity Record API has it."},
    {"name": "Consent", "description": "Her own decisions: consent, her copy, what she does not want seen."},
    {"name": "Events", "description": "What happens, as it happens: identifiers only."},
    {"name": "Access", "description": "Treatment relations, the woman's log, the audit."},
    {"name": "Analysis", "description": "The card as tables; projects of analysts."},
    {"name": "System", "description": "What this server is and whether it is ready."},
    {"name": "Admin", "description": "Development servers only."},
]

RM_FORMATS = (JSON, XML)

_TEXT: JsonSchema = {"type": "string"}
_FINDING: JsonSchema = {
    "type": "object",
    "required": [
        "code",
        "severity",
        "path",
        "archetypePath",
        "expected",
        "found",
        "message",
        "texts",
        "hint",
    ],
    "properties": {
        "code": {**_TEXT, "description": "Stable name of the broken rule."},
        "severity": {"type": "string", "enum": ["error", "warning", "info"]},
        "path": {**_TEXT, "description": "RM path in the data that was sent, with zero-based indexes."},
        "archetypePath": {**_TEXT, "description": "Path of the constraint in the template."},
        "expected": _TEXT,
        "found": _TEXT,
        "message": {**_TEXT, "description": "The fault in words."},
        "texts": {
            "type": "object",
            "additionalProperties": _TEXT,
            "description": "The same by language: nb, en.",
        },
        "hint": {**_TEXT, "description": "What to do about it; empty where nothing helpful can be said."},
        "webTemplateId": {**_TEXT, "description": "The place in the template's form, by ids."},
        "label": {**_TEXT, "description": "The name of that place for people."},
        "line": {"type": "integer", "description": "In a text such as AQL or XML, from 1."},
        "column": {"type": "integer", "description": "In a text such as AQL or XML, from 1."},
    },
}
_ERROR: JsonSchema = {
    "type": "object",
    "required": ["message", "code", "validationErrors", "findings"],
    "properties": {
        "message": _TEXT,
        "code": {**_TEXT, "description": "Stable name of the error, see docs/api.md."},
        "validationErrors": {
            "type": "array",
            "items": _TEXT,
            "description": "The findings as one line each.",
        },
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
    },
    "example": {
        "message": "the composition has 1 faults",
        "code": "composition.invalid",
        "validationErrors": [
            "/content[0]/data/events[0]/data/items[0]/value/units: "
            "The unit “kPa” is not allowed; allowed: mm[Hg]."
        ],
        "findings": [
            {
                "code": "quantity.units",
                "severity": "error",
                "path": "/content[0]/data/events[0]/data/items[0]/value/units",
                "archetypePath": "/content[openEHR-EHR-OBSERVATION.blood_pressure.v2]/data[at0001]"
                "/events[at0006]/data[at0003]/items[at0004]/value/units",
                "expected": "mm[Hg]",
                "found": "kPa",
                "message": "The unit “kPa” is not allowed; allowed: mm[Hg].",
                "texts": {
                    "nb": "Enheten «kPa» er ikke tillatt; tillatt: mm[Hg].",
                    "en": "The unit “kPa” is not allowed; allowed: mm[Hg].",
                },
                "hint": "Use one of the units that the template allows, written exactly so.",
                "webTemplateId": "svangerskapskontroll/undersøkelse/blodtrykk/systolisk",
                "label": "Systolisk",
            }
        ],
    },
}

_WHEN = {
    400: "The request cannot be read: broken JSON, a header, a parameter, AQL syntax.",
    401: "Production: no valid access token.",
    403: "The access decision said no.",
    404: "No such EHR, object, version or template.",
    406: "No representation that the client accepts.",
    408: "The query took too long.",
    409: "The state of the record forbids it.",
    410: "The EHR is part of another one now (see Location); a feed no longer reaches back so far.",
    412: "If-Match does not name the latest version; its uid is in ETag.",
    413: "The body is too large.",
    415: "The body is in a media type that this route does not read.",
    422: "Understood and refused; `findings` say why, all of them.",
    501: "In the language, not executed yet; `findings` name the construct and its place.",
    503: "The database does not answer; nothing is known to be stored. Try again.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an openEHR route that may answer with these statuses, and those that all may."""
    return described_errors(*sorted({*statuses, 401, 403, 503}))


def described_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with exactly these statuses."""
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        status: {"description": _WHEN[status], "content": {JSON: {"schema": schema}}} for status in statuses
    }


def bodies(*media_types: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route whose answer comes in these media types."""
    content = {media_type: {"schema": _schema_of(media_type)} for media_type in media_types}
    return {status: {"description": HTTPStatus(status).phrase, "content": content}}


def no_body(description: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may have nothing to show."""
    return {204: {"description": description}}


def request_body(*media_types: str, example: Any, required: bool = True) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that reads its body as bytes; the example is of the first type."""
    content: dict[str, Any] = {media_type: {"schema": _schema_of(media_type)} for media_type in media_types}
    content[media_types[0]]["example"] = example
    return {"requestBody": {"required": required, "content": content}}


def _schema_of(media_type: str) -> JsonSchema:
    """What may be said of any body of the type; JSON answers may be lists too."""
    return {"type": ["object", "array"]} if media_type.endswith("json") else {"type": "string"}


def _header(name: str, description: str, example: str, *, required: bool = False) -> JsonSchema:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": _TEXT,
        "example": example,
    }


def _query(name: str, description: str) -> JsonSchema:
    return {"name": name, "in": "query", "required": False, "description": description}


PREFER = _header(
    "Prefer", "How much comes back: minimal (default), representation, identifier.", "return=minimal"
)
IF_MATCH = _header(
    "If-Match",
    "Uid of the latest version, with or without quotes.",
    '"8849182c-82ad-4088-a07f-48ead4180515::no.helsekort.cdr::1"',
    required=True,
)
LIFECYCLE = _header(
    "openehr-version", "532 complete (default) or 553 incomplete.", 'lifecycle_state.code_string="532"'
)
AUDIT = _header(
    "openehr-audit-details",
    "What the client says about the commit.",
    'description.value="Rettet blodtrykk",committer.name="Jordmor Eksempel"',
)
IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "The same key and body within 7 days get the first answer; another body 422.",
    "5f3c1a52-9a5e-4a0e-8c3b-8f0d4d7f0b11",
)
ITEM_TAGS = (
    _header("openehr-item-tag", "All tags of the object; empty: none.", 'key="flag",value="follow-up"'),
    _header("openehr-version-item-tag", "All tags of the new version.", 'key="reviewed",value="true"'),
)
EHR_ID_HEADER = _header("openehr-ehr-id", "Query this EHR only.", "7d44b88c-4199-4bad-97dc-d78268e01398")
TEMPLATE_ID = (
    _header("openehr-template-id", "The template of a FLAT or STRUCTURED body.", "helsekort_kontroll.v0"),
    {**_query("templateId", "The same."), "schema": _TEXT},
)
FORMAT = {
    **_query("format", "Format of body and answer, in place of Content-Type and Accept."),
    "schema": {"type": "string", "enum": ["JSON", "XML", "FLAT", "STRUCTURED"]},
}
VERSION_AT_TIME = "ISO 8601 extended time, such as 2026-03-01T12:30:00%2B01:00; without a zone the server's."


def parameters(*headers: JsonSchema) -> dict[str, Any]:
    """The ``openapi_extra`` of headers that a route reads itself."""
    return {"parameters": list(headers)}


def add_openapi(app: FastAPI) -> None:
    """Make the description: our errors in place of the framework's own validation error."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title="Helsekort CDR", version=VERSION, description=DESCRIPTION, routes=app.routes, tags=TAGS
            )
            _use_our_errors(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # the framework's documented way to extend it


def _use_our_errors(schema: dict[str, Any]) -> None:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas |= {"Error": _ERROR, "Finding": _FINDING}
    joined = {str(status): answer for status, answer in described_errors(410).items()}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            if "{ehr_id}" in path:
                responses |= joined
            if "HTTPValidationError" in str(responses.get("422", "")):
                del responses["422"]
