"""Version ids and canonical forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.errors import BranchNotSupported, MalformedVersionId
from cdr.versions import ObjectVersionId, iso, next_commit_time

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.uuids(), st.integers(1, 10**8), st.none() | st.tuples(st.integers(1, 99), st.integers(1, 99)))
def test_version_ids_print_as_they_read(
    object_id: object, trunk: int, branch: tuple[int, int] | None
) -> None:
    uid = ObjectVersionId(str(object_id), "no.helsekort.cdr", trunk, branch)
    assert ObjectVersionId.parse(str(uid)) == uid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a::b",
        "a::b::0",
        "a::b::01",
        "a::b::1.1",
        "a::b::1.0.1",
        "a::b::x",
        "a::b::1::2",
        "::b::1",
        "a b::c::1",
    ],
)
def test_what_is_no_version_id(text: str) -> None:
    with pytest.raises(MalformedVersionId):
        ObjectVersionId.parse(text)


def test_branches_are_read_but_not_written() -> None:
    assert ObjectVersionId.parse("a::b::2.1.3").branch == (1, 3)
    with pytest.raises(BranchNotSupported):
        ObjectVersionId.parse_trunk("a::b::2.1.3")


def test_a_commit_is_later_than_the_one_before() -> None:
    assert next_commit_time(NOON + timedelta(microseconds=1999), None) == NOON + timedelta(milliseconds=1)
    assert next_commit_time(NOON, NOON + timedelta(hours=1)) == NOON + timedelta(hours=1, milliseconds=1)
    assert next_commit_time(NOON, NOON) == NOON + timedelta(milliseconds=1)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert iso(NOON) == "2026-03-01T12:00:00.000Z"
