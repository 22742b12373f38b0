"""Start page, API documentation, pages on templates; all files come from this server, without internet."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.resources import files
from string import Template

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from api.languages import preferred_language
from api.template_pages import INDEX_PATH, index_page, template_page
from api.version import VERSION
from cdr.errors import TemplateNotFound
from cdr.settings import Settings
from templates.repository import library_templates
from validators.messages import LANGUAGES

_WARNINGS = {
    "dev": "Development mode: the REST API takes requests without a token. Synthetic data only.",
    "issuer": "Development mode with the built-in issuer: a token is needed, and anybody can get one.",
    "production": "Production mode: every request needs an access token.",
}


def add_pages(app: FastAPI, settings: Settings) -> None:
    """Mount ``/``, ``/docs``, ``/docs/templates`` and the files that they need."""
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

    @app.get(INDEX_PATH, include_in_schema=False)
    async def templates(request: Request) -> Response:
        return HTMLResponse(await asyncio.to_thread(_index, _language(request)))

    @app.get(INDEX_PATH + "/{template_id}", include_in_schema=False)
    async def template(request: Request, template_id: str) -> Response:
        if template_id not in library_templates():
            raise TemplateNotFound(template_id)
        return HTMLResponse(await asyncio.to_thread(_template, template_id, _language(request)))


def _language(request: Request) -> str:
    """The one asked for in the address, else the browser's."""
    stated = request.query_params.get("language", "")
    return stated if stated in LANGUAGES else preferred_language(request)


@cache
def _index(language: str) -> bytes:
    return index_page((opt for _, opt in sorted(library_templates().items())), language)


@cache
def _template(template_id: str, language: str) -> bytes:
    return template_page(library_templates()[template_id], language)


def _start_page(settings: Settings) -> str:
    text = (files("api") / "static" / "start.html").read_text(encoding="utf-8")
    mode = settings.mode.value
    warning = _WARNINGS["issuer" if settings.is_dev and settings.enforces_access else mode]
    return Template(text).substitute(version=VERSION, mode=mode, warning=warning)
