"""A hint for a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean x?`` for the nearest known word, or nothing."""
    near = get_close_matches(word.lower(), {name.lower(): name for name in known}, n=1, cutoff=0.6)
    if not near:
        return ""
    original = {name.lower(): name for name in known}[near[0]]
    return f"; did you mean {original}?"
