"""What may be seen of EHRs, as MongoDB holds it: as a query, and by the marks of single objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pymongo.asynchronous.client_session import AsyncClientSession

from cdr.sight import Among, Mark, Sight, conditions
from cdr.store.database import Database, Document
from cdr.store.documents import MARK_FIELDS, VersionMarks, version_marks

_FIELDS = {
    Mark.OBJECT: "o",
    Mark.TEMPLATE: "tid",
    Mark.ACCESS: "ac",
    Mark.ORGANISATION: "og",
    Mark.CARD: "cd",
}


def sight_query(sight: Sight) -> Document:
    """The compositions that ``Sight.sees``, if only in part."""
    alternatives = [{"$or": [_condition(one) for one in each]} for each in conditions(sight)]
    return {"$and": alternatives} if alternatives else {}


def _condition(among: Among) -> Document:
    values = sorted((value or None for value in among.values), key=str)  # what says nothing is not stored
    return {_FIELDS[among.mark]: {"$in" if among.within else "$nin": values}}


async def marks_of(
    database: Database,
    ehr_ids: Iterable[str],
    object_ids: Iterable[str],
    session: AsyncClientSession | None = None,
) -> Mapping[str, VersionMarks]:
    """The marks of those of the objects that are in these EHRs, as their latest versions have them."""
    wanted = {"e": {"$in": sorted(ehr_ids)}, "o": {"$in": sorted(object_ids)}}
    found = database.versions.find(wanted, MARK_FIELDS, session=session).sort([("o", 1), ("n", 1)])
    return {document["o"]: version_marks(document) async for document in found}
