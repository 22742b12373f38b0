"""The description: purpose, use, misuse and keywords (AOM 1.4, RESOURCE_DESCRIPTION_ITEM)."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.findings import Finding
from validators.archetype.lint.texts import details
from validators.archetype.subject import Subject, finding

_MEMBERS = ("purpose", "use", "misuse", "keywords")


def check_metadata(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """Purpose, use, misuse and keywords are there in each wanted language (RESOURCE_DESCRIPTION_ITEM)."""
    for language, detail in details(subject.archetype).items():
        if language not in languages:
            continue
        for member in _MEMBERS:
            value = detail.get(member)
            if not value or (isinstance(value, str) and not value.strip()) or value == [""]:
                path = f"/description/details[{language}]"
                yield finding("lint.metadata_missing", path, expected=member, found=language)
