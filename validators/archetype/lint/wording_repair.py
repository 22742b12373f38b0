"""The mended form of a text; equal to the text where nothing is wrong."""

from __future__ import annotations

import re

# Blanks at the beginning of a line indent it.
_BLANKS = re.compile(r"(?<=[^\s]) {2,}(?=[^\s])")
_BEFORE_COMMA = re.compile(r"(?<=[\w)\]]) +([,.])(?=\s|$)")
_TWO_STOPS = re.compile(r"(?<=\w)\.\.(?=\s|$)")


def mended_spaces(text: str) -> str:
    """Without blanks at the ends, and with single blanks between words."""
    stripped = text.strip()
    return _BLANKS.sub(" ", stripped) if stripped else ""


def mended_punctuation(text: str) -> str:
    """Without a blank before a comma or full stop, and with single full stops."""
    return _TWO_STOPS.sub(".", _BEFORE_COMMA.sub(r"\1", text))
