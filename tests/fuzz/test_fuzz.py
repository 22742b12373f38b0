"""What the fuzzers found stays found, and no megabyte costs more than a second or 200 MB."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutating import mutated
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS, run

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "data" / "fuzz"


def corpus() -> Iterator[tuple[str, Path]]:
    for target in TARGETS:
        yield from ((target, path) for path in sorted((CORPUS / target).glob("*")))


@pytest.mark.parametrize(("target", "path"), [pytest.param(*each, id=each[1].name) for each in corpus()])
def test_the_corpus(target: str, path: Path) -> None:
    run(target, path.read_bytes())


SMALLEST = min(seeds("json"), key=len)
CODE_LISTS = list(seeds("codes"))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_mutated_documents(seed: int) -> None:
    made = mutated(SMALLEST, random.Random(seed))
    if made is not None:
        run("json", made)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(CODE_LISTS))
def test_mutated_code_lists(seed: int, code_list: bytes) -> None:
    made = mutated(code_list, random.Random(seed))
    if made is not None:
        run("codes", made)


@pytest.mark.slow
def test_a_megabyte_is_judged_within_a_second_and_200_megabytes() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.heavy"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    cost = orjson.loads(said)
    assert {name: seconds for name, seconds in cost["seconds"].items() if seconds > 1} == {}
    assert cost["megabytes"] < 200
