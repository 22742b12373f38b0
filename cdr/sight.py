"""What of an EHR somebody may see who was let in: consent, blocks, shielding, cards without a birth. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Protocol

from cdr.access_rules import Basis
from cdr.actor import Actor, ActorKind
from cdr.consent import Against, Block, BlockScope, ConsentFacts, Lack, LegalBasis
from templates.operational import TemplateAccess

OPENING = frozenset({Basis.EMERGENCY.value, Basis.AGREED_MORE.value})  # bases that open what she blocked


class Marks(Protocol):
    """What is known of a version without looking into it: StoredVersion, Head."""

    @property
    def template_id(self) -> str | None: ...
    @property
    def access(self) -> TemplateAccess: ...
    @property
    def organisation(self) -> str: ...
    @property
    def card_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A predicate over stored versions; the default sees everything.

    ``lack`` closes the whole card. ``shielded_of`` are the organisations whose shielded entries are seen;
    None: everybody's. ``objects``, ``cards`` and ``sections`` (keys of ``card_sections.toml``) are not seen.
    """

    lack: Lack | None = None
    shielded_of: frozenset[str] | None = None
    objects: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """True if nothing is hidden."""
        return self == EVERYTHING

    def sees(self, object_id: str, marks: Marks) -> bool:
        """May a version with these marks be seen, if only in part?"""
        return all(any(one.holds(object_id, marks) for one in each) for each in conditions(self))

    def shown(self, composition: Mapping[str, Any]) -> Mapping[str, Any]:
        """A composition without the sections that are not seen; itself if there are none in it."""
        names = frozenset(name for section in self._hidden_sections() for name in section.names)
        archetypes = frozenset(one for section in self._hidden_sections() for one in section.archetypes)
        if not names and not archetypes:
            return composition
        content = composition.get("content", [])
        kept = list(_without(content, names, archetypes))
        return composition if kept == content else {**composition, "content": kept}

    def _hidden_sections(self) -> Iterable[Section]:
        return [card_sections()[key] for key in self.sections if key in card_sections()]


EVERYTHING = Sight()


class Mark(StrEnum):
    """By what a version is seen or not."""

    OBJECT = "object"
    TEMPLATE = "template"
    ACCESS = "access"
    ORGANISATION = "organisation"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Among:
    """A mark of a version is one of ``values``, or (``within`` false) none of them."""

    mark: Mark
    values: frozenset[str | None]
    within: bool = True

    def holds(self, object_id: str, marks: Marks) -> bool:
        """Is it so for a version of this object with these marks?"""
        return (_MARKS[self.mark](object_id, marks) in self.values) is self.within


_MARKS: Mapping[Mark, Callable[[str, Marks], str | None]] = {
    Mark.OBJECT: lambda object_id, marks: object_id,
    Mark.TEMPLATE: lambda object_id, marks: marks.template_id,
    Mark.ACCESS: lambda object_id, marks: marks.access,
    Mark.ORGANISATION: lambda object_id, marks: marks.organisation,
    Mark.CARD: lambda object_id, marks: marks.card_id,
}
_OFF_CARD = Among(Mark.ACCESS, frozenset(access for access in TemplateAccess if not access.on_card))
_NOT_SHIELDED = Among(Mark.ACCESS, frozenset({TemplateAccess.SHIELDED}), within=False)


