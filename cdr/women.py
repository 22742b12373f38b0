"""The record of a woman, found by her national id, which comes in a header and never in an address."""

from __future__ import annotations

from archetypes.norwegian_ids import PERSON_NAMESPACES, classify
from cdr.access import Action
from cdr.actor import ActorKind
from cdr.consent_errors import MalformedNationalId
from cdr.context import Ctx
from cdr.contributions import contribution_of_one
from cdr.doors import Call, asking
from cdr.ehr_status import default_status, status_version
from cdr.errors import NotAllowed
from cdr.versions import NO_AUDIT, JsonObject, ObjectVersionId

NOBODY = "00000000-0000-0000-0000-000000000000"  # an EHR that no one has: refused like any other
BIRTH_NUMBER, D_NUMBER, HELP_NUMBER = sorted(PERSON_NAMESPACES)


async def record_of(ctx: Ctx, national_id: str) -> str:
    """The id of her EHR; NOBODY if she has none, so that looking for somebody costs and tells the same.

    Raises MalformedNationalId, StoreUnavailable.
    """
    national_id = _checked(national_id)
    for namespace in sorted(PERSON_NAMESPACES):
        found = await ctx.store.reads.ehr_of_subject(namespace, national_id)
        if found is not None:
            return found
    return NOBODY


@asking(Action.GIVE_CONSENT)
async def open_record(call: Call, national_id: str) -> str:
    """A new EHR for her who comes to give her consent; returns its id.

    Raises MalformedNationalId, NotAllowed, SubjectExists, RefusedIdentifier.
    """
    ctx, national_id = call.ctx, _checked(national_id)
    if ctx.settings.enforces_access and ctx.actor.person_id != national_id:
        raise NotAllowed(call.action.value, "a citizen opens her own record only", "access.not_own")
    call.waits = False  # there is no EHR yet that could be asked about
    uid = ObjectVersionId(ctx.new_id(), ctx.settings.system_id, 1)
    version, facts = status_version(ctx, default_status() | {"subject": _subject(national_id)}, uid)
    ehr_id = ctx.new_id()
    await call.commit(contribution_of_one(call, ehr_id, version, NO_AUDIT, status=facts, creates_ehr=True))
    return ehr_id


def national_id_of(ctx: Ctx, stated: str) -> str:
    """A citizen's own id from her token; for others the one that they state. Raises MalformedNationalId."""
    return ctx.actor.person_id if ctx.actor.kind is ActorKind.CITIZEN else _checked(stated)


def _checked(national_id: str) -> str:
    if classify(national_id) is None:
        raise MalformedNationalId
    return national_id.replace(" ", "")


def _subject(national_id: str) -> JsonObject:
    first = int(national_id[0])
    namespace = HELP_NUMBER if first >= 8 else D_NUMBER if first >= 4 else BIRTH_NUMBER
    reference = {
        "_type": "PARTY_REF",
        "namespace": namespace,
        "type": "PERSON",
        "id": {"_type": "GENERIC_ID", "value": national_id, "scheme": namespace},
    }
    return {"_type": "PARTY_SELF", "external_ref": reference}
