"""Microseconds that it takes to validate a composition, beside parsing it and beside other ways.

``python -m bench.validation`` measures in one process, each figure the CPU time in the best of several
rounds: the compiled validator, the interpreter that it must agree with, reading the JSON alone, and
jsonschema with the JSON Schema of the template. Public compositions are measured too where they lie
beside this checkout. ``--profile NAME`` shows instead where the time of the compiled form goes.
"""

from __future__ import annotations

import argparse
import cProfile
import importlib
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import orjson
from rich.console import Console
from rich.table import Table

from bench.visits import TEMPLATE, visits
from templates.json_schema import json_schema
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.repository import library_templates
from tests.shared_data import SHARED
from validators.card import validate_card
from validators.compiled import Validator
from validators.composition import validate_composition

PUBLIC = {
    "vital signs": ("v", "vital_signs"),
    "pregnancy status": ("p", "pregnancy_status"),
    "IPS": ("i", "ips"),
}
ROUNDS = 7
LEAST_SECONDS = 0.02  # a round, so that the clock does not matter
COLUMNS = (
    "composition", "bytes", "parse", "compiled", "interpreter", "times faster",
    "first time", "jsonschema", "card rules",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A composition with its template."""

    name: str
    opt: OperationalTemplate
    body: bytes


def main() -> None:
    """Read the arguments, measure and show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", metavar="NAME", help="profile the compiled form on one composition")
    arguments = parser.parse_args()
    console = Console()
    if arguments.profile:
        _profile(next(case for case in _cases() if case.name == arguments.profile))
        return
    table = Table(*COLUMNS, title="microseconds per composition")
    for case in _cases():
        table.add_row(case.name, f"{len(case.body):,}", *(f"{figure:,.1f}" for figure in _figures(case)))
    console.print(table)


def _cases() -> Iterator[Case]:
    yield Case("follow-up visit", library_templates()[TEMPLATE], next(visits(1, 1)).body)
    folder = SHARED / "bench"
    if not folder.is_dir():
        return
    sys.path.insert(0, str(folder))
    driver = importlib.import_module("cdrbench")
    for name, (kind, file) in PUBLIC.items():
        body = driver.body_for("helsekort", kind, 1)
        opt = read_opt((folder / "data" / f"{file}.opt").read_bytes(), file)
        yield Case(name, opt, body if isinstance(body, bytes) else body.encode())


def _figures(case: Case) -> Iterator[float]:
    data = orjson.loads(case.body)
    validator = Validator(case.opt)
    started = time.process_time()
    found = validator(data)
    first = (time.process_time() - started) * 1e6
    if found != validate_composition(case.opt, data) or validator.recognise(data) is None:
        raise SystemExit(f"{case.name}: the compiled form and the interpreter do not agree")
    schema = jsonschema.Draft202012Validator(json_schema(case.opt))
    compiled = _best(lambda: validator(data))
    interpreter = _best(lambda: validate_composition(case.opt, data))
    yield from (_best(lambda: orjson.loads(case.body)), compiled, interpreter, interpreter / compiled, first)
    yield _best(lambda: schema.is_valid(data))
    yield _best(lambda: validate_card(case.opt, data))


def _best(run: Callable[[], Any]) -> float:
    """Microseconds of one run, in the best round."""
    started = time.process_time()
    run()
    count = max(1, int(LEAST_SECONDS / max(time.process_time() - started, 1e-7)))
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(count):
            run()
        rounds.append((time.process_time() - started) / count)
    return min(rounds) * 1e6


def _profile(case: Case) -> None:
    data = orjson.loads(case.body)
    validator = Validator(case.opt)
    validator(data)
    with cProfile.Profile() as profile:
        for _ in range(200):
            validator(data)
    pstats.Stats(profile).sort_stats("tottime").print_stats(20)


if __name__ == "__main__":
    main()
