"""National guideline rules over a pregnancy: remarks for the professional, never a refusal."""

from validators.guidelines.evaluate import RULES, pregnancy_remarks, remarks_by_contact
from validators.guidelines.guideline import (
    Guideline,
    GuidelineFault,
    Limits,
    bundled_guideline,
    read_guideline,
)
from validators.guidelines.pregnancy import Contact, Pregnancy, contact_of, pregnancies_of

__all__ = [
    "RULES",
    "Contact",
    "Guideline",
    "GuidelineFault",
    "Limits",
    "Pregnancy",
    "bundled_guideline",
    "contact_of",
    "pregnancies_of",
    "pregnancy_remarks",
    "read_guideline",
    "remarks_by_contact",
]
