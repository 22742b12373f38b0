"""Every text that a person reads in an archetype, with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import Terms
from archetypes.findings import Finding
from validators.archetype.subject import finding

INTERNAL = "@ internal @"
_DETAILS = ("purpose", "use", "misuse")


@dataclass(frozen=True, slots=True)
class Text:
    """One text; ``code`` is empty in the description, where ``member`` is purpose, use or misuse."""

    language: str
    code: str
    member: str
    value: str
    section: str

    @property
    def path(self) -> str:
        """The place in the archetype."""
        if self.section == "details":
            return f"/description/details[{self.language}]/{self.member}"
        return f"/ontology/{self.section}[{self.language}]/items[{self.code}]/{self.member}"

    def finding(self, code: str, *, expected: str = "") -> Finding:
        """A finding about this text."""
        params = {
            "section": self.section,
            "language": self.language,
            "code": self.code,
            "member": self.member,
        }
        return finding(code, self.path, expected=expected, found=self.value, params=params)


def texts(archetype: Archetype) -> Iterator[Text]:
    """The texts of codes, of constraint codes, and of the description, in all languages; not keywords."""
    yield from _of_codes("term_definitions", archetype.terminology.terms)
    yield from _of_codes("constraint_definitions", archetype.terminology.constraints)
    for language, detail in details(archetype).items():
        for member in _DETAILS:
            value = detail.get(member)
            if isinstance(value, str):
                yield Text(language, "", member, value, "details")


def details(archetype: Archetype) -> Mapping[str, Mapping[str, Any]]:
    """The parts of the description by language; empty where there are none."""
    found = archetype.description.get("details")
    return (
        {name: part for name, part in found.items() if isinstance(part, Mapping)}
        if isinstance(found, Mapping)
        else {}
    )


def _of_codes(section: str, definitions: Terms) -> Iterator[Text]:
    for language, codes in definitions.items():
        for code, term in codes.items():
            yield Text(language, code, "text", term.text, section)
            yield Text(language, code, "description", term.description, section)
            for member, value in term.other.items():
                yield Text(language, code, member, value, section)
