"""A hint for a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean x?`` for the nearest known word, or nothing."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or nothing if none is near."""
    originals = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), originals, n=1, cutoff=0.6)
    return originals[near[0]] if near else ""
