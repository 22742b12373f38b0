"""A server asks about its queue by itself when the terminology server is back."""

from __future__ import annotations

import time
from pathlib import Path

from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from cdr.settings import Mode, Settings
from tests.cdr.terminology.stand_in import running
from tests.cdr.terminology.test_code_checks import visit


def test_the_queue_is_asked_about_by_itself(mongodb_uri: str, tmp_path: Path) -> None:
    with running() as server:
        server.mode = "broken"
        settings = Settings(
            mode=Mode.DEV,
            data=tmp_path,
            mongodb_uri=SecretStr(mongodb_uri),
            database="recheck",
            terminology_server=server.url,
            terminology_silence="queue",
            terminology_recheck_seconds=0.05,
        )
        with TestClient(create_app(settings), base_url="http://127.0.0.1:8080") as client:
            ehr = client.post("/openehr/v1/ehr").headers["Location"].rpartition("/")[2]
            stored = client.post(f"/openehr/v1/ehr/{ehr}/composition", json=visit("L"))
            assert stored.status_code == 201
            checks = client.app.state.platform.store.code_checks  # type: ignore[attr-defined]
            assert client.portal is not None
            assert client.portal.call(checks.any_waiting)
            server.mode = "ok"
            deadline = time.monotonic() + 10
            while client.portal.call(checks.any_waiting) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not client.portal.call(checks.all)
