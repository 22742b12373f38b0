"""Her copy of the card: everything that is stored on it now, and what she is told she will lose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdr.access import Action
from cdr.consent_changes import facts_of
from cdr.doors import Call, reading
from cdr.store.waiting import CardRecord, ConsentEvent
from cdr.versions import JsonObject, normal_object_id, text_at

# The number of all pregnancies: beside its parts it would tell of those that are in none of them.
TOTAL = ("openEHR-EHR-EVALUATION.obstetric_summary.v1", "at0002")


@dataclass(frozen=True, slots=True)
class Entry:
    """One composition of hers as it is stored; ``committed`` is when, ``uid`` its version."""

    uid: str
    committed: datetime
    composition: JsonObject


@dataclass(frozen=True, slots=True)
class HerCopy:
    """What she takes home."""

    made: datetime
    history: Sequence[ConsentEvent]
    cards: Sequence[CardRecord]
    entries: Sequence[Entry]
    with_total: bool

    @property
    def by_organisation(self) -> Mapping[str, int]:
        """How many entries each organisation made; her own stand under an empty name."""
        return Counter(
            text_at(entry.composition, "context", "health_care_facility", "name") or ""
            for entry in self.entries
        )


@reading(Action.READ_COPY)
async def get_copy(call: Call, ehr_id: str, *, with_total: bool = False) -> HerCopy:
    """Everything on her card now, drafts and shielded entries too, oldest first.

    The number of all pregnancies is left out until she asks for it. Raises UnknownEhr, CardClosed.
    """
    ehr_id, consents = normal_object_id(ehr_id), call.ctx.store.consents
    await facts_of(call, ehr_id)
    versions = await call.ctx.store.reads.on_card(ehr_id)
    entries = [
        Entry(str(one.uid), one.audit.time_committed, one.data if with_total else without_total(one.data))
        for one in [await call.show(version) for version in versions]
        if one.data is not None
    ]
    return HerCopy(
        call.ctx.clock(), await consents.history(ehr_id), await consents.cards(ehr_id), entries, with_total
    )


def without_total(composition: Mapping[str, Any]) -> JsonObject:
    """The composition without the number of all pregnancies; its parts stay."""
    return _without(dict(composition), "")


def _without(node: dict[str, Any], archetype: str) -> dict[str, Any]:
    archetype = _archetype(node) or archetype
    return {key: _member(value, archetype) for key, value in node.items()}


def _member(value: Any, archetype: str) -> Any:
    if isinstance(value, dict):
        return _without(value, archetype)
    if isinstance(value, list):
        return [_member(each, archetype) for each in value if not _is_total(each, archetype)]
    return value


def _is_total(node: Any, archetype: str) -> bool:
    return isinstance(node, dict) and (archetype, node.get("archetype_node_id")) == TOTAL


def _archetype(node: Mapping[str, Any]) -> str:
    """The archetype that begins at this node; empty inside one."""
    name = str(node.get("archetype_node_id", ""))
    return name if "." in name else ""
