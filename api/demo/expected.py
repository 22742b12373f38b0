"""What the five queries of the demo must answer, worked out from story.json alone.

A separate small script on purpose: it imports nothing of the product, so that it cannot share its
mistakes. ``python expected.py`` prints the tables as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ANALYTES = {"HK10.1": "NOR05172", "HK10.2": "NOR05172", "HK10.3": "NPU19763"}
ANALYTE_ORDER = {"NOR05172": 0, "NPU19763": 1}


def expected_rows(story: dict[str, Any]) -> dict[str, list[list[Any]]]:
    """Rows by query name; where the server's ids are part of a row, they are left out."""
    contacts = [c for w in story["women"] for p in w["pregnancies"] for c in p["contacts"]]
    contacts.sort(key=lambda contact: contact["at"])
    return {
        "blodtrykk": [[c["at"], *_pressure(c), _author(story, c)] for c in contacts if _pressure(c)],
        "hoyt_blodtrykk": [[c["at"], *_pressure(c), _place(story, c)] for c in contacts if _is_high(c)],
        "jernstatus": _iron(contacts),
        "fodsler": [
            [c["at"], _number(c["fields"]["HK19.7"]), c["fields"]["HK19.9"][1]]
            for c in contacts
            if "HK19.7" in c["fields"]
        ],
        "registreringer": _counts([c["template"] for c in contacts]),
    }


def _pressure(contact: dict[str, Any]) -> list[float]:
    return [_number(contact["fields"][f]) for f in ("HK13.4", "HK13.5") if f in contact["fields"]]


def _is_high(contact: dict[str, Any]) -> bool:
    pressure = _pressure(contact)
    return bool(pressure) and (pressure[0] >= 140 or pressure[1] >= 90)


def _iron(contacts: list[dict[str, Any]]) -> list[list[Any]]:
    rows = [
        [c["at"], ANALYTES[field], *_quantity(value)]
        for c in contacts
        for field, value in c["fields"].items()
        if field in ANALYTES
    ]
    return sorted(rows, key=lambda row: (row[0], ANALYTE_ORDER[row[1]]))


def _counts(names: list[str]) -> list[list[Any]]:
    return [[name, names.count(name)] for name in sorted(set(names))]


def _quantity(text: str) -> tuple[float, str]:
    magnitude, units = text.split(" ", 1)
    return float(magnitude), units


def _number(text: str) -> float:
    return _quantity(text)[0]


def _author(story: dict[str, Any], contact: dict[str, Any]) -> str | None:
    name = story["people"][contact["by"]].get("name")
    return None if name is None else str(name)


def _place(story: dict[str, Any], contact: dict[str, Any]) -> str:
    organisation = story["people"][contact["by"]]["organisation"]
    return str(story["organisations"][organisation]["name"])


if __name__ == "__main__":
    source = Path(__file__).with_name("story.json")
    sys.stdout.write(
        json.dumps(expected_rows(json.loads(source.read_text("utf-8"))), ensure_ascii=False, indent=1)
    )
