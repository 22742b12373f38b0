"""Microseconds that it takes to validate a composition, beside parsing it and beside other ways.

``python -m bench.validation`` measures in one process, each figure the CPU time a composition in the best of
several rounds over different compositions of one template, of which the validator has learned from the
first only: the compiled validator, with the rules of the card too, the interpreter that it must agree with,
reading the JSON alone, and with the template's JSON Schema jsonschema, fastjsonschema (compiled to Python)
and jsonschema-rs (compiled to native code). Other machines differ: compare the ratios to parsing.

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

import fastjsonschema
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
ROUNDS = 25
LEAST_SECONDS = 0.01  # a round, so that the clock does not matter
SAMPLES = 5
COLUMNS = (
    "composition", "bytes", "parse", "compiled", "to parse", "with card rules", "to parse", "interpreter",
    "times faster", "first time", "jsonschema", "fastjsonschema", "jsonschema-rs",
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
    bodies = {id(data): body for data, body in zip(documents, case.bodies, strict=True)}
    validator = Validator(case.opt)
    started = time.process_time()
    validator(documents[0])
    first = (time.process_time() - started) * 1e6
    for data in documents:
        if validator(data) != validate_composition(case.opt, data) or validator.recognise(data) is None:
            raise SystemExit(f"{case.name}: the compiled form and the interpreter do not agree")
    accepting = [
        accepts if all(map(accepts, documents)) else None
        for accepts in _schema_validators(json_schema(case.opt))
    ]
    parse, compiled, everything, interpreter, *schemas = _best(
        documents,
        lambda data: orjson.loads(bodies[id(data)]),
        validator,
        lambda data: validate_document(case.opt, data),
        lambda data: validate_composition(case.opt, data),
        *filter(None, accepting),
    )
    yield from (parse, compiled, compiled / parse, everything, everything / parse)
    yield from (interpreter, interpreter / compiled, first)
    for accepts in accepting:
        yield None if accepts is None else schemas.pop(0)


def _schema_validators(schema: dict[str, Any]) -> Iterator[Callable[[Any], bool]]:
    """jsonschema, fastjsonschema (of draft 7, which may refuse valid data) and jsonschema-rs."""
    yield jsonschema.Draft202012Validator(schema).is_valid
    fast = fastjsonschema.compile(schema)

    def accepts(data: Any) -> bool:
        try:
            return fast(data) is not None
        except fastjsonschema.JsonSchemaValueException:
            return False

    yield accepts
    yield jsonschema_rs.Draft202012Validator(schema).is_valid


def _best(values: Sequence[Any], *runs: Callable[[Any], Any]) -> list[float]:
    """Microseconds of each run, in its best round over all values; rounds alternate, so that all see the same
    neighbours.
    """
    counts = [max(1, int(LEAST_SECONDS / max(_round(run, values, 1), 1e-7))) for run in runs]
    rounds = [
        [_round(run, values, count) for run, count in zip(runs, counts, strict=True)] for _ in range(ROUNDS)
    ]
    return [min(times) / len(values) * 1e6 for times in zip(*rounds, strict=True)]


def _round(run: Callable[[Any], Any], values: Sequence[Any], count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        for value in values:
            run(value)
    return (time.process_time() - started) / count


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
