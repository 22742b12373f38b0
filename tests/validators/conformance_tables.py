"""Reads the accepted/rejected tables of openEHR's conformance schedule (AsciiDoc) where they lie.

A row becomes a mapping of column to text. The sources are written by hand and not quite regular: some
headers stand outside their table, some cells are wrapped, one verdict is misspelt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

VERDICTS = {"accepted": True, "rejected": False, "reejcted": False}
_CASE = re.compile(r"=+ Test Case (CONT-\S+)")
_DATA_SET = re.compile(r"===== Data set (.*)")
_TYPE = re.compile(r"==+\s+((?:DV_|COMPOSITION|OBSERVATION|HISTORY|EVENT|ITEM_STRUCTURE)\S*)")


@dataclass(frozen=True)
class Row:
    """One row: an instance, its constraint, and whether it is accepted; ``number`` counts in the case."""

    rm_type: str
    case: str
    number: int
    cells: Mapping[str, str]
    accepted: bool

    @property
    def id(self) -> str:
        return f"{self.case}:{self.number}"


@dataclass(frozen=True)
class _Table:
    rm_type: str
    case: str
    data_set: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def rows_of(folder: Path) -> list[Row]:
    """All rows of the chapters on content, in order."""
    tables = [table for path in sorted(folder.glob("master1[567]*.adoc")) for table in _tables(path)]
    numbers: Counter[str] = Counter()
    rows = []
    for rm_type, case, cells in _instances(tables):
        numbers[case] += 1
        accepted = VERDICTS[cells["expected"]]
        rows.append(Row(rm_type, case, numbers[case], cells, accepted))
    return rows


def _instances(tables: list[_Table]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Intervals of proportions spread one instance over three tables: lower, upper, verdict."""
    bounds: list[dict[str, str]] = []
    for table in tables:
        for row in table.rows:
            cells = dict(zip(table.header, row, strict=False))
            if table.data_set and "expected" not in cells:
                bounds.append(cells)
            elif table.data_set:
                lower, upper = bounds
                joined = {f"lower.{name}": text for name, text in lower.items()}
                joined |= {f"upper.{name}": text for name, text in upper.items()}
                bounds = []
                yield table.rm_type, table.case, joined | cells
            elif cells.get("expected"):
                yield table.rm_type, table.case, cells


def _tables(path: Path) -> Iterator[_Table]:
    rm_type = case = data_set = ""
    inside = False
    width: int | None = None
    carried: tuple[str, ...] = ()
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() == "|===":
            if inside:
                header, rows = _cells(lines, width, carried)
                carried = () if rows else header
                yield _Table(rm_type, case, data_set, header, tuple(rows))
                width = None
            inside, lines = not inside, []
        elif inside:
            lines.append(line)
        elif line.startswith("|"):
            carried = _header(_split(line))
        elif match := re.match(r'\[cols="([^"]*)"', line):
            width = len(match[1].split(","))
        elif match := _CASE.match(line):
            case, data_set = match[1], ""
        elif match := _DATA_SET.match(line):
            data_set = match[1]
        elif match := _TYPE.match(line):
            rm_type = match[1]


def _cells(
    lines: list[str], width: int | None, carried: tuple[str, ...]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    written = [line for line in lines if line.strip()]
    if carried and re.match(r"\|\s*\d", written[0]):
        return carried, [tuple(_split(line)) for line in written]
    header, rest = _read_header(written, width)
    rows: list[tuple[str, ...]] = []
    for line in rest:
        cells = tuple(_split(line))
        wrapped = bool(rows) and len(rows[-1]) + len(cells) <= len(header) and not set(cells) & set(VERDICTS)
        if wrapped:
            rows[-1] += cells
        elif line.startswith("|"):
            rows.append(cells)
    return header, rows


def _read_header(lines: list[str], width: int | None) -> tuple[tuple[str, ...], list[str]]:
    """The first ``width`` cells, over as many lines as they take; without a width, the first line."""
    text, used = lines[0], 1
    while used < len(lines) and (
        not lines[used].startswith("|") or (width is not None and len(_split(text)) < width)
    ):
        text += f" {lines[used].strip()}"
        used += 1
    return _header(_split(text)), lines[used:]


def _header(cells: list[str]) -> tuple[str, ...]:
    names = (
        re.sub(r"\s+", " ", cell.replace(" +", "")).replace("_ ", "_").replace(". ", ".") for cell in cells
    )
    return tuple(name.replace("val.(", "validity (").replace("_val.", "_validity").strip() for name in names)


def _split(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip())[1:]
    return [cell.replace("\\|", "|").strip() for cell in cells]
