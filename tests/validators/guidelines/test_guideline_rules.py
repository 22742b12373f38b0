"""Each rule: where it speaks, where it is silent, and on which side its limit lies."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.validators.guidelines.contacts import (
    BIRTH,
    FIRST,
    LAB,
    RHD,
    SCAN,
    VISIT,
    contact,
    rules_of_last,
)
from validators.guidelines import Contact, Pregnancy

LATE_VISIT = {"HK13.13": "at0007", "HK14.1": "30 cm"}  # what keeps R-FM and R-SF silent
KNOWN_FERRITIN = contact(LAB, 8, 0, {"HK10.3": "90 ug/L"})


def visit(weeks: int, days: int, values: dict[str, Any], number: int = 0) -> Contact:
    return contact(VISIT, weeks, days, LATE_VISIT | values, number)


ONE_CONTACT: list[tuple[str, str, int, int, dict[str, Any], list[str]]] = [
    ("systolic below", VISIT, 12, 0, {"HK13.4": "139 mm[Hg]", "HK13.5": "89 mm[Hg]"}, []),
    ("systolic at 140", VISIT, 12, 0, {"HK13.4": "140 mm[Hg]"}, ["R-BP-140:blood_pressure_raised"]),
    ("diastolic at 90", VISIT, 12, 0, {"HK13.5": "90 mm[Hg]"}, ["R-BP-140:blood_pressure_raised"]),
    ("149/99 is not yet high", VISIT, 12, 0, {"HK13.4": "149 mm[Hg]", "HK13.5": "99 mm[Hg]"},
     ["R-BP-140:blood_pressure_raised"]),
    ("diastolic at 100", VISIT, 12, 0, {"HK13.5": "100 mm[Hg]"},
     ["R-BP-140:blood_pressure_raised", "R-BP-150:blood_pressure_high"]),
    ("protein trace", VISIT, 12, 0, {"HK13.6": "at0097"}, []),
    ("protein 1+", VISIT, 12, 0, {"HK13.6": "at0098"}, ["R-PROT-1:proteinuria"]),
    ("both before week 20", VISIT, 19, 6, {"HK13.4": "140 mm[Hg]", "HK13.6": "at0098"},
     ["R-BP-140:blood_pressure_raised", "R-PROT-1:proteinuria", "R-FERR-40:ferritin_missing"]),
    ("both in week 20", VISIT, 20, 0, {"HK13.4": "140 mm[Hg]", "HK13.6": "at0098"},
     ["R-BP-140:blood_pressure_raised", "R-PROT-1:proteinuria", "R-PE:pre_eclampsia_suspected",
      "R-FERR-40:ferritin_missing"]),
    ("Hb 11.0, first", LAB, 8, 0, {"HK10.1": "11.0 g/dL"}, []),
    ("Hb 10.9, first", LAB, 12, 6, {"HK10.1": "10.9 g/dL"}, ["R-HB-1T:haemoglobin_low"]),
    ("Hb 10.9, second", LAB, 13, 0, {"HK10.1": "10.9 g/dL"}, []),
    ("Hb 10.4, second", LAB, 27, 6, {"HK10.1": "10.4 g/dL"}, ["R-HB-2T:haemoglobin_low"]),
    ("Hb 10.9, third", VISIT, 28, 0, {"HK10.2": "10.9 g/dL", **LATE_VISIT},
     ["R-HB-3T:haemoglobin_low", "R-FERR-40:ferritin_missing"]),
    ("Hb 13.5 is not high", LAB, 20, 0, {"HK10.1": "13.5 g/dL"}, []),
    ("Hb 13.6 is high", LAB, 20, 0, {"HK10.1": "13.6 g/dL"}, ["R-HB-HIGH:haemoglobin_high"]),
    ("Hb 13.6 in the first trimester", LAB, 10, 0, {"HK10.1": "13.6 g/dL"}, []),
    ("ferritin 71", LAB, 8, 0, {"HK10.3": "71 ug/L"}, []),
    ("ferritin 70", LAB, 8, 0, {"HK10.3": "70 ug/L"}, ["R-FERR-40:iron_40"]),
    ("ferritin 30", LAB, 8, 0, {"HK10.3": "30 ug/L"}, ["R-FERR-40:iron_40"]),
    ("ferritin 29", LAB, 8, 0, {"HK10.3": "29 ug/L"}, ["R-FERR-60:iron_60"]),
    ("ferritin 12", LAB, 8, 0, {"HK10.3": "12 ug/L"}, ["R-FERR-60:iron_60"]),
    ("ferritin 11", LAB, 8, 0, {"HK10.3": "11 ug/L"}, ["R-FERR-60:iron_60_now"]),
    ("ferritin not yet due", VISIT, 14, 6, {}, []),
    ("ferritin missing", VISIT, 15, 0, {}, ["R-FERR-40:ferritin_missing"]),
    ("HbA1c 40", LAB, 8, 0, {"HK11.6": "40 mmol/mol"}, []),
    ("HbA1c 41", LAB, 8, 0, {"HK11.6": "41 mmol/mol"}, ["R-HBA1C:hba1c_refer"]),
    ("HbA1c 47", LAB, 8, 0, {"HK11.6": "47 mmol/mol"}, ["R-HBA1C:hba1c_refer"]),
    ("HbA1c 48", LAB, 8, 0, {"HK11.6": "48 mmol/mol"}, ["R-HBA1C:hba1c_diabetes"]),
    ("KMI 25", FIRST, 8, 0, {"HK8.3": "25.0 kg/m2"}, []),
    ("KMI 25.1", FIRST, 8, 0, {"HK8.3": "25.1 kg/m2"}, ["R-OGTT-24:ogtt_indicated"]),
    ("KMI 30.1", FIRST, 8, 0, {"HK8.3": "30.1 kg/m2"},
     ["R-HBA1C:hba1c_indicated", "R-OGTT-24:ogtt_indicated"]),
    ("KMI 30.1, too late for HbA1c", FIRST, 16, 0, {"HK8.3": "30.1 kg/m2"}, ["R-OGTT-24:ogtt_indicated"]),
    ("known diabetes", FIRST, 8, 0, {"HK8.3": "27.0 kg/m2", "HK5.5": "at0023"},
     ["R-PE-RISK:pre_eclampsia_risk"]),
    ("born in Somalia", FIRST, 8, 0,
     {"HK1.16": {"code": "SO", "system": "volven:9043", "display": "Somalia"}},
     ["R-HBA1C:hba1c_indicated", "R-OGTT-24:ogtt_indicated"]),
    ("born in Sweden", FIRST, 8, 0,
     {"HK1.16": {"code": "SE", "system": "volven:9043", "display": "Sverige"}}, []),
    ("sister with diabetes", FIRST, 8, 0, {"HK4.5": ["Søster", "Diabetes type 1", "at0011"]},
     ["R-HBA1C:hba1c_indicated", "R-OGTT-24:ogtt_indicated"]),
    ("sister without", FIRST, 8, 0, {"HK4.5": ["Søster", "Diabetes type 1", "at0012"]}, []),
    ("aunt with diabetes", FIRST, 8, 0, {"HK4.5": ["Tante", "Diabetes type 1", "at0011"]}, []),
    ("fasting 5.2", LAB, 26, 0, {"HK11.7": "5.2 mmol/L"}, []),
    ("fasting 5.3", LAB, 26, 0, {"HK11.7": "5.3 mmol/L"}, ["R-GDM:gestational_diabetes"]),
    ("fasting 6.9", LAB, 26, 0, {"HK11.7": "6.9 mmol/L"}, ["R-GDM:gestational_diabetes"]),
    ("fasting 7.0", LAB, 26, 0, {"HK11.7": "7.0 mmol/L"}, ["R-DIP:diabetes_in_pregnancy"]),
    ("two hours 8.9", LAB, 26, 0, {"HK11.8": "8.9 mmol/L"}, []),
    ("two hours 9.0", LAB, 26, 0, {"HK11.8": "9.0 mmol/L"}, ["R-GDM:gestational_diabetes"]),
    ("two hours 11.1", LAB, 26, 0, {"HK11.8": "11.1 mmol/L"}, ["R-DIP:diabetes_in_pregnancy"]),
    ("RhD positive woman", LAB, 8, 0, {"HK10.9": "at0011"}, []),
    ("RhD negative woman", LAB, 8, 0, {"HK10.9": "at0012"}, ["R-RHD-24:rhd_typing_due"]),
    ("RhD negative fetus", RHD, 24, 0, {"HK12.2": "T008"}, []),
    ("RhD positive fetus", RHD, 24, 0, {"HK12.2": "T002"}, ["R-RHD-28:anti_d_due"]),
    ("immunised", RHD, 24, 0, {"HK12.2": "T002", "HK10.10": "T002"}, []),
    ("twins", FIRST, 8, 0, {"HK9.10": 2}, ["R-PE-RISK:pre_eclampsia_risk"]),
    ("one fetus", FIRST, 8, 0, {"HK9.10": 1}, []),
    ("kidney disease", FIRST, 8, 0, {"HK5.4": "at0023"}, ["R-PE-RISK:pre_eclampsia_risk"]),
    ("kidney disease denied", FIRST, 8, 0, {"HK5.4": "at0024"}, []),
    ("KMI 35.1", FIRST, 20, 0, {"HK8.3": "35.1 kg/m2"},
     ["R-PE-RISK:pre_eclampsia_risk", "R-OGTT-24:ogtt_indicated"]),
    ("no folate", FIRST, 8, 0, {"HK6.7": "at0037"}, ["R-FOLATE:folate_missing"]),
    ("no folate in week 13", FIRST, 13, 0, {"HK6.7": "at0037"}, []),
    ("heart rate 110", VISIT, 12, 0, {"HK13.9": "110 1/min"}, []),
    ("heart rate 109", VISIT, 12, 0, {"HK13.9": "109 1/min"}, ["R-FHR:fetal_heart_rate"]),
    ("heart rate 161 of the second", VISIT, 12, 0, {"HK13.9": ["150 1/min", "161 1/min"]},
     ["R-FHR:fetal_heart_rate"]),
    ("bacteriuria", LAB, 8, 0, {"HK11.11": "T008"}, ["R-ABU:bacteriuria_screening"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("template_id", "weeks", "days", "values", "expected"),
    [row[1:] for row in ONE_CONTACT],
    ids=[row[0] for row in ONE_CONTACT],
)
def test_a_contact_alone(
    template_id: str, weeks: int, days: int, values: dict[str, Any], expected: list[str]
) -> None:
    assert rules_of_last(contact(template_id, weeks, days, values)) == expected


LATE: list[tuple[str, int, int, dict[str, Any], list[str]]] = [
    ("nothing special", 30, 0, {}, []),
    ("no movements", 24, 0, {"HK13.13": "at0011"}, ["R-FM:movements_absent"]),
    ("breech in week 35", 35, 6, {"HK13.10": "at0007"}, []),
    ("breech in week 36", 36, 0, {"HK13.10": "at0007"}, ["R-LIE-36:lie_not_cephalic"]),
    ("transverse in week 36", 36, 0, {"HK13.11": "at0004"}, ["R-LIE-36:lie_not_cephalic"]),
    ("brow is cephalic", 36, 0, {"HK13.10": "at0010", "HK13.11": "at0002"}, []),
    ("day 288", 41, 1, {}, []),
    ("day 289", 41, 2, {}, ["R-POST:overdue_consultation"]),
    ("day 293", 41, 6, {}, ["R-POST:overdue_consultation"]),
    ("day 294", 42, 0, {}, ["R-POST:post_term"]),
]


@pytest.mark.parametrize(
    ("weeks", "days", "values", "expected"), [row[1:] for row in LATE], ids=[row[0] for row in LATE]
)
def test_a_late_visit(weeks: int, days: int, values: dict[str, Any], expected: list[str]) -> None:
    assert rules_of_last(KNOWN_FERRITIN, visit(weeks, days, values)) == expected


def test_movements_and_height_belong_to_visits_from_week_24() -> None:
    before = rules_of_last(KNOWN_FERRITIN, contact(VISIT, 23, 6, {}))
    after = rules_of_last(KNOWN_FERRITIN, contact(VISIT, 24, 0, {}))
    assert before == []
    assert after == ["R-SF:fundal_height_missing", "R-FM:movements_not_asked"]


def test_proteinuria_of_last_week_counts_towards_pre_eclampsia() -> None:
    protein = visit(30, 0, {"HK13.6": "at0098"})
    pressure = {"HK13.4": "150 mm[Hg]"}
    assert "R-PE:pre_eclampsia_suspected" in rules_of_last(KNOWN_FERRITIN, protein, visit(31, 0, pressure))
    assert "R-PE:pre_eclampsia_suspected" not in rules_of_last(
        KNOWN_FERRITIN, protein, visit(31, 1, pressure)
    )


def test_old_proteinuria_is_no_sign_of_pre_eclampsia() -> None:
    old = contact(VISIT, 12, 0, {"HK13.6": "at0098"})
    now = visit(30, 0, {"HK13.6": "at0098", "HK13.4": "150 mm[Hg]"})
    assert "R-PE:pre_eclampsia_suspected" not in rules_of_last(KNOWN_FERRITIN, old, now)


@pytest.mark.parametrize(("days_later", "expected"), [(20, []), (21, ["R-SF:fundal_height_stagnant"])])
def test_a_height_that_does_not_grow(days_later: int, expected: list[str]) -> None:
    first, age = visit(30, 0, {"HK14.1": "29 cm"}), 30 * 7 + days_later
    second = visit(age // 7, age % 7, {"HK14.1": "29 cm"})
    assert rules_of_last(KNOWN_FERRITIN, first, second) == expected


def test_a_growing_height_is_no_remark() -> None:
    first, second = visit(30, 0, {"HK14.1": "29 cm"}), visit(34, 0, {"HK14.1": "29.5 cm"})
    assert rules_of_last(KNOWN_FERRITIN, first, second) == []


def test_the_schedule_of_the_rhd_negative_woman() -> None:
    woman = contact(LAB, 8, 0, {"HK10.3": "90 ug/L", "HK10.9": "at0012"})
    assert rules_of_last(woman, visit(25, 6, {})) == []
    assert rules_of_last(woman, visit(26, 0, {})) == ["R-RHD-24:rhd_typing_missing"]
    assert rules_of_last(woman, visit(37, 0, {})) == []
    typed = contact(RHD, 24, 0, {"HK12.2": "T002"})
    assert rules_of_last(woman, typed, visit(28, 6, {})) == []
    assert rules_of_last(woman, typed, visit(29, 0, {})) == ["R-RHD-28:anti_d_missing"]
    given = contact(RHD, 28, 0, {"HK12.4": "J06BB01"})
    assert rules_of_last(woman, typed, given, visit(29, 0, {})) == []
    assert rules_of_last(woman, typed, given, contact(RHD, 30, 6, {"HK10.10": "T008"})) == []
    again = contact(RHD, 31, 0, {"HK10.10": "T008"})
    assert rules_of_last(woman, typed, given, again) == ["R-RHD-NO:rhd_sample_superfluous"]


def test_tests_that_were_not_done_in_time() -> None:
    first = contact(FIRST, 8, 0, {"HK8.3": "31.0 kg/m2"})
    assert rules_of_last(first, contact(VISIT, 15, 0, {})) == ["R-FERR-40:ferritin_missing"]
    assert rules_of_last(KNOWN_FERRITIN, first, contact(VISIT, 16, 0, {})) == ["R-HBA1C:hba1c_missing"]
    measured = contact(LAB, 9, 0, {"HK11.6": "37 mmol/mol"})
    assert rules_of_last(KNOWN_FERRITIN, first, measured, visit(28, 6, {})) == []
    assert rules_of_last(KNOWN_FERRITIN, first, measured, visit(29, 0, {})) == ["R-OGTT-24:ogtt_missing"]
    loaded = contact(LAB, 26, 0, {"HK11.7": "4.8 mmol/L"})
    assert rules_of_last(KNOWN_FERRITIN, first, measured, loaded, visit(29, 0, {})) == []


@pytest.mark.parametrize(
    ("parity", "born", "expected"),
    [
        (0, date(1999, 11, 1), []),  # 25 on the day
        (0, date(1998, 1, 1), ["R-OGTT-24:ogtt_indicated"]),
        (1, date(1998, 1, 1), []),
        (1, date(1984, 1, 1), ["R-PE-RISK:pre_eclampsia_risk", "R-OGTT-24:ogtt_indicated"]),
    ],
)
def test_age_counts_by_parity(parity: int, born: date, expected: list[str]) -> None:
    first = contact(FIRST, 8, 0, {"HK3.6": parity})
    assert rules_of_last(first, born=born) == expected


def earlier_pregnancy(values: dict[str, Any]) -> Pregnancy:
    return Pregnancy(contacts=(contact(BIRTH, 38, 0, values),))


def test_an_earlier_pre_eclampsia_speaks_at_the_next_first_visit() -> None:
    diagnosis = {"code": "O14.9", "system": "icd-10", "display": "Preeklampsi"}
    before = earlier_pregnancy({"HK19.12": diagnosis})
    expected = [
        "R-PE-RISK:pre_eclampsia_risk",
        "R-ASA:aspirin_not_stated",
        "R-HBA1C:hba1c_indicated",
        "R-OGTT-24:ogtt_indicated",
    ]
    assert rules_of_last(contact(FIRST, 8, 0, {}), earlier=(before,)) == expected
    with_aspirin = contact(FIRST, 8, 0, {"HK6.2": "Albyl-E 75 mg"})
    assert "R-ASA:aspirin_not_stated" not in rules_of_last(with_aspirin, earlier=(before,))


@pytest.mark.parametrize(("grams", "speaks"), [(4500, False), (4501, True)])
def test_a_large_child_before(grams: int, speaks: bool) -> None:
    found = rules_of_last(contact(FIRST, 8, 0, {}), earlier=(earlier_pregnancy({"HK19.7": f"{grams} g"}),))
    assert ("R-OGTT-24:ogtt_indicated" in found) is speaks


def test_the_first_scan_decides_the_term() -> None:
    early = contact(SCAN, 12, 0, {"HK9.5": "2026-06-09"})
    same, other = (contact(SCAN, 18, 0, {"HK9.5": day}) for day in ("2026-06-09", "2026-06-14"))
    assert rules_of_last(early, same) == []
    assert rules_of_last(early, other) == ["R-EDD:term_by_first_scan"]


def test_nothing_is_post_term_after_the_birth() -> None:
    birth = contact(BIRTH, 41, 1, {"HK19.1": "2026-06-10T04:22:00+02:00"})
    assert rules_of_last(KNOWN_FERRITIN, birth, contact(SCAN, 42, 0, {})) == []
