"""openEHR's conformance schedule: each row is accepted or rejected as it says, or we say why not."""

from __future__ import annotations

import pytest

from tests.shared_data import needs_shared
from tests.validators.conformance import errors, exceptions, schedule_rows
from tests.validators.conformance_tables import Row

ROWS = schedule_rows()
EXCEPTIONS = exceptions()


@needs_shared
@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
def test_row(row: Row) -> None:
    found = errors(row)
    assert (not found) == (row.accepted != (row.id in EXCEPTIONS)), found


@needs_shared
def test_the_tables_are_read_whole() -> None:
    assert len(ROWS) >= 1370
    assert set(EXCEPTIONS) <= {row.id for row in ROWS}
    assert {row.accepted for row in ROWS} == {True, False}
