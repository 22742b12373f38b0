"""Rows as CSV and NDJSON, and the plan of a query."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from tests.api.answers import assert_error
from tests.api.test_query_routes import PLACE
from tests.api.visits import BASE, store_visit

TEXT = (
    """SELECT 'a,"b' AS quoted, '' AS empty, NULL AS nothing, c/name AS name, 1.5 AS n """
    "FROM EHR e CONTAINS COMPOSITION c"
)


def test_csv(client: TestClient, ehr_id: str) -> None:
    store_visit(client, ehr_id)
    answer = client.get(PLACE, params={"q": TEXT, "ehr_id": ehr_id}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    head, row = list(csv.reader(answer.text.splitlines()))
    assert head == ["quoted", "empty", "nothing", "name", "n"]
    assert row[:3] + row[4:] == ['a,"b', "", "", "1.5"]
    assert json.loads(row[3])["_type"] in ("DV_TEXT", "DV_CODED_TEXT")
    assert ',"",,' in answer.text


def test_ndjson(client: TestClient, ehr_id: str) -> None:
    for _ in range(30):
        store_visit(client, ehr_id)
    answer = client.post(
        PLACE,
        json={"q": TEXT, "query_parameters": {}, "fetch": 25},
        headers={"Accept": "application/x-ndjson", "openehr-ehr-id": ehr_id},
    )
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert len(rows) == 25
    assert rows[0]["nothing"] is None
    assert rows[0]["n"] == 1.5


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("application/vnd.apache.arrow.stream", lambda content: pyarrow.ipc.open_stream(content).read_all()),
        (
            "application/vnd.apache.parquet",
            lambda content: pyarrow.parquet.read_table(pyarrow.BufferReader(content)),
        ),
    ],
)
def test_columns_with_their_types(
    client: TestClient, ehr_id: str, form: str, read: Callable[[bytes], Any]
) -> None:
    for _ in range(30):
        store_visit(client, ehr_id)
    text = (
        "SELECT c/uid/value AS uid, c/context/start_time/value AS at, c/name AS name, NULL AS nothing, "
        "1.5 AS n, o/data/events/data/items[at0004]/value/magnitude AS systolic, LENGTH(c/uid/value) AS long "
        "FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"
    )
    answer = client.get(PLACE, params={"q": text, "ehr_id": ehr_id}, headers={"Accept": form})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == form
    found = read(answer.content)
    assert {field.name: str(field.type) for field in found.schema} == {
        "uid": "string",
        "at": "string",
        "name": "string",
        "nothing": "string",
        "n": "double",
        "systolic": "double",
        "long": "int64",
    }
    rows = client.get(PLACE, params={"q": text, "ehr_id": ehr_id}).json()["rows"]
    expected = sorted([*row[:2], json.loads(json.dumps(row[2])), *row[3:]] for row in rows)
    shown = [{**row, "name": json.loads(row["name"])} for row in found.to_pylist()]
    assert sorted([list(row.values()) for row in shown], key=lambda row: row[0]) == expected


def test_the_form_may_stand_in_the_address(client: TestClient, ehr_id: str) -> None:
    store_visit(client, ehr_id)
    answer = client.get(PLACE, params={"q": TEXT, "ehr_id": ehr_id, "format": "parquet"})
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.content[:4] == answer.content[-4:] == b"PAR1"
    assert_error(client.get(PLACE, params={"q": TEXT, "format": "xlsx"}), 400, "parameter.malformed")


def test_other_forms_are_refused_by_name(client: TestClient) -> None:
    answer = client.get(PLACE, params={"q": TEXT}, headers={"Accept": "application/pdf"})
    assert answer.status_code == 406
    assert "application/pdf" in answer.text


def test_errors_come_before_the_first_row(client: TestClient) -> None:
    assert_error(client.get(PLACE, params={"q": "SELECT"}, headers={"Accept": "text/csv"}), 400, "aql.syntax")


def test_explain_names_the_index(client: TestClient, ehr_id: str) -> None:
    store_visit(client, ehr_id)
    pressure = "OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"
    text = f"SELECT COUNT(o) FROM EHR e CONTAINS COMPOSITION c CONTAINS {pressure}"
    found = client.post(f"{BASE}/query/explain", json={"q": text}).json()
    assert found["reading"]["collection"] == "versions"
    assert set(found["reading"]["indexes"]) & {"archetype_time", "archetype_ehr"}
    assert found["reading"]["found"] >= 1
    assert "contains openEHR-EHR-OBSERVATION.blood_pressure.v2" in found["plan"]
    one = client.post(f"{BASE}/query/explain", json={"q": text}, headers={"openehr-ehr-id": ehr_id}).json()
    assert one["reading"]["found"] == 1
    assert ehr_id in one["plan"]


def test_explain_measures_what_it_estimates(client: TestClient, ehr_id: str) -> None:
    for _ in range(3):
        store_visit(client, ehr_id)
    pressure = "OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"
    asked = {"q": f"SELECT o/uid FROM EHR e CONTAINS COMPOSITION c CONTAINS {pressure}", "measure": True}
    all_of_them = client.post(f"{BASE}/query/explain", json=asked).json()
    reading = all_of_them["reading"]
    assert reading["estimated"] == reading["found"] <= reading["stored"]  # the sample holds everything here
    assert all_of_them["rows"] == len(client.post(PLACE, json={"q": asked["q"]}).json()["rows"])
    assert all_of_them["milliseconds"] > 0
    one = client.post(f"{BASE}/query/explain", json=asked, headers={"openehr-ehr-id": ehr_id}).json()
    assert one["rows"] == one["reading"]["found"] == 3
    assert "rows" not in client.post(f"{BASE}/query/explain", json={"q": asked["q"]}).json()
    wrong = client.post(f"{BASE}/query/explain", json={**asked, "measure": 1})
    assert_error(wrong, 400, "query.malformed")


def test_explain_refuses_what_the_query_refuses(client: TestClient) -> None:
    text = "SELECT f FROM EHR e CONTAINS VERSIONED_FOLDER f"
    assert client.post(f"{BASE}/query/explain", json={"q": text}).status_code == 501


def test_warnings_come_with_the_rows_and_without(client: TestClient, ehr_id: str) -> None:
    text = "SELECT o FROM EHR e CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_presure.v2]"
    norwegian = {"Accept-Language": "nb"}
    answer = client.post(PLACE, json={"q": text}, headers=norwegian).json()
    (warning,) = answer["meta"]["_warnings"]
    assert (warning["code"], warning["line"], warning["column"]) == ("aql.check.archetype_unknown", 1, 30)
    assert warning["message"].startswith("Ingen mal har arketypen")
    checked = client.post(f"{BASE}/query/check", json={"q": text}, headers=norwegian).json()
    explained = client.post(f"{BASE}/query/explain", json={"q": text}, headers=norwegian).json()
    assert checked["warnings"] == explained["warnings"] == [warning]
    assert "_warnings" not in client.post(PLACE, json={"q": TEXT, "fetch": 1}).json()["meta"]
    assert_error(client.post(f"{BASE}/query/check", json={"q": "SELECT"}), 400, "aql.syntax")


def test_completion_at_the_cursor(client: TestClient) -> None:
    begun = {"q": "SELECT o/da FROM EHR e CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"}
    found = client.post(f"{BASE}/query/complete", json={**begun, "position": 11}).json()
    assert found == {"completions": [{"text": "data[at0001]", "kind": "path", "start": 9, "label": ""}]}
