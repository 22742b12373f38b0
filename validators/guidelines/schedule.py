"""Term, weeks past it, and checks that belong to a visit."""

from __future__ import annotations

from collections.abc import Iterator

from validators.guidelines.guideline import Limits
from validators.guidelines.hit import Hit
from validators.guidelines.pregnancy import Contact, Pregnancy, weeks

SCAN_TERM, BACTERIURIA = "HK9.5", "HK11.11"


def one_term(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-EDD: the term of the first ultrasound stays; a later scan that says otherwise is remarked."""
    first = next((day for c in pregnancy.contacts[:-1] for day in c.dates(SCAN_TERM)), None)
    for value in contact.all(SCAN_TERM):
        stated = (value.text or "")[:10]
        if first is not None and stated != first.isoformat():
            yield Hit("term_by_first_scan", stated, first.isoformat(), value)


def post_term(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-POST: consultation in days 289 to 291, induction begun by day 294."""
    age = pregnancy.age(contact)
    if age is None or pregnancy.is_over:
        return
    if age >= limits.number("post_term_day"):
        yield Hit("post_term", weeks(age), f"< {weeks(int(limits.number('post_term_day')))}")
    elif age >= limits.number("consultation_day"):
        yield Hit("overdue_consultation", weeks(age), f"< {weeks(int(limits.number('consultation_day')))}")


def bacteriuria_screening(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-ABU: no routine screening since June 2022."""
    for value in contact.all(BACTERIURIA):
        if contact.day.isoformat() >= "2022-06":
            yield Hit("bacteriuria_screening", at=value)


def missing_checks(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-CHECKS: what belongs to every visit of this week and is not filled in."""
    age = pregnancy.age(contact)
    if age is None or not contact.is_visit:
        return
    fields = limits.weeks_by_field().items()
    missing = [name for name, week in fields if age >= week * 7 and not contact.has(name)]
    if missing:
        yield Hit(
            "checks_missing", ", ".join(missing), params={"fields": ", ".join(missing), "age": weeks(age)}
        )
