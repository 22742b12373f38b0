"""What this server is (ITS-REST, System API) and whether it is alive and ready."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import json_answer
from api.deps import platform_of
from api.openapi import described_errors
from api.version import VERSION

health = APIRouter(prefix="/health", tags=["System"])
router = APIRouter(tags=["System"])

_ABOUT = {
    "solution": "Helsekort CDR",
    "solution_version": VERSION,
    "vendor": "Helsekort CDR project",
    "restapi_specs_version": "1.1.0",
    "conformance_profile": "CUSTOM",
    "endpoints": ["/ehr", "/definition/template/adl1.4", "/definition/query", "/query"],
}


@health.get("/live", summary="Is the process alive?")
async def live() -> dict[str, str]:
    """200 as long as the server answers at all."""
    return {"status": "live"}


@health.get("/ready", summary="Can the server take requests?", responses=described_errors(503))
async def ready(request: Request) -> dict[str, Any]:
    """200 when the database answers and takes writes; in dev mode with the address of the database."""
    platform = platform_of(request)
    await platform.store.ping()
    answer = {"status": "ready", "mode": platform.settings.mode.value, "version": VERSION}
    return {**answer, "mongodb_uri": platform.mongodb_uri} if platform.settings.is_dev else answer


@router.options("", summary="What this server is")
async def about() -> Response:
    """The solution, its version, and the version of the REST specification that it follows."""
    return json_answer(_ABOUT, headers={"Allow": "GET, HEAD, POST, PUT, DELETE, OPTIONS"})
