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
        hinted = any(hint in lower for hint in self.hints)
        return hinted and self.wording.search(lower) is not None

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
    texts: list[str] = []
    codes: set[tuple[str, str]] = set()
    stack: list[Mapping[str, Any] | list[Any]] = [composition]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(member for member in node if isinstance(member, dict | list))
            continue
        if "code_string" in node:
            phrase = _code(node)
            if phrase is not None:
                codes.add(phrase)
            continue
        for value in node.values():
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, dict | list):
                stack.append(value)
    # What stands between two texts is no space: no pattern reaches from one into the next.
    if forbidden().has_wording("\x00".join(texts)):
        return False
    foreign = (phrase for phrase in codes if phrase[0] not in _OWN)
    return not any(forbidden().has_code(*phrase, subsumed) for phrase in foreign)


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
