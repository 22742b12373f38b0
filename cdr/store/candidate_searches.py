"""The searches that find the versions of a plan of single versions, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from cdr.candidates import CandidateFilter
from cdr.store.candidate_filter import (
    MAX_HIDDEN,
    branch_query,
    ehr_query,
    leaf_query,
    narrowed,
    versions_query,
)
from cdr.store.candidate_tally import tally_pipeline
from cdr.store.database import Document
from cdr.stored_rows import FORMAT


@dataclass(frozen=True, slots=True)
class Search:
    """A search for versions; ``sort`` is a field and whether it goes down. With ``pipeline``: a count."""

    query: Document
    sort: tuple[str, bool] | None = None
    hint: str | None = None
    pipeline: tuple[Document, ...] = ()

    @property
    def ordered(self) -> bool:
        """Do the versions come in order?"""
        return self.sort is not None


class Indexes(Protocol):
    """The indexes on values of rows."""

    def name_of(self, key: str) -> str | None:
        """The index on a value, None if there is none."""
        ...


def searches(wanted: CandidateFilter, hidden: frozenset[str], hot: Indexes) -> Iterator[Search]:
    """What is counted, what has no rows, and the rest in order, as far as each is asked for."""
    apart = frozenset(wanted.sights.by_ehr or ())
    if wanted.tally is not None and len(hidden | apart) <= MAX_HIDDEN:
        yield from _counting(wanted, hidden, apart)
        return
    hint = _ordering_index(wanted, hot)
    if wanted.order is not None and hint is not None:
        yield from _best_first(wanted, hidden, hint)
        return
    ehrs = ehr_query("e", wanted.ehr_ids, hidden)
    yield Search(versions_query(ehrs, wanted.branches, wanted.as_of))


def _counting(wanted: CandidateFilter, hidden: frozenset[str], apart: frozenset[str]) -> Iterator[Search]:
    """A count over what all may see alike; ``apart`` are the EHRs of which something else is seen."""
    yield Search({}, pipeline=tuple(tally_pipeline(wanted, hidden | apart)))
    if wanted.rows is not None:
        yield Search(_without_rows(wanted, hidden))
    ones = apart - hidden if wanted.ehr_ids is None else (apart - hidden) & wanted.ehr_ids
    if ones:
        query = versions_query({"e": {"$in": sorted(ones)}}, wanted.branches)
        yield Search(query if wanted.rows is None else narrowed(query, {"full": FORMAT}))


def _best_first(wanted: CandidateFilter, hidden: frozenset[str], hint: str) -> Iterator[Search]:
    order, (branch,) = wanted.order, wanted.branches
    assert order is not None
    whole = {**ehr_query("e", wanted.ehr_ids, hidden), **branch_query(branch)}
    if order.key is None:
        by_leaves = {"$or": [leaf_query(branch.leaves), {"full": {"$lt": FORMAT}}]}
        query = narrowed(whole, by_leaves) if branch.leaves else whole
        yield Search(query, sort=("t", order.descending), hint=hint)
        return
    field = f"rows.v.{order.key}"
    # A condition on the field itself would make the database sort.
    others = leaf_query([leaf for leaf in branch.leaves if leaf.key != order.key])
    yield Search(_without_rows(wanted, hidden))
    yield Search(narrowed(whole, others, {field: {"$exists": True}}), sort=(field, True), hint=hint)
    yield Search(narrowed(whole, others, {"full": FORMAT, field: {"$exists": False}}))


def _without_rows(wanted: CandidateFilter, hidden: frozenset[str]) -> Document:
    ehrs = ehr_query("e", wanted.ehr_ids, hidden)
    return {**ehrs, **branch_query(wanted.branches[0], wanted.as_of), "full": {"$lt": FORMAT}}


def _ordering_index(wanted: CandidateFilter, hot: Indexes) -> str | None:
    """The index that delivers the versions in order; None for few EHRs, which need none."""
    order = wanted.order
    if order is None or wanted.ehr_ids is not None:
        return None
    (branch,) = wanted.branches
    if order.key is not None:
        return hot.name_of(order.key)
    if any(hot.name_of(leaf.key) for leaf in branch.leaves):
        return None  # what is sought is rare: sooner found than read in order
    if branch.archetypes:
        return "archetype_time"
    return "current_template_time" if branch.template_ids is not None else None
