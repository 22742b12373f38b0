"""All rules over a pregnancy. A rule never sees what came after the contact that it judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from archetypes.findings import Finding
from validators.guidelines import (
    blood,
    blood_pressure,
    fetus,
    glucose,
    growth,
    rhesus,
    risk,
    schedule,
)
from validators.guidelines.guideline import Guideline, Limits
from validators.guidelines.hit import Hit, Rule
from validators.guidelines.pregnancy import Contact, Pregnancy

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "R-BP-140": blood_pressure.raised_blood_pressure,
        "R-BP-150": blood_pressure.high_blood_pressure,
        "R-PROT-1": blood_pressure.proteinuria,
        "R-PE": blood_pressure.suspected_pre_eclampsia,
        "R-PE-RISK": risk.pre_eclampsia_risk,
        "R-ASA": risk.low_dose_aspirin,
        "R-FOLATE": risk.folate,
        "R-HB-1T": blood.low_haemoglobin_first,
        "R-HB-2T": blood.low_haemoglobin_second,
        "R-HB-3T": blood.low_haemoglobin_third,
        "R-HB-HIGH": blood.high_haemoglobin,
        "R-FERR-40": blood.iron_40,
        "R-FERR-60": blood.iron_60,
        "R-HBA1C": glucose.hba1c,
        "R-OGTT-24": glucose.ogtt,
        "R-GDM": glucose.gestational_diabetes,
        "R-DIP": glucose.diabetes_in_pregnancy,
        "R-RHD-24": rhesus.fetal_typing,
        "R-RHD-28": rhesus.prophylaxis,
        "R-RHD-NO": rhesus.superfluous_sample,
        "R-SF": growth.fundal_height,
        "R-SF-LIM": growth.fundal_height_limits,
        "R-FM": fetus.movements,
        "R-FHR": fetus.heart_rate,
        "R-LIE-36": fetus.lie,
        "R-EDD": schedule.one_term,
        "R-POST": schedule.post_term,
        "R-ABU": schedule.bacteriuria_screening,
        "R-CHECKS": schedule.missing_checks,
    }
)

# Where both speak of one value, the graver remark stands alone.
_GRAVER: Mapping[str, str] = MappingProxyType({"R-GDM": "R-DIP"})


def pregnancy_remarks(pregnancy: Pregnancy, guideline: Guideline) -> list[Finding]:
    """The remarks on every contact, oldest contact first; ``params["contact"]`` names the contact.

    A rule that the edition does not list is not asked. Raises GuidelineFault where the edition lacks a
    threshold.
    """
    return [finding for found in remarks_by_contact(pregnancy, guideline).values() for finding in found]


def remarks_by_contact(pregnancy: Pregnancy, guideline: Guideline) -> Mapping[str, list[Finding]]:
    """Contact id -> its remarks, for every contact."""
    return {
        contact.id: list(_remarks(contact, pregnancy.until(position), guideline))
        for position, contact in enumerate(pregnancy.contacts)
    }


def _remarks(contact: Contact, known: Pregnancy, guideline: Guideline) -> Iterator[Finding]:
    hits = {
        name: list(rule(contact, known, guideline.rules[name]))
        for name, rule in RULES.items()
        if name in guideline.rules
    }
    for name, found in hits.items():
        if not hits.get(_GRAVER.get(name, "")):
            yield from (_finding(hit, guideline.rules[name], contact, guideline) for hit in found)


def _finding(hit: Hit, limits: Limits, contact: Contact, guideline: Guideline) -> Finding:
    basis = " · ".join(filter(None, (limits.rule, limits.source, guideline.version)))
    params = {
        **hit.params,
        "rule": limits.rule,
        "source": limits.source,
        "certainty": limits.certainty,
        "version": guideline.version,
        "contact": contact.id,
        "basis": basis,
    }
    return Finding(
        code=f"guideline.{hit.code}",
        path=hit.at.path if hit.at else "/",
        expected=hit.expected,
        found=hit.found,
        archetype_path=hit.at.node.path if hit.at else "/",
        severity=limits.severity,
        params=MappingProxyType(params),
    )
