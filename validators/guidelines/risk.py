"""Risk of pre-eclampsia and what is advised at the first visit."""

from __future__ import annotations

from collections.abc import Iterator

from validators.guidelines.guideline import Limits
from validators.guidelines.history import YES, age_in_years, diagnosed, is_coded
from validators.guidelines.hit import Hit, written
from validators.guidelines.pregnancy import Contact, Pregnancy

FOLATE, NO_FOLATE = "HK6.7", "at0037"
BMI, FETUSES, DRUG, DRUGS_TEXT = "HK8.3", "HK9.10", "HK6.3", "HK6.2"


def pre_eclampsia_risk(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-PE-RISK: at the first visit, one high risk factor: refer."""
    reasons = list(_reasons(contact, pregnancy, limits)) if contact.is_first_visit else []
    if reasons:
        yield Hit("pre_eclampsia_risk", ", ".join(reasons), params={"reasons": ", ".join(reasons)})


def low_dose_aspirin(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-ASA: earlier pre-eclampsia, and no acetylsalicylic acid among her medicines."""
    age = pregnancy.age(contact)
    if not contact.is_first_visit or age is None or age >= limits.days("before_week"):
        return
    if not any(diagnosed(p.contacts, _PRE_ECLAMPSIA) for p in pregnancy.earlier):
        return
    coded = any(is_coded(value, limits.texts("drugs")) for value in contact.all(DRUG))
    texts = " ".join(v.text or "" for name in (DRUG, DRUGS_TEXT) for v in contact.all(name)).casefold()
    if not coded and not any(word in texts for word in limits.texts("words")):
        yield Hit("aspirin_not_stated")


def folate(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-FOLATE: folic acid through the first trimester."""
    age = pregnancy.age(contact)
    if age is not None and age < limits.days("until_week"):
        for value in contact.all(FOLATE):
            if value.code == NO_FOLATE:
                yield Hit("folate_missing", value.text or "", at=value)


_PRE_ECLAMPSIA = ("ICD-10:O11", "ICD-10:O14", "ICD-10:O15", "ICPC-2:W81", "SNOMED-CT:398254007")


def _reasons(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[str]:
    years = age_in_years(contact, pregnancy)
    if years is not None and years > limits.number("age_years"):
        yield f"alder {years}"
    for bmi in contact.numbers(BMI):
        if bmi > limits.number("bmi"):
            yield f"KMI {written(bmi)}"
    for fetuses in contact.numbers(FETUSES):
        if fetuses >= limits.number("fetuses"):
            yield f"{written(fetuses)} fostre"
    for name in limits.texts("conditions"):
        if YES in contact.codes(name):
            yield name
    earlier = [c for p in pregnancy.earlier for c in p.contacts]
    event = diagnosed([*earlier, contact], limits.texts("diagnoses"))
    if event is not None:
        yield f"tidligere {event.code}"
