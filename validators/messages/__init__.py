"""Findings as text for people."""

from validators.messages.texts import LANGUAGES, finding_hint, finding_text

__all__ = ["LANGUAGES", "finding_hint", "finding_text"]
