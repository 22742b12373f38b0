"""X5, X6, X7: answers that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.findings import Finding
from validators.card.fields import Card, finding

FETAL = ("HK13.9", "HK13.10", "HK13.11", "HK13.12", "HK13.13", "HK13.14")
ILLNESSES = tuple(f"HK5.{number}" for number in range(2, 13))
NOTHING_PARTICULAR, ILL, IN_FAMILY = "at0032", "at0023", "at0045"
RHD_NEGATIVE, FETUS_NEGATIVE = "at0012", "T008"


def fetuses(card: Card) -> Iterator[Finding]:
    """X5: no more fetuses are examined than there are."""
    counted = card.first("HK9.10") or card.first("HK15.3")
    if counted is None or counted.number is None:
        return
    examined = [value for name in FETAL for value in card.all(name)]
    last = max(examined, key=lambda value: value.instance, default=None)
    if last is not None and last.instance > counted.number:
        yield finding("card.fetuses", last, f"<= {counted.number:g}", str(last.instance))


def rhesus(card: Card) -> Iterator[Finding]:
    """X6: anti-D only where the fetus is not RhD negative; section 12 only for the RhD-negative woman."""
    fetus, given = card.first("HK12.2"), card.first("HK12.4")
    if fetus is not None and given is not None and fetus.code == FETUS_NEGATIVE:
        yield finding("card.rhd_prophylaxis", given)
    woman, section = card.first("HK10.9"), next(card.in_section("HK12."), None)
    if woman is not None and section is not None and woman.code != RHD_NEGATIVE:
        yield finding("card.rhd_not_negative", section)


def nothing_particular(card: Card) -> Iterator[Finding]:
    """X7: "nothing particular" excludes every illness that is answered with yes."""
    overall = card.first("HK5.1")
    if overall is not None and overall.code == NOTHING_PARTICULAR:
        for name in ILLNESSES:
            for value in card.all(name):
                if value.code == ILL:
                    yield finding("card.nothing_particular", value, field=name)


def no_hereditary(card: Card) -> Iterator[Finding]:
    """X7: "none known" excludes every hereditary condition that is answered with yes."""
    if card.all("HK4.1"):
        for value in card.all("HK4.3"):
            if value.code == IN_FAMILY:
                yield finding("card.no_hereditary", value)
