"""What the card's tables must hold, worked out from what the EHRs registered: fields and plain values.

Nothing of the product's way from compositions to tables is used: no template, no path, no AQL. Only the names
of the columns come from ``tables.toml``; what codes, units and durations mean is written here once more.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.demo.story import Contact

TABLES: Mapping[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "cdr" / "analysis" / "tables.toml").read_text("utf-8")
)
Row = dict[str, Any]

YES_NO: Mapping[str, Mapping[str, str]] = {
    **{f"HK5.{n}": {"at0023": "yes", "at0024": "no", "at0027": "unknown"} for n in (*range(2, 13), 14)},
    "HK1.8": {"at0023": "yes", "at0024": "no", "at0027": "unknown"},
    "HK16.2": {"at0023": "yes", "at0024": "no", "at0027": "unknown"},
    "HK1.13": {"ja": "yes", "nei": "no", "ukjent": "unknown"},
    "HK1.18": {"at0005": "no", "at0006": "yes"},
    "HK4.3": {"at0045": "yes", "at0046": "no", "at0047": "unknown", "at0048": "unsure"},
    "HK5.1": {"at0031": "yes", "at0032": "no", "at0033": "unknown"},
    "HK6.1": {"at0028": "yes", "at0029": "no", "at0030": "unknown"},
    "HK13.15": {"at0028": "yes", "at0029": "no", "at0030": "unknown"},
    "HK6.4": {"at0044": "yes", "at0045": "no", "at0046": "unknown"},
    "HK6.6": {"at0036": "yes", "at0037": "no", "at0039": "unknown"},
    "HK6.7": {"at0036": "yes", "at0037": "no", "at0039": "unknown"},
    "HK13.13": {"at0007": "yes", "at0011": "no"},
}
ORDINALS = {"at0096": 1, "at0097": 2, "at0098": 3, "at0099": 4, "at0100": 5}
RESULT_TEXTS = {
    "HK10.8": {"at0007": "O", "at0008": "A", "at0009": "B", "at0010": "AB"},
    "HK10.9": {"at0011": "Positive", "at0012": "Negative"},
}
LAB_TEXTS = {"T002": "Positiv", "T008": "Negativ"}
# What the same node holds is the same value: fields that the card tells apart by time or table.
SAME_NODE = {
    "HK1.14": "HK13.16",
    "HK13.15": "HK6.1",
    "HK0.4": "HK19.2",
    "HK10.2": "HK10.1",
    "HK14.2": "HK13.2",
}
GIVEN = frozenset({"HK4.1", "HK9.13", "HK9.14", "HK9.15", "HK12.4"})
DATES = frozenset(
    {"HK0.3", "HK9.1", "HK9.4", "HK9.5", "HK9.6", "HK9.8", "HK9.12", "HK12.3", "HK15.2", "HK10.11"}
)


def expected(name: str, ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    """The rows of a table for one woman; ids of contacts are those of the story or the generator."""
    ordered = sorted(contacts, key=lambda contact: (_utc(contact.header.start_time), contact.id))
    yield from _ROWS[name](ehr_id, ordered)


def _woman(ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    pregnancies = {contact.pregnancy for contact in contacts if _has_card(contact)}
    cells = {"ehr_id": ehr_id, "pregnancies": len(pregnancies), **_counts(contacts)}
    yield cells | _merged("woman", contacts)


def _pregnancies(ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    for card in dict.fromkeys(contact.header.pregnancy_id for contact in contacts if _has_card(contact)):
        mine = [each for each in contacts if each.header.pregnancy_id == card and _has_card(each)]
        yield {"ehr_id": ehr_id, "pregnancy_id": card, **_counts(mine)} | _merged("pregnancy", mine)


def _contacts(ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    for contact in filter(_has_card, contacts):
        header = contact.header
        yield {
            **_of(ehr_id, contact),
            "contact_time": _utc(header.start_time),
            "template": contact.template_id,
            "organisation": header.facility.name if header.facility else None,
            "registered_by": header.composer.name if header.composer else None,
            "profession": header.role[0] if header.role and header.composer else None,
            **_merged("contact", [contact]),
        }


def _fetuses(ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    fields = {spec["field"] for spec in TABLES["fetus"]["columns"].values()}
    for contact in filter(_has_card, contacts):
        numbers = {number for field in fields for number, _, _ in _values(contact, field)}
        for fetus in sorted(numbers):
            cells = _merged("fetus", [contact], instance=fetus)
            yield {**_of(ehr_id, contact), "fetus": fetus, **cells}


def _tests(ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    for contact in filter(_has_card, contacts):
        for test, spec in TABLES["test"]["results"].items():
            for field in dict.fromkeys(spec["field"].split()):
                for _, _, value in _values(contact, field, own=True):
                    yield {**_of(ehr_id, contact), "test": test, **_result(contact, field, value)}


def _heights(ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    for contact in filter(_has_card, contacts):
        if "HK14.1" in contact.fields:
            measured = {"measured_on": contact.header.start_time[:10]}
            yield {**_of(ehr_id, contact), **measured, **_merged("sf", [contact])}


def _earlier(ehr_id: str, contacts: Sequence[Contact]) -> Iterator[Row]:
    for contact in contacts:
        entries = range(1, 1 + len(contact.fields.get("HK3.8", ())))
        for entry in entries:
            cells = _merged("earlier", [contact], instance=entry)
            yield {"ehr_id": ehr_id, "document_id": contact.id, **cells}


_ROWS = {
    "woman": _woman,
    "pregnancy": _pregnancies,
    "contact": _contacts,
    "fetus": _fetuses,
    "test": _tests,
    "sf": _heights,
    "earlier": _earlier,
}


def _has_card(contact: Contact) -> bool:
    """Consent and the list of earlier pregnancies are kept outside the pregnancy."""
    return contact.template_id not in ("helsekort_samtykke.v0", "helsekort_tidligere_svangerskap.v0")


def _of(ehr_id: str, contact: Contact) -> Row:
    return {
        "ehr_id": ehr_id,
        "pregnancy_id": contact.header.pregnancy_id,
        "contact_id": contact.id,
        "contact_date": contact.header.start_time[:10],
    }


def _counts(contacts: Sequence[Contact]) -> Row:
    days = [contact.header.start_time[:10] for contact in contacts if _has_card(contact)]
    return {"contacts": len(days), "first_contact": min(days), "last_contact": max(days)}


def _result(contact: Contact, field: str, value: Any) -> Row:
    in_a_report = field not in RESULT_TEXTS
    beside: Row = {
        "sampled_on": contact.fields.get("HK10.11", "")[:10] or None if in_a_report else None,
        "status": contact.fields.get("HK10.12") if in_a_report else None,
        "test_note": contact.fields.get("HK10.13") if in_a_report else None,
    }
    if " " in value:
        number, unit = value.split(" ")
        return {"number": float(number), "unit": unit, "code": None, "result": None, **beside}
    text = RESULT_TEXTS.get(field, LAB_TEXTS)[value]
    return {"number": None, "unit": None, "code": value, "result": text, **beside}


# --- cells ------------------------------------------------------------------------------------------


def _merged(table: str, contacts: Sequence[Contact], instance: int | None = None) -> Row:
    return {
        name: _cell(spec, [each for contact in contacts for each in _found(spec, contact, instance)])
        for name, spec in TABLES[table]["columns"].items()
    }


def _found(spec: Mapping[str, Any], contact: Contact, instance: int | None) -> Iterator[Any]:
    for field in spec["field"].split():
        for number, node, value in _values(contact, field):
            if instance not in (None, number) or spec.get("node") not in (None, node):
                continue
            if "beside" in spec and not _is_beside(spec["beside"], contact, number):
                continue
            cell = _plain(field, spec, value)
            if cell is not None:
                yield cell


def _is_beside(beside: Sequence[str], contact: Contact, number: int) -> bool:
    field, wanted = beside
    return any(each == number and value == wanted for each, _, value in _values(contact, field))


def _cell(spec: Mapping[str, Any], found: Sequence[Any]) -> Any:
    if not found:
        return None
    pick = spec.get("pick", "last")
    if pick == "all":
        return "; ".join(dict.fromkeys(map(str, found)))
    return found[0] if pick == "first" else found[-1]


def _values(contact: Contact, field: str, *, own: bool = False) -> Iterator[tuple[int, int, Any]]:
    """(instance, node, value) of a field, both counted from 1; ``own``: not those of another field's node."""
    if field == "HK0.5" and contact.header.gestational_age:
        yield 1, 1, contact.header.gestational_age
    if field == "HK0.6" and contact.header.contact_type:
        yield 1, 1, contact.header.contact_type
    shared = {field} if own else {field, *_same_node(field)}
    for key, value in contact.fields.items():
        name, _, number = key.partition("#")
        if name not in shared:
            continue
        several = value if isinstance(value, list) else [value]
        in_one_entry = name in ("HK19.9", "HK4.5")
        for position, member in enumerate(several, 1):
            if member is not None and in_one_entry:
                yield int(number or 1), position, member
            elif member is not None:
                yield int(number or position), 1, member


