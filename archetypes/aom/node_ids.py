"""Codes of nodes and their specialisations: ``id4.1`` redefines ``id4``, ``id0.7`` is new (AOM 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archetypes.aom.constraints import CObject


def depth_of(code: str) -> int:
    """How often a code was specialised: 0 for ``at0004``, 2 for ``at0.0.1``."""
    return code.count(".")


def is_redefinition(code: str, ancestor: str) -> bool:
    """True if the code is ``ancestor`` or specialises it, directly or in several steps."""
    return code == ancestor or code.startswith(f"{ancestor}.")


def is_new(code: str) -> bool:
    """True for a code that a specialised archetype adds: ``id0.7``, ``at0.0.3``, ``id0.0.7``."""
    return code[2:].startswith("0.")


def ancestors(code: str) -> Iterable[str]:
    """The code and those that it specialises, the nearest first; ``id4.0.1`` specialises ``id4`` too."""
    while code:
        yield code
        code = code.rpartition(".")[0]
        while code.endswith(".0"):
            code = code[:-2]


def redefined(code: str, nodes: Mapping[str, CObject]) -> CObject | None:
    """What a node with this code redefines among a parent's nodes, given by code; None if it is new."""
    return next((nodes[each] for each in ancestors(code) if each in nodes), None)
