"""The verdict of the validator on every row of the conformance schedule, and the exceptions that we name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from archetypes.findings import Finding, Severity
from tests.shared_data import SHARED
from tests.validators.conformance_cases import instance
from tests.validators.conformance_tables import Row, rows_of
from validators.composition import validate_composition

SCHEDULE = SHARED / "spec" / "cnf" / "platform_test_schedule"
_EXCEPTIONS = Path(__file__).with_name("conformance_exceptions.toml")


def schedule_rows() -> list[Row]:
    """All rows, or none where the schedule is absent."""
    return rows_of(SCHEDULE) if SCHEDULE.is_dir() else []


def exceptions() -> Mapping[str, str]:
    """Reason by row id."""
    entries = tomllib.loads(_EXCEPTIONS.read_text(encoding="utf-8"))["exception"]
    return {row: entry["reason"] for entry in entries for row in entry["rows"]}


def errors(row: Row) -> list[Finding]:
    """The errors that the validator finds in the row's instance."""
    opt, data = instance(row)
    return [finding for finding in validate_composition(opt, data) if finding.severity is Severity.ERROR]
