"""Values of rows counted by the database, where nothing else of them is wanted. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from cdr.candidates import CandidateFilter, Tally
from cdr.store.candidate_filter import branch_query, ehr_query, leaf_query, narrowed
from cdr.store.database import FAR, Document
from cdr.store.sight_filter import sight_query
from cdr.stored_rows import FORMAT

_ALL: Document = {"$group": {"_id": None, "n": {"$sum": 1}}}


def tally_pipeline(wanted: CandidateFilter, hidden: frozenset[str]) -> list[Document]:
    """Groups of ``_id`` (the value, None if there is no key) and ``n``, over what all may see alike.

    EHRs of which something else is seen are to be among the ``hidden``, and read one by one.
    """
    tally, branch = wanted.tally, wanted.branches[0]
    assert tally is not None
    ehrs = ehr_query("e", wanted.ehr_ids, hidden)
    seen = sight_query(wanted.sights.others)
    if wanted.rows is None:
        # Only compositions have a template, so that an index alone knows how many there are.
        compositions = {"until": FAR, "tid": {"$gt": ""}} if not branch.absent else branch_query(branch)
        return [{"$match": narrowed({**ehrs, **compositions}, seen)}, _ALL]
    match: Document = {**ehrs, **branch_query(replace(branch, leaves=())), "full": FORMAT}
    if branch.composition_archetypes is not None:
        (archetype_id,) = branch.composition_archetypes
        match["rows.0.a"] = _is_archetype(archetype_id)
    return [{"$match": narrowed(match, _in_rows(wanted, tally), seen)}, *_counted(wanted, tally)]


def _in_rows(wanted: CandidateFilter, tally: Tally) -> Document:
    if tally.key is None:
        return {}
    return leaf_query(wanted.branches[0].leaves) or {f"rows.v.{tally.key}": {"$exists": True}}


def _counted(wanted: CandidateFilter, tally: Tally) -> list[Document]:
    if tally.key is not None:
        field = f"rows.v.{tally.key}"
        return [
            {"$project": {field: 1}},
            {"$unwind": "$rows"},
            {"$match": {field: {"$exists": True}}},
            {"$group": {"_id": f"${field}", "n": {"$sum": 1}}},
        ]
    if tally.archetype_id is not None:
        return [
            {"$project": {"rows.a": 1}},
            {"$unwind": "$rows"},
            {"$match": {"rows.a": _is_archetype(tally.archetype_id)}},
            _ALL,
        ]
    return [_ALL]


def _is_archetype(archetype_id: str) -> Document:
    """The archetype of this id and its minor versions, as ``archetype_matches`` has it."""
    return {"$regex": f"^{re.escape(archetype_id)}(\\.|$)"}
