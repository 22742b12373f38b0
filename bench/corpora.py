"""Public archetypes, templates and compositions: how many we read, write back, compile and find valid.

``python -m bench.corpora`` writes docs/corpora.md; every file that fails a step is named there with the
reason. Reasons that no tool can know lie in ``bench/corpora_reasons.toml``, by file name pattern. The
exit status is 1 if a file fails without a reason.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bench.corpus_steps import STEPS, Corpus, Failure, Outcome, judged_by

TESTDATA = Path(__file__).resolve().parents[2] / "shared" / "testdata"
REASONS = Path(__file__).with_name("corpora_reasons.toml")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "corpora.md"

# Folder below the test data (a pattern), file suffix, and how such files are judged.
CORPORA = (
    ("ADL 1.4, international", "archetypes/adl14/int", ".adl", "adl"),
    ("ADL 1.4, Norwegian", "archetypes/adl14/no-library", ".adl", "adl"),
    ("ADL 2", "archetypes/adl2", ".adls", "adl2"),
    ("OET, international", "templates/oet_international", ".oet", "oet"),
    ("OET, Norwegian", "templates/oet_norwegian", ".oet", "oet"),
    ("OPT 1.4, templates", "templates/opt", ".opt", "opt"),
    ("OPT 1.4, compositions", "compositions/*/opt", ".opt", "opt"),
    ("canonical JSON", "compositions/*/canonical_json", ".json", "json"),
    ("canonical XML", "compositions/*/canonical_xml", ".xml", "xml"),
    ("FLAT", "compositions/*/flat", ".json", "flat"),
    ("STRUCTURED", "compositions/*/structured", ".json", "structured"),
)


@dataclass(slots=True)
class Row:
    """One corpus: how many files took each step; None where the step does not apply."""

    title: str
    files: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, Failure]] = field(default_factory=list)


def judge(testdata: Path, corpora: Iterable[tuple[str, str, str, str]] = CORPORA) -> list[Row]:
    """All corpora, file by file."""
    return [_judge_one(testdata, *corpus) for corpus in corpora]


def _judge_one(testdata: Path, title: str, folder: str, suffix: str, kind: str) -> Row:
    row = Row(title)
    steps, judge_file = judged_by(kind, Corpus(testdata))
    row.taken = dict.fromkeys(steps, 0)
    for path in _files(testdata, folder, suffix):
        row.files += 1
        outcome: Outcome = judge_file(path)
        for step in outcome.taken:
            row.taken[step] += 1
        name = path.relative_to(testdata).as_posix()
        row.failures.extend((name, failure) for failure in outcome.failures)
    print(f"{title}: {row.files} files", file=sys.stderr)
    return row


def _files(testdata: Path, folder: str, suffix: str) -> list[Path]:
    return sorted(path for place in testdata.glob(folder) for path in place.rglob(f"*{suffix}"))


# --- reasons ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the files of a pattern fail a step; ``code`` empty: whatever the finding."""

    files: str
    step: str
    code: str
    why: str

    def explains(self, name: str, failure: Failure) -> bool:
        """True if this is the reason of the failure."""
        same_step = self.step in ("", failure.step)
        return same_step and self.code in ("", failure.code) and fnmatch(name, self.files)


def read_reasons(path: Path = REASONS) -> tuple[Reason, ...]:
    """The written reasons, the first that fits counts."""
    raw: dict[str, list[dict[str, Any]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Reason(r.get("files", "*"), r.get("step", ""), r.get("code", ""), r["why"]) for r in raw["reason"]
    )


# --- page ---------------------------------------------------------------------------------------------

_HEAD = """# Public corpora

Made by `python -m bench.corpora`; do not edit by hand.

What each step means:

- **read**: parsed without an error.
- **round trip**: written (or printed) and read again: equal.
- **flattened**: ADL 2: laid over its parents, and the flat form written and read again: equal.
- **compiled**: OET: an operational template was made; OPT: web template and JSON Schema were made.
- **valid**: no finding of severity error, of the validator of archetypes, templates or compositions.
- **example**: the minimal and the full example of the template are valid, and equal after FLAT and back.

"""


def page(rows: Iterable[Row], reasons: Iterable[Reason]) -> tuple[str, int]:
    """The page, and how many failures have no reason."""
    rows, reasons = list(rows), list(reasons)
    lines = [_HEAD, f"| corpus | files | {' | '.join(STEPS)} |\n|---|---|{'---|' * len(STEPS)}\n"]
    for row in rows:
        cells = (str(row.taken[step]) if step in row.taken else "–" for step in STEPS)
        lines.append(f"| {row.title} | {row.files} | {' | '.join(cells)} |\n")
    unexplained = 0
    for row in rows:
        if row.failures:
            lines.append(f"\n## {row.title}\n\n")
            table, missing = _failures(row, reasons)
            lines.extend(table)
            unexplained += missing
    return "".join(lines), unexplained


def _failures(row: Row, reasons: list[Reason]) -> tuple[list[str], int]:
    """Failures with one reason stand together."""
    grouped: dict[tuple[str, str], list[str]] = {}
    missing = 0
    for name, failure in row.failures:
        reason = next((r.why for r in reasons if r.explains(name, failure)), None)
        missing += reason is None
        entry = f"`{name}`: {failure.text}" if failure.text else f"`{name}`"
        grouped.setdefault((failure.step, reason or "**no reason is known**"), []).append(entry)
    lines = []
    for (step, why), names in grouped.items():
        lines.append(f"Not {step} ({len(names)}): {why}\n\n")
        lines.extend(f"- {name}\n" for name in names)
        lines.append("\n")
    return lines, missing


def main(arguments: Iterable[str] | None = None) -> int:
    """Judge the corpora and write the page; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--testdata", type=Path, default=TESTDATA, help="folder with the corpora")
    parser.add_argument("--out", type=Path, default=PAGE, help="page to write")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not options.testdata.is_dir():
        parser.error(f"there is no folder {options.testdata}")
    text, unexplained = page(judge(options.testdata), read_reasons())
    options.out.write_text(text, encoding="utf-8")
    print(f"{options.out}: {unexplained} failures without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
