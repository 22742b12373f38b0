"""X1, X2, X8: measurements that must fit each other, or must be above zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from archetypes.findings import Finding
from validators.card.fields import Card, finding

BMI_TOLERANCE = 0.1
_ROUNDING = 1e-9
ABOVE_ZERO = (
    *("HK8.1", "HK8.2", "HK8.3", "HK13.3", "HK13.4", "HK13.5", "HK13.9", "HK14.1"),
    *("HK10.1", "HK10.2", "HK10.3", "HK11.6", "HK11.7", "HK11.8"),
    *("HK15.6", "HK15.7", "HK15.8", "HK15.9", "HK15.10", "HK15.11", "HK19.7", "HK3.15"),
)


def bmi(card: Card) -> Iterator[Finding]:
    """X1: the body mass index is weight through height squared."""
    height, weight, stated = (card.first(name) for name in ("HK8.1", "HK8.2", "HK8.3"))
    if height is None or weight is None or stated is None:
        return
    if weight.number is None or stated.number is None or not _is_height(height.number):
        return
    computed = weight.number / (height.number / 100) ** 2
    if abs(stated.number - computed) > BMI_TOLERANCE + _ROUNDING:
        yield finding("card.bmi", stated, f"{computed:.1f} kg/m2", str(stated.plain))


def blood_pressure_order(card: Card) -> Iterator[Finding]:
    """X2: diastolic pressure lies below systolic."""
    diastolic = {value.instance: value for value in card.all("HK13.5")}
    for systolic in card.all("HK13.4"):
        lower = diastolic.get(systolic.instance)
        if lower is None or lower.number is None or systolic.number is None:
            continue
        if lower.number >= systolic.number:
            yield finding("card.blood_pressure_order", lower, f"< {systolic.plain}", str(lower.plain))


def above_zero(card: Card) -> Iterator[Finding]:
    """X8: a measure of zero is none."""
    for name in ABOVE_ZERO:
        if name in card.values:
            low = (value for value in card.all(name) if value.number is not None and value.number <= 0)
            for value in {value.path: value for value in low}.values():
                yield finding("card.not_positive", value, "> 0", str(value.plain))


def _is_height(number: float | None) -> TypeGuard[float]:
    """Something to divide by; what is no height is found by the template's range."""
    return number is not None and 1 <= number <= 10_000
