"""Diabetes in pregnancy: whom to test, and what the results say."""

from __future__ import annotations

from collections.abc import Iterator

from validators.guidelines.guideline import Limits
from validators.guidelines.history import (
    YES,
    age_in_years,
    all_contacts,
    diagnosed,
    had_large_child,
    parity,
    relative_has,
)
from validators.guidelines.hit import Hit, written
from validators.guidelines.pregnancy import Contact, Pregnancy, weeks

HBA1C, FASTING, TWO_HOURS = "HK11.6", "HK11.7", "HK11.8"
BMI, COUNTRY, DIABETES = "HK8.3", "HK1.16", "HK5.5"


def hba1c(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-HBA1C: measure before week 16 where the risk is raised; what a raised value means."""
    yield from _hba1c_results(contact, limits)
    age = pregnancy.age(contact)
    if age is None or pregnancy.has(HBA1C):
        return
    first = _first_visit(pregnancy)
    reasons = list(_hba1c_reasons(first, pregnancy, limits)) if first else []
    week = {"week": written(limits.number("before_week")), "reasons": ", ".join(reasons)}
    if contact.is_first_visit and age < limits.days("before_week") and reasons:
        yield Hit("hba1c_indicated", ", ".join(reasons), params=week)
    if contact.is_visit and age >= limits.days("before_week") and reasons:
        yield Hit("hba1c_missing", weeks(age), params=week)


def ogtt(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-OGTT-24: glucose tolerance test in weeks 24 to 28 where the risk is raised; not with diabetes."""
    first = _first_visit(pregnancy)
    if first is None or YES in first.codes(DIABETES) or pregnancy.has(FASTING, TWO_HOURS):
        return
    reasons = list(_ogtt_reasons(first, pregnancy, limits))
    age = pregnancy.age(contact)
    if contact.is_first_visit and reasons:
        yield Hit("ogtt_indicated", ", ".join(reasons), params={"reasons": ", ".join(reasons)})
    # The window includes the whole last week.
    closed = limits.days("until_week") + 7
    if contact.is_visit and age is not None and age >= closed and reasons:
        yield Hit("ogtt_missing", weeks(age), params={"reasons": ", ".join(reasons)})


def gestational_diabetes(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-GDM: values of gestational diabetes, below those of diabetes in pregnancy (R-DIP)."""
    return _glucose("gestational_diabetes", contact, limits)


def diabetes_in_pregnancy(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-DIP: refer at once."""
    return _glucose("diabetes_in_pregnancy", contact, limits)


def _glucose(code: str, contact: Contact, limits: Limits) -> Iterator[Hit]:
    for name, limit in ((FASTING, limits.number("fasting")), (TWO_HOURS, limits.number("two_hours"))):
        for value in contact.all(name):
            if value.number is not None and value.number >= limit:
                yield Hit(code, str(value.plain), f"< {written(limit)} mmol/L", value)
                return


def _hba1c_results(contact: Contact, limits: Limits) -> Iterator[Hit]:
    refer, diabetes = limits.number("refer"), limits.number("diabetes")
    for value in contact.all(HBA1C):
        if value.number is not None and value.number >= diabetes:
            yield Hit("hba1c_diabetes", str(value.plain), f"< {written(diabetes)} mmol/mol", value)
        elif value.number is not None and value.number >= refer:
            yield Hit("hba1c_refer", str(value.plain), f"< {written(refer)} mmol/mol", value)


def _first_visit(pregnancy: Pregnancy) -> Contact | None:
    return next((contact for contact in pregnancy.contacts if contact.is_first_visit), None)


def _ogtt_reasons(first: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[str]:
    yield from _common_reasons(first, pregnancy, limits)
    years, births = age_in_years(first, pregnancy), parity(first)
    if years is not None and births is not None:
        limit = limits.number("later_birth_age" if births else "first_birth_age")
        if years > limit:
            yield f"alder {years}"


def _hba1c_reasons(first: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[str]:
    yield from _common_reasons(first, pregnancy, limits)


def _common_reasons(first: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[str]:
    """Reasons that both tests share, as short texts."""
    for bmi in first.numbers(BMI):
        if bmi > limits.number("bmi"):
            yield f"KMI {written(bmi)}"
    for code in first.codes(COUNTRY):
        if code in limits.group("asia_africa"):
            yield f"fødeland {code}"
    if relative_has(first, limits.group("first_degree"), "diabetes"):
        yield "førstegradsslektning med diabetes"
    # Of this pregnancy only what the first visit tells: a diagnosis made later is no earlier event.
    told = [c for c in all_contacts(pregnancy) if c not in pregnancy.contacts] + [first]
    event = diagnosed(told, limits.group("earlier_diabetes_risk"))
    if event is not None:
        yield f"tidligere {event.code}"
    if had_large_child(pregnancy, limits.number("birth_weight")):
        yield f"tidligere barn > {written(limits.number('birth_weight'))} g"
