"""What AQL and the store tell each other, without either knowing the other.

A compiled query (``cdr.aql.compile.Plan``) describes in a ``CandidateFilter`` which versions could be
part of the answer. The store turns the description into its own filter and delivers ``Record``s; the
plan decides on them exactly. The rule of both sides: **a filter may be too wide, never too narrow**, so
every condition of it may be left out by a store that cannot use it, save ``VersionFilter.all_versions``,
``CandidateFilter.group_by_ehr``, ``CandidateFilter.every_ehr`` and ``CandidateFilter.as_of``, which say what
must be delivered.

How the store serves a plan::

    execution = plan.start()
    for record in records:            # as plan.candidates asks for
        rows = execution.feed(record) # rows that are final now; empty for ordered and aggregate queries
        if execution.done:            # LIMIT reached: stop reading
            break
    rows = execution.finish()         # the rest

or, where all records are at hand, ``plan.run(records)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cdr.sight import ALL_SIGHTS, EVERYTHING, Sight, Sights

# A time without zone is taken in another zone by the store than by the query.
ZONE_SLACK = timedelta(hours=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAccess:
    """Which EHRs a caller may query: those of ``ehr_ids`` (None: all) without ``excluded``.

    ``sights`` say what is seen of each: what is hidden is as if it were not stored.
    """

    ehr_ids: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    sights: Sights = ALL_SIGHTS

    @classmethod
    def nothing(cls) -> QueryAccess:
        """No EHR at all: every query has no rows."""
        return cls(ehr_ids=frozenset())

    @classmethod
    def one(cls, ehr_id: str, sight: Sight = EVERYTHING) -> QueryAccess:
        """One EHR only."""
        return cls(ehr_ids=frozenset({ehr_id}), sights=Sights(others=sight))

    @classmethod
    def all_except(cls, excluded: Sequence[str] = ()) -> QueryAccess:
        """The whole population but these."""
        return cls(excluded=frozenset(excluded))

    def allows(self, ehr_id: str) -> bool:
        """May rows of this EHR be seen?"""
        return ehr_id not in self.excluded and (self.ehr_ids is None or ehr_id in self.ehr_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantRange:
    """``low <= instant <= high``, both inclusive and with a zone; None is open."""

    low: datetime | None = None
    high: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeafCondition:
    """Some row holds under ``key`` (``cdr.stored_rows``) a value that compares so with one of ``values``."""

    key: str
    operator: str
    values: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """In which order records help most: by the largest value under ``key``, downwards, or by start time.

    ``enough`` rows are kept at most, so that whoever reads in this order may stop early: each record then
    says what its ``best`` is.
    """

    key: str | None
    descending: bool
    enough: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The answer needs no more of versions with rows than how often each value stands under ``key``.

    Without ``key``: how many archetype roots of ``archetype_id`` there are; without both, how many versions.
    The filter of the versions is then exact, and their rows say which archetype a composition is of.
    """

    key: str | None = None
    archetype_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFilter:
    """Conditions on one version of a composition; all of them hold for a version of use.

    ``archetypes`` is a conjunction of disjunctions: of each set at least one archetype is present
    (``archetype_matches`` says when an id of a query is an id of the data). ``composition_archetypes``
    holds the admitted archetypes of the composition itself, ``template_ids`` and ``version_uids`` the
    admitted ids (a uid without ``::`` is an object id); None admits all. ``start_time`` bounds
    ``context/start_time`` (a version without one is of no use where it is bounded), ``committed``
    the commit time. Of ``absent`` no archetype is present. ``leaves`` hold for versions that have rows;
    others are of use whatever they hold. Without ``all_versions`` only the latest version of an object is of
    use, and not when it is a deletion.
    """

    archetypes: tuple[frozenset[str], ...] = ()
    composition_archetypes: frozenset[str] | None = None
    template_ids: frozenset[str] | None = None
    version_uids: frozenset[str] | None = None
    start_time: InstantRange | None = None
    committed: InstantRange | None = None
    absent: frozenset[str] = frozenset()
    leaves: tuple[LeafCondition, ...] = ()
    all_versions: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class RowNeeds:
    """Rows decide the query; of their values it looks at those of ``keys`` (None: at any)."""

    keys: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFilter:
    """What a plan asks of the store.

    A version is delivered if its EHR is admitted and one of ``branches`` admits it. No branches: the query
    asks for EHRs only and needs no version. An EHR is admitted if it is in ``ehr_ids`` (None: all) and not
    in ``excluded_ehr_ids``; with ``queryable_only``, those whose ``is_queryable`` is false are left out, or
    the records carry ``ehr_status`` so that the plan leaves them out. A branch with ``required`` must
    find at least one version in an EHR, else that EHR has no rows.

    ``group_by_ehr``: all delivered versions of an EHR come in one record; else records may hold any part
    of them (one version a record streams best). ``every_ehr``: a record comes for each admitted EHR, one
    without versions if it has none. ``needs_payload`` false: ``VersionRecord.composition`` is not looked
    into and may be an empty mapping (but None for a deletion). ``needs_ehr_status``, ``needs_directory`` and
    ``needs_audit`` likewise. ``needs_ehr`` false: of the EHR nothing but its id is looked at. ``rows``: a
    version that has rows may come with them and without its composition. ``row_limit``: so many rows are
    enough, in any order. ``sights``: hidden versions are not delivered, and hidden sections are not in the
    payloads; whoever reads another way must heed them too. ``order`` and ``tally`` may be followed or not.

    ``as_of``: what was there at that time. EHRs made later and versions committed later do not exist, the
    latest version of an object is the latest of then, and ``ehr_status`` is that of then; only whether an EHR
    may be queried at all is decided by its status of today (``Record.ehr["is_queryable"]``). What was erased
    since is gone.
    """

    ehr_ids: frozenset[str] | None = None
    excluded_ehr_ids: frozenset[str] = frozenset()
    queryable_only: bool = False
    branches: tuple[VersionFilter, ...] = ()
    group_by_ehr: bool = False
    every_ehr: bool = False
    needs_payload: bool = True
    rows: RowNeeds | None = None
    needs_ehr_status: bool = False
    needs_audit: bool = False
    as_of: datetime | None = None
    row_limit: int | None = None
    sights: Sights = ALL_SIGHTS
    needs_ehr: bool = True
    needs_directory: bool = False
    order: RecordOrder | None = None
    tally: Tally | None = None

    @property
    def empty(self) -> bool:
        """True if no record can give a row: the store need not be asked."""
        return self.ehr_ids is not None and not self.ehr_ids - self.excluded_ehr_ids

    @property
    def all_versions(self) -> bool:
        """Does any branch want superseded versions?"""
        return any(branch.all_versions for branch in self.branches)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """One version of a composition, as the store holds it.

    ``composition`` is the canonical composition, None for a deletion; ``audit`` the canonical
    AUDIT_DETAILS; ``lifecycle`` the openEHR code (``532`` complete, ``553`` incomplete, ``523`` deleted);
    ``contribution`` the contribution's id; ``time_committed`` ISO 8601 with zone; ``is_latest`` is false for
    superseded versions and for deletions. With ``rows`` (``cdr.stored_rows``) the composition may be an empty
    mapping; they come only where ``CandidateFilter.rows`` asks for them.
    """

    uid: str
    composition: Mapping[str, Any] | None
    rows: Sequence[Mapping[str, Any]] | None = None
    is_latest: bool = True
    contribution: str = ""
    audit: Mapping[str, Any] = field(default_factory=dict)
    lifecycle: str = "532"
    preceding_uid: str | None = None
    time_committed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One EHR with some of its versions, or all the plan asked for (``CandidateFilter.group_by_ehr``).

    ``ehr`` holds ``ehr_id`` (str), ``system_id`` (str), ``time_created`` (ISO 8601 str) and ``ehr_status``
    (canonical EHR_STATUS, may be left out unless ``needs_ehr_status`` or ``queryable_only``). With
    ``CandidateFilter.needs_directory`` it holds ``directory``, the canonical FOLDER, if there is one. With
    ``CandidateFilter.as_of`` it may hold ``is_queryable``, the present value. ``best``: records come in the
    order asked for, and this one and all that follow give no better value (for start times: by more than
    ``ZONE_SLACK``). ``tally``: no EHR, but what ``CandidateFilter.tally`` asks for, each value with its
    count.
    """

    ehr: Mapping[str, Any]
    versions: Sequence[VersionRecord] = ()
    best: float | datetime | None = None
    tally: Sequence[tuple[Any, int]] | None = None


def archetype_matches(wanted: str, present: str) -> bool:
    """Is an archetype id of the data meant by an archetype id of a query?

    The same id, or one that only goes on with a minor or patch version: ``...height.v2`` means
    ``...height.v2`` and ``...height.v2.0.4``, never ``...height.v1`` or a specialisation.
    """
    return present == wanted or present.startswith(wanted + ".")
