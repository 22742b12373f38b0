"""The conformance table is what the server answers, and each difference has a reason."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from bench.conformance import DOCUMENT, conformance_rows, document

pytestmark = pytest.mark.slow


def test_the_table_is_true_and_every_difference_has_a_reason(client: TestClient) -> None:
    rows = conformance_rows(client)
    assert [row for row in rows if row.verdict == "FAULT"] == []
    assert document(rows) == DOCUMENT.read_text("utf-8"), "run python -m bench.conformance"
