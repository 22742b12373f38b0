"""Times in parameters and headers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.http_errors import MalformedRequest
from api.times import http_date, version_time

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00+01:00",
        "2026-03-01T13:00:00 01:00",
        "2026-03-01t12:00z",
        "2026-03-01T07:00:00.000-05",
    ],
)
def test_times_with_a_zone(text: str) -> None:
    assert version_time(text) == NOON


def test_a_time_without_a_zone_is_the_servers() -> None:
    assert version_time("2026-03-01T12:00:00") == datetime(2026, 3, 1, 12, 0).astimezone()


def test_no_time_is_none() -> None:
    assert version_time(None) is None


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-01", "20260301T120000Z", "2026-13-01T12:00:00Z", "yesterday", "0001-01-01T00:00:00+23:00"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(MalformedRequest, match="version_at_time"):
        version_time(text)


def test_header_times() -> None:
    assert http_date(NOON) == "Sun, 01 Mar 2026 12:00:00 GMT"
