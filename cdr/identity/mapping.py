"""``mapping.toml``: names of claims and meanings of scopes, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from cdr.actor import ActorKind
from cdr.identity.errors import TokenRefused
from cdr.identity.tokens import Claims


class Profile(StrEnum):
    """How an issuer speaks: HelseID for people at work and systems, a citizens' one such as Helsenorge."""

    PROFESSIONAL = "professional"
    CITIZEN = "citizen"


@dataclass(frozen=True, slots=True)
class ScopeMeaning:
    """What a scope of an issuer stands for."""

    kind: ActorKind
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimMapping:
    """The tables of ``mapping.toml``."""

    claims: Mapping[Profile, Mapping[str, Sequence[str]]]
    levels: Mapping[str, int]
    representation: frozenset[str]
    attest_type: str
    scopes: Mapping[str, ScopeMeaning]

    def read(self, profile: Profile, claims: Claims, name: str) -> Any:
        """The value of the first claim that goes by ``name``; None if there is none."""
        names = self.claims[profile].get(name, ())
        return next((claims[one] for one in names if claims.get(one) not in (None, "")), None)

    def text(self, profile: Profile, claims: Claims, name: str) -> str:
        """The same as a text; "" for none."""
        value = self.read(profile, claims, name)
        return str(value) if isinstance(value, str | int) else ""

    def kind_of(self, scopes: Sequence[str]) -> ActorKind | None:
        """The kind that the scopes make of their holder; None if none of them says. Raises TokenRefused."""
        kinds = {self.scopes[scope].kind for scope in scopes if scope in self.scopes}
        if len(kinds) > 1:
            names = ", ".join(sorted(kinds))
            raise TokenRefused("token.scopes_contradict", f"the scopes make the caller {names} at once")
        return next(iter(kinds), None)

    def grants_of(self, scopes: Sequence[str]) -> tuple[str, ...]:
        """The SMART on openEHR scopes that the scopes stand for, and those that are such."""
        meant = [grant for scope in scopes if scope in self.scopes for grant in self.scopes[scope].grants]
        own = [scope for scope in scopes if scope.startswith(("patient/", "user/", "system/"))]
        return tuple(dict.fromkeys([*meant, *own]))


@cache
def claim_mapping() -> ClaimMapping:
    """The mapping that comes with the program."""
    tables = tomllib.loads((files("cdr.identity") / "mapping.toml").read_text("utf-8"))
    return ClaimMapping(
        claims={Profile(name): names for name, names in tables["claims"].items()},
        levels=tables["levels"],
        representation=frozenset(tables["representation"]["claims"]),
        attest_type=tables["attest"]["type"],
        scopes={
            name: ScopeMeaning(ActorKind(row["kind"]), tuple(row["grants"]))
            for name, row in tables["scopes"].items()
        },
    )
