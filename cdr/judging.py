"""Everything that the record says of a document before it is stored: template, card, outside codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from archetypes.findings import Finding
from cdr.context import Ctx
from cdr.terminology import TerminologyService, Unreachable, code_uses, terminology_findings
from cdr.terminology.check import CodeUse
from cdr.terminology.service import system_uri
from cdr.versions import JsonObject, text_at
from templates.operational import OperationalTemplate
from validators.card.not_on_card import Subsumed, forbidden
from validators.document import validate_document


async def judge(ctx: Ctx, opt: OperationalTemplate, data: JsonObject, *, complete: bool) -> list[Finding]:
    """All findings. Without a terminology service, codes of outside value sets are reported as unchecked."""
    if ctx.terminology is None:
        return validate_document(opt, data, complete=complete)
    uses = code_uses(data)
    subsumed = await _descent(ctx.terminology, uses)
    findings = validate_document(opt, data, complete=complete, subsumed=subsumed)
    bound = code_uses(data, findings)
    on_silence = Unreachable(ctx.settings.terminology_silence)
    checked = await terminology_findings(ctx.terminology, bound, _day(ctx, data), on_silence)
    # What was not checked without the service has now been asked.
    return [*(f for f in findings if f.code != "code.not_checked"), *checked.findings]


async def _descent(service: TerminologyService, uses: Iterable[CodeUse]) -> Subsumed:
    """Which codes of the document lie below one that may not be on the card."""
    below: set[tuple[str, str]] = set()
    for use in uses:
        for system, ancestors in forbidden().codes.items():
            for ancestor in ancestors if system_uri(system) == use.coding.system else ():
                if await service.subsumes(use.coding.system, ancestor, use.coding.code):
                    below.add((use.coding.code, ancestor))
    return lambda system, code, ancestor: (code, ancestor) in below


def _day(ctx: Ctx, data: Any) -> date:
    """The day that a document is about; today where it does not say."""
    try:
        return date.fromisoformat((text_at(data, "context", "start_time", "value") or "")[:10])
    except ValueError:
        return ctx.clock().date()
