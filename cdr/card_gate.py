"""What a commit needs where it writes on a card: consent, an active card, sight of what it replaces."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from archetypes.rm.canonical_json import write_canonical
from cdr.consent import card_closed
from cdr.consent_errors import CardBlocked, CardInactive, ConsentElsewhere
from cdr.context import Ctx
from cdr.errors import UnknownEhr
from cdr.folder_items import named_objects, without_items
from cdr.sight import Sight
from cdr.store.documents import NewVersion
from cdr.store.waiting import CardGate, Commit
from cdr.versions import JsonObject, Kind, StoredVersion
from templates.operational import TemplateAccess


async def gated(ctx: Ctx, sight: Sight, commit: Commit) -> Commit:
    """The commit with the conditions under which the transaction may write it.

    Raises CardClosed, CardInactive, ConsentElsewhere, UnknownEhr.
    """
    if commit.consent is None and any(v.access is TemplateAccess.CONSENT for v in commit.versions):
        raise ConsentElsewhere
    touched = {each.access for each in commit.versions} | {each.access for each in commit.attested}
    if commit.consent is not None or not any(access.on_card for access in touched):
        return commit
    facts = await ctx.store.consents.facts(commit.ehr_id)
    if facts is None:
        raise UnknownEhr(commit.ehr_id)
    lack = ctx.lack_of(facts) or sight.lack
    if lack is not None:
        raise card_closed(lack)
    for version in commit.versions:
        await _require_whole_sight(ctx, sight, commit.ehr_id, version)
    card = _card_of(commit, facts.card.id if facts.card else None)
    return replace(commit, gate=CardGate(ctx.settings.legal_basis, card))


def _card_of(commit: Commit, current: str | None) -> str | None:
    """The card that the entries belong to; None for folders. Raises CardInactive."""
    entries = [one for one in commit.versions if one.access.on_card and one.kind is Kind.COMPOSITION]
    if not entries:
        return None
    if current is None:
        raise CardInactive
    for version in entries:
        if version.preceding is not None and version.card_id != current:
            raise CardInactive(version.card_id or "")
    return current


def named_in(version: StoredVersion) -> frozenset[str]:
    """The objects that a directory refers to; of other versions none."""
    data = version.data if version.kind is Kind.FOLDER else None
    return frozenset() if data is None else named_objects(data)


def shown(sight: Sight, version: StoredVersion, hidden: frozenset[str]) -> StoredVersion:
    """A visible version without what is not: sections of a composition, references to ``hidden`` objects."""
    partial = sight.sections if version.kind is Kind.COMPOSITION else hidden
    data = version.data if partial else None
    if data is None:
        return version
    is_folder = version.kind is Kind.FOLDER
    visible = without_items(data, hidden) if is_folder else sight.shown(data)
    if visible is data:
        return version
    return replace(version, payload=write_canonical(cast(JsonObject, visible)))


async def _require_whole_sight(ctx: Ctx, sight: Sight, ehr_id: str, version: NewVersion) -> None:
    """Whoever does not see all of an entry cannot write its next version: the hidden part would be lost.

    Raises CardBlocked.
    """
    if version.preceding is None or sight.whole:
        return
    before = await ctx.store.reads.version(ehr_id, version.preceding)
    if before is None:
        return
    marks = await ctx.store.reads.marks(ehr_id, {before.uid.object_id} | named_in(before))
    hidden = frozenset(one for one, its in marks.items() if not sight.sees(one, its))
    if before.uid.object_id in hidden or shown(sight, before, hidden) is not before:
        raise CardBlocked
