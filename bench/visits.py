"""Bodies for measuring: antenatal visits of the card, made before the clock starts, the same at each run."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from templates.compose import Header, compose
from templates.header import HPR, Party
from templates.repository import library_templates

SEED = "helsekort-bench"
TEMPLATE = "helsekort_kontroll.v0"
FIRST_DAY = datetime(2024, 1, 1, 8, tzinfo=UTC)
MIDWIVES = ("Fiktiv, Jordmor Jorunn", "Fiktiv, Jordmor Jonas", "Fiktiv, Fastlege Finn")


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of one woman, as canonical JSON."""

    ehr_id: str
    body: bytes


def ehr_ids(count: int) -> list[str]:
    """The ids of the records."""
    return [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SEED}/{number}")) for number in range(count)]


def visits(records: int, each: int, revision: int = 0) -> Iterator[Visit]:
    """``each`` visits for every record, one round of all records after the other."""
    opt = library_templates()[TEMPLATE]
    for number in range(records * each):
        chance = random.Random(f"{SEED}/{number}/{revision}")
        composition = compose(opt, _header(number, chance), _fields(chance))
        yield Visit(ehr_ids(records)[number % records], orjson.dumps(composition))


def _header(number: int, chance: random.Random) -> Header:
    when = FIRST_DAY + timedelta(minutes=37 * number % (730 * 24 * 60))
    return Header(
        start_time=when.isoformat(),
        setting="231",
        composer=Party(name=chance.choice(MIDWIVES), identifier="999000002", issuer=HPR),
        pregnancy_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SEED}/card/{number}")),
        gestational_age=f"P{chance.randint(10, 40)}W{chance.randint(0, 6)}D",
        contact_type="at0009",
    )


def _fields(chance: random.Random) -> dict[str, str]:
    systolic = max(80, min(215, round(chance.gauss(119, 14))))
    return {
        "HK13.3": f"{max(45, min(140, chance.gauss(75, 11))):.1f} kg",
        "HK13.4": f"{systolic} mm[Hg]",
        "HK13.5": f"{max(40, min(130, round(systolic * 0.62)))} mm[Hg]",
        "HK13.6": chance.choice(("at0096", "at0096", "at0097", "at0098")),
        "HK14.1": f"{chance.randint(18, 38)} cm",
        "HK13.9#1": f"{chance.randint(115, 160)} 1/min",
        "HK13.17": " ".join(chance.choices(("fin", "kontroll", "ingen", "plager", "spiser", "godt"), k=12)),
    }
