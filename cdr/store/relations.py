"""Treatment relations, in the documents of EHRs: which organisation has the woman in treatment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cdr.facts import Relation
from cdr.store.database import Database, store_errors


@dataclass(frozen=True, slots=True)
class Relations:
    """Reads and writes the relations of an EHR."""

    database: Database

    async def of_ehr(self, ehr_id: str) -> tuple[Relation, ...] | None:
        """All, oldest first, also those that have ended; None if there is no such EHR."""
        with store_errors():
            found = await self.database.ehrs.find_one({"_id": ehr_id}, {"rel": 1})
        if found is None:
            return None
        return tuple(Relation(one["org"], one["since"], one.get("until")) for one in found.get("rel", ()))

    async def open(self, ehr_id: str, organisation: str, at: datetime) -> bool:
        """Record a relation from now on; False if there is one, or no such EHR."""
        now_open = {"$elemMatch": {"org": organisation, "until": None}}
        with store_errors():
            changed = await self.database.ehrs.update_one(
                {"_id": ehr_id, "gate.open": True, "rel": {"$not": now_open}},
                {"$push": {"rel": {"org": organisation, "since": at}}},
            )
        return changed.modified_count == 1

    async def end(self, ehr_id: str, organisation: str, at: datetime) -> bool:
        """End a relation now; False if there is none."""
        now_open = {"$elemMatch": {"org": organisation, "until": None}}
        with store_errors():
            changed = await self.database.ehrs.update_one(
                {"_id": ehr_id, "rel": now_open}, {"$set": {"rel.$.until": at}}
            )
        return changed.modified_count == 1
