"""Texts for people about changes of archetypes and templates."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from archetypes.changes import Change


def change_text(change: Change, language: str = "nb") -> str:
    """One sentence about the change in Norwegian or, for any other language, English."""
    text = _texts("nb" if language in ("nb", "nn", "no") else "en")[change.code]
    filled = text.format(old=change.old or "–", new=change.new or "–", what=change.what)
    return " ".join(filled.split())


@cache
def _texts(language: str) -> Mapping[str, str]:
    source = files("validators.messages") / f"changes_{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
