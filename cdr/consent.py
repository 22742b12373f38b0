"""Consent as the access decision sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdr.access_rules import Action
from cdr.actor import Actor
from cdr.sight import EVERYTHING, Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFacts:
    """What is known of a woman's consent; by default nothing, which means that she gave none."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an access is refused: a stable code, and words that name nothing of the record."""

    code: str
    reason: str


NO_CONSENT = ConsentFacts()


def consent_facts(ehr: Mapping[str, Any]) -> ConsentFacts:
    """The consent that the document of an EHR holds."""
    return NO_CONSENT


def judge_consent(actor: Actor, action: Action, consent: ConsentFacts, basis: str) -> Refusal | None:
    """Does her consent, or what she blocked, forbid this? Asked only after identity and need were met."""
    return None


def sight_of(actor: Actor, action: Action, consent: ConsentFacts, basis: str) -> Sight:
    """What the actor may see of an EHR that it was let in to."""
    return EVERYTHING
