"""Validation without storing: what the record would say of a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archetypes.findings import Finding, Severity
from cdr.access import Action
from cdr.doors import Call, reading
from cdr.judging import judge
from cdr.submission import template_of
from cdr.terminology import Unreachable
from cdr.versions import JsonObject


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings of a document, and the web template in which they have their places."""

    template_id: str
    findings: tuple[Finding, ...]
    web_template: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        """True if the document would be stored."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


@reading(Action.VALIDATE)
async def judge_composition(call: Call, composition: JsonObject, *, complete: bool = True) -> Judgement:
    """What creating this composition would answer; nothing is stored, and no text of it is kept.

    Raises MissingTemplateId, UnknownTemplate.
    """
    template_id = template_of(composition)
    opt = await call.ctx.templates.get(template_id)
    # Nothing is stored, so nothing can be queued: a silent server leaves codes unchecked here.
    queues = call.ctx.settings.terminology_silence == Unreachable.QUEUE
    silence = Unreachable.ACCEPT if queues else None
    findings = await judge(call.ctx, opt, composition, complete=complete, on_silence=silence)
    return Judgement(template_id, tuple(findings), await call.ctx.templates.web_template(template_id))
