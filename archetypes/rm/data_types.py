"""Data values: texts, codes, quantities, dates and times, documents (RM, data types).

Dates, times and durations are ISO 8601 texts; :mod:`archetypes.rm.iso8601` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from archetypes.rm.identifiers import TerminologyId

T = TypeVar("T", bound="DvOrdered", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePhrase:
    """A code of a terminology."""

    terminology_id: TerminologyId
    code_string: str
    preferred_term: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataValue:
    """Base of all data values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DvBoolean(DataValue):
    """Yes or no."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DvState(DataValue):
    """A state of a state machine."""

    value: DvCodedText
    is_terminal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DvIdentifier(DataValue):
    """An identifier from outside, such as a national identity number."""

    id: str
    issuer: str | None = None
    type: str | None = None
    assigner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvUri(DataValue):
    """A URI."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DvEhrUri(DvUri):
    """A URI of the scheme ``ehr``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermMapping:
    """A code that means the same, more or less, as a text."""

    match: str
    target: CodePhrase
    purpose: DvCodedText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvText(DataValue):
    """A text."""

    value: str
    hyperlink: DvUri | None = None
    language: CodePhrase | None = None
    encoding: CodePhrase | None = None
    formatting: str | None = None
    mappings: tuple[TermMapping, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DvCodedText(DvText):
    """A text with its code; ``value`` is the rubric."""

    defining_code: CodePhrase


@dataclass(frozen=True, slots=True, kw_only=True)
class DvParagraph(DataValue):
    """Texts in a row; obsolete."""

    items: tuple[DvText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DvOrdered(DataValue):
    """Base of values that can be compared."""

    normal_status: CodePhrase | None = None
    normal_range: DvInterval[DvOrdered] | None = None
    other_reference_ranges: tuple[ReferenceRange[DvOrdered], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRange(Generic[T]):
    """A range with a meaning, such as the normal one."""

    range: DvInterval[T]
    meaning: DvText


@dataclass(frozen=True, slots=True, kw_only=True)
class DvInterval(DataValue, Generic[T]):
    """A range of values."""

    lower_unbounded: bool
    upper_unbounded: bool
    lower_included: bool
    upper_included: bool
    lower: T | None = None
    upper: T | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvOrdinal(DvOrdered):
    """A whole number with a symbol, as scores have them."""

    value: int
    symbol: DvCodedText


@dataclass(frozen=True, slots=True, kw_only=True)
class DvScale(DvOrdered):
    """A number with a symbol."""

    value: float
    symbol: DvCodedText


@dataclass(frozen=True, slots=True, kw_only=True)
class DvQuantified(DvOrdered):
    """Base of values that have a magnitude."""

    magnitude_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvAmount(DvQuantified):
    """Base of values that can be added."""

    accuracy: float | None = None
    accuracy_is_percent: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvAbsoluteQuantity(DvQuantified):
    """Base of points on an axis; only their differences can be added."""

    accuracy: DvAmount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvQuantity(DvAmount):
    """A number with its unit."""

    magnitude: float
    units: str
    units_system: str | None = None
    units_display_name: str | None = None
    precision: int | None = None
    normal_range: DvInterval[DvQuantity] | None = None
    other_reference_ranges: tuple[ReferenceRange[DvQuantity], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DvCount(DvAmount):
    """A number of things."""

    magnitude: int
    normal_range: DvInterval[DvCount] | None = None
    other_reference_ranges: tuple[ReferenceRange[DvCount], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DvProportion(DvAmount):
    """A ratio, percentage or fraction."""

    numerator: float
    denominator: float
    type: int
    precision: int | None = None
    normal_range: DvInterval[DvProportion] | None = None
    other_reference_ranges: tuple[ReferenceRange[DvProportion], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DvDuration(DvAmount):
    """A length of time."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DvTemporal(DvAbsoluteQuantity):
    """Base of points in time."""

    accuracy: DvDuration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvDate(DvTemporal):
    """A date, complete or partial."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DvTime(DvTemporal):
    """A time of day."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DvDateTime(DvTemporal):
    """A date with time, complete or partial."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DvEncapsulated(DataValue):
    """Base of contents in other formats."""

    charset: CodePhrase | None = None
    language: CodePhrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvParsable(DvEncapsulated):
    """A text in a formal language."""

    value: str
    formalism: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DvMultimedia(DvEncapsulated):
    """A picture, document or recording, inline or by URI."""

    media_type: CodePhrase
    size: int
    alternate_text: str | None = None
    uri: DvUri | None = None
    data: str | None = None
    compression_algorithm: CodePhrase | None = None
    integrity_check: str | None = None
    integrity_check_algorithm: CodePhrase | None = None
    thumbnail: DvMultimedia | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvTimeSpecification(DataValue):
    """Base of rules for points in time."""

    value: DvParsable


@dataclass(frozen=True, slots=True, kw_only=True)
class DvPeriodicTimeSpecification(DvTimeSpecification):
    """A rule for times that recur."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DvGeneralTimeSpecification(DvTimeSpecification):
    """Any other rule for times."""
