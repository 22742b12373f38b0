"""Projects of analysts, and what is permitted to them beyond the rule, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from cdr.store.database import Database, Document, store_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project; ``key`` makes its pseudonyms and is gone when the project has ended.

    ``members`` are ids of actors. ``own`` is the project that an analyst has without anybody making one.
    """

    name: str
    title: str
    members: tuple[str, ...]
    created: datetime
    created_by: str
    key: bytes | None = field(repr=False)
    ended: datetime | None = None
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What a project may see beyond the rule: ``what`` until ``until``, for ``reason``.

    ``what`` is a kind of data or a field of the card; ``member`` None is every member.
    """

    id: str
    project: str
    what: str
    reason: str
    permitted_by: str
    at: datetime
    until: datetime
    member: str | None = None
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProjectDocuments:
    """The collections ``projects`` and ``permits``."""

    database: Database

    async def add(self, project: Project) -> bool:
        """Store a new project; False if there is one of that name."""
        with store_errors():
            try:
                await self.database.projects.insert_one(_project_document(project))
            except DuplicateKeyError:
                return False
        return True

    async def get(self, name: str) -> Project | None:
        """A project by name."""
        with store_errors():
            found = await self.database.projects.find_one({"_id": name})
        return None if found is None else _project(found)

    async def all(self) -> Sequence[Project]:
        """Every project, by name; those that analysts have by themselves too."""
        with store_errors():
            documents = await self.database.projects.find().sort("_id").to_list()
        return [_project(document) for document in documents]

    async def of_member(self, actor: str) -> Sequence[Project]:
        """The projects that an actor is a member of, by name."""
        with store_errors():
            documents = await self.database.projects.find({"members": actor}).sort("_id").to_list()
        return [_project(document) for document in documents]

    async def set_members(self, name: str, members: Sequence[str]) -> bool:
        """Replace the members; False if there is no such project."""
        with store_errors():
            changed = await self.database.projects.update_one(
                {"_id": name}, {"$set": {"members": list(members)}}
            )
        return changed.matched_count == 1

    async def end(self, name: str, at: datetime) -> bool:
        """Destroy the key; False if there is no such project, or it has ended."""
        with store_errors():
            changed = await self.database.projects.update_one(
                {"_id": name, "ended": None}, {"$set": {"ended": at, "key": None}}
            )
        return changed.matched_count == 1

    async def permit(self, permit: Permit) -> None:
        """Store a permit."""
        with store_errors():
            await self.database.permits.insert_one(_permit_document(permit))

    async def permits(self, project: str) -> Sequence[Permit]:
        """All permits of a project that ever were, oldest first."""
        with store_errors():
            documents = await self.database.permits.find({"project": project}).sort("at").to_list()
        return [_permit(document) for document in documents]

    async def withdraw(self, project: str, permit_id: str, at: datetime) -> bool:
        """End a permit now; False if there is none in force."""
        where = {"_id": permit_id, "project": project, "withdrawn": None}
        with store_errors():
            changed = await self.database.permits.update_one(where, {"$set": {"withdrawn": at}})
        return changed.matched_count == 1


def _project_document(project: Project) -> Document:
    return {
        "_id": project.name,
        "title": project.title,
        "members": list(project.members),
        "created": project.created,
        "by": project.created_by,
        "key": project.key,
        "ended": project.ended,
        "own": project.own,
    }


def _project(document: Document) -> Project:
    return Project(
        name=document["_id"],
        title=document["title"],
        members=tuple(document["members"]),
        created=document["created"],
        created_by=document["by"],
        key=document["key"],
        ended=document["ended"],
        own=document["own"],
    )


def _permit_document(permit: Permit) -> Document:
    return {
        "_id": permit.id,
        "project": permit.project,
        "what": permit.what,
        "reason": permit.reason,
        "by": permit.permitted_by,
        "at": permit.at,
        "until": permit.until,
        "member": permit.member,
        "withdrawn": permit.withdrawn,
    }


def _permit(document: Document) -> Permit:
    return Permit(
        id=document["_id"],
        project=document["project"],
        what=document["what"],
        reason=document["reason"],
        permitted_by=document["by"],
        at=document["at"],
        until=document["until"],
        member=document["member"],
        withdrawn=document["withdrawn"],
    )
