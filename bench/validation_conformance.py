"""Writes docs/validation-conformance.md: rows passed of openEHR's conformance schedule, and every exception.

``python -m bench.validation_conformance`` needs the schedule beside this checkout, as the tests do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.validators.conformance import errors, exceptions, schedule_rows

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "validation-conformance.md"
INTRODUCTION = """# Conformance of the validator

openEHR's conformance schedule (CNF, platform test schedule, chapters on content) lists instances
with their constraints, and says which are accepted.
Each row is a test here (`tests/validators/test_conformance.py`): a small template and a composition
are made of it and validated.
This page is written by `python -m bench.validation_conformance`.

Times stand in the tables with ISO 8601's `T` before them; openEHR's form has none (BASE, Iso8601_time),
and the tests leave it out.
"""


def main() -> None:
    """Validate all rows and write the page; ends with an error if a row differs without a reason."""
    rows, reasons = schedule_rows(), exceptions()
    if not rows:
        raise SystemExit("the conformance schedule does not lie beside this checkout")
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    unexplained = []
    for row in rows:
        subject = _subject(row.case)
        total[subject] += 1
        if (not errors(row)) == row.accepted:
            passed[subject] += 1
        elif row.id not in reasons:
            unexplained.append(row.id)
    DOCUMENT.write_text(_page(total, passed, reasons), encoding="utf-8")
    print(f"{passed.total()} of {total.total()} rows; {len(unexplained)} without a reason {unexplained[:5]}")
    if unexplained:
        raise SystemExit(1)


def _subject(case: str) -> str:
    name = case.removeprefix("CONT-").partition("-")[0]
    long = {"COMP": "COMPOSITION", "OBS": "OBSERVATION", "HIST": "HISTORY", "ITEM_STR": "ITEM_STRUCTURE"}
    inner = name.removeprefix("DV_INTERVAL_")
    return long.get(name, name if inner == name else f"DV_INTERVAL<{inner}>")


def _page(total: Counter[str], passed: Counter[str], reasons: Mapping[str, str]) -> str:
    lines = [INTRODUCTION, "| type | rows | as the schedule says | exceptions |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {count} | {passed[name]} | {count - passed[name]} |" for name, count in total.items()
    ]
    all_rows, all_passed = total.total(), passed.total()
    lines += [f"| **all** | **{all_rows}** | **{all_passed}** | **{all_rows - all_passed}** |", ""]
    lines += ["## Exceptions", ""]
    for reason in dict.fromkeys(reasons.values()):
        ids = [row for row, its in reasons.items() if its == reason]
        lines += [f"- {reason}", *(f"    - `{row}`" for row in ids)]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
