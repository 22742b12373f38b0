"""Small contacts made from field values, for tests of the rules."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from templates.compose import compose
from templates.header import Header
from templates.repository import library_templates
from validators.guidelines import Contact, Pregnancy, bundled_guideline, contact_of, remarks_by_contact

TERM = date(2026, 6, 9)
FIRST, VISIT, LAB, RHD, SCAN, BIRTH = (
    f"helsekort_{name}.v0"
    for name in ("forste_kontroll", "kontroll", "lab", "rhd", "ultralyd", "fodsel_barsel")
)


def contact(template_id: str, weeks: int, days: int, values: dict[str, Any], number: int = 0) -> Contact:
    """A contact at a gestational age of a pregnancy with term TERM."""
    day = TERM - timedelta(days=283 - (weeks * 7 + days))
    header = Header(
        start_time=f"{day.isoformat()}T{9 + number:02}:00:00+01:00",
        setting="231",
        pregnancy_id="0b9f0a4e-5f6b-4f7e-9d55-3c2f3a8f2b11",
        gestational_age=f"P{weeks}W{days}D",
    )
    opt = library_templates()[template_id]
    made = contact_of(opt, compose(opt, header, values), f"{template_id}-{weeks}+{days}-{number}")
    assert made is not None
    return made


def rules_of_last(
    *contacts: Contact, earlier: tuple[Pregnancy, ...] = (), born: date | None = None
) -> list[str]:
    """``rule:code`` of the remarks on the last contact, the missing checks of a bare visit left out."""
    pregnancy = Pregnancy(contacts=contacts, earlier=earlier, born=born)
    found = remarks_by_contact(pregnancy, bundled_guideline())[contacts[-1].id]
    return [
        f"{finding.params['rule']}:{finding.code.removeprefix('guideline.')}"
        for finding in found
        if finding.params["rule"] != "R-CHECKS"
    ]
