"""Synthetic women of the card, by seed: each contact as the fields that its EHR would register.

Answers are yes, no, unknown or missing; some women have twins, some two pregnancies; a few values are ones
that a table has to convert or cannot hold (alcohol by the week, a month in place of a date).
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from api.demo.story import Contact, Woman
from templates.header import HPR, Header, Party

OSLO = timezone(timedelta(hours=1))
FIRST_DAY = datetime(2023, 1, 2, 9, tzinfo=OSLO)
QUESTIONS = tuple(f"HK5.{number}" for number in range(2, 13))
YES, NO, UNKNOWN = "at0023", "at0024", "at0027"
TERM_DAY = 283
PEOPLE = (
    ("Oppdiktet, Jordmor Oda", "999000011", ("JO", "Jordmor"), "Oppdiktet helsestasjon", "231"),
    ("Oppdiktet, Lege Lars", "999000012", ("LE", "Lege"), "Oppdiktet legesenter", "228"),
)
NOTES = ("Alt vel.", "Litt kvalm; sover dårlig.", 'Sa "det går fint".', "Vil ringe, om nødvendig")


def women(count: int, seed: str = "women") -> Iterator[Woman]:
    """The same women at each call."""
    for number in range(count):
        yield _woman(f"W{number:05}", random.Random(f"{seed}/{number}"))


def _woman(name: str, chance: random.Random) -> Woman:
    contacts: list[Contact] = []
    begun = FIRST_DAY + timedelta(days=chance.randrange(300))
    for number in range(chance.choice((1, 1, 1, 2))):
        contacts += _pregnancy(f"{name}-P{number + 1}", begun + timedelta(days=500 * number), chance)
    if chance.random() < 0.3:
        contacts.append(_earlier(name, begun, chance))
    return Woman(id=name, national_id="", contacts=tuple(contacts))


def _earlier(name: str, begun: datetime, chance: random.Random) -> Contact:
    """Two earlier pregnancies, of which only the first has its child told of."""
    person = chance.choice(PEOPLE)
    return Contact(
        id=f"{name}-E",
        pregnancy="",
        template_id="helsekort_tidligere_svangerskap.v0",
        header=replace(_header(person, begun + timedelta(days=61), 61, "at0008", ""), pregnancy_id=None),
        fields={
            "HK3.8": [1, 2],
            "HK3.9": [str(chance.randint(2008, 2015)), f"2018-0{chance.randint(1, 9)}-15"],
            "HK3.10": ["P39W2D", f"P{chance.randint(22, 41)}W"],
            "HK3.12": ["at0009", chance.choice(("at0009", "at0010"))],
            "HK3.15": f"{chance.randint(2000, 4500)} g",
        },
    )


def _pregnancy(name: str, first_day: datetime, chance: random.Random) -> Iterator[Contact]:
    card = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    twins = chance.random() < 0.05
    plan = [("forste_kontroll", 60, "at0008", _first_visit), ("lab", 63, "at0011", _tests)]
    plan.append(("ultralyd", 128, "at0010", _scan))
    plan += [
        ("kontroll", day, "at0009", _visit)
        for day in sorted(chance.sample(range(168, 280), chance.choice((1, 2))))
    ]
    if chance.random() < 0.8:
        plan.append(("fodsel_barsel", 281, "at0013", _birth))
    for number, (template, day, contact_type, fields) in enumerate(plan):
        person = chance.choice(PEOPLE)
        yield Contact(
            id=f"{name}-C{number + 1}",
            pregnancy=card,
            template_id=f"helsekort_{template}.v0",
            header=_header(person, first_day + timedelta(days=day, minutes=number), day, contact_type, card),
            fields=fields(chance, first_day, twins),
        )


def _header(person: Any, when: datetime, day: int, contact_type: str, card: str) -> Header:
    name, number, role, organisation, setting = person
    return Header(
        start_time=when.isoformat(),
        setting=setting,
        composer=Party(name=name, identifier=number, issuer=HPR),
        role=role,
        facility=Party(name=organisation),
        pregnancy_id=card,
        gestational_age=f"P{day // 7}W{day % 7}D",
        contact_type=contact_type,
    )


def _some(chance: random.Random, **made: Any) -> dict[str, Any]:
    """Some of the fields; names have a _ for the point of the field's id."""
    return {name.replace("_", "."): value for name, value in made.items() if chance.random() < 0.8}


