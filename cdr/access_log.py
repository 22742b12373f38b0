"""The audit as people read it: the woman her own log, the data-protection officer all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from cdr.access import Action
from cdr.audit import AuditBatch, AuditEntry, AuditSearch, AuditState, Outcome
from cdr.doors import Call, asking, reading
from cdr.errors import UnknownEhr
from cdr.head_publishing import published_heads
from cdr.log_words import told_once
from cdr.versions import normal_object_id

LONGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What a check of the audit found, held against ``published`` files of signed heads."""

    state: AuditState
    published: int
    faults: tuple[str, ...]


@reading(Action.READ_LOG)
async def read_log(call: Call, ehr_id: str, *, offset: int = 0, fetch: int = 100) -> list[AuditEntry]:
    """Who did what with an EHR, newest first. Raises UnknownEhr, QueryTimeout."""
    ehr_id = normal_object_id(ehr_id)
    if not await call.ctx.store.reads.has_ehr(ehr_id):
        raise UnknownEhr(ehr_id)
    return told_once(await _search(call, AuditSearch(ehr_id=ehr_id), offset, fetch))


@asking(Action.READ_AUDIT)
async def search_audit(
    call: Call, wanted: AuditSearch, *, offset: int = 0, fetch: int = 100
) -> list[AuditEntry]:
    """The entries that fit, newest first. Raises QueryTimeout."""
    asked = {name: value for name, value in _said(wanted).items() if value is not None}
    detail = ", ".join(f"{name}={value}" for name, value in asked.items())
    await call.record([call.entry(Outcome.GRANTED, ehr_id=wanted.ehr_id, detail=detail)])
    return await _search(call, wanted, offset, fetch)


@asking(Action.READ_AUDIT)
async def export_audit(call: Call) -> AsyncIterator[AuditBatch]:
    """The whole audit, batch by batch, with its hashes."""
    await call.record([call.entry(Outcome.GRANTED, what="the whole audit")])
    return call.ctx.store.audit_batches()


@asking(Action.CHECK_AUDIT)
async def check_audit(call: Call) -> AuditCheck:
    """Is the audit whole and unchanged, also with regard to the heads that this server published?"""
    await call.record([call.entry(Outcome.GRANTED)])
    heads, published, faults = await published_heads(call.ctx.settings)
    state = await call.ctx.store.check_audit(heads)
    return AuditCheck(state, published, tuple(faults) + state.faults)


async def _search(call: Call, wanted: AuditSearch, offset: int, fetch: int) -> list[AuditEntry]:
    limit = min(fetch, LONGEST_PAGE)
    seconds = call.ctx.settings.query_seconds
    if limit == 0:
        return []
    return await call.ctx.store.search_audit(wanted, offset=offset, limit=limit, seconds=seconds)


def _said(wanted: AuditSearch) -> dict[str, str | None]:
    """What a search asks for, as texts; the EHR is told elsewhere."""
    said: dict[str, str | None] = {}
    for name in ("actor", "hpr", "organisation", "action", "outcome", "since", "until"):
        value = getattr(wanted, name)
        said[name] = None if value is None else str(value)
    return said
