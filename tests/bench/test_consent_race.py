"""The race of requests against withdrawals, small, and that its checker finds what is planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.consent_race import Answer, Moment, Race, Woman, faults_of, run


def a_race(*answers: Answer) -> Race:
    moments = [
        Moment(True, 0.0, 1.0),
        Moment(False, 5.0, 6.0),
        Moment(True, 9.0, 10.0),
        Moment(False, 15.0, 16.0),
    ]
    return Race([Woman("1", "ehr", moments=moments)], list(answers))


@pytest.mark.parametrize(
    ("begun", "ended", "wrong"),
    [
        (2.0, 3.0, False),
        (5.5, 6.5, False),  # asked for before the withdrawal was acknowledged
        (6.5, 8.0, True),
        (7.0, 9.5, False),  # the next consent was under way
        (17.0, 18.0, True),  # she never said yes again
    ],
)
def test_the_checker_knows_what_was_closed(begun: float, ended: float, wrong: bool) -> None:
    faults = faults_of(a_race(Answer("r1", "ehr", begun, ended)), frozenset({"r1"}))
    assert bool(faults) is wrong


def test_the_checker_misses_an_entry() -> None:
    (fault,) = faults_of(a_race(Answer("r1", "ehr", 2.0, 3.0)), frozenset({"r2"}))
    assert "no entry" in fault


@pytest.mark.slow
@pytest.mark.anyio
async def test_nothing_is_answered_while_she_has_withdrawn(tmp_path: Path) -> None:
    race, faults = await run(150, 3, 16, tmp_path)
    assert faults == []
    assert race.answers, "nothing was answered: the race shows nothing"
    assert race.refused.get("consent.missing"), "nothing was refused: the race shows nothing"
