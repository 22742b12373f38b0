"""The composition: what is committed as one document, with its sections and entries (RM, EHR)."""

from __future__ import annotations

from dataclasses import dataclass

from archetypes.rm.common import Locatable, Participation, PartyIdentified, PartyProxy, Pathable
from archetypes.rm.data_structures import History, ItemStructure, ItemTree
from archetypes.rm.data_types import CodePhrase, DvCodedText, DvDateTime, DvParsable, DvText
from archetypes.rm.identifiers import LocatableRef, ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem(Locatable):
    """Base of what a composition may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventContext(Pathable):
    """When, where and with whom the care took place."""

    start_time: DvDateTime
    setting: DvCodedText
    health_care_facility: PartyIdentified | None = None
    end_time: DvDateTime | None = None
    participations: tuple[Participation, ...] = ()
    location: str | None = None
    other_context: ItemStructure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition(Locatable):
    """A document of the record."""

    language: CodePhrase
    territory: CodePhrase
    category: DvCodedText
    composer: PartyProxy
    context: EventContext | None = None
    content: tuple[ContentItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(ContentItem):
    """A heading with content below."""

    items: tuple[ContentItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(ContentItem):
    """Base of statements."""

    language: CodePhrase
    encoding: CodePhrase
    subject: PartyProxy
    provider: PartyProxy | None = None
    other_participations: tuple[Participation, ...] = ()
    workflow_id: ObjectRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminEntry(Entry):
    """An administrative fact."""

    data: ItemStructure


@dataclass(frozen=True, slots=True, kw_only=True)
class CareEntry(Entry):
    """Base of clinical statements."""

    protocol: ItemStructure | None = None
    guideline_id: ObjectRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(CareEntry):
    """What was observed or measured."""

    data: History[ItemStructure]
    state: History[ItemStructure] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(CareEntry):
    """What was concluded."""

    data: ItemStructure


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(Locatable):
    """One part of an instruction."""

    description: ItemStructure
    action_archetype_id: str
    timing: DvParsable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction(CareEntry):
    """What is to be done."""

    narrative: DvText
    expiry_time: DvDateTime | None = None
    wf_definition: DvParsable | None = None
    activities: tuple[Activity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IsmTransition(Pathable):
    """The step in an instruction's life that an action reports."""

    current_state: DvCodedText
    transition: DvCodedText | None = None
    careflow_step: DvCodedText | None = None
    reason: tuple[DvText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionDetails(Pathable):
    """The activity that an action carries out."""

    instruction_id: LocatableRef
    activity_id: str
    wf_details: ItemStructure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(CareEntry):
    """What was done."""

    time: DvDateTime
    description: ItemStructure
    ism_transition: IsmTransition
    instruction_details: InstructionDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericEntry(ContentItem):
    """Data of another model, kept as a tree."""

    data: ItemTree