def _first_visit(chance: random.Random, first_day: datetime, twins: bool) -> dict[str, Any]:
    answers = {field: chance.choice((YES, NO, NO, NO, UNKNOWN, None)) for field in QUESTIONS}
    height, weight = chance.randint(150, 185), chance.randint(480, 1100) / 10
    due = (first_day + timedelta(days=TERM_DAY)).date()
    return {
        **{field: answer for field, answer in answers.items() if answer is not None},
        "HK1.2": f"Oppdiktet, Kvinne {chance.randrange(10_000)}",
        "HK1.17": {"code": "no", "system": "volven:3303", "display": "Norsk"},
        "HK8.1": f"{height} cm",
        "HK8.2": f"{weight} kg",
        "HK8.3": f"{round(weight / (height / 100) ** 2, 1)} kg/m2",
        "HK9.1": first_day.date().isoformat(),
        "HK9.4": due.isoformat(),
        "HK9.10": 2 if twins else 1,
        **_some(
            chance,
            HK1_7=chance.choice(("gift", "samboer", "enslig", "annet")),
            HK1_8=chance.choice((YES, NO, UNKNOWN)),
            HK1_10=chance.choice(("grunnskole", "videregående", "høyere")),
            HK1_13=chance.choice(("ja", "nei", "ukjent")),
            HK1_14=f"{chance.randrange(0, 101, 5)} %",
            HK1_16={"code": "NO", "system": "volven:9043", "display": "Norge"},
            HK1_18=chance.choice(("at0005", "at0006")),
            HK3_1=chance.randint(1, 5),
            HK3_2=chance.randint(0, 4),
            HK3_3=chance.randint(0, 3),
            HK6_4=chance.choice(("at0044", "at0045", "at0046")),
            HK6_6=chance.choice(("at0036", "at0037", "at0039")),
            HK7_1=chance.choice(("at0006", "at0003", "at0005")),
            HK7_7="at0003",
            HK7_8=chance.choice(("1 1/d", "7 1/wk", "0 1/wk", "2 1/d")),
            HK9_2=chance.choice(("sikker", "usikker")),
            HK9_3=f"P{chance.randint(21, 45)}D",
            HK5_13=chance.choice(NOTES),
        ),
        **_measures(chance),
    }


def _measures(chance: random.Random) -> dict[str, Any]:
    systolic = chance.randint(90, 160)
    return _some(
        chance,
        HK13_3=f"{chance.randint(500, 1200) / 10} kg",
        HK13_4=f"{systolic} mm[Hg]",
        HK13_5=f"{round(systolic * 0.6)} mm[Hg]",
        HK13_6=chance.choice(("at0096", "at0096", "at0097", "at0098", "at0099")),
        HK13_8=chance.choice(("at0014", "at0015", "at0016")),
        HK13_17=chance.choice(NOTES),
    )


def _tests(chance: random.Random, first_day: datetime, twins: bool) -> dict[str, Any]:
    taken = (first_day + timedelta(days=62)).isoformat()
    return {
        "HK10.12": "at0038",
        "HK10.1": f"{chance.randint(90, 140) / 10} g/dL",
        **_some(
            chance,
            HK10_3=f"{chance.randint(5, 120)} ug/L",
            HK10_6="T008",
            HK10_7=chance.choice(("T002", "T008")),
            HK10_8=chance.choice(("at0007", "at0008", "at0009", "at0010")),
            HK10_9=chance.choice(("at0011", "at0011", "at0012")),
            HK10_10="T008",
            HK10_11=taken,
            HK11_6=f"{chance.randint(25, 50)} mmol/mol",
        ),
    }


def _scan(chance: random.Random, first_day: datetime, twins: bool) -> dict[str, Any]:
    due = (first_day + timedelta(days=TERM_DAY + chance.randint(-5, 5))).date().isoformat()
    fetuses = 2 if twins else 1
    return {
        "HK15.1": "rutine ultralyd",
        "HK15.2": (first_day + timedelta(days=128)).date().isoformat(),
        "HK15.3": fetuses,
        "HK9.5": due,
        "HK9.7": "P18W2D",
        **{f"HK15.7#{fetus}": f"{chance.randint(36, 46)} mm" for fetus in range(1, fetuses + 1)},
        **_some(chance, HK9_6=chance.choice((due[:7], due))),
    }


def _visit(chance: random.Random, first_day: datetime, twins: bool) -> dict[str, Any]:
    of_fetuses: dict[str, Any] = {}
    for fetus in range(1, 3 if twins else 2):
        of_fetuses[f"HK13.9#{fetus}"] = f"{chance.randint(110, 170)} 1/min"
        of_fetuses[f"HK13.13#{fetus}"] = chance.choice(("at0007", "at0007", "at0011"))
        if chance.random() < 0.5:
            of_fetuses[f"HK13.10#{fetus}"] = chance.choice(("at0006", "at0007"))
    some = _some(
        chance,
        HK14_1=f"{chance.randint(20, 40)} cm",
        HK13_15=chance.choice(("at0028", "at0029", "at0030")),
        HK13_16=f"{chance.choice((0, 20, 50, 80, 100))} %",
        HK7_1=chance.choice(("at0006", "at0003", "at0005")),
    )
    return {**of_fetuses, **some, **_measures(chance)}


def _birth(chance: random.Random, first_day: datetime, twins: bool) -> dict[str, Any]:
    children = 2 if twins else 1
    born = first_day + timedelta(days=281, hours=chance.randint(0, 20))
    return {
        "HK0.2": "delivered",
        "HK0.3": born.date().isoformat(),
        "HK19.1": [(born + timedelta(minutes=10 * child)).isoformat() for child in range(children)],
        "HK19.2": ["levende"] * children,
        "HK19.3": chance.choice(("at0009", "at0010")),
        "HK19.4": [chance.choice(("at0006", "at0009")) for _ in range(children)],
        "HK19.6": ["P40W"] * children,
        "HK19.7": [f"{chance.randint(1800, 4600)} g" for _ in range(children)],
        "HK19.8": [chance.choice(("at0113", "at0114")) for _ in range(children)],
        "HK19.10": f"{chance.randrange(100, 1500, 50)} ml",
        **{
            f"HK19.9#{child}": [chance.randint(3, 9), chance.randint(7, 10), None]
            for child in range(1, children + 1)
        },
    }
