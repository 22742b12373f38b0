"""The web application: routes, pages, errors, and what is open while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import Lifespan

from api.answers import ANALYSIS_PATH, BASE_PATH
from api.card_errors import CARD_PATH
from api.coding import Coding
from api.errors import add_error_handlers
from api.middleware import RequestGuard
from api.openapi import add_openapi
from api.pages import add_pages
from api.routes import (
    access,
    adl2,
    admin,
    bulk,
    card,
    card_tables,
    composition,
    consent,
    contribution,
    definition,
    directory,
    ehr,
    events,
    issuer,
    projects,
    query,
    stored_query,
    subject_ids,
    system,
    tags,
    validate,
    webhooks,
)
from archetypes.errors import HelsekortError
from cdr.code_checks import recheck_codes
from cdr.definitions import publish_library
from cdr.head_publishing import publishing
from cdr.platform import SERVER_ACTOR, Platform, open_platform
from cdr.scrub_reminder import reminding
from cdr.settings import BUILTIN, Settings

# Spans of the framework would carry whole addresses, and addresses name persons.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

_ROUTES = (
    system,
    subject_ids,
    ehr,
    composition,
    contribution,
    directory,
    tags,
    definition,
    adl2,
    stored_query,
    query,
    validate,
)

log = structlog.get_logger("helsekort.server")


def create_app(settings: Settings) -> FastAPI:
    """The application of one server; nothing is opened before its lifespan starts."""
    app = FastAPI(
        lifespan=_lifespan(settings),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.add_middleware(Coding, limit=settings.body_limit)
    app.add_middleware(RequestGuard)
    add_error_handlers(app)
    add_pages(app, settings)
    app.state.closing = False
    app.include_router(system.health)
    app.include_router(bulk.router)
    app.include_router(card.router, prefix=CARD_PATH)
    app.include_router(consent.router, prefix=CARD_PATH)
    app.include_router(events.router)
    app.include_router(access.router)
    app.include_router(webhooks.router)
    for routes in (card_tables, projects):
        app.include_router(routes.router, prefix=ANALYSIS_PATH)
    for routes in _ROUTES:
        app.include_router(routes.router, prefix=BASE_PATH)
    if settings.is_dev:
        app.include_router(admin.dev_router, prefix=BASE_PATH)
    app.include_router(admin.router, prefix=BASE_PATH)
    if settings.issuer == BUILTIN:
        app.include_router(issuer.router)
    add_openapi(app)
    return app


def _lifespan(settings: Settings) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _opened(settings) as platform:
            app.state.platform = platform
            yield

    return lifespan


@asynccontextmanager
async def _rechecking(platform: Platform) -> AsyncIterator[None]:
    """Ask again about queued codes now and then, for as long as the server runs."""
    if platform.settings.terminology_server is None:
        yield
        return
    task = asyncio.create_task(_recheck_forever(platform))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _recheck_forever(platform: Platform) -> None:
    while True:
        await asyncio.sleep(platform.settings.terminology_recheck_seconds)
        try:
            if await platform.store.code_checks.any_waiting():
                done = await recheck_codes(platform.context(SERVER_ACTOR, basis="queued codes"))
                log.info(
                    "codes.rechecked", confirmed=done.confirmed, waiting=done.waiting, wrong=len(done.wrong)
                )
        except HelsekortError as error:
            log.warning("codes.not_rechecked", code=error.code)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Platform]:
    """The platform with the library published (dev), or one log line that says why it cannot be opened."""
    try:
        async with open_platform(settings) as platform:
            if settings.is_dev:
                new = await publish_library(platform.context(SERVER_ACTOR))
                log.info("library.published", templates=len(new))
            reminder = reminding(platform.store, settings.scrub_days)
            async with _rechecking(platform), publishing(platform.store, settings), reminder:
                yield platform
    except HelsekortError as error:
        log.error("server.cannot_run", code=error.code, reason=str(error))
        raise
