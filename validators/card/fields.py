"""The fields of one document, as the rules read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from archetypes.findings import Finding
from templates.field_reading import FieldValue, read_fields
from templates.operational import OperationalTemplate
from validators.card.codes import SEVERITIES


@dataclass(frozen=True, slots=True)
class Card:
    """Field values of a composition; ``day`` is the day of the contact, None where it cannot be read."""

    values: Mapping[str, list[FieldValue]]
    day: date | None

    def all(self, field_id: str) -> list[FieldValue]:
        """The values of a field."""
        return self.values.get(field_id, [])

    def first(self, field_id: str) -> FieldValue | None:
        """The first value of a field."""
        return next(iter(self.all(field_id)), None)

    def date(self, field_id: str) -> date | None:
        """The first full date of a field."""
        return next((day for day in (day_of(v.text) for v in self.all(field_id)) if day), None)

    def in_section(self, section: str) -> Iterator[FieldValue]:
        """The values of the fields whose id begins with ``section`` (``HK12.``)."""
        return (v for name, found in self.values.items() if name.startswith(section) for v in found)


def read_card(opt: OperationalTemplate, composition: Mapping[str, Any]) -> Card:
    """The fields of a composition."""
    values: dict[str, list[FieldValue]] = {}
    for value in read_fields(opt, composition):
        values.setdefault(value.field, []).append(value)
    context = composition.get("context")
    start = context.get("start_time") if isinstance(context, dict) else None
    return Card(values, day_of(start.get("value")) if isinstance(start, dict) else None)


def day_of(text: Any) -> date | None:
    """The day of an ISO 8601 text; None where it has none."""
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None


def finding(code: str, at: FieldValue | None, expected: str = "", found: str = "", **params: str) -> Finding:
    """A finding at a value; at the composition where no value is to blame."""
    return Finding(
        code=code,
        path=at.path if at else "/",
        expected=expected,
        found=found,
        archetype_path=at.node.path if at else "/",
        severity=SEVERITIES[code],
        params=params,
    )
