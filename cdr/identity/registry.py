"""Clients and people that the built-in issuer knows (``builtin.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from cdr.identity.mapping import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that asks for tokens; it signs with a key of its own (private_key_jwt)."""

    id: str
    name: str
    profile: Profile
    scopes: tuple[str, ...]
    organisation: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be logged in as."""

    id: str
    name: str
    person_id: str
    scopes: tuple[str, ...]
    hpr: str = ""
    roles: tuple[str, ...] = ()
    security_level: int = 4

    def may_use(self, client: Client) -> bool:
        """Has the person a scope that the client can ask for?"""
        return not set(self.scopes).isdisjoint(client.scopes)


@dataclass(frozen=True, slots=True)
class Registry:
    """Everybody, by id."""

    clients: Mapping[str, Client]
    people: Mapping[str, Person]


def builtin_registry() -> Registry:
    """What ``builtin.toml`` holds."""
    tables = tomllib.loads((files("cdr.identity") / "builtin.toml").read_text("utf-8"))
    clients = {
        key: Client(id=key, **{**row, "profile": Profile(row["profile"]), "scopes": tuple(row["scopes"])})
        for key, row in tables["clients"].items()
    }
    people = {
        key: Person(id=key, **{**row, "scopes": tuple(row["scopes"]), "roles": tuple(row.get("roles", ()))})
        for key, row in tables["people"].items()
    }
    return Registry(clients, people)
