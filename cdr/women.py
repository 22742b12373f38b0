"""The record of a woman, found by her national id, which comes in a header and never in an address."""

from __future__ import annotations

from archetypes.norwegian_ids import PERSON_NAMESPACES, classify
from cdr.actor import ActorKind
from cdr.consent_errors import MalformedNationalId
from cdr.context import Ctx
from cdr.versions import JsonObject

NOBODY = "00000000-0000-0000-0000-000000000000"  # an EHR that no one has: refused like any other
BIRTH_NUMBER, D_NUMBER, HELP_NUMBER = sorted(PERSON_NAMESPACES)


async def record_of(ctx: Ctx, national_id: str) -> str:
    """The id of her EHR; NOBODY if she has none, so that looking for somebody costs and tells the same.

    Raises MalformedNationalId, StoreUnavailable.
    """
    national_id = checked_national_id(national_id)
    namespaces = sorted(PERSON_NAMESPACES)  # all of them are asked, whichever has her
    found = [await ctx.store.reads.ehr_of_subject(namespace, national_id) for namespace in namespaces]
    return next((ehr_id for ehr_id in found if ehr_id is not None), NOBODY)


def national_id_of(ctx: Ctx, stated: str) -> str:
    """The id that was stated; a citizen may leave it out, and is refused where she states another's.

    Raises MalformedNationalId.
    """
    own = ctx.actor.person_id if ctx.actor.kind is ActorKind.CITIZEN else ""
    return checked_national_id(stated or own)


def checked_national_id(national_id: str) -> str:
    """A national id as it is stored. Raises MalformedNationalId."""
    if classify(national_id) is None:
        raise MalformedNationalId
    return national_id.replace(" ", "")


def subject_of(national_id: str) -> JsonObject:
    """The subject of an EHR_STATUS about her; which kind of id it is, its first digit tells."""
    first = int(national_id[0])
    namespace = HELP_NUMBER if first >= 8 else D_NUMBER if first >= 4 else BIRTH_NUMBER
    reference = {
        "_type": "PARTY_REF",
        "namespace": namespace,
        "type": "PERSON",
        "id": {"_type": "GENERIC_ID", "value": national_id, "scheme": namespace},
    }
    return {"_type": "PARTY_SELF", "external_ref": reference}
