"""What the door needs to know of an EHR before it decides: one read of the EHR's own document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archetypes.norwegian_ids import PERSON_NAMESPACES
from cdr.actor import Actor, ActorKind
from cdr.consent import LegalBasis, consent_facts
from cdr.facts import UNKNOWN, Facts
from cdr.sight import Sights, Terms, plain_sight, sight_of
from cdr.store.consents import CONSENT_MEMBERS
from cdr.store.database import Database, Document, store_errors

_FIELDS = {"rel": 1, **CONSENT_MEMBERS}


# Where the card rests on a regulation, silence means yes: only who decided something needs a look.
_NOT_PLAIN: Document = {"plain": False}


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
        return UNKNOWN if found is None else _facts(found, subjects, actor)

    async def of_ehrs(self, ehr_ids: frozenset[str], actor: Actor) -> Mapping[str, Facts]:
        """The same of many, those only that are there. Raises StoreUnavailable."""
        if not ehr_ids:
            return {}
        is_citizen = actor.kind is ActorKind.CITIZEN
        with store_errors():
            found = await self.database.ehrs.find({"_id": {"$in": sorted(ehr_ids)}}, _FIELDS).to_list()
            subjects = {each: await self._subjects(each) for each in ehr_ids} if is_citizen else {}
        return {each["_id"]: _facts(each, subjects.get(each["_id"], frozenset()), actor) for each in found}

    async def ehrs_of_citizen(self, actor: Actor) -> frozenset[str]:
        """The EHRs whose subject the actor is, by the id in force. Raises StoreUnavailable."""
        keys = [{"ns": namespace, "id": actor.person_id} for namespace in sorted(PERSON_NAMESPACES)]
        where = {"_id": {"$in": keys}, "cur": True}
        with store_errors():
            found = await self.database.subjects.find(where, {"e": 1}).to_list()
        return frozenset(document["e"] for document in found)

    async def ehrs_in_care(self, actor: Actor) -> frozenset[str]:
        """The EHRs with which an organisation of the actor has a relation. Raises StoreUnavailable."""
        related = {"rel": {"$elemMatch": {"org": {"$in": sorted(actor.organisations)}, "until": None}}}
        with store_errors():
            return frozenset(
                [document["_id"] async for document in self.database.ehrs.find(related, {"_id": 1})]
            )

    async def sights(self, ehr_ids: frozenset[str] | None, actor: Actor, basis: str, terms: Terms) -> Sights:
        """What the actor sees of these EHRs (None: all). Raises StoreUnavailable.

        EHRs whose women said yes and nothing else are ``plain`` and need no look.
        """
        where: Document = {"plain": {"$ne": True}} if terms.basis is LegalBasis.CONSENT else _NOT_PLAIN
        if ehr_ids is not None:
            where = {"_id": {"$in": sorted(ehr_ids)}, **where}
        with store_errors():
            found = await self.database.ehrs.find(where, CONSENT_MEMBERS).to_list()
        by_ehr = {each["_id"]: sight_of(actor, consent_facts(each), basis, terms) for each in found}
        return Sights(plain_sight(actor, terms), by_ehr)

    async def _subjects(self, ehr_id: str) -> frozenset[str]:
        """The id that EHR_STATUS names. Those of other times find the EHR, and open it to nobody."""
        found = await self.database.subjects.find({"e": ehr_id, "cur": True}, {"_id": 1}).to_list()
        return frozenset(
            document["_id"]["id"] for document in found if document["_id"]["ns"] in PERSON_NAMESPACES
        )


def _facts(ehr: Document, subjects: frozenset[str], actor: Actor) -> Facts:
    related = _related(ehr, actor)
    return Facts(exists=True, subjects=subjects, related=related, consent=consent_facts(ehr))


def _related(ehr: Document, actor: Actor) -> bool:
    open_relations = (relation for relation in ehr.get("rel", ()) if relation.get("until") is None)
    return any(relation["org"] in actor.organisations for relation in open_relations)
