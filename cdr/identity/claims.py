"""From claims that were checked to the actor whom they describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archetypes.norwegian_ids import is_organisation_number
from cdr.actor import Actor, ActorKind
from cdr.grants import read_grants
from cdr.identity.errors import TokenRefused
from cdr.identity.mapping import ClaimMapping, Profile
from cdr.identity.tokens import Claims, scopes_of

MACHINES = (ActorKind.SYSTEM, ActorKind.REGISTER)


@dataclass(frozen=True, slots=True)
class Stated:
    """What the request itself says of its caller, in headers (``nhn-user-role`` and others)."""

    role: str = ""
    source_system: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token describes; ``roles`` are those that it vouches for, empty if it says nothing of roles."""

    actor: Actor
    roles: frozenset[str]

    def acting(self, stated: Stated) -> Actor:
        """The actor of one request. Raises TokenRefused if it claims a role that the token does not have.

        Where the token says nothing of roles, the role is what the calling system states, and opens less.
        """
        role = stated.role or (next(iter(self.roles)) if len(self.roles) == 1 else "")
        if self.roles and role and role not in self.roles:
            raise TokenRefused("token.role", "the token does not vouch for the role that the request states")
        if self.actor.kind is not ActorKind.PROFESSIONAL:
            role = ""
        return replace(
            self.actor,
            role=role,
            role_vouched=role in self.roles,
            source_system=stated.source_system,
            event_id=stated.event_id,
        )


def holder_of(claims: Claims, profile: Profile, mapping: ClaimMapping) -> Holder:
    """The person or system that a token describes.

    Raises TokenRefused: it acts for somebody else, or what it says does not go together.
    """
    if claims.keys() & mapping.representation:
        raise TokenRefused("token.representation", "acting for another person is not possible here")
    attest = _attest(claims, mapping)
    kind = _kind(claims, profile, mapping)
    person_id = mapping.text(profile, claims, "person_id")
    hpr = mapping.text(profile, claims, "hpr")
    actor = Actor(
        id=_stable_id(claims, person_id, hpr, kind),
        name=mapping.text(profile, claims, "name"),
        kind=kind,
        person_id=person_id,
        hpr=hpr,
        organisation=_organisation(mapping.text(profile, claims, "organisation")),
        unit=_organisation(mapping.text(profile, claims, "unit")),
        client_id=mapping.text(profile, claims, "client_id"),
        security_level=_level(claims, profile, mapping),
        grants=read_grants(mapping.grants_of(scopes_of(claims))),
        launch_ehr=mapping.text(profile, claims, "launch_ehr"),
        attested_purpose=_text_at(attest, "care_relationship", "purpose_of_use", "code"),
    )
    _check(actor, profile)
    return Holder(actor, _roles(claims, profile, mapping, attest))


def _kind(claims: Claims, profile: Profile, mapping: ClaimMapping) -> ActorKind:
    """By the scopes; where they do not say, by what the token knows of its holder."""
    named = mapping.kind_of(scopes_of(claims))
    if profile is Profile.CITIZEN:
        if named not in (None, ActorKind.CITIZEN):
            raise TokenRefused("token.scope", "the issuer of citizens cannot give this scope")
        return ActorKind.CITIZEN
    if named is ActorKind.CITIZEN:
        raise TokenRefused("token.scope", "this issuer cannot give the scope of citizens")
    has_person = bool(mapping.text(profile, claims, "person_id"))
    machine = named if named in MACHINES else ActorKind.SYSTEM
    if named in MACHINES and has_person:
        raise TokenRefused("token.scope", "the scope is for systems, and the token names a person")
    if not has_person:
        return machine
    return named or ActorKind.PROFESSIONAL


def _check(actor: Actor, profile: Profile) -> None:
    if profile is Profile.CITIZEN and not actor.person_id:
        raise TokenRefused("token.no_person", "the token does not say who the citizen is")
    if not actor.grants:
        raise TokenRefused("token.scope", "the token has no scope that means something here")


def _stable_id(claims: Claims, person_id: str, hpr: str, kind: ActorKind) -> str:
    """``sub``, which issuers make a pseudonym; a national id in its place is left out.

    Without it the client of a machine, or the HPR number of a professional. Raises TokenRefused if there is
    neither, for two people must never be one in the audit.
    """
    subject = claims.get("sub")
    if isinstance(subject, str) and subject and (not person_id or person_id not in subject):
        return subject
    client = claims.get("client_id")
    if kind in MACHINES and isinstance(client, str) and client:
        return client
    if kind is ActorKind.PROFESSIONAL and hpr:
        return f"hpr:{hpr}"
    raise TokenRefused("token.subject", "the token names its holder by no pseudonym (sub)")


def _level(claims: Claims, profile: Profile, mapping: ClaimMapping) -> int:
    stated = mapping.text(profile, claims, "security_level")
    if stated in ("2", "3", "4"):
        return int(stated)
    named = mapping.text(profile, claims, "assurance_level").lower().removeprefix("level")
    return int(named) if named in ("2", "3", "4") else mapping.levels.get(named, 0)


def _organisation(number: str) -> str:
    if number and not is_organisation_number(number):
        raise TokenRefused("token.organisation", "the token names an organisation by no organisation number")
    return number


def _roles(
    claims: Claims, profile: Profile, mapping: ClaimMapping, attest: Mapping[str, Any]
) -> frozenset[str]:
    """The roles (Volven 9060) that the register of health personnel, or the client, vouches for."""
    details = mapping.read(profile, claims, "hpr_details")
    approvals = details.get("approvals") if isinstance(details, dict) else None
    named = [one.get("profession") for one in approvals or () if isinstance(one, dict)]
    if not named:
        named = [_text_at(attest, "practitioner", "authorization", "code")]
    return frozenset(role for role in named if isinstance(role, str) and role)


def _attest(claims: Claims, mapping: ClaimMapping) -> Mapping[str, Any]:
    """The details in which the client vouches for role and relation; empty if there are none."""
    details = claims.get("authorization_details")
    listed: Sequence[Any] = details if isinstance(details, list) else [details]
    fitting = (one for one in listed if isinstance(one, dict) and one.get("type") == mapping.attest_type)
    return next(fitting, {})


def _text_at(node: Any, *path: str) -> str:
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, str) else ""
