"""The editorial rules of archetypes, and their run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archetypes.aom.archetype import Archetype
from archetypes.findings import Finding
from archetypes.repository import ArchetypeRepository
from validators.archetype.lint import bindings, codes, metadata, other_archetypes, units, wording
from validators.archetype.subject import Subject, in_its_words

LintRule = Callable[[Subject, tuple[str, ...]], Iterator[Finding]]

LINT_RULES: tuple[LintRule, ...] = (
    wording.check_languages,
    wording.check_texts_present,
    wording.check_translated,
    wording.check_spaces,
    wording.check_punctuation,
    wording.check_names,
    codes.check_unused_codes,
    codes.check_reused_codes,
    codes.check_concept_form,
    metadata.check_metadata,
    units.check_units,
    bindings.check_bindings,
    other_archetypes.check_slot_references,
    other_archetypes.check_parent,
)


def lint_archetype(
    archetype: Archetype,
    repository: ArchetypeRepository | None = None,
    *,
    languages: tuple[str, ...] = ("nb", "en"),
) -> list[Finding]:
    """What an editor should look at: warnings only, in the order of :data:`LINT_RULES`.

    Texts are judged in ``languages``; without ``repository`` the rules about other archetypes stay silent.
    """
    subject = Subject(archetype, repository)
    findings = [found for rule in LINT_RULES for found in rule(subject, languages)]
    return in_its_words(archetype, findings)
