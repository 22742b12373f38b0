"""The one decision on access: who may do what to which EHR, and why (not)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cdr.context import Ctx


class Action(StrEnum):
    """What can be done; each use case has one."""

    CREATE_EHR = "ehr.create"
    READ_EHR = "ehr.read"
    FIND_EHR = "ehr.find"
    READ_STATUS = "ehr_status.read"
    UPDATE_STATUS = "ehr_status.update"
    ERASE_EHR = "ehr.erase"
    ERASE_ALL = "ehr.erase_all"
    CREATE_COMPOSITION = "composition.create"
    READ_COMPOSITION = "composition.read"
    UPDATE_COMPOSITION = "composition.update"
    DELETE_COMPOSITION = "composition.delete"
    CREATE_CONTRIBUTION = "contribution.create"
    READ_CONTRIBUTION = "contribution.read"
    CREATE_DIRECTORY = "directory.create"
    READ_DIRECTORY = "directory.read"
    UPDATE_DIRECTORY = "directory.update"
    DELETE_DIRECTORY = "directory.delete"
    ERASE_OBJECT = "object.erase"
    READ_TAGS = "tags.read"
    WRITE_TAGS = "tags.write"
    STORE_QUERY = "query.store"
    READ_QUERY = "query.read"
    DELETE_QUERY = "query.delete"
    PUBLISH_TEMPLATE = "template.publish"
    READ_TEMPLATE = "template.read"
    CHECK_IMPACT = "template.impact"
    VALIDATE = "composition.validate"
    QUERY = "query.run"
    READ_AUDIT = "audit.read"


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, and the reason that goes to the caller and into the audit."""

    allowed: bool
    reason: str


def decide(ctx: Ctx, action: Action, ehr_id: str | None = None) -> Decision:
    """May ``ctx.actor`` do this? ``ehr_id`` is None where the action is about no EHR, or about many.

    Development lets everybody do everything; production denies everything until tokens are checked.
    """
    if ctx.settings.is_dev:
        return Decision(True, "development mode lets everybody in")
    if action is Action.ERASE_ALL:
        return Decision(False, "emptying a server is possible in development only")
    return Decision(False, "this server cannot check identities yet")
