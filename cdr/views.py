"""Which view of health data a caller has: the whole, or that of an analyst in a project."""

from __future__ import annotations

import secrets

from cdr.actor import ActorKind
from cdr.analysis.view import View
from cdr.doors import Call
from cdr.errors import NotAllowed
from cdr.store.project_documents import Project


async def view_of(call: Call) -> View | None:
    """What the caller sees of health data that are not about one patient; None: all of it.

    An analyst always has a view; anybody else has one when they name a project. Raises NotAllowed for a
    project that the caller does not work in, and for an analyst with several who names none.
    """
    actor, named = call.ctx.actor, call.ctx.project
    if actor.kind is not ActorKind.ANALYST and not named:
        return None
    project = await _named(call, named) if named else await _only(call)
    assert project.key is not None  # it has not ended
    now = call.ctx.clock()
    permits = await call.ctx.store.projects.permits(project.name)
    in_force = (each for each in permits if each.withdrawn is None and now < each.until)
    permitted = frozenset(each.what for each in in_force if each.member in (None, actor.id))
    return View(project.name, project.key, permitted)


async def _named(call: Call, name: str) -> Project:
    project = await call.ctx.store.projects.get(name)
    is_free = not call.ctx.settings.enforces_access
    if project is None or project.ended is not None or not (is_free or call.ctx.actor.id in project.members):
        raise NotAllowed(call.action.value, f"you do not work in a project {name[:60]}", "access.project")
    return project


async def _only(call: Call) -> Project:
    """The one project of an analyst, or her own where nobody made one."""
    actor = call.ctx.actor
    mine = [each for each in await call.ctx.store.projects.of_member(actor.id) if each.ended is None]
    made = [each for each in mine if not each.own]
    if len(made) > 1:
        names = ", ".join(each.name for each in made)
        reason = f"name the project by helsekort-project: {names}"
        raise NotAllowed(call.action.value, reason, "access.project")
    if made or mine:
        return (made or mine)[0]
    own = Project(
        name=f"own:{actor.id}",
        title=actor.name,
        members=(actor.id,),
        created=call.ctx.clock(),
        created_by=actor.id,
        key=secrets.token_bytes(32),
        own=True,
    )
    await call.ctx.store.projects.add(own)
    found = await call.ctx.store.projects.get(own.name)
    return found or own
