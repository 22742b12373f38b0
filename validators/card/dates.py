"""X4, X8 and the 283 days: terms and gestational ages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from archetypes.findings import Finding
from archetypes.rm.iso8601 import duration_days
from templates.field_reading import FieldValue
from validators.card.fields import Card, finding

TERM_DAY = 283
PERIOD_TO_TERM = (280, 290)
TERMS_APART = 42
AGES = ("HK0.5", "HK13.2", "HK14.2", "HK9.7")
_WEEKS_AND_DAYS = re.compile(r"P(?:([0-9]{1,4})W)?(?:([0-9]{1,4})D)?")


def terms_apart(card: Card) -> Iterator[Finding]:
    """X4: terms by last period and by ultrasound lie within 42 days."""
    by_period, by_scan = card.date("HK9.4"), card.date("HK9.5")
    if by_period and by_scan and abs((by_scan - by_period).days) > TERMS_APART:
        at = card.first("HK9.5")
        expected = f"{by_period.isoformat()} ± {TERMS_APART} d"
        yield finding("card.terms_apart", at, expected, by_scan.isoformat())


def term_by_period(card: Card) -> Iterator[Finding]:
    """The term is 283 days after the first day of the last period (280 to 290 are let pass)."""
    period, term = card.date("HK9.1"), card.date("HK9.4")
    if period and term and not PERIOD_TO_TERM[0] <= (term - period).days <= PERIOD_TO_TERM[1]:
        found = f"{(term - period).days} d"
        yield finding("card.term_by_period", card.first("HK9.4"), f"{TERM_DAY} d", found)


def gestation_format(card: Card) -> Iterator[Finding]:
    """X8: days after the full week are 0 to 6, and there is at least one week."""
    for name in AGES:
        for value in card.all(name):
            match = _WEEKS_AND_DAYS.fullmatch(value.text or "")
            if match is None:
                continue
            weeks, days = (int(part) if part else 0 for part in match.groups())
            if match[1] and days > 6:
                yield finding("card.gestation_days", value, "0..6 D", value.text or "")
            elif weeks * 7 + days < 7:
                yield finding("card.gestation_weeks", value, ">= 1 W", value.text or "")


def gestational_age(card: Card) -> Iterator[Finding]:
    """283 days minus the days to the term is the gestational age that the document states."""
    agreed, scanned = card.date("HK9.8"), card.date("HK9.5")
    term = agreed or scanned
    if term is not None:
        for name in ("HK0.5", "HK13.2"):
            yield from _age(card.first(name), term, card.day)
    if scanned is not None:
        yield from _age(card.first("HK9.7"), scanned, card.date("HK9.6") or card.date("HK15.2"))


def _age(stated: FieldValue | None, term: date, day: date | None) -> Iterator[Finding]:
    days = duration_days(stated.text) if stated is not None and stated.text else None
    if stated is None or days is None or day is None:
        return
    computed = TERM_DAY - (term - day).days
    if computed > 0 and int(days) != computed:
        expected = f"P{computed // 7}W{computed % 7}D"
        yield finding("card.gestational_age", stated, expected, stated.text or "", term=term.isoformat())
