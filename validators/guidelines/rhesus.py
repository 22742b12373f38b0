"""The schedule of the RhD-negative woman."""

from __future__ import annotations

from collections.abc import Iterator

from validators.guidelines.guideline import Limits
from validators.guidelines.hit import Hit, written
from validators.guidelines.pregnancy import Contact, Pregnancy, weeks

WOMAN, ANTIBODIES, FETUS, PROPHYLAXIS = "HK10.9", "HK10.10", "HK12.2", "HK12.4"
RHD_NEGATIVE = "at0012"
NEGATIVE, POSITIVE = "T008", "T002"


def fetal_typing(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-RHD-24: typing of the fetus and antibodies in week 24; said when she is found to be negative."""
    if RHD_NEGATIVE not in pregnancy.codes(WOMAN) or pregnancy.has(FETUS):
        return
    before = [code for c in pregnancy.contacts[:-1] for code in c.codes(WOMAN)]
    if RHD_NEGATIVE in contact.codes(WOMAN) and RHD_NEGATIVE not in before:
        yield Hit("rhd_typing_due", "RhD-negativ", at=contact.all(WOMAN)[0])
    age = pregnancy.age(contact)
    if age is not None and contact.is_visit and _between(age, limits):
        yield Hit("rhd_typing_missing", weeks(age), params={"week": written(limits.number("until_week"))})


def prophylaxis(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-RHD-28: anti-D in week 28 where the fetus is not RhD negative and the woman is not immunised."""
    typed = pregnancy.codes(FETUS)
    immunised = POSITIVE in pregnancy.codes(ANTIBODIES)
    if not typed or typed[-1] == NEGATIVE or immunised or pregnancy.has(PROPHYLAXIS):
        return
    if contact.has(FETUS):
        value = contact.all(FETUS)[-1]
        yield Hit("anti_d_due", value.text or "", at=value)
    age = pregnancy.age(contact)
    if age is not None and contact.is_visit and age >= limits.days("missing_week"):
        yield Hit("anti_d_missing", weeks(age))


def superfluous_sample(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-RHD-NO: samples of week 32 and 36 are no longer taken."""
    age = pregnancy.age(contact)
    negative = RHD_NEGATIVE in pregnancy.codes(WOMAN)
    if age is not None and negative and contact.has(ANTIBODIES) and age >= limits.days("from_week"):
        yield Hit("rhd_sample_superfluous", weeks(age), at=contact.all(ANTIBODIES)[0])


def _between(age: int, limits: Limits) -> bool:
    return limits.days("missing_week") <= age < limits.days("until_week") + 7