def _same_node(field: str) -> Iterable[str]:
    pairs = {**SAME_NODE, **{other: one for one, other in SAME_NODE.items()}}
    return [pairs[field]] if field in pairs else []


def _plain(field: str, spec: Mapping[str, Any], value: Any) -> Any:
    form = spec.get("as")
    if form == "given" or field in GIVEN:
        return True
    if isinstance(value, Mapping):
        return value["display"] if form == "text" else value["code"]
    if field == "HK4.5" and value in ("at0011", "at0012"):
        return {"at0011": "Ja", "at0012": "Nei"}[value]
    if form == "code" and field not in ("HK9.2",):
        return None  # a text that is not coded
    if field in YES_NO:
        return YES_NO[field][value]
    if form == "written":
        return str(value)
    if form == "instant":
        return _utc(value)
    if field in DATES:
        return value[:10] if len(value) >= 10 else None
    return _measured(value) if isinstance(value, str) else value


def _measured(value: str) -> Any:
    """Numbers without their units, durations in days, urine sticks as numbers; other texts as they are."""
    if value in ORDINALS:
        return ORDINALS[value]
    if duration := re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?", value):
        return int(duration[1] or 0) * 7 + int(duration[2] or 0)
    if by_week := re.fullmatch(r"(\d+) 1/wk", value):
        return int(by_week[1]) / 7
    if number := re.fullmatch(r"(\d+(?:\.\d+)?) (%|[a-zA-Z0-9/\[\]]+)", value):
        return float(number[1])
    return value


def _utc(written: str) -> str:
    return datetime.fromisoformat(written).astimezone(UTC).isoformat(timespec="milliseconds")