@lru_cache(maxsize=1000)
def conditions(sight: Sight) -> tuple[tuple[Among, ...], ...]:
    """A sight as conditions on marks: of each at least one alternative holds.

    The one place that says what is hidden: :meth:`Sight.sees` and the store's query follow it.
    """
    if sight.lack is not None:
        return ((_OFF_CARD,),)
    found: list[tuple[Among, ...]] = []
    if sight.shielded_of is not None:
        found.append((_NOT_SHIELDED, Among(Mark.ORGANISATION, frozenset(sight.shielded_of))))
    sections = [card_sections()[key] for key in sight.sections if key in card_sections()]
    hidden = {
        Mark.OBJECT: sight.objects,
        Mark.CARD: sight.cards,
        Mark.TEMPLATE: frozenset(template for section in sections for template in section.templates),
    }
    found += [
        (_OFF_CARD, Among(mark, frozenset(values), within=False)) for mark, values in hidden.items() if values
    ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Sights:
    """What is seen of many EHRs: of those in ``by_ehr`` what stands there, of all others ``others``."""

    others: Sight = EVERYTHING
    by_ehr: Mapping[str, Sight] | None = None

    @property
    def whole(self) -> bool:
        """True if nothing is hidden anywhere."""
        return self.others.whole and not self.by_ehr

    @property
    def partial(self) -> bool:
        """True if parts of some compositions are hidden, so that their payloads must be looked into."""
        return any(sight.sections for sight in (self.others, *(self.by_ehr or {}).values()))

    def of(self, ehr_id: str) -> Sight:
        """What is seen of one EHR."""
        return (self.by_ehr or {}).get(ehr_id, self.others)


ALL_SIGHTS = Sights()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sight depends on besides who looks and what she decided."""

    basis: LegalBasis
    now: datetime
    shielded_roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the card that can be blocked: whole templates, named sections, entries of an archetype."""

    key: str
    labels: Mapping[str, str]
    templates: frozenset[str]
    names: frozenset[str]
    archetypes: frozenset[str]


@cache
def card_sections() -> Mapping[str, Section]:
    """The sections of the card by key (``card_sections.toml``)."""
    text = (files("cdr") / "card_sections.toml").read_text(encoding="utf-8")
    return {
        key: Section(
            key,
            {"nb": section["nb"], "en": section["en"]},
            frozenset(section.get("templates", ())),
            frozenset(section.get("names", ())),
            frozenset(section.get("archetypes", ())),
        )
        for key, section in tomllib.loads(text).items()
    }


def sight_of(actor: Actor, consent: ConsentFacts, access_basis: str, terms: Terms) -> Sight:
    """What the actor may see of an EHR that it was let in to.

    She herself sees all that may be stored. An emergency, and her own word on the spot, open what she
    blocked; nothing opens what is shielded, or a card without consent.
    """
    lack = consent.lack(terms.basis, terms.now)
    if actor.kind in (ActorKind.CITIZEN, ActorKind.SERVER):
        return replace(EVERYTHING, lack=lack)
    opens_shielded = actor.role_vouched and actor.role in terms.shielded_roles
    shielded_of = None if opens_shielded else _organisations(actor)
    sight = Sight(lack=lack, shielded_of=shielded_of, cards=consent.hidden_cards)
    if access_basis in OPENING:
        return sight
    return _behind_blocks(sight, [block for block in consent.blocks if _is_against(block, actor)])


def plain_sight(actor: Actor, terms: Terms) -> Sight:
    """What an actor sees of an EHR whose woman allowed the card and decided nothing more."""
    return sight_of(actor, ConsentFacts(given=True), "", terms)


def _organisations(actor: Actor) -> frozenset[str]:
    """The numbers under which an actor's shielded entries were written."""
    return actor.organisations if actor.kind is ActorKind.PROFESSIONAL else frozenset()


def _is_against(block: Block, actor: Actor) -> bool:
    if block.against is Against.ORGANISATION:
        return block.name in actor.organisations
    return block.against is Against.EVERYONE or block.name == actor.hpr


def _behind_blocks(sight: Sight, blocks: Iterable[Block]) -> Sight:
    for block in blocks:
        if block.scope is BlockScope.CARD:
            sight = replace(sight, lack=sight.lack or Lack.BLOCKED)
        elif block.scope is BlockScope.SECTION:
            sight = replace(sight, sections=sight.sections | {block.target})
        else:
            sight = replace(sight, objects=sight.objects | {block.target})
    return sight


def _without(
    items: Iterable[Any], names: frozenset[str], archetypes: frozenset[str]
) -> Iterable[Mapping[str, Any]]:
    """Content items but for the sections of these names and the entries of these archetypes, at any depth."""
    for item in items:
        if item.get("archetype_node_id") in archetypes:
            continue
        if item.get("_type") != "SECTION":
            yield item
        elif item.get("name", {}).get("value") not in names:
            below = item.get("items", [])
            kept = list(_without(below, names, archetypes))
            yield item if kept == below else {**item, "items": kept}
