"""Texts of codes and names of nodes, in the language of a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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
        terms = self.root.terms
        own = terms.get(self.language, {}).get(code)
        if own is not None:
            return own.text
        found = (terms[language].get(code) for language in terms)
        return next((term.text for term in found if term is not None), None)


def openehr_rubric(code: str, language: str) -> str | None:
    """The text of a code of the openEHR terminology, in English where the language has none."""
    texts = openehr_rubrics(code)
    return texts.get(language, texts.get("en"))


def openehr_rubrics(code: str) -> Mapping[str, str]:
    """The texts of an openEHR code by language; empty if there is no such code.

    A code means the same in all groups that have it, but for 532: a completed step in the data, a complete
    version around them. Here it is what data say.
    """
    groups = terminology().groups
    names = sorted(groups, key=lambda name: name == "version_lifecycle_state")
    return next((groups[name][code] for name in names if code in groups[name]), MappingProxyType({}))
