"""Blood pressure, proteinuria and their coincidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from templates.field_reading import FieldValue
from validators.guidelines.guideline import Limits
from validators.guidelines.hit import Hit, written
from validators.guidelines.pregnancy import Contact, Pregnancy, weeks

SYSTOLIC, DIASTOLIC, PROTEIN = "HK13.4", "HK13.5", "HK13.6"


def raised_blood_pressure(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-BP-140: repeat the measurement and refer."""
    return _pressure("blood_pressure_raised", contact, limits)


def high_blood_pressure(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-BP-150: treat; contact the birth unit at once."""
    return _pressure("blood_pressure_high", contact, limits)


def proteinuria(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-PROT-1: protein of 1+ or more is followed up."""
    for value in _proteinuria(contact, limits):
        yield Hit("proteinuria", value.text or _symbol(value), "< 1+", value)


def suspected_pre_eclampsia(contact: Contact, pregnancy: Pregnancy, limits: Limits) -> Iterator[Hit]:
    """R-PE: after week 20, raised pressure with proteinuria that was not there before."""
    age = pregnancy.age(contact)
    raised = next(_pressure("", contact, limits), None)
    if age is None or age < limits.days("from_week") or raised is None:
        return
    if any(_proteinuria(c, limits) for c in _before(pregnancy, limits.days("from_week"))):
        return  # proteinuria from before: not new
    since = contact.day - timedelta(days=int(limits.number("proteinuria_days")))
    if any(_proteinuria(c, limits) for c in pregnancy.contacts if c.day >= since):
        yield Hit("pre_eclampsia_suspected", raised.found, raised.expected, raised.at, {"age": weeks(age)})


def _before(pregnancy: Pregnancy, days: int) -> Iterator[Contact]:
    for contact in pregnancy.contacts:
        age = pregnancy.age(contact)
        if age is not None and age < days:
            yield contact


def _pressure(code: str, contact: Contact, limits: Limits) -> Iterator[Hit]:
    """One hit if any systolic or diastolic value reaches its limit."""
    systolic, diastolic = limits.number("systolic"), limits.number("diastolic")
    reaching = [v for v in contact.all(SYSTOLIC) if (v.number or 0) >= systolic]
    reaching += [v for v in contact.all(DIASTOLIC) if (v.number or 0) >= diastolic]
    if reaching:
        at = reaching[0]
        expected = f"< {written(systolic)}/{written(diastolic)} mm[Hg]"
        yield Hit(code, _shown(contact, at.instance), expected, at)


def _shown(contact: Contact, instance: int) -> str:
    parts = []
    for name in (SYSTOLIC, DIASTOLIC):
        found = [v.number for v in contact.all(name) if v.instance == instance and v.number is not None]
        parts.append(written(found[0]) if found else "?")
    return f"{'/'.join(parts)} mm[Hg]"


def _proteinuria(contact: Contact, limits: Limits) -> list[FieldValue]:
    return [v for v in contact.all(PROTEIN) if (v.number or 0) >= limits.number("ordinal")]


def _symbol(value: FieldValue) -> str:
    symbol = value.value.get("symbol")
    text = symbol.get("value") if isinstance(symbol, dict) else None
    return text if isinstance(text, str) else ""
