"""Dates, times and durations: what is one, and how they compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archetypes.rm.iso8601 import (
    NANOSECONDS,
    duration_days,
    duration_seconds,
    is_date,
    is_date_time,
    is_duration,
    is_time,
    parse_duration,
    parse_temporal,
    temporal_key,
)


@pytest.mark.parametrize("text", ["2024", "2024-05", "2024-05-17", "20240517", "202405", "2024-02-29"])
def test_dates(text: str) -> None:
    assert is_date(text)
    assert is_date_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-13",
        "2024-00",
        "2024-05-32",
        "2023-02-29",
        "2024-5-1",
        "0000",
        "2024-05-17T10",
        "2024-W20",
        "2024-137",
        "2024-05-17Z",
        " 2024",
        "2024\n",
        "٢٠٢٤",
        "2024-0517",
    ],
)
def test_not_dates(text: str) -> None:
    assert not is_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "10",
        "10:30",
        "10:30:15",
        "10:30:15.5",
        "10:30:15,123+02:00",
        "103015",
        "1030Z",
        "23:59:59-12:00",
        "10+01",
    ],
)
def test_times(text: str) -> None:
    assert is_time(text)


@pytest.mark.parametrize(
    "text",
    ["", "24:00", "24:00:00", "10:60", "10:30:60", "10:30.5", "1:30", "T10:30", "10:3015", "10:30+15:00"],
)
def test_not_times(text: str) -> None:
    assert not is_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-17T10",
        "2024-05-17T10:30",
        "2024-05-17T10:30:15Z",
        "20240517T103015.5+0200",
        "2024-05-17T10:30:15,5+02",
    ],
)
def test_date_times(text: str) -> None:
    assert is_date_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05T10:30",
        "2024-05-17 10:30",
        "2024-05-17T",
        "2024-05-17T24:00",
        "20240517T10:30",
        "2024-05-17T1030",
        "2024-05-17T10:30:15+25:00",
        "2024-05-17t10:30",
        "1" * 5000,
    ],
)
def test_not_date_times(text: str) -> None:
    assert not is_date_time(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("P1D", 1),
        ("P2W", 14),
        ("P1W3D", 10),
        ("PT36H", 1.5),
        ("-P1D", -1),
        ("P1Y", 365.24),
        ("P1M", 30.42),
        ("PT0.5S", 0.5 / 86400),
        ("PT0,5S", 0.5 / 86400),
        ("P0D", 0),
    ],
)
def test_durations(text: str, days: float) -> None:
    assert is_duration(text)
    assert duration_days(text) == pytest.approx(days)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1D", "P1.5D", "P1H", "PT1D", "P1D1W", "+P1D", "P-1D", "p1d"]
)
def test_not_durations(text: str) -> None:
    assert not is_duration(text)
    assert duration_seconds(text) is None


def test_fields_of_a_duration_tell_absent_from_zero() -> None:
    parts = parse_duration("P0YT5M")
    assert parts is not None
    assert (parts.years, parts.months, parts.minutes) == (0, None, 5)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("2024-05-17T10:30:00+02:00", "2024-05-17T10:30:00Z"),
        ("2024-05", "2024-05-02"),
        ("2024-05-17", "2024-05-17T00:00:01"),
        ("2024-05-17T10:30:15.1234", "2024-05-17T10:30:15.12341"),
        ("1986-01-01", "20240517"),
    ],
)
def test_order_of_keys(smaller: str, larger: str) -> None:
    left, right = temporal_key(smaller), temporal_key(larger)
    assert left is not None and right is not None
    assert left < right


def test_equal_instants_have_equal_keys() -> None:
    assert temporal_key("2024-05-17T10:30+02:00") == temporal_key("20240517T083000Z")
    assert temporal_key("2024-05-17T10:30", default_offset=120) == temporal_key("2024-05-17T08:30Z")
    assert temporal_key("10:30+02:00", "TIME") == temporal_key("08:30Z", "TIME")
    assert temporal_key("soon") is None


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001  zone is added below
    st.integers(-12 * 60, 14 * 60),
)
def test_keys_agree_with_the_standard_library(moment: datetime, offset: int) -> None:
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    span = moment - datetime(1, 1, 1, tzinfo=UTC)
    expected = (span // timedelta(microseconds=1)) * 1000 + 86_400 * NANOSECONDS  # ordinals count from 1
    assert temporal_key(moment.isoformat()) == expected


@given(st.text(), st.sampled_from(["DATE", "TIME", "DATE_TIME"]))
def test_any_text_is_judged(text: str, kind: str) -> None:
    parse_temporal(text, kind)
    parse_duration(text)
