"""What changed between two archetypes."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.archetype import Archetype
from archetypes.aom.constraints import CComplexObject
from archetypes.aom.generations import with_domain_types
from archetypes.changes.kinds import Change, change
from archetypes.changes.texts import (
    annotation_changes,
    binding_changes,
    language_changes,
    metadata_changes,
    short,
)
from archetypes.changes.tree import Tree, tree_changes

Changes = Iterator[Change]


def classify_archetype_change(old: Archetype, new: Archetype) -> list[Change]:
    """Every difference between two archetypes, node by node; empty if they say the same.

    Another version of the same archetype is no difference by itself. A specialised archetype of ADL 2 is
    compared in its flat form. Raises MalformedPath for a ``use_node`` whose path cannot be read.
    """
    return [*_identity(old, new), *tree_changes(_tree(old), _tree(new)), *_around(old, new)]


def _tree(archetype: Archetype) -> Tree:
    definition = archetype.definition
    if archetype.is_adl2:
        compared = with_domain_types(definition, archetype.terminology.value_sets)
        definition = compared if isinstance(compared, CComplexObject) else definition
    return Tree(
        definition=definition,
        language=archetype.original_language,
        terms=archetype.terminology.terms,
    )


def _identity(old: Archetype, new: Archetype) -> Changes:
    if old.archetype_id.rpartition(".v")[0] != new.archetype_id.rpartition(".v")[0]:
        yield change("archetype.id_changed", "", old.archetype_id, new.archetype_id)
    if old.parent_id != new.parent_id:
        yield change("archetype.parent_changed", "", old.parent_id or "", new.parent_id or "")
    if old.original_language != new.original_language:
        yield change("language.default_changed", "", old.original_language, new.original_language)


def _around(old: Archetype, new: Archetype) -> Changes:
    """Everything but the definition and the texts of its nodes."""
    yield from language_changes(frozenset(old.terminology.terms), frozenset(new.terminology.terms))
    yield from binding_changes(old.terminology.term_bindings, new.terminology.term_bindings, "")
    yield from binding_changes(old.terminology.constraint_bindings, new.terminology.constraint_bindings, "")
    yield from _invariants(old.invariants, new.invariants)
    yield from annotation_changes(_notes(old), _notes(new))
    yield from metadata_changes("metadata.changed", old.header, new.header)
    yield from metadata_changes("metadata.changed", _without_default(old), _without_default(new))
    yield from metadata_changes("description.changed", old.description, new.description)
    yield from metadata_changes("metadata.changed", old.revision_history, new.revision_history)
    yield from metadata_changes("metadata.changed", old.rm_overlay, new.rm_overlay)
    for tongue, constraints in old.terminology.constraints.items():
        theirs = new.terminology.constraints.get(tongue, {})
        for code, term in constraints.items():
            if code in theirs and theirs[code] != term:
                yield change("description.changed", "", short(term.text), short(theirs[code].text), code)


def _invariants(old: str, new: str) -> Changes:
    before, after = (" ".join(text.split()) for text in (old, new))
    if before == after:
        return
    if not before:
        yield change("invariant.added", "", "", short(after))
    elif not after:
        yield change("invariant.removed", "", short(before), "")
    else:
        yield change("invariant.changed", "", short(before), short(after))


def _notes(archetype: Archetype) -> dict[str, dict[str, str]]:
    """Annotations as one text a path; their depth differs between tools."""
    return {str(path): {"": repr(value)} for path, value in archetype.annotations.items()}


def _without_default(archetype: Archetype) -> dict[str, object]:
    return {key: value for key, value in archetype.language.items() if key != "original_language"}
