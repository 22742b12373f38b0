"""Validation of a composition without storing it (ours; ITS-REST has no such operation)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import json_answer
from api.audit_headers import lifecycle
from api.composition_formats import MEDIA_TYPES, read_composition
from api.deps import Context
from api.languages import preferred_language
from api.negotiation import JSON, accepted
from api.openapi import LIFECYCLE, TEMPLATE_ID, errors, parameters, request_body
from cdr.validation import Judgement, judge_composition
from validators.form_places import FormPlaces
from validators.shown import shown

router = APIRouter(tags=["COMPOSITION"])


@router.post(
    "/validate",
    summary="Validate a composition; nothing is stored",
    responses=errors(400, 406, 413, 415, 422),
    openapi_extra={
        **request_body(*MEDIA_TYPES, example={"_type": "COMPOSITION", "archetype_details": {}}),
        **parameters(LIFECYCLE, *TEMPLATE_ID),
    },
)
async def validate_composition(request: Request, ctx: Context) -> Response:
    """200 with `valid` and every finding, also where there are errors; 422 only where no template is known.

    A finding has its place in the data, in the template and in the form, texts in Norwegian and English,
    and a hint. With lifecycle 553 the document is judged as a draft.
    """
    accepted(request, JSON)
    composition = await read_composition(request, ctx)
    judgement = await judge_composition(ctx, composition, complete=lifecycle(request.headers).needs_all)
    return json_answer(_answer(judgement, preferred_language(request)))


def _answer(judgement: Judgement, language: str) -> dict[str, Any]:
    places = FormPlaces(judgement.web_template)
    return {
        "valid": judgement.accepted,
        "templateId": judgement.template_id,
        "findings": [shown(finding, language, places=places) for finding in judgement.findings],
    }
