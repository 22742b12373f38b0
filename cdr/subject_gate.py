"""Whose record an EHR is changes by no write: whoever is its subject sees all of it, and decides on it."""

from __future__ import annotations

from archetypes.norwegian_ids import PERSON_NAMESPACES
from cdr.context import Ctx
from cdr.join_errors import SubjectFixed
from cdr.store.subject_documents import is_temporary
from cdr.store.waiting import Commit


async def require_same_subject(ctx: Ctx, commit: Commit) -> None:
    """A national number in force is replaced by no other id; only a temporary one is.

    Raises SubjectFixed, StoreUnavailable.
    """
    if commit.status is None or commit.creates_ehr:
        return
    for known in await ctx.store.subjects.of_ehr(commit.ehr_id):
        national = known.namespace in PERSON_NAMESPACES and not is_temporary(known.id)
        if known.in_force and national and commit.status.subject != (known.namespace, known.id):
            raise SubjectFixed(known.namespace)
