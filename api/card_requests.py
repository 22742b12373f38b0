"""What the routes of the card API read alike: whose card it is, and small JSON bodies."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, ValidationError

from api.bodies import read_body
from api.caller import patient
from api.deps import Context
from api.http_errors import MalformedRequest
from archetypes.rm.canonical_json import read_canonical
from cdr.context import Ctx
from cdr.women import national_id_of, record_of

PATIENT = {
    "name": "nhn-patient-nin",
    "in": "header",
    "required": False,
    "description": "National id of the woman; a citizen may leave it out: her token says who she is.",
    "schema": {"type": "string"},
    "example": "10915596784",
}

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A small JSON body: no member that is not known, nothing of it repeated in an error."""

    model_config = ConfigDict(extra="forbid", strict=False, hide_input_in_errors=True)


async def _record(request: Request, ctx: Context) -> str:
    return await record_of(ctx, national_id_of(ctx, patient(request)))


# The id of her EHR; that of nobody where she has none. Raises MalformedNationalId.
Record = Annotated[str, Depends(_record)]


async def read_model(request: Request, ctx: Ctx, model: type[Model]) -> Model:
    """The body of a request. Raises MalformedRequest and what reading a body raises."""
    body: Any = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    try:
        return model.model_validate(body)
    except ValidationError as error:
        fault = error.errors()[0]
        place = "/".join(map(str, fault["loc"]))
        raise MalformedRequest("body.member", f"/{place}: {fault['msg']}") from error
