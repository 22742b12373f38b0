"""FLAT keys as a tree of entries, which readers take apart until nothing is left.

``a/b:1/c|code`` is the suffix ``code`` of the entry ``a/b:1/c``. A step without an index means index 0.
What no reader has taken is unknown: it is reported with the nearest known path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from archetypes.findings import Finding

_STEP = re.compile(r"([^/:|]+)(?::(0|[1-9][0-9]{0,5}))?")

_MOST_STEPS = 100  # templates stay below 20
_LONGEST_SUGGESTED = 300

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

    def left(self, suggestions: Suggestions) -> Iterator[Finding]:
        """A finding for each value that nobody has taken."""
        for suffix, value in self.values.items():
            yield self._unknown_suffix(suffix, value, suggestions)
        for step, entries in self.below.items():
            for entry in entries.values():
                if step in self.steps:
                    yield from entry.left(suggestions)
                elif not entry.is_empty():
                    yield self._unknown_step(step, entry, suggestions)

    def _unknown_suffix(self, suffix: str, value: Any, suggestions: Suggestions) -> Finding:
        if suffix == "" and not self.suffixes:
            return Finding("flat.path.not_a_value", self.path, "a path below", _shown(value))
        near = suggestions.nearest(suffix, self.suffixes)
        params = {"suggestion": self.key(near)} if near else {}
        expected = " ".join(map(_suffix, sorted(self.suffixes)))
        return Finding("flat.suffix.unknown", self.key(suffix), expected, _suffix(suffix), params=params)

    def _unknown_step(self, step: str, entry: Entry, suggestions: Suggestions) -> Finding:
        near = suggestions.nearest(step, self.steps)
        suggestion = f"{self.path}/{near}".removeprefix("/") if near else suggestions.anywhere(entry.path)
        params = {"suggestion": suggestion} if suggestion else {}
        return Finding("flat.path.unknown", entry.path, suggestion, _shown(step), params=params)


class Suggestions:
    """What was probably meant; looked for only so often, because it takes long.

    ``paths`` gives all paths of the template without indexes.
    """

    def __init__(self, paths: Callable[[], Sequence[str]]) -> None:
        self._left = 50
        self._paths = paths

    def nearest(self, told: str, known: Iterable[str]) -> str:
        """The most similar of the known names, or nothing."""
        if self._left == 0 or len(told) > _LONGEST_SUGGESTED:
            return ""
        self._left -= 1
        return next(iter(get_close_matches(told, sorted(known), n=1)), "")

    def anywhere(self, path: str) -> str:
        """The most similar path of the template: one with the same last step, if there is any."""
        if self._left == 0 or len(path) > _LONGEST_SUGGESTED:
            return ""
        self._left -= 1
        bare = re.sub(r":[0-9]+", "", path)
        last = f"/{bare.rpartition('/')[2]}"
        paths = self._paths()
        same = [known for known in paths if known.endswith(last)]
        return next(iter(get_close_matches(bare, same or paths, n=1, cutoff=0.5)), "")


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
        entry = self._entry(path, order) if path and path.count("/") < _MOST_STEPS else None
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


def _suffix(suffix: str) -> str:
    return f"|{suffix}" if suffix else "(no suffix)"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
