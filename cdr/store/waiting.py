"""Commits that wait, and which of them may share a transaction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cdr.audit import AuditEntry
from cdr.consent import CardStatus, ConsentFacts, Decision, LegalBasis
from cdr.store.documents import NewVersion
from cdr.versions import ChangeType, JsonObject, Kind, ObjectVersionId
from templates.operational import TemplateAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFacts:
    """What an EHR_STATUS decides about its EHR; ``subject`` is (namespace, id).

    ``follows_temporary``: a D-number or helper number that was the subject's id before stays one of hers.
    """

    object_id: str
    is_modifiable: bool
    is_queryable: bool
    subject: tuple[str, str] | None
    follows_temporary: bool = False


@dataclass(frozen=True, slots=True)
class Attested:
    """Attestations that are added to a version which was stored at ``committed``, under a template."""

    uid: ObjectVersionId
    kind: Kind
    committed: datetime
    attestations: tuple[JsonObject, ...]
    access: TemplateAccess = TemplateAccess.OPEN
    template_id: str | None = None


@dataclass(frozen=True, slots=True)
class ContributionFacts:
    """What a contribution says beyond its versions; kept only for those that a client composed."""

    change_type: ChangeType
    versions: tuple[tuple[ObjectVersionId, Kind], ...]


@dataclass(frozen=True, slots=True)
class RepeatKey:
    """A request that the client may send again (``Idempotency-Key``).

    ``mark`` identifies the key among those of its EHR without revealing it, ``digest`` what was asked.
    """

    mark: str
    digest: str


@dataclass(frozen=True, slots=True)
class CardGate:
    """What must hold when a card is written: consent, and (entries) that ``card_id`` is the current one."""

    basis: LegalBasis
    card_id: str | None


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One line of the history of a consent; ``by`` is who decided, never a national id."""

    decision: Decision
    at: datetime
    by: str
    document: str = ""


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A card as its history tells it."""

    id: str
    status: CardStatus
    created: datetime
    ended: datetime | None = None
    live_birth: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """What a commit changes of the consent of its EHR; ``before`` is the number that it was made from."""

    before: int
    facts: ConsentFacts
    event: ConsentEvent | None = None
    card: CardRecord | None = None
    removal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Commit:
    """One contribution on its way into the store.

    ``status`` is set if the contribution writes the EHR_STATUS (needs an open EHR), absent if it writes
    content (needs an open and modifiable one); ``needs_modifiable`` says that it writes the status and,
    before that, content. ``clock`` is the time it was asked for; the commit time may be later.
    ``chosen_ids`` are object ids that the client chose: none of them may be that of an erased object.
    ``in_care_of`` is the organisation that has the woman in treatment from the creation of her EHR on.
    ``gate`` is set where entries of a card are written, ``consent`` where the consent changes.
    """

    ehr_id: str
    contribution_id: str
    system_id: str
    committer: JsonObject
    clock: datetime
    versions: tuple[NewVersion, ...]
    entry: AuditEntry
    description: str | None = None
    status: StatusFacts | None = None
    creates_ehr: bool = False
    needs_modifiable: bool = False
    attested: tuple[Attested, ...] = ()
    facts: ContributionFacts | None = None
    chosen_ids: tuple[str, ...] = ()
    repeat: RepeatKey | None = None
    in_care_of: str = ""
    gate: CardGate | None = None
    consent: ConsentChange | None = None


def split_group(waiting: Sequence[Commit], limit: int) -> tuple[list[Commit], list[Commit]]:
    """The commits of the next transaction, and those that wait for a later one.

    Two writers of one object, or a status or consent and anything else of its EHR, never share a transaction:
    the later one must see what the earlier did. The order of commits that touch is kept.
    """
    group: list[Commit] = []
    later: list[Commit] = []
    alone: set[tuple[str, ...]] = set()
    shared: set[tuple[str, ...]] = set()
    for commit in waiting:
        own, common = _claims(commit)
        free = not own & (alone | shared) and not common & alone
        (group if free and len(group) < limit else later).append(commit)
        alone |= own
        shared |= common
    return group, later


def _claims(commit: Commit) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
    """What a commit needs for itself, and what it may share."""
    own: set[tuple[str, ...]] = {("object", version.uid.object_id) for version in commit.versions}
    own.add(("contribution", commit.contribution_id))  # which the client may have chosen, twice
    own |= {("repeat", commit.repeat.mark)} if commit.repeat else set()
    own |= {("directory", commit.ehr_id) for version in commit.versions if version.kind is Kind.FOLDER}
    ehr = ("ehr", commit.ehr_id)
    if commit.consent is not None:
        return own | {ehr}, set()
    if commit.status is None:
        return own, {ehr}
    if commit.status.subject is not None:
        own.add(("subject", *commit.status.subject))
    return own | {ehr}, set()
