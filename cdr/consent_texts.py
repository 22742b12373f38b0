"""What she reads before she decides, in Norwegian and English (``consent_texts.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def text_version() -> str:
    """The version of the wording that is in force; a decision names the one that she was shown."""
    return str(_all()["version"])


def consent_texts(language: str, *, scrub_days: int) -> Mapping[str, str]:
    """The texts by key, in Norwegian (nb, nn, no) or else in English."""
    texts = _all()["nb" if language in ("nb", "nn", "no") else "en"]
    return {key: text.strip().replace("{days}", str(scrub_days)) for key, text in texts.items()}


@cache
def _all() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("cdr") / "consent_texts.toml").read_text(encoding="utf-8"))
