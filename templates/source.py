"""Template sources: what an editor says about archetypes, before it is compiled.

A source names archetypes for the slots of other archetypes (:class:`Item`), and narrows nodes by path
(:class:`Rule`). What a rule means is decided in ``templates.compile``. The form on disk is OET
(``templates.oet``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from archetypes.aom.constraints import Interval
from archetypes.findings import SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConstraint:
    """Texts or codes: ``plain text``, ``local::at0005`` or ``terminology::code::rubric``.

    ``terminology`` and ``query`` name a value set outside (``termQueryId``), ``query_language`` the
    language of its texts. ``look_up`` is for forms: may the user search the terminology?
    """

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    limit_to_list: bool = True
    terminology: str | None = None
    query: str | None = None
    query_language: str | None = None
    look_up: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRange:
    """The magnitudes (and decimals) that one unit allows."""

    unit: str
    magnitude: Interval[float] | None = None
    precision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityConstraint:
    """Which units stay, and their ranges; a unit that is not named stays as it is."""

    included_units: tuple[str, ...] = ()
    excluded_units: tuple[str, ...] = ()
    unit_ranges: tuple[UnitRange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdinalConstraint:
    """Ordinals as ``5|Dead`` or ``local::at0005``."""

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleConstraint:
    """Which of several data types stay: ``Coded_text``, ``Quantity``, ``Date_Time`` ..."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountConstraint:
    """A range of whole numbers."""

    range: Interval[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationConstraint:
    """Allowed fields (``PWD``) and a range of ISO 8601 durations."""

    pattern: str | None = None
    range: Interval[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateConstraint:
    """A range of ISO 8601 dates or date-times."""

    range: Interval[str]


ValueConstraint = (
    TextConstraint
    | QuantityConstraint
    | OrdinalConstraint
    | MultipleConstraint
    | CountConstraint
    | DurationConstraint
    | DateConstraint
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the template says about the node at ``path`` of the archetype that the rule stands under.

    ``default`` and ``hide_on_form`` are for forms, ``note`` is the author's; they constrain nothing.
    """

    path: str
    span: SourceSpan = field(compare=False, repr=False)
    name: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    clone: bool = False
    default: str | None = None
    hide_on_form: bool = False
    constraint: ValueConstraint | None = None
    name_constraint: TextConstraint | None = None
    null_flavour_constraint: TextConstraint | None = None
    event_type: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An archetype in its place: ``path`` is the slot (or the attribute) in the archetype above.

    ``subject``: for an entry about somebody else, which relationships to the subject of the record are
    allowed (``openehr::3::foetus``). ``template_id`` names a nested template: the source with this id or
    name is put here, and the item's own rules come on top of its rules.
    """

    archetype_id: str
    rm_type: str
    span: SourceSpan = field(compare=False, repr=False)
    path: str = ""
    name: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    hide_on_form: bool = False
    template_id: str | None = None
    concept_name: str | None = None
    note: str | None = None
    subject: TextConstraint | None = None
    rules: tuple[Rule, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Notes on one node; ``path`` begins with the root's archetype id in brackets."""

    path: str
    items: Mapping[str, str]
    span: SourceSpan = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewHint:
    """What a form does with the node at ``path`` (``VisibleInView``, ``PassThrough``)."""

    path: str
    items: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityCheck:
    """The digests (``MD5-CAM-1.0.1`` -> hex) of an archetype as the editor saw it."""

    archetype_id: str
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template source.

    ``name`` is what compiled templates are known by (``helsekort_kontroll.v0``); ``id`` is a UUID.
    ``description`` has flat keys: ``lifecycle_state``, ``purpose``, ``original_author.name``,
    ``other_details.original_language`` ...; ``keywords`` and ``other_contributors`` have one a line.
    """

    id: str
    name: str
    definition: Item
    description: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    annotations: tuple[Annotation, ...] = ()
    view: tuple[ViewHint, ...] = ()
    integrity_checks: tuple[IntegrityCheck, ...] = ()
    source: str = field(default="", compare=False)

    @property
    def language(self) -> str | None:
        """The language code of the template's texts, if it says so."""
        stated = self.description.get("other_details.original_language")
        return stated.rpartition("::")[2].strip("[] ") if stated else None
