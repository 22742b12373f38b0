"""Breaks valid compositions of every template of the library, one constraint at a time, counting answers.

``python -m bench.mutations`` takes every contact of the demo's story and an example of each template, makes
every change that ``tests/validators/mutations.py`` knows (about 43,000), and asks of each: is the expected
finding there, at its path, and every other one at or below the same parent; do interpreter and compiled form
say the same? Ends with an error where one does not hold. ``--every N`` takes each N-th change.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.demo.story import read_story
from templates.example import example_composition
from templates.operational import OperationalTemplate
from templates.repository import library_templates
from tests.validators.mutations import applied, mutations
from tests.validators.test_mutations import faults
from validators.compiled import compile_validator
from validators.composition import validate_composition


def main() -> None:
    """Read the arguments, break everything, show the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="take each N-th change only")
    every = parser.parse_args().every
    documents: Counter[str] = Counter()
    changes: Counter[str] = Counter()
    wrong: list[str] = []
    for template_id, data in track(list(_documents()), description="documents", console=Console(stderr=True)):
        documents[template_id] += 1
        judged, failures = _broken(library_templates()[template_id], data, every)
        changes[template_id] += judged
        wrong += [f"{template_id}: {failure}" for failure in failures]
    Console(width=None if sys.stdout.isatty() else 100).print(_table(documents, changes))
    print("\n".join(wrong[:20]) or "all as expected")
    if wrong:
        raise SystemExit(1)


def _documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for woman in read_story():
        for contact in woman.contacts:
            yield contact.template_id, contact.composition(library_templates())
    for template_id, opt in library_templates().items():
        yield template_id, example_composition(opt)


def _broken(opt: OperationalTemplate, data: dict[str, Any], every: int) -> tuple[int, list[str]]:
    """How many changes were judged, and what did not follow from them as it should."""
    known = {(f.code, f.path) for f in validate_composition(opt, data)}
    validator, count, failures = compile_validator(opt), 0, []
    for mutation in islice(list(mutations(opt, data)), 0, None, every):
        count += 1
        with applied(mutation, data):
            findings = validate_composition(opt, data)
            found = [(f.code, f.path) for f in findings if (f.code, f.path) not in known]
            failures += [f"{mutation}: {fault}" for fault in faults(mutation, found)]
            if validator(data) != findings:
                failures.append(f"{mutation}: the compiled form differs")
    return count, failures


def _table(documents: Counter[str], changes: Counter[str]) -> Table:
    table = Table("template", "documents", "changes", title="broken constraints")
    for template_id in sorted(documents):
        table.add_row(template_id, str(documents[template_id]), f"{changes[template_id]:,}")
    table.add_row("all", str(documents.total()), f"{changes.total():,}", style="bold")
    return table


if __name__ == "__main__":
    main()
