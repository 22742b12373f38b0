"""What changed in texts, translations, bindings and metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archetypes.aom.constraints import (
    Bindings,
    CArchetypeRoot,
    CComplexObject,
    CObject,
    TermDefinition,
    Terms,
)
from archetypes.changes.kinds import Change, change

Changes = Iterator[Change]
LONGEST = 80  # of a text in a change


def term_changes(definition: CComplexObject, old: Terms, new: Terms, language: str, path: str) -> Changes:
    """Texts of codes that both have; names of nodes in ``language`` are told at the nodes."""
    if old == new:
        return
    nodes = frozenset(_node_codes(definition))
    for tongue, terms in old.items():
        theirs = new.get(tongue, {})
        for code, term in terms.items():
            if code in theirs and term != theirs[code]:
                if tongue == language:
                    yield from _term(term, theirs[code], code, path, is_node=code in nodes)
                else:
                    yield _other_language(term, theirs[code], f"{tongue} {code}", path)


def _term(old: TermDefinition, new: TermDefinition, code: str, path: str, *, is_node: bool) -> Changes:
    if old.text != new.text and not is_node:
        yield change("code.text_changed", path, short(old.text), short(new.text), code)
    if old.description != new.description or old.other != new.other:
        yield change("description.changed", path, short(old.description), short(new.description), code)


def _other_language(old: TermDefinition, new: TermDefinition, what: str, path: str) -> Change:
    mine, theirs = (old.text, new.text) if old.text != new.text else (old.description, new.description)
    return change("text.other_language_changed", path, short(mine), short(theirs), what)


def _node_codes(node: CObject) -> Iterator[str]:
    """The codes that name nodes of one archetype."""
    yield node.node_id
    if isinstance(node, CComplexObject):
        for _, child in node.children():
            if not isinstance(child, CArchetypeRoot):
                yield from _node_codes(child)


def language_changes(old: frozenset[str], new: frozenset[str]) -> Changes:
    """Translations that came or went."""
    yield from (change("language.removed", "", language, "", language) for language in sorted(old - new))
    yield from (change("language.added", "", "", language, language) for language in sorted(new - old))


def binding_changes(old: Bindings, new: Bindings, path: str) -> Changes:
    """Codes of other terminologies for nodes and values."""
    before, after = _flat(old), _flat(new)
    yield from _entries("binding", before, after, path)


def _flat(bindings: Bindings) -> dict[str, str]:
    return {
        f"{terminology} {code}": str(target)
        for terminology, targets in bindings.items()
        for code, target in targets.items()
    }


def _entries(kind: str, old: Mapping[str, str], new: Mapping[str, str], path: str) -> Changes:
    for key, text in old.items():
        if key not in new:
            yield change(f"{kind}.removed", path, short(text), "", key)
        elif new[key] != text:
            yield change(f"{kind}.changed", path, short(text), short(new[key]), key)
    for key, text in new.items():
        if key not in old:
            yield change(f"{kind}.added", path, "", short(text), key)


def annotation_changes(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> Changes:
    """Notes on nodes, by path."""
    for path in dict.fromkeys((*old, *new)):
        yield from _entries("annotation", old.get(path, {}), new.get(path, {}), path)


def metadata_changes(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Differences of two trees of metadata, one change for each key; ``kind`` is the code."""
    before, after = dict(_leaves(old, "")), dict(_leaves(new, ""))
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            yield change(kind, "", short(before.get(key, "")), short(after.get(key, "")), key)


def _leaves(tree: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(tree, list | tuple):
        yield key, ", ".join(map(str, tree))
    else:
        yield key, str(tree)


def short(text: str) -> str:
    """A text cut to what fits in a line."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
