"""Projects of analysts: who works in them, and what each may see beyond the rule.

A project has a key, and with it pseudonyms of its own. What goes beyond pseudonyms and coded data is
permitted by name, for a reason, until a day, by the data-protection officer; the audit has all of it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from cdr.access import Action
from cdr.actor import ActorKind
from cdr.analysis.view import PERMITTED, can_be_permitted
from cdr.audit import Outcome
from cdr.doors import Call, reading, writing
from cdr.errors import BadRequest, Conflict, NotFound
from cdr.store.project_documents import Permit, Project

__all__ = [
    "Permit",
    "Project",
    "UnknownProject",
    "create_project",
    "end_project",
    "list_permits",
    "list_projects",
    "permit",
    "set_members",
    "withdraw_permit",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9\-]{1,59}", re.ASCII)
LONGEST_TEXT = 1000
LONGEST_PERMIT = timedelta(days=366)


class UnknownProject(NotFound):
    """No project, or no permit in force, of this name."""

    code = "project.unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no {name}")


class ProjectExists(Conflict):
    """A project of this name is there already."""

    code = "project.exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a project {name} already")


@writing(Action.MANAGE_PROJECTS)
async def create_project(call: Call, name: str, *, title: str, members: Sequence[str]) -> Project:
    """A new project with a key of its own. Raises BadRequest, ProjectExists."""
    if not _NAME.fullmatch(name):
        raise BadRequest("a project is named by 2 to 60 of a-z, 0-9 and -")
    _check_text("title", title)
    await call.record([call.entry(Outcome.GRANTED, what=f"project {name}", detail=", ".join(members)[:500])])
    project = Project(
        name=name,
        title=title,
        members=tuple(members),
        created=call.ctx.clock(),
        created_by=call.ctx.actor.id,
        key=secrets.token_bytes(32),
    )
    if not await call.ctx.store.projects.add(project):
        raise ProjectExists(name)
    return project


@reading(Action.READ_PROJECTS)
async def list_projects(call: Call) -> Sequence[Project]:
    """The projects of an analyst; all of them for the others who may ask."""
    if call.ctx.actor.kind is ActorKind.ANALYST:
        return await call.ctx.store.projects.of_member(call.ctx.actor.id)
    return await call.ctx.store.projects.all()


@writing(Action.MANAGE_PROJECTS)
async def set_members(call: Call, name: str, members: Sequence[str]) -> None:
    """Say who works in a project from now on. Raises UnknownProject."""
    await call.record([call.entry(Outcome.GRANTED, what=f"project {name}", detail=", ".join(members)[:500])])
    if not await call.ctx.store.projects.set_members(name, members):
        raise UnknownProject(f"project {name}")


@writing(Action.MANAGE_PROJECTS)
async def end_project(call: Call, name: str) -> None:
    """Destroy the key: nobody can make these pseudonyms again. Raises UnknownProject."""
    await call.record([call.entry(Outcome.GRANTED, what=f"project {name}", detail="ended")])
    if not await call.ctx.store.projects.end(name, call.ctx.clock()):
        raise UnknownProject(f"project {name} that has not ended")


@writing(Action.MANAGE_PROJECTS)
async def permit(
    call: Call, project: str, *, what: str, reason: str, until: datetime, member: str | None = None
) -> Permit:
    """Permit a kind of data, or a field of the card, to a project or to one member of it.

    Raises UnknownProject, BadRequest.
    """
    found = await call.ctx.store.projects.get(project)
    if found is None or found.ended is not None:
        raise UnknownProject(f"project {project}")
    now = call.ctx.clock()
    if not can_be_permitted(what):
        raise BadRequest(f"{what[:60]!r} is none of {', '.join(sorted(PERMITTED))}, and no field of the card")
    if not now < until <= now + LONGEST_PERMIT:
        raise BadRequest(f"a permit ends within {LONGEST_PERMIT.days} days, and not in the past")
    _check_text("reason", reason)
    made = Permit(
        id=call.ctx.new_id(),
        project=project,
        what=what,
        reason=reason,
        permitted_by=call.ctx.actor.id,
        at=now,
        until=until,
        member=member,
    )
    shown = f"{what} until {until.date()}: {reason}"
    await call.record([call.entry(Outcome.GRANTED, what=f"permit {made.id} of {project}", detail=shown)])
    await call.ctx.store.projects.permit(made)
    return made


@reading(Action.READ_PROJECTS)
async def list_permits(call: Call, project: str) -> Sequence[Permit]:
    """All permits of a project, those that ended too. Raises UnknownProject."""
    found = await call.ctx.store.projects.get(project)
    actor = call.ctx.actor
    if found is None or (actor.kind is ActorKind.ANALYST and actor.id not in found.members):
        raise UnknownProject(f"project {project}")
    return await call.ctx.store.projects.permits(project)


@writing(Action.MANAGE_PROJECTS)
async def withdraw_permit(call: Call, project: str, permit_id: str) -> None:
    """End a permit before its time. Raises UnknownProject."""
    what = f"permit {permit_id[:40]} of {project}"
    await call.record([call.entry(Outcome.GRANTED, what=what, detail="withdrawn")])
    if not await call.ctx.store.projects.withdraw(project, permit_id, call.ctx.clock()):
        raise UnknownProject(f"permit {permit_id[:40]} in project {project}")


def _check_text(name: str, text: str) -> None:
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise BadRequest(f"{name}: 1 to {LONGEST_TEXT} characters")
