"""The start page and the API documentation; every file comes from this server: no internet is needed."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from api.version import VERSION
from cdr.settings import Settings

_WARNINGS = {
    "dev": "Development mode: the REST API takes requests without a token. Synthetic data only.",
    "issuer": "Development mode with the built-in issuer: a token is needed, and anybody can get one.",
    "production": "Production mode: every request needs an access token.",
}


def add_pages(app: FastAPI, settings: Settings) -> None:
    """Mount ``/``, ``/docs`` and the files that they need."""
    start_page = _start_page(settings)
    app.mount("/static", StaticFiles(packages=[("api", "static")]), name="static")
    app.mount("/docs-files", StaticFiles(packages=[("fastapi_offline", "static")]), name="docs-files")

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        return HTMLResponse(start_page)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title="Helsekort CDR: API",
            swagger_js_url=f"{root}/docs-files/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/docs-files/swagger-ui.css",
            swagger_favicon_url=f"{root}/static/icon.svg",
            swagger_ui_parameters={"defaultModelsExpandDepth": -1, "docExpansion": "list"},
        )


def _start_page(settings: Settings) -> str:
    text = (files("api") / "static" / "start.html").read_text(encoding="utf-8")
    mode = settings.mode.value
    warning = _WARNINGS["issuer" if settings.is_dev and settings.enforces_access else mode]
    return Template(text).substitute(version=VERSION, mode=mode, warning=warning)
