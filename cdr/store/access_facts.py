"""What the door needs to know of an EHR before it decides: one read of the EHR's own document."""

from __future__ import annotations

from dataclasses import dataclass

from archetypes.norwegian_ids import PERSON_NAMESPACES
from cdr.actor import Actor, ActorKind
from cdr.consent import consent_facts
from cdr.facts import UNKNOWN, Facts
from cdr.store.database import Database, Document, store_errors

_FIELDS = {"rel": 1, "consent": 1, "blocks": 1}


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """Facts of EHRs, as a majority of the database holds them."""

    database: Database

    async def of_ehr(self, ehr_id: str, actor: Actor) -> Facts:
        """What decides on an access of the actor. Raises StoreUnavailable.

        An EHR that is not there costs the same reads as one that is.
        """
        with store_errors():
            found = await self.database.ehrs.find_one({"_id": ehr_id}, _FIELDS)
            subjects = await self._subjects(ehr_id) if actor.kind is ActorKind.CITIZEN else frozenset()
        if found is None:
            return UNKNOWN
        return Facts(
            exists=True,
            subjects=subjects,
            related=_related(found, actor),
            consent=consent_facts(found),
        )

    async def ehrs_of_citizen(self, actor: Actor) -> frozenset[str]:
        """The EHRs whose subject the actor is. Raises StoreUnavailable."""
        keys = [{"ns": namespace, "id": actor.person_id} for namespace in sorted(PERSON_NAMESPACES)]
        with store_errors():
            found = await self.database.subjects.find({"_id": {"$in": keys}}, {"e": 1}).to_list()
        return frozenset(document["e"] for document in found)

    async def ehrs_in_care(self, actor: Actor) -> frozenset[str]:
        """The EHRs with which an organisation of the actor has a relation. Raises StoreUnavailable."""
        related = {"rel": {"$elemMatch": {"org": {"$in": sorted(actor.organisations)}, "until": None}}}
        with store_errors():
            return frozenset(
                [document["_id"] async for document in self.database.ehrs.find(related, {"_id": 1})]
            )

    async def _subjects(self, ehr_id: str) -> frozenset[str]:
        found = await self.database.subjects.find({"e": ehr_id}, {"_id": 1}).to_list()
        return frozenset(
            document["_id"]["id"] for document in found if document["_id"]["ns"] in PERSON_NAMESPACES
        )


def _related(ehr: Document, actor: Actor) -> bool:
    open_relations = (relation for relation in ehr.get("rel", ()) if relation.get("until") is None)
    return any(relation["org"] in actor.organisations for relation in open_relations)
