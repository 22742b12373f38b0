"""What may be seen of EHRs, as a MongoDB query, where no part of a composition is hidden. Pure."""

from __future__ import annotations

from cdr.sight import Sight
from cdr.store.database import Document
from templates.operational import TemplateAccess

_OFF_CARD = [None, *sorted(access.value for access in TemplateAccess if not access.on_card)]


def sight_query(sight: Sight) -> Document:
    """The versions that ``Sight.sees``; raises ValueError for one that hides objects or sections."""
    if sight.objects or sight.sections:
        raise ValueError("this sight is not a matter of templates and cards alone")
    conditions: list[Document] = []
    if sight.hidden_templates:
        conditions.append({"tid": {"$nin": sorted(sight.hidden_templates)}})
    if sight.lack is not None:
        conditions.append({"ac": {"$in": _OFF_CARD}})
    elif sight.shielded_of is not None:
        own = {"ac": TemplateAccess.SHIELDED.value, "og": {"$in": sorted(sight.shielded_of)}}
        conditions.append({"$or": [{"ac": {"$in": [*_OFF_CARD, TemplateAccess.CARD.value]}}, own]})
    if sight.cards:
        conditions.append({"$or": [{"ac": {"$in": _OFF_CARD}}, {"cd": {"$nin": sorted(sight.cards)}}]})
    return {"$and": conditions} if conditions else {}
