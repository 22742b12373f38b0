"""Scopes of SMART on openEHR: ``compartment/resource-pattern.permissions``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_SCOPE = re.compile(r"(patient|user|system)/(composition|template|aql)-([^\s]+)\.([cruds]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Grant:
    """One scope: may do ``permissions`` (letters of c, r, u, d, s) to what ``pattern`` names."""

    compartment: str
    resource: str
    pattern: str
    permissions: str

    def names(self, name: str) -> bool:
        """Is ``name`` (of a template or a query) among what the pattern names?"""
        return _matcher(self.pattern).fullmatch(name) is not None


def read_grants(scopes: Iterable[str]) -> tuple[Grant, ...]:
    """The scopes that have the form; others (``openid``, ``launch/patient``) say nothing about data."""
    found = (_SCOPE.fullmatch(scope) for scope in scopes)
    return tuple(Grant(*match.groups()) for match in found if match is not None)


def granting(grants: Sequence[Grant], resource: str, permission: str) -> tuple[Grant, ...]:
    """The grants that give a permission on any part of a resource."""
    return tuple(one for one in grants if one.resource == resource and permission in one.permissions)


@lru_cache(maxsize=1000)
def _matcher(pattern: str) -> re.Pattern[str]:
    """``*`` stands for any characters but, before ``::``, a namespace border; ``**`` for any at all."""
    parts = re.split(r"(\*+)", pattern)
    alone = pattern.strip("*") == ""
    texts = [
        ".*"
        if part.startswith("**") or (part and part[0] == "*" and alone)
        else r"(?:(?!::).)*"
        if part.startswith("*")
        else re.escape(part)
        for part in parts
    ]
    return re.compile("".join(texts), re.DOTALL)
