"""R-NOABORT: no induced abortion on the card. A finding names the place, never the text or the code.

The whole document is looked through, not only the fields: codes hide in mappings, words in notes. A
first pass only asks whether there is anything; places are sought where there is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from archetypes.findings import Finding
from validators.card.codes import SEVERITIES

_OWN = ("local", "openehr")
# What says which class, node, language or archetype it is: closed lists of the reference model.
_NO_CONTENT = frozenset(
    {"_type", "archetype_details", "archetype_node_id", "encoding", "language", "territory", "uid"}
)

# True if a code of a terminology lies below one of the forbidden ones, where the code system is loaded.
Subsumed = Callable[[str, str, str], bool]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """``systems`` maps a terminology's plain name to ours; ``codes`` are prefixes by our name."""

    systems: Mapping[str, str]
    codes: Mapping[str, tuple[str, ...]]
    wording: re.Pattern[str]
    hints: tuple[str, ...]

    def has_wording(self, text: str) -> bool:
        """True for forbidden wording; the hints spare most texts the patterns."""
        lower = text.casefold()
        return any(map(lower.__contains__, self.hints)) and self.wording.search(lower) is not None

    def has_code(self, terminology: str, code: str, subsumed: Subsumed | None) -> bool:
        """True for a forbidden code."""
        system = self.systems.get(_plain(terminology), "")
        forbidden = self.codes.get(system, ())
        plain = code.upper().replace(" ", "")
        # SNOMED CT ids say nothing about descent; the other systems write it into the code.
        known = plain in forbidden if system == "SNOMED-CT" else plain.startswith(forbidden)
        return known or (subsumed is not None and any(subsumed(system, code, up) for up in forbidden))


def not_on_card(composition: Mapping[str, Any], subsumed: Subsumed | None = None) -> Iterator[Finding]:
    """Codes of an induced abortion (error) and its wording in text (warning), anywhere in the document."""
    if _is_clean(composition, subsumed):
        return
    for path, node in _nodes(composition, ""):
        phrase = _code(node)
        if phrase is not None and forbidden().has_code(*phrase, subsumed):
            yield _finding("card.not_on_card", path)
        for name, text in node.items():
            if isinstance(text, str) and forbidden().has_wording(text):
                yield _finding("card.not_on_card_wording", f"{path}/{name}")


def _finding(code: str, path: str) -> Finding:
    return Finding(code=code, path=path, severity=SEVERITIES[code])


@cache
def forbidden() -> Forbidden:
    """What is forbidden, as the staff's file says."""
    said = tomllib.loads((files("validators.card") / "not_on_card.toml").read_text(encoding="utf-8"))
    systems = {name: system for system, names in said["systems"].items() for name in names}
    codes = {system: tuple(prefixes) for system, prefixes in said["codes"].items()}
    return Forbidden(
        systems, codes, re.compile("|".join(said["wording"]["patterns"])), tuple(said["wording"]["hints"])
    )


def _is_clean(composition: Mapping[str, Any], subsumed: Subsumed | None) -> bool:
    """True if no text of the document has forbidden wording, and no code is forbidden.

    Most of a document are names of classes and nodes, which the validator has checked: they are passed over.
    """
    texts: list[str] = []
    phrases: list[Mapping[str, Any]] = []
    stack: list[Any] = [composition]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is dict and "code_string" in node:
            phrases.append(node)
        elif kind is dict:
            for name, value in node.items():
                if type(value) is str:
                    if name not in _NO_CONTENT:
                        texts.append(value)
                elif name not in _NO_CONTENT:
                    stack.append(value)
        elif kind is list:
            stack += node
        elif kind is str:
            texts.append(node)
    return not (_have_wording(texts) or _have_code(phrases, subsumed))


def _have_wording(texts: list[str]) -> bool:
    # What stands between two texts is no space: no pattern reaches from one into the next.
    return forbidden().has_wording("\x00".join(texts))


def _have_code(phrases: list[Mapping[str, Any]], subsumed: Subsumed | None) -> bool:
    found = {phrase for phrase in map(_code, phrases) if phrase is not None and phrase[0] not in _OWN}
    return any(forbidden().has_code(name, code, subsumed) for name, code in found)


def _nodes(node: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, list):
        for index, member in enumerate(node):
            yield from _nodes(member, f"{path}[{index}]")
    elif isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from _nodes(value, f"{path}/{name}")


def _code(node: Mapping[str, Any]) -> tuple[str, str] | None:
    code, terminology = node.get("code_string"), node.get("terminology_id")
    name = terminology.get("value") if isinstance(terminology, dict) else None
    return (name, code) if isinstance(name, str) and isinstance(code, str) else None


@lru_cache(maxsize=256)
def _plain(terminology: str) -> str:
    # A version may stand in brackets: SNOMED-CT(2026-01).
    return re.sub(r"[^a-z0-9]", "", terminology.casefold().partition("(")[0])
