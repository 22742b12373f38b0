"""Microseconds that it takes to validate a composition, beside parsing it and beside other ways.

``python -m bench.validation`` measures in one process, each figure the CPU time a composition in the best of
several rounds over different compositions of one template, of which the validator has learned from the
first only: reading the JSON alone, the compiled validator, all rules (those of the card too), the interpreter
that the compiled form must agree with, and with the template's JSON Schema jsonschema and jsonschema-rs
(compiled to native code). As in a request each composition has just been parsed when it is judged; the
parsing is not counted. Machines differ: compare the ratios to parsing.

Public compositions are measured where they lie beside this checkout. ``--profile NAME`` shows instead where
the time of the compiled form goes.
"""

from __future__ import annotations

import argparse
import cProfile
import importlib
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema
import jsonschema_rs
import orjson
from rich.console import Console
from rich.table import Table

from bench.visits import TEMPLATE, visits
from templates.json_schema import json_schema
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.repository import library_templates
from tests.shared_data import SHARED
from validators.compiled import Validator
from validators.composition import validate_composition
from validators.document import validate_document

PUBLIC = {
    "vital signs": ("v", "vital_signs"),
    "pregnancy status": ("p", "pregnancy_status"),
    "IPS": ("i", "ips"),
}
TURNS = 12
TURN_SECONDS = 0.1
SAMPLES = 5
COLUMNS = (
    "composition", "bytes", "parse", "compiled", "to parse", "all rules", "to parse", "interpreter",
    "times faster", "first time", "jsonschema", "jsonschema-rs",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """Compositions of one template."""

    name: str
    opt: OperationalTemplate
    bodies: tuple[bytes, ...]


def main() -> None:
    """Read the arguments, measure and show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", metavar="NAME", help="profile the compiled form on one composition")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 190)
    if arguments.profile:
        _profile(next(case for case in _cases() if case.name == arguments.profile))
        return
    table = Table(*COLUMNS, title="microseconds per composition")
    for case in _cases():
        table.add_row(case.name, f"{len(case.bodies[0]):,}", *map(_shown, _figures(case)))
    console.print(table)


def _shown(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:,.2f}" if figure < 10 else f"{figure:,.0f}"


def _cases() -> Iterator[Case]:
    own = tuple(visit.body for visit in visits(SAMPLES, 1))
    yield Case("follow-up visit", library_templates()[TEMPLATE], own)
    folder = SHARED / "bench"
    if not folder.is_dir():
        return
    sys.path.insert(0, str(folder))
    driver = importlib.import_module("cdrbench")
    for name, (kind, file) in PUBLIC.items():
        bodies = [driver.body_for("helsekort", kind, number) for number in range(SAMPLES)]
        opt = read_opt((folder / "data" / f"{file}.opt").read_bytes(), file)
        yield Case(name, opt, tuple(body if isinstance(body, bytes) else body.encode() for body in bodies))


def _figures(case: Case) -> Iterator[float | None]:
    documents = [orjson.loads(body) for body in case.bodies]
    validator = Validator(case.opt)
    started = time.process_time()
    validator(documents[0])
    first = (time.process_time() - started) * 1e6
    for data in documents:
        if validator(data) != validate_composition(case.opt, data) or validator.recognise(data) is None:
            raise SystemExit(f"{case.name}: the compiled form and the interpreter do not agree")
    schema = json_schema(case.opt)
    by_schema = [
        cls(schema).is_valid for cls in (jsonschema.Draft202012Validator, jsonschema_rs.Draft202012Validator)
    ]
    if not all(accepts(data) for accepts in by_schema for data in documents):
        raise SystemExit(f"{case.name}: the JSON Schema refuses what the validator accepts")
    parse, compiled, everything, interpreter, *schemas = _best(
        case.bodies,
        None,
        validator,
        lambda data: validate_document(case.opt, data),
        lambda data: validate_composition(case.opt, data),
        *by_schema,
    )
    yield from (parse, compiled, compiled / parse, everything, everything / parse)
    yield from (interpreter, interpreter / compiled, first, *schemas)


def _best(bodies: Sequence[bytes], *runs: Callable[[Any], Any] | None) -> list[float]:
    """Microseconds of each run, None being the parsing itself: the mean over all documents of the best times.

    Contenders take turns, so that all see the same neighbours; a turn is long enough to warm up in.
    """
    best = [[float("inf")] * len(bodies) for _ in runs]
    for _ in range(TURNS):
        for times, run in zip(best, runs, strict=True):
            ends = time.perf_counter() + TURN_SECONDS
            while True:
                times[:] = map(min, times, (_seconds(run, body) for body in bodies))
                if time.perf_counter() > ends:
                    break
    return [sum(times) / len(bodies) * 1e6 for times in best]


def _seconds(run: Callable[[Any], Any] | None, body: bytes) -> float:
    started = time.process_time()
    data = orjson.loads(body)
    if run is not None:
        started = time.process_time()
        run(data)
    return time.process_time() - started


def _profile(case: Case) -> None:
    data = orjson.loads(case.bodies[0])
    validator = Validator(case.opt)
    validator(data)
    with cProfile.Profile() as profile:
        for _ in range(200):
            validator(data)
    pstats.Stats(profile).sort_stats("tottime").print_stats(20)


if __name__ == "__main__":
    main()
