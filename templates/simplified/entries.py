"""FLAT keys as a tree of entries, which readers take apart until nothing is left.

``a/b:1/c|code`` is the suffix ``code`` of the entry ``a/b:1/c``. A step without an index means index 0.
What no reader has taken is unknown: it is reported with the nearest known path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from archetypes.findings import Finding

_STEP = re.compile(r"([^/:|]+)(?::(0|[1-9][0-9]{0,5}))?")

CONTEXT = "ctx"


class Entry:
    """One node of the input: values by suffix (``""`` is the bare value) and entries below by id and index.

    ``order`` is the place of its first key in the input; ``suffixes`` and ``steps`` are what readers have
    asked for, which is what may stand here.
    """

    __slots__ = ("below", "order", "path", "steps", "suffixes", "values")

    def __init__(self, path: str, order: int) -> None:
        self.path = path
        self.order = order
        self.values: dict[str, Any] = {}
        self.below: dict[str, dict[int, Entry]] = {}
        self.suffixes: set[str] = set()
        self.steps: set[str] = set()

    def key(self, suffix: str) -> str:
        """The FLAT key of a suffix of this entry."""
        return f"{self.path}|{suffix}" if suffix else self.path

    def take(self, suffix: str) -> Any:
        """The value with this suffix, or None; it is taken out."""
        self.suffixes.add(suffix)
        return self.values.pop(suffix, None)

    def has(self, *suffixes: str) -> bool:
        """True if one of these suffixes is there."""
        return any(suffix in self.values for suffix in suffixes)

    def take_all(self, step: str) -> list[Entry]:
        """The entries below with this id, by index; their values are left in them."""
        self.steps.add(step)
        found = self.below.get(step)
        return [] if found is None else [found[index] for index in sorted(found)]

    def is_empty(self) -> bool:
        """True if no value is left in or below this entry."""
        return not self.values and all(
            entry.is_empty() for entries in self.below.values() for entry in entries.values()
        )

    def left(self) -> Iterator[Finding]:
        """A finding for each value that nobody has taken."""
        for suffix, value in self.values.items():
            yield self._unknown_suffix(suffix, value)
        for step, entries in self.below.items():
            for entry in entries.values():
                if step in self.steps:
                    yield from entry.left()
                else:
                    yield from self._unknown_step(step, entry)

    def _unknown_suffix(self, suffix: str, value: Any) -> Finding:
        allowed = sorted(self.suffixes)
        if suffix == "" and not allowed:
            return Finding("flat.path.not_a_value", self.path, "a path below", _shown(value))
        near = get_close_matches(suffix, allowed, n=1)
        expected = " ".join(f"|{name}" if name else "no suffix" for name in allowed)
        params = {"suggestion": self.key(near[0])} if near else {}
        return Finding("flat.suffix.unknown", self.key(suffix), expected, f"|{suffix}", params=params)

    def _unknown_step(self, step: str, entry: Entry) -> Iterator[Finding]:
        if entry.is_empty():
            return
        near = get_close_matches(step, sorted(self.steps), n=1)
        suggestion = f"{self.path}/{near[0]}".removeprefix("/") if near else ""
        params = {"suggestion": suggestion} if near else {}
        yield Finding("flat.path.unknown", entry.path, suggestion, step, params=params)


def read_keys(flat: Mapping[str, Any], findings: list[Finding]) -> Entry:
    """The tree of a FLAT object; malformed keys, doubled keys and gaps in indexes go to ``findings``.

    Values that say nothing (null, blank text, empty list or object) are dropped; their paths still count
    as present, so that an empty ``:0`` before a filled ``:1`` is no gap.
    """
    tree = _Tree(findings)
    for order, (key, value) in enumerate(flat.items()):
        tree.add(key, value, order)
    tree.check_indexes(tree.root)
    return tree.root


class _Tree:
    def __init__(self, findings: list[Finding]) -> None:
        self.root = Entry("", 0)
        self._findings = findings
        self._known: dict[str, Entry | None] = {"": self.root}

    def add(self, key: str, value: Any, order: int) -> None:
        path, bar, suffix = key.partition("|")
        entry = self._entry(path, order) if path else None
        if entry is None or (bar and not suffix):
            self._findings.append(Finding("flat.path.malformed", key, "id(:index)/id(:index)...|suffix", key))
        elif suffix in entry.values:
            self._findings.append(Finding("flat.path.doubled", key, "one value", "two keys mean this path"))
        elif not _says_nothing(value):
            entry.values[suffix] = value

    def _entry(self, path: str, order: int) -> Entry | None:
        """The entry at ``path``, made if it is new; None if the path cannot be read."""
        if path in self._known:
            return self._known[path]
        above, _, step = path.rpartition("/")
        parent = self._entry(above, order) if above or not path.startswith("/") else None
        match = _STEP.fullmatch(step)
        entry = None
        if parent is not None and match is not None:
            entries = parent.below.setdefault(match[1], {})
            entry = entries.get(int(match[2] or 0))
            if entry is None:
                entry = entries[int(match[2] or 0)] = Entry(path, order)
        self._known[path] = entry
        return entry

    def check_indexes(self, entry: Entry) -> None:
        for step, entries in entry.below.items():
            # In ctx the same index may be spread over several keys; its reader looks at them together.
            if len(entries) != max(entries) + 1 and entry.path != CONTEXT:
                missing = next(index for index in range(max(entries)) if index not in entries)
                first = entries[min(index for index in entries if index > missing)]
                wanted = f"{entry.path}/{step}:{missing}".removeprefix("/")
                self._findings.append(Finding("flat.index.gap", first.path, wanted, first.path))
            for below in entries.values():
                self.check_indexes(below)


def _says_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
