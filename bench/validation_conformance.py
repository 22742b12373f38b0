"""Writes docs/validation-conformance.md: rows passed of openEHR's conformance schedule, and every exception.

``python -m bench.validation_conformance`` needs the schedule beside this checkout, as the tests do.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.validators.conformance import errors, exceptions, schedule_rows
from tests.validators.test_composition_corpus import MILDER, STRICTER, XML_DIFFERENCES, listed

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "validation-conformance.md"
INVARIANTS = ROOT / "tests" / "validators" / "rm_invariants.toml"
FORMS = ("canonical_json", "canonical_xml")
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
    return "\n".join([*lines, "", *_corpus(), "", *_invariants(), ""])


def _corpus() -> Iterator[str]:
    """Public compositions with another implementation's verdicts, and where ours is another."""
    json, xml = ([len(listed(v, form)) for v in ("valid", "invalid")] for form in FORMS)
    there = {
        name: "; ".join(f"`{code}`: {why}" for code, why in said.items()) for name, said in STRICTER.items()
    }
    yield "## Public compositions"
    yield ""
    yield "The public test data of EHRbase, with the verdicts of EHRbase 2.31"
    yield "(`tests/validators/test_composition_corpus.py`):"
    yield ""
    yield "| form | valid there | of these refused here | invalid there | of these valid here |"
    yield "|---|---|---|---|---|"
    yield f"| canonical JSON | {json[0]} | {len(STRICTER)} | {json[1]} | {len(MILDER)} |"
    refused = [name for name in XML_DIFFERENCES if name in listed("valid", "canonical_xml")]
    yield f"| canonical XML | {xml[0]} | {len(refused)} | {xml[1]} | {len(XML_DIFFERENCES) - len(refused)} |"
    yield ""
    yield "Files in FLAT and STRUCTURED are judged in `tests/templates/test_flat_corpus.py`."
    yield ""
    yield "| file | why our verdict is another |"
    yield "|---|---|"
    for name, why in [*there.items(), *MILDER.items(), *XML_DIFFERENCES.items()]:
        yield f"| {name} | {why} |"


def _invariants() -> Iterator[str]:
    """The table of RM invariants, from the file that the tests compare with the specification."""
    table = tomllib.loads(INVARIANTS.read_text(encoding="utf-8"))
    reasons = table.pop("reasons")
    with_rule = sum(not answer.startswith("(") for rules in table.values() for answer in rules.values())
    count = sum(map(len, table.values()))
    yield "## Invariants of the reference model"
    yield ""
    without = count - with_rule
    yield f"RM 1.1.0 states {count} invariants; {with_rule} have a rule, {without} a reason why not."
    yield "A test compares the list with the specification (`tests/validators/test_rm_invariants.py`)."
    yield ""
    yield "| class | invariant | finding, or why there is none |"
    yield "|---|---|---|"
    for class_name, rules in table.items():
        for name, answer in rules.items():
            said = reasons[answer.strip("()")] if answer.startswith("(") else f"`{answer}`"
            yield f"| {class_name} | {name} | {said} |"


if __name__ == "__main__":
    main()
