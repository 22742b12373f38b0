"""The coverage-guided fuzzer: ``python -m tests.fuzz.run json --seconds 600`` (needs the extra ``fuzz``).

Starts from the corpus in ``tests/data/fuzz`` and from example compositions, and ends with a traceback and a
file ``crash-...`` at the first exception that is none of ours, or input that takes longer than a second.
What it found belongs into the corpus, which the gate replays.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["archetypes", "templates", "validators", "cdr"]):
    from tests.fuzz.mutating import mutated
    from tests.fuzz.mutating_xml import mutated_xml
    from tests.fuzz.seeds import seeds
    from tests.fuzz.targets import TARGETS, run

Change = Callable[[bytes, random.Random], bytes | None]
MOST_SECONDS = 5.0  # instrumented code is about five times as slow
CORPUS = Path(__file__).parents[1] / "data" / "fuzz"


def _mutator(change: Change) -> Callable[[bytes, int, int], bytes]:
    """Mostly a change that keeps the document JSON or XML, else the fuzzer's own."""

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        made = change(data, chance) if chance.random() < 0.85 else None
        own: bytes = atheris.Mutate(data, longest) if made is None else b""
        return own if made is None else made[:longest]

    return mutate


def _in_time(target: str, data: bytes) -> None:
    started = time.process_time()
    run(target, data)
    spent = time.process_time() - started
    assert spent < MOST_SECONDS, f"{spent:.1f} seconds"


def main() -> None:
    """Read the arguments and fuzz."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--executions", type=int, default=-1, help="end after so many")
    parser.add_argument("--work", type=Path, help="folder where inputs with new coverage are kept")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp(prefix="helsekort-fuzz-"))
    work.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(arguments.target)):
        (work / f"seed-{number}").write_bytes(seed)
    options = [
        sys.argv[0],
        str(work),
        str(CORPUS / arguments.target),
        f"-max_total_time={arguments.seconds}",
        f"-runs={arguments.executions}",
        "-max_len=20000",
        "-rss_limit_mb=2048",
        "-timeout=300",  # of the clock on the wall; _in_time counts CPU time
        "-report_slow_units=300",
        "-print_final_stats=1",
    ]
    mutator = _mutator(mutated_xml if arguments.target == "xml" else mutated)
    atheris.Setup(options, partial(_in_time, arguments.target), custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
