"""Everything that a server holds open: database, store, template registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import structlog

from cdr.code_list_registry import CodeListRegistry
from cdr.consent_register import ConsentRegister
from cdr.context import Actor, ActorKind, Ctx
from cdr.query_worker import QueryWorker
from cdr.recognition import Recognition, open_recognition
from cdr.restoring import NOTHING, Reapplied, reapply_erasures
from cdr.settings import Settings
from cdr.store.embedded import EmbeddedMongod
from cdr.store.mongo import Store
from cdr.templates import TemplateRegistry
from cdr.terminology import FhirTerminology, TerminologyService
from cdr.webhook_delivery import Deliveries

SERVER_ACTOR = Actor(id="server", name="Helsekort CDR", role="system", kind=ActorKind.SERVER)
STOP_SECONDS = 5.0  # that deliveries get to end


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Platform:
    """What requests share; without ``recognition`` nobody is asked who they are.

    ``reapplied`` is what had to be erased again when it was opened: the database was restored from a backup.
    """

    settings: Settings
    store: Store
    templates: TemplateRegistry
    mongodb_uri: str
    terminology: TerminologyService | None = None
    recognition: Recognition | None = None
    query_worker: QueryWorker | None = None
    consent_register: ConsentRegister | None = None
    reapplied: Reapplied = NOTHING

    def context(self, actor: Actor, *, basis: str = "", reason: str = "") -> Ctx:
        """The context of one request."""
        return Ctx(
            actor=actor,
            store=self.store,
            templates=self.templates,
            settings=self.settings,
            basis=basis,
            reason=reason,
            terminology=self.terminology,
            query_worker=self.query_worker,
            consent_source=self.consent_register,
        )


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator[Platform]:
    """Start or find MongoDB, open the store, finish what a crash interrupted; close all at the end.

    Raises DatabaseMissing, DataFolderInUse, LedgerUnreadable, StoreUnavailable.
    """
    async with _mongodb(settings) as uri:
        store = await Store.open(
            uri,
            settings.database,
            group_size=settings.commit_group,
            patience=settings.store_patience,
            hot_indexes=settings.hot_indexes,
            ledger=settings.erasure_ledger_folder,
        )
        try:
            templates = TemplateRegistry(store, refresh_seconds=settings.template_refresh_seconds)
            async with _terminology(settings, store) as terminology, _consents(settings) as register:
                recognition = open_recognition(settings, store) if settings.enforces_access else None
                async with _query_worker(settings, uri) as worker:
                    platform = Platform(
                        settings, store, templates, uri, terminology, recognition, worker, register
                    )
                    platform = replace(platform, reapplied=await _reapplied(platform))
                    async with _deliveries(platform):
                        yield platform
        finally:
            await store.close()


async def _reapplied(platform: Platform) -> Reapplied:
    """Before anybody is let in: what a restored backup does not know to be erased is erased again."""
    missing = await platform.store.erasures.missing()
    if not missing:
        return NOTHING
    done = await reapply_erasures(platform.context(SERVER_ACTOR, basis="restored backup"), missing)
    log.warning(
        "erasures.reapplied", lines=done.lines, ehrs=done.ehrs, objects=done.objects, cards=done.cards
    )
    return done


@asynccontextmanager
async def _query_worker(settings: Settings, uri: str) -> AsyncIterator[QueryWorker | None]:
    """A process for long queries, once there are any; none where the settings want none."""
    if not settings.query_worker_mib:
        yield None
        return
    worker = QueryWorker(uri, settings.database, settings.query_worker_mib)
    try:
        yield worker
    finally:
        await worker.stop()


@asynccontextmanager
async def _deliveries(platform: Platform) -> AsyncIterator[None]:
    """Webhooks are told what happens for as long as the platform is open."""
    deliveries = Deliveries(platform.store.webhooks, platform.context)
    running = asyncio.create_task(deliveries.run())
    try:
        yield
    finally:
        deliveries.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(running, STOP_SECONDS)


@asynccontextmanager
async def _consents(settings: Settings) -> AsyncIterator[ConsentRegister | None]:
    """The portal's register of consents, if they live there."""
    if settings.consent_register is None:
        yield None
        return
    token = settings.consent_register_token
    register = ConsentRegister(
        settings.consent_register, token=None if token is None else token.get_secret_value()
    )
    try:
        yield register
    finally:
        await register.close()


@asynccontextmanager
async def _terminology(settings: Settings, store: Store) -> AsyncIterator[TerminologyService]:
    """The code lists of the store, and behind them the terminology server that the settings name."""
    if settings.terminology_server is None:
        yield CodeListRegistry(store.code_lists, refresh_seconds=settings.template_refresh_seconds)
        return
    server = FhirTerminology(settings.terminology_server, timeout=settings.terminology_seconds)
    try:
        yield CodeListRegistry(store.code_lists, server, refresh_seconds=settings.template_refresh_seconds)
    finally:
        await server.close()


@asynccontextmanager
async def _mongodb(settings: Settings) -> AsyncIterator[str]:
    """The address of the database: the one in the settings, or a private one for as long as we run."""
    if settings.mongodb_uri is not None:
        yield settings.mongodb_uri.get_secret_value()
        return
    mongod = await EmbeddedMongod.start(
        settings.data, mongod=settings.mongod, cache_mib=settings.mongod_cache_mib
    )
    try:
        yield mongod.uri
    finally:
        await mongod.stop()
