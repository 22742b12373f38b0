"""Projects of analysts, and what each may see beyond the rule; no part of openEHR's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.answers import json_answer
from api.bodies import read_body
from api.deps import Context
from api.http_errors import MalformedRequest
from api.negotiation import JSON, accepted
from api.openapi import errors, no_body, request_body
from api.times import version_time
from archetypes.rm.canonical_json import read_canonical
from cdr import projects
from cdr.projects import Permit, Project
from cdr.versions import iso

router = APIRouter(prefix="/projects", tags=["Analysis"])

ProjectName = Annotated[str, Path(description="2 to 60 of a-z, 0-9 and -")]
_PROJECT_BODY = request_body(JSON, example={"title": "Anaemia in pregnancy", "members": ["analyst-17"]})
_PERMIT_BODY = request_body(
    JSON,
    example={"what": "HK13.17", "reason": "REK 2026/123: notes of visits", "until": "2027-01-01T00:00:00Z"},
)


@router.get("", summary="The projects of analysts", responses=errors(406))
async def list_projects(request: Request, ctx: Context) -> Response:
    """An analyst sees those she works in."""
    accepted(request, JSON)
    return json_answer([_project_json(each) for each in await projects.list_projects(ctx)])


@router.put(
    "/{name}",
    summary="Make a project, or say who works in it",
    responses=errors(400, 404, 406, 409, 413, 415) | no_body("The members were replaced."),
    openapi_extra=_PROJECT_BODY,
)
async def put_project(request: Request, ctx: Context, name: ProjectName) -> Response:
    """`title` makes a new project (409 if it is there); without it, `members` replaces who works in it."""
    accepted(request, JSON)
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    members = _texts(body, "members")
    if "title" not in body:
        await projects.set_members(ctx, name, members)
        return Response(status_code=204)
    made = await projects.create_project(ctx, name, title=_text(body, "title"), members=members)
    return json_answer(_project_json(made))


@router.delete(
    "/{name}",
    summary="End a project",
    status_code=204,
    response_class=Response,
    responses=errors(404),
)
async def end_project(ctx: Context, name: ProjectName) -> Response:
    """Its key is destroyed: nobody can make its pseudonyms again."""
    await projects.end_project(ctx, name)
    return Response(status_code=204)


@router.get("/{name}/permits", summary="What a project may see beyond the rule", responses=errors(404, 406))
async def list_permits(request: Request, ctx: Context, name: ProjectName) -> Response:
    """Those that ended too."""
    accepted(request, JSON)
    return json_answer([_permit_json(each) for each in await projects.list_permits(ctx, name)])


@router.post(
    "/{name}/permits",
    summary="Permit more to a project",
    status_code=201,
    responses=errors(400, 404, 406, 413, 415),
    openapi_extra=_PERMIT_BODY,
)
async def post_permit(request: Request, ctx: Context, name: ProjectName) -> Response:
    """A kind of data or a field of the card, for a reason, until a time within a year."""
    accepted(request, JSON)
    body = read_canonical(await read_body(request, limit=ctx.settings.body_limit))
    until = version_time(_text(body, "until"), "/until")
    assert until is not None  # a text is a time, or refused
    made = await projects.permit(
        ctx,
        name,
        what=_text(body, "what"),
        reason=_text(body, "reason"),
        until=until,
        member=None if body.get("member") is None else _text(body, "member"),
    )
    return json_answer(_permit_json(made), status=201)


@router.delete(
    "/{name}/permits/{permit_id}",
    summary="Withdraw a permit",
    status_code=204,
    response_class=Response,
    responses=errors(404),
)
async def withdraw_permit(ctx: Context, name: ProjectName, permit_id: str) -> Response:
    """It ends now."""
    await projects.withdraw_permit(ctx, name, permit_id)
    return Response(status_code=204)


def _project_json(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "title": project.title,
        "members": list(project.members),
        "created": iso(project.created),
        "created_by": project.created_by,
        "ended": None if project.ended is None else iso(project.ended),
    }


def _permit_json(permit: Permit) -> dict[str, Any]:
    return {
        "id": permit.id,
        "what": permit.what,
        "reason": permit.reason,
        "member": permit.member,
        "permitted_by": permit.permitted_by,
        "at": iso(permit.at),
        "until": iso(permit.until),
        "withdrawn": None if permit.withdrawn is None else iso(permit.withdrawn),
    }


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise MalformedRequest("body.malformed", f"/{name} must be a text")
    return value


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MalformedRequest("body.malformed", f"/{name} must be a list of texts")
    return value
