"""Writes docs/validation-constraints.md: every constraint kind of OPT 1.4, who checks it, and samples.

``python -m bench.constraint_kinds``. The rows are those that the tests judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from tests.validators.constraint_kinds import NOT_OPERATIONAL, SAY_NOTHING, UNKNOWN_KIND, Kind, kinds
from tests.validators.small import ABSENT

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "validation-constraints.md"
INTRODUCTION = """# Every constraint kind of OPT 1.4

Each row is a small operational template, written as OPT 1.4 and read again, with one composition that
it accepts and one that it refuses with the finding named (`tests/validators/test_constraint_kinds.py`),
by the interpreter and by the compiled form.
This page is written by `python -m bench.constraint_kinds`; a test fails if it is not current, or if the
reader of templates knows a kind that has no row.
"""
_LONGEST = 90


def main() -> None:
    """Write the page."""
    DOCUMENT.write_text(page(), encoding="utf-8")
    print(f"{sum(1 for _ in kinds())} rows in {DOCUMENT.name}")


def page() -> str:
    """The page as it should be."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield "| kind | what | checked in | accepted | refused | finding |"
    yield "|---|---|---|---|---|---|"
    yield from map(_row, kinds())
    yield ""
    yield "Lower bounds (existence, occurrences, cardinality) are not asked of a draft (lifecycle 553)."
    yield "Of several alternatives the findings of the one that fits best are told."
    yield ""
    yield "## Refused when a template is read"
    yield ""
    yield "| kind | why it has no place in a template | finding |"
    yield "|---|---|---|"
    yield from (f"| {kind} | {why} | `{UNKNOWN_KIND}` |" for kind, why in NOT_OPERATIONAL.items())
    yield ""
    yield "## What no data can break"
    yield ""
    yield "| part | why |"
    yield "|---|---|"
    yield from (f"| {part} | {why} |" for part, why in SAY_NOTHING.items())
    yield ""


def _row(kind: Kind) -> str:
    where = kind.checked_by.__module__.removeprefix("validators.")
    refused = "–" if kind.refused is None else _sample(kind.refused)
    code = f"`{kind.code}`" if kind.code else "–"
    checked = f"`{where}.{kind.checked_by.__name__}`"
    return f"| {kind.kind} | {kind.part} | {checked} | {_sample(kind.accepted)} | {refused} | {code} |"


def _sample(value: Any) -> str:
    """The part that matters, as JSON; what differs is at the end of neither."""
    if value is ABSENT:
        return "absent"
    written = orjson.dumps(_short(value)).decode().replace("|", "\\|")
    return f"`{written if len(written) <= _LONGEST else written[:_LONGEST] + ' …'}`"


def _short(value: Any) -> Any:
    """Nodes by their id and class, values without what only repeats their class."""
    if isinstance(value, list):
        return [_short(member) for member in value]
    if not isinstance(value, dict):
        return value
    if "archetype_node_id" in value:
        return f"{value['_type']}[{value['archetype_node_id']}]"
    if "code_string" in value:
        return f"{value['terminology_id']['value']}::{value['code_string']}"
    return {name: _short(member) for name, member in value.items() if name != "_type" or len(value) < 4}


if __name__ == "__main__":
    main()
