"""What the rules look at: a pregnancy as a row of contacts with field values.

Times and ages are read once; a rule sees plain numbers, codes and dates. Gestational age counts days
from the term: day 283 is the term day of Norwegian practice, not day 280.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from archetypes.rm.iso8601 import duration_days
from templates.field_reading import FieldValue, read_fields
from templates.operational import OperationalTemplate

TERM_DAY = 283
FIRST_VISIT = "helsekort_forste_kontroll."
VISIT = "helsekort_kontroll."
_LATEST_AGE = 46 * 7  # days; an older pregnancy is a wrong term or a contact after the birth

Values = Mapping[str, tuple[FieldValue, ...]]
NO_VALUES: Values = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One stored document of a pregnancy; ``time`` is ISO 8601 as the document has it."""

    id: str
    time: str
    template_id: str
    values: Values = field(default_factory=lambda: NO_VALUES)

    @property
    def day(self) -> date:
        """The day of the contact."""
        return date.fromisoformat(self.time[:10])

    @property
    def is_first_visit(self) -> bool:
        """True for the visit at which the card is filled in."""
        return self.template_id.startswith(FIRST_VISIT)

    @property
    def is_visit(self) -> bool:
        """True for a row of the table of visits, the first visit not among them."""
        return self.template_id.startswith(VISIT)

    @property
    def pregnancy_id(self) -> str | None:
        """The id of the pregnancy that the document names."""
        return next((v.value["id"] for v in self.all("HK0.1") if isinstance(v.value.get("id"), str)), None)

    def all(self, field_id: str) -> tuple[FieldValue, ...]:
        """The values of a field."""
        return self.values.get(field_id, ())

    def has(self, *field_ids: str) -> bool:
        """True if one of the fields has a value."""
        return any(self.values.get(field_id) for field_id in field_ids)

    def numbers(self, field_id: str) -> list[float]:
        """The numbers of a field's values."""
        return [v.number for v in self.all(field_id) if v.number is not None]

    def codes(self, field_id: str) -> list[str]:
        """The codes of a field's values."""
        return [v.code for v in self.all(field_id) if v.code is not None]

    def dates(self, field_id: str) -> list[date]:
        """The full dates among a field's values."""
        return [day for day in (day_of(v.text) for v in self.all(field_id)) if day is not None]

    @property
    def stated_age(self) -> int | None:
        """The gestational age in days that the document states."""
        for field_id in ("HK0.5", "HK13.2", "HK14.2"):
            for value in self.all(field_id):
                days = duration_days(value.text) if value.text else None
                if days is not None:
                    return int(days)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pregnancy:
    """A pregnancy: its contacts in time order, the woman's pregnancies before it, her date of birth."""

    contacts: tuple[Contact, ...]
    earlier: tuple[Pregnancy, ...] = ()
    born: date | None = None

    def until(self, position: int) -> Pregnancy:
        """The pregnancy as it was known at the contact at ``position``."""
        return replace(self, contacts=self.contacts[: position + 1])

    def values(self, field_id: str) -> Iterator[tuple[Contact, FieldValue]]:
        """All values of a field, oldest first."""
        return ((c, v) for c in self.contacts for v in c.all(field_id))

    def has(self, *field_ids: str) -> bool:
        """True if one of the fields was ever filled in."""
        return any(contact.has(*field_ids) for contact in self.contacts)

    def codes(self, field_id: str) -> list[str]:
        """The codes of a field, oldest first."""
        return [v.code for _, v in self.values(field_id) if v.code is not None]

    @property
    def term(self) -> date | None:
        """The date that gestational ages use: agreed, else first ultrasound, else by the last period."""
        agreed = self._dates("HK9.8")
        scanned = self._dates("HK9.5")
        by_period = self._dates("HK9.4")
        period = self._dates("HK9.1")
        if agreed:
            return agreed[-1]
        if scanned:
            return scanned[0]
        if by_period:
            return by_period[-1]
        return period[-1] + timedelta(days=TERM_DAY) if period else None

    def age(self, contact: Contact) -> int | None:
        """Gestational age in days at a contact: as stated, else from the term; None after the birth."""
        if contact.stated_age is not None:
            return contact.stated_age
        if self.term is None or self.is_over:
            return None
        days = TERM_DAY - (self.term - contact.day).days
        return days if 0 <= days <= _LATEST_AGE else None

    @property
    def is_over(self) -> bool:
        """True once a birth or an end is recorded."""
        return self.has("HK0.3", "HK19.1")

    def _dates(self, field_id: str) -> list[date]:
        return [day for contact in self.contacts for day in contact.dates(field_id)]


def contact_of(opt: OperationalTemplate, composition: Mapping[str, Any], contact_id: str) -> Contact | None:
    """A composition as a contact; None for one without a readable start time (a persistent one)."""
    context = composition.get("context")
    start = context.get("start_time") if isinstance(context, dict) else None
    time = start.get("value") if isinstance(start, dict) else None
    if not isinstance(time, str) or day_of(time) is None:
        return None
    values: dict[str, tuple[FieldValue, ...]] = {}
    for value in read_fields(opt, composition):
        values[value.field] = (*values.get(value.field, ()), value)
    return Contact(id=contact_id, time=time, template_id=opt.template_id, values=MappingProxyType(values))


def pregnancies_of(contacts: Iterable[Contact], *, born: date | None = None) -> tuple[Pregnancy, ...]:
    """A woman's pregnancies in time order; contacts that name no pregnancy belong to none."""
    grouped: dict[str, list[Contact]] = {}
    for contact in sorted(contacts, key=lambda c: c.time):
        if contact.pregnancy_id is not None:
            grouped.setdefault(contact.pregnancy_id, []).append(contact)
    made: list[Pregnancy] = []
    for row in grouped.values():
        made.append(Pregnancy(contacts=tuple(row), earlier=tuple(made), born=born))
    return tuple(made)


def day_of(text: str | None) -> date | None:
    """The day of an ISO 8601 text; None where it has none."""
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


def weeks(days: int) -> str:
    """Days as weeks and days, ``24+2``."""
    return f"{days // 7}+{days % 7}"
