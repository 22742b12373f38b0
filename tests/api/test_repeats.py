"""Requests that are sent again with one key, over HTTP and over deaths of the server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from templates.opt import write_opt
from tests.api.answers import assert_error, uid_in
from tests.api.visits import BASE, visit
from tests.cdr.small_template import small_template, status
from tests.cdr.updates import contribution, folder, update


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/ehr", status("repeated"), status("other")),
        ("/ehr/{ehr_id}/composition", visit(), visit(120)),
        ("/ehr/{ehr_id}/directory", folder(), folder("other")),
        (
            "/ehr/{ehr_id}/contribution",
            contribution(update("249", visit())),
            contribution(update("249", visit(120))),
        ),
    ],
)
def test_every_creation(client: TestClient, ehr_id: str, path: str, body: Any, other: Any) -> None:
    address = BASE + path.replace("{ehr_id}", ehr_id)
    headers = {"Idempotency-Key": f"key {path} {ehr_id}", "Prefer": "return=representation"}
    first = client.post(address, json=body, headers=headers)
    again = client.post(address, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["ETag"]) == (first.content, first.headers["ETag"])
    assert again.headers["Location"] == first.headers["Location"]
    assert_error(client.post(address, json=other, headers=headers), 422, "idempotency.other_request")


def test_a_template(client: TestClient) -> None:
    address = f"{BASE}/definition/template/adl1.4"
    headers = {"Idempotency-Key": "template-key", "Content-Type": "application/xml"}
    first = client.post(address, content=write_opt(small_template("repeated.v0")), headers=headers)
    again = client.post(address, content=write_opt(small_template("repeated.v0")), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert uid_in(again) == uid_in(first) == "repeated.v0"
    other = client.post(address, content=write_opt(small_template("other.v0")), headers=headers)
    assert_error(other, 422, "idempotency.other_request")
    del headers["Idempotency-Key"]
    known = client.post(address, content=write_opt(small_template("repeated.v0")), headers=headers)
    assert_error(known, 409, "template.exists")


@pytest.mark.slow
def test_answers_dropped_and_the_server_killed() -> None:
    command = [sys.executable, "-m", "bench.repeats", "--posts", "40", "--kills", "2", "--clients", "4"]
    ran = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert "40 compositions, 0 keys with two answers" in ran.stdout
