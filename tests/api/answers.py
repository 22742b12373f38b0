"""What every answer must look like."""

from __future__ import annotations

from typing import Any

from httpx2 import Response


def assert_error(response: Response, status: int, code: str) -> dict[str, Any]:
    """The answer is this error in the one body shape; returns the body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    numbered = {"errorCode", "errorMessage", "eventId"} if "nhn-error-code" in response.headers else set()
    assert set(body) == {"message", "code", "validationErrors", "findings"} | numbered
    assert body["code"] == code
    assert isinstance(body["message"], str) and body["message"]
    assert len(body["validationErrors"]) == len(body["findings"])
    assert all(isinstance(line, str) and line for line in body["validationErrors"])
    for finding in body["findings"]:
        assert set(finding) - {"line", "column", "webTemplateId", "label"} == {
            "code", "severity", "path", "archetypePath", "expected", "found", "message", "texts", "hint",
        }  # fmt: skip
        assert finding["message"] and all(finding["texts"].values())
    return body


def uid_in(response: Response) -> str:
    """The uid in the entity tag."""
    return str(response.headers["ETag"].removeprefix('W/"').removesuffix('"'))
