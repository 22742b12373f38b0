"""Which child of the old attribute is which child of the new one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence

from archetypes.aom.constraints import ArchetypeSlot, CArchetypeRoot, CObject, Terms
from archetypes.aom.names import fixed_name

Pair = tuple[CObject | None, CObject | None]
Key = Callable[[CObject], Hashable | None]


def identifier(node: CObject) -> str:
    """What paths name the node by: an archetype id, an at-code, or nothing."""
    return node.archetype_id if isinstance(node, CArchetypeRoot) else node.node_id


def is_slot(node: CObject) -> bool:
    """Is it a place for other archetypes?"""
    return isinstance(node, ArchetypeSlot)


def node_name(node: CObject, terms: Terms, language: str) -> str:
    """The name that the template fixes, else the text of the node's code."""
    return fixed_name(node) or term_text(node, terms, language)


def term_text(node: CObject, terms: Terms, language: str) -> str:
    """The text of the node's code, of its own archetype if it is the root of one; empty if it has none."""
    own = node.terms if isinstance(node, CArchetypeRoot) else terms
    term = own.get(language, {}).get(node.node_id)
    return term.text if term is not None and node.node_id else ""


def pair_children(old: Sequence[CObject], new: Sequence[CObject], old_name: Key, new_name: Key) -> list[Pair]:
    """Each child of either side once, with its partner or None; in the old order, then the new.

    What is surest pairs first: equal alternatives, then same id and name, same id, same type, another
    version of one archetype, and at last another code with the same type and name (``old_name`` and
    ``new_name`` give them): a renamed path.
    """
    pairing = _Pairing(old, new)
    pairing.by(_whole)
    pairing.by(lambda node: identifier(node) and (identifier(node), is_slot(node), fixed_name(node)))
    pairing.by(lambda node: identifier(node) and (identifier(node), is_slot(node)))
    pairing.by(lambda node: None if identifier(node) else node.rm_type_name)
    pairing.by(_archetype_without_version)
    pairing.by(_typed(old_name), _typed(new_name))
    pairing.last_alternatives()
    return pairing.pairs()


class _Pairing:
    """What is not paired yet, and the pairs so far; nodes are known by their positions."""

    def __init__(self, old: Sequence[CObject], new: Sequence[CObject]) -> None:
        self._old = old
        self._new = new
        self._old_left = dict.fromkeys(range(len(old)))  # ordered sets
        self._new_left = dict.fromkeys(range(len(new)))
        self._partners: dict[int, int] = {}

    def by(self, old_key: Key, new_key: Key | None = None) -> None:
        """Pair, in order, what has the same key; a key that is None or empty pairs nothing."""
        waiting: dict[Hashable, deque[int]] = {}
        for position in self._new_left:
            key = (new_key or old_key)(self._new[position])
            if key:
                waiting.setdefault(key, deque()).append(position)
        for position in list(self._old_left) if waiting else ():
            candidates = waiting.get(old_key(self._old[position]) or None)
            if candidates:
                self._pair(position, candidates.popleft())

    def last_alternatives(self) -> None:
        """One data value left on each side: its type was changed."""
        if len(self._old_left) == len(self._new_left) == 1:
            old, new = next(iter(self._old_left)), next(iter(self._new_left))
            if not identifier(self._old[old]) and not identifier(self._new[new]):
                self._pair(old, new)

    def pairs(self) -> list[Pair]:
        """All pairs, also the incomplete ones."""
        partners = (self._partners.get(position) for position in range(len(self._old)))
        paired: list[Pair] = [
            (node, None if partner is None else self._new[partner])
            for node, partner in zip(self._old, partners, strict=True)
        ]
        return paired + [(None, self._new[position]) for position in self._new_left]

    def _pair(self, old: int, new: int) -> None:
        self._partners[old] = new
        del self._old_left[old]
        del self._new_left[new]


def _whole(node: CObject) -> Hashable | None:
    """Data values without an id are known by all that they say; trees with ids need no such effort."""
    return None if identifier(node) else repr(node)


def _archetype_without_version(node: CObject) -> Hashable | None:
    if not isinstance(node, CArchetypeRoot):
        return None
    return node.archetype_id.rpartition(".v")[0], fixed_name(node)


def _typed(name: Key) -> Key:
    def key(node: CObject) -> Hashable | None:
        text = name(node)
        return (node.rm_type_name, text) if text and not is_slot(node) else None

    return key
