"""Texts of codes and names of nodes, in the language of a template."""

from __future__ import annotations

from dataclasses import dataclass

from archetypes.aom.constraints import CArchetypeRoot
from archetypes.terminology.openehr import terminology


@dataclass(frozen=True, slots=True)
class Rubrics:
    """The terms of one archetype root; ``language`` first, any other language where it has no text."""

    root: CArchetypeRoot
    language: str

    def of(self, terminology_id: str, code: str) -> str | None:
        """The text of a code: of the archetype, of openEHR, or one that the template brought along."""
        if terminology_id == "openehr":
            return openehr_rubric(code, self.language)
        return self._term(code if terminology_id == "local" else f"{terminology_id}::{code}")

    def name(self, node_id: str) -> str:
        """The name of a node; its id where the archetype has no text."""
        return self._term(node_id) or node_id

    def _term(self, code: str) -> str | None:
        languages = sorted(self.root.terms, key=lambda language: language != self.language)
        found = (self.root.terms[language].get(code) for language in languages)
        return next((term.text for term in found if term is not None), None)


def openehr_rubric(code: str, language: str) -> str | None:
    """The text of a code of the openEHR terminology, whatever its group."""
    # A code means the same in all groups that have it.
    texts = (terminology().rubric(group, code, language) for group in terminology().groups)
    return next((text for text in texts if text is not None), None)
