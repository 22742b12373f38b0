"""What the woman brings along: diagnoses, earlier births, relatives, age."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from templates.field_reading import FieldValue
from validators.guidelines.pregnancy import Contact, Pregnancy

DIAGNOSES = ("HK5.15", "HK3.17", "HK19.12")
BIRTH_WEIGHTS = ("HK3.15", "HK19.7")
YES = "at0023"  # of the problem screening
RELATIVE_YES = "at0011"


def age_in_years(contact: Contact, pregnancy: Pregnancy) -> int | None:
    """The woman's age at a contact."""
    born, day = pregnancy.born, contact.day
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def all_contacts(pregnancy: Pregnancy) -> Iterator[Contact]:
    """Those of the earlier pregnancies and of this one, oldest first."""
    for earlier in pregnancy.earlier:
        yield from earlier.contacts
    yield from pregnancy.contacts


def diagnosed(contacts: Iterable[Contact], wanted: Sequence[str]) -> FieldValue | None:
    """The first diagnosis whose code begins with one of ``SYSTEM:code``."""
    for contact in contacts:
        for name in DIAGNOSES:
            for value in contact.all(name):
                if is_coded(value, wanted):
                    return value
    return None


def is_coded(value: FieldValue, wanted: Sequence[str]) -> bool:
    """True if the value's code is one of ``SYSTEM:code``, or below it as ICD-10 and ATC write it."""
    code = f"{value.terminology}:{value.code}"
    return value.code is not None and any(code.startswith(prefix) for prefix in wanted)


def had_large_child(pregnancy: Pregnancy, above: float) -> bool:
    """True if a child before this pregnancy weighed more than ``above`` grams."""
    told = (w for c in pregnancy.contacts for w in c.numbers("HK3.15"))
    born = (w for e in pregnancy.earlier for c in e.contacts for w in c.numbers("HK19.7"))
    return any(weight > above for weight in (*told, *born))


def relative_has(contact: Contact, relations: Sequence[str], condition: str) -> bool:
    """True if a relative of these relations is said to have the condition (row: who, what, whether)."""
    rows: dict[int, list[FieldValue]] = {}
    for value in contact.all("HK4.5"):
        rows.setdefault(value.instance, []).append(value)
    return any(_row_says(row, relations, condition) for row in rows.values())


def _row_says(row: Sequence[FieldValue], relations: Sequence[str], condition: str) -> bool:
    texts = [(value.text or "").casefold() for value in row]
    who = any(text.split()[0].rstrip(",;") in relations for text in texts if text.split())
    what = any(condition in text for text in texts)
    return who and what and any(value.code == RELATIVE_YES for value in row)


def parity(contact: Contact) -> int | None:
    """Earlier births as the contact states them; None if it does not."""
    stated = contact.numbers("HK3.6")
    if stated:
        return int(stated[0])
    living, stillborn = contact.numbers("HK3.2"), contact.numbers("HK3.4")
    return int(living[0] + (stillborn[0] if stillborn else 0)) if living else None
