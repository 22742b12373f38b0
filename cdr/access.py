"""The one decision on access: who may do what to which EHR, and why (not). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cdr.access_rules import (
    ON_CARD,
    PURPOSES_OF_CARE,
    ROLES_IN_CARE,
    RULES,
    SCOPES,
    SECURITY_LEVEL,
    Action,
    Basis,
    Need,
)
from cdr.actor import Actor
from cdr.consent import FAR, LegalBasis, card_closed
from cdr.facts import Facts
from cdr.grants import granting
from cdr.sight import EVERYTHING, Sight, Terms, sight_of

__all__ = ["Action", "Asked", "Decision", "allow_all", "decide", "may_enter", "may_name"]

OF_ONE_EHR = frozenset({Need.OWN, Need.CARE, Need.TOLD})
NO_TERMS = Terms(LegalBasis.CONSENT, FAR)  # at the end of time no consent holds


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, with the code and the reason that go to the caller and into the audit.

    ``open``: allowed as far as was asked, but the EHR is not known yet, and must be admitted once it is.
    ``sight`` is what may be seen of the EHR.
    """

    allowed: bool
    reason: str
    code: str = ""
    open: bool = False
    sight: Sight = EVERYTHING


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: ``facts`` is None where the EHR is not known yet, or there is none.

    ``ehr_id`` is the EHR that was named, whether it exists or not.
    """

    actor: Actor
    action: Action
    facts: Facts | None = None
    basis: str = ""
    reason: str = ""
    ehr_id: str | None = None
    terms: Terms = NO_TERMS


def allow_all() -> Decision:
    """The decision of a development server without an issuer."""
    return Decision(True, "development mode lets everybody in")


def decide(asked: Asked) -> Decision:
    """May the actor do this to the EHR of the facts? No I/O; well under 0.1 ms.

    Whoever is refused for not being the subject, or for want of a relation, is told the same whether the
    EHR exists or not.
    """
    entry = may_enter(asked)
    if not entry.allowed or asked.facts is None:
        return entry
    sight = sight_of(asked.actor, asked.facts.consent, asked.basis, asked.terms)
    if sight.lack is not None and asked.action in ON_CARD:
        closed = card_closed(sight.lack)
        return _refused(closed.code, closed.reason)
    return replace(entry, sight=sight)


def may_enter(asked: Asked) -> Decision:
    """The part of the decision that does not depend on what she has decided about her card."""
    need = RULES[asked.action].get(asked.actor.kind)
    if need is None:
        return _refused("access.role", f"{asked.action.value} is not for the role {asked.actor.kind.value}")
    refusal = _out_of_scope(asked) or _NEEDS[need](asked)
    if refusal is not None:
        return refusal
    granted = f"{asked.actor.kind.value}: {need.value}"
    return Decision(True, granted, open=asked.facts is None and need in OF_ONE_EHR)


def _refused(code: str, reason: str) -> Decision:
    return Decision(False, reason, code)


def may_name(actor: Actor, action: Action, name: str) -> Decision:
    """Do the scopes of the token reach a template or a stored query of this name ("" for an ad-hoc query)?"""
    asks = SCOPES.get(action)
    if actor.grants is None or asks is None:
        return Decision(True, "no scope is asked")
    if any(grant.names(name) for grant in granting(actor.grants, *asks)):
        return Decision(True, "in scope")
    what = f"{asks[0]} {name}" if name else "a query that is not stored"
    return _refused("access.scope", f"no scope of the token gives {asks[1]} on {what}")


def _out_of_scope(asked: Asked) -> Decision | None:
    actor, asks = asked.actor, SCOPES.get(asked.action)
    if actor.grants is None or asks is None:
        return None
    giving = granting(actor.grants, *asks)
    if not giving:
        return _refused("access.scope", f"no scope of the token gives {asks[1]} on {asks[0]}")
    if asked.facts is not None and actor.patient_only(giving) and asked.ehr_id != actor.launch_ehr:
        return _refused("access.scope", "the token is for another patient")
    return None


def _nothing(asked: Asked) -> Decision | None:
    return None


def _strong(asked: Asked) -> Decision | None:
    if asked.actor.security_level < SECURITY_LEVEL:
        return _refused("access.level", f"the log-in must be of security level {SECURITY_LEVEL}")
    return None


def _own(asked: Asked) -> Decision | None:
    actor, facts = asked.actor, asked.facts
    weak = _strong(asked)
    if weak is not None:
        return weak
    if not actor.person_id:
        return _refused("access.no_person", "the token does not say who the citizen is")
    if facts is not None and actor.person_id not in facts.subjects:
        return _refused("access.not_own", "a citizen sees her own record only")
    return None


def _new(asked: Asked) -> Decision | None:
    actor, weak = asked.actor, _strong(asked)
    if weak is not None:
        return weak
    if not actor.organisation:
        return _refused("access.organisation", "the token names no organisation")
    if not actor.hpr or actor.role not in ROLES_IN_CARE:
        return _refused("access.role", f"needs an HPR number and one of the roles {_ROLE_NAMES}")
    if asked.basis not in _BASES:
        return _refused("access.basis", f"needs an access basis: one of {', '.join(_BASES)}")
    if asked.basis == Basis.EMERGENCY and not asked.reason.strip():
        return _refused("access.reason", f"{Basis.EMERGENCY.value} needs a reason")
    return None


def _care(asked: Asked) -> Decision | None:
    refusal = _new(asked)
    if refusal is not None or asked.facts is None or asked.basis != Basis.EXCEPTION:
        return refusal
    if asked.facts.related or asked.actor.attested_purpose in PURPOSES_OF_CARE:
        return None
    return _refused("access.relation", "no treatment relation of this organisation is known")


def _told(asked: Asked) -> Decision | None:
    if not asked.actor.organisation:
        return _refused("access.organisation", "the token names no organisation")
    if asked.facts is not None and not asked.facts.related:
        return _refused("access.relation", "no treatment relation of this organisation is known")
    return None


_BASES = tuple(basis.value for basis in Basis)
_ROLE_NAMES = ", ".join(sorted(ROLES_IN_CARE))
_NEEDS: Mapping[Need, Callable[[Asked], Decision | None]] = {
    Need.NOTHING: _nothing,
    Need.STRONG: _strong,
    Need.OWN: _own,
    Need.CARE: _care,
    Need.NEW: _new,
    Need.TOLD: _told,
}
