"""Rules over the documents of one pregnancy: what no single document can contradict."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.findings import Finding
from templates.field_reading import FieldValue
from validators.card.answers import FETAL, RHD_NEGATIVE
from validators.card.fields import finding
from validators.guidelines.pregnancy import Contact, Pregnancy


def across_contacts(pregnancy: Pregnancy) -> list[Finding]:
    """X5 and X6 over a pregnancy, as warnings: later documents may correct earlier ones.

    ``params["contact"]`` names the document.
    """
    return [*_fetuses(pregnancy), *_rhesus(pregnancy)]


def _fetuses(pregnancy: Pregnancy) -> Iterator[Finding]:
    counted: float | None = None
    for contact in pregnancy.contacts:
        stated = contact.numbers("HK15.3") or contact.numbers("HK9.10")
        counted = stated[-1] if stated else counted
        examined = [value for name in FETAL for value in contact.all(name)]
        last = max(examined, key=lambda value: value.instance, default=None)
        if last is not None and counted is not None and last.instance > counted:
            yield finding("card.fetuses", last, f"<= {counted:g}", str(last.instance), contact=contact.id)


def _rhesus(pregnancy: Pregnancy) -> Iterator[Finding]:
    typed = pregnancy.codes("HK10.9")
    if not typed or typed[-1] == RHD_NEGATIVE:
        return
    for contact in pregnancy.contacts:
        at = next(_section_12(contact), None)
        if at is not None:
            yield finding("card.rhd_not_negative", at, contact=contact.id)


def _section_12(contact: Contact) -> Iterator[FieldValue]:
    return (v for name, found in contact.values.items() if name.startswith("HK12.") for v in found)
