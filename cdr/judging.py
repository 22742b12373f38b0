"""Everything that the record says of a document before it is stored: template, card, outside codes."""

from __future__ import annotations

from collections.abc import Iterable

from archetypes.findings import Finding
from cdr.context import Ctx
from cdr.terminology import TerminologyService, Unreachable, code_uses, terminology_findings
from cdr.terminology.check import CodeUse, day_of
from cdr.terminology.service import system_uri
from cdr.versions import JsonObject
from templates.operational import OperationalTemplate
from validators.card.not_on_card import Subsumed, forbidden
from validators.document import validate_document


async def judge(
    ctx: Ctx,
    opt: OperationalTemplate,
    data: JsonObject,
    *,
    complete: bool,
    on_silence: Unreachable | None = None,
) -> list[Finding]:
    """All findings; ``on_silence`` None: as the settings say.

    Where no code list is known, codes of outside value sets are reported as unchecked.
    """
    if ctx.terminology is None or await ctx.terminology.is_idle():
        return validate_document(opt, data, complete=complete, limit=ctx.settings.findings_limit)
    uses = code_uses(data)
    subsumed = await _descent(ctx.terminology, uses)
    findings = validate_document(
        opt, data, complete=complete, subsumed=subsumed, limit=ctx.settings.findings_limit
    )
    bound = code_uses(data, findings)
    policy = on_silence or Unreachable(ctx.settings.terminology_silence)
    day = day_of(data) or ctx.clock().date()
    checked = await terminology_findings(ctx.terminology, bound, day, policy)
    # What was not checked without the service has now been asked.
    return [*(f for f in findings if f.code != "code.not_checked"), *checked]


async def _descent(service: TerminologyService, uses: Iterable[CodeUse]) -> Subsumed:
    """Which codes of the document lie below one that may not be on the card."""
    below: set[tuple[str, str]] = set()
    for use in uses:
        for system, ancestors in forbidden().codes.items():
            for ancestor in ancestors if system_uri(system) == use.coding.system else ():
                if await service.subsumes(use.coding.system, ancestor, use.coding.code):
                    below.add((use.coding.code, ancestor))
    return lambda system, code, ancestor: (code, ancestor) in below
