"""Every kind of change, in one table: its code and its level (docs/modelling.md, "What a change breaks").

A change is **major** if data or clients that were right before may be wrong after it, **minor** if
everything stays right and something new is possible, **patch** if only what people read is touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Level(StrEnum):
    """How much a change weighs; the words of semantic versioning."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    ``path`` is the node's path in the old form, for something new in the new form; ``what`` names the part
    of the node that changed where the path does not (a code, a unit, a language, a key); ``old`` and
    ``new`` are short texts without sentences.
    """

    code: str
    level: Level
    path: str
    old: str = ""
    new: str = ""
    what: str = ""


_MAJOR = (
    # Nodes.
    "path.removed",
    "path.renamed",
    "path.added_mandatory",
    "type.changed",
    "type.narrowed",
    "type.removed",
    "occurrences.mandatory",
    "occurrences.narrowed",
    "existence.mandatory",
    "existence.narrowed",
    "cardinality.mandatory",
    "cardinality.narrowed",
    "name.changed",
    "name.fixed",
    "flat_path.changed",
    # Values.
    "constraint.added",
    "values.closed",
    "value.removed",
    "range.narrowed",
    "pattern.added",
    "pattern.changed",
    "pattern.narrowed",
    "timezone.changed",
    "code.removed",
    "terminology.changed",
    "value_set.changed",
    "unit.removed",
    "property.changed",
    "precision.narrowed",
    "ordinal.removed",
    "ordinal.value_changed",
    # Slots.
    "slot.closed",
    "slot.narrowed",
    "archetype.version_changed",
    # The whole.
    "archetype.id_changed",
    "archetype.parent_changed",
    "template.id_changed",
    "language.default_changed",
    "invariant.added",
    "invariant.changed",
)
_MINOR = (
    "path.added",
    "type.added",
    "type.widened",
    "occurrences.widened",
    "existence.widened",
    "cardinality.widened",
    "cardinality.order_changed",
    "name.freed",
    "constraint.removed",
    "values.opened",
    "value.added",
    "range.widened",
    "pattern.removed",
    "pattern.widened",
    "code.added",
    "code.text_changed",
    "unit.added",
    "precision.widened",
    "ordinal.added",
    "assumed.changed",
    "slot.added",
    "slot.widened",
    "slot.filler_added",
    "language.added",
    "language.removed",
    "binding.added",
    "binding.changed",
    "binding.removed",
    "invariant.removed",
)
_PATCH = (
    "hidden_name.changed",
    "text.other_language_changed",
    "description.changed",
    "annotation.added",
    "annotation.changed",
    "default.changed",
    "annotation.removed",
    "metadata.changed",
)

KINDS: Mapping[str, Level] = MappingProxyType(
    dict.fromkeys(_MAJOR, Level.MAJOR)
    | dict.fromkeys(_MINOR, Level.MINOR)
    | dict.fromkeys(_PATCH, Level.PATCH)
)

_ORDER = tuple(Level)
_VERSION = re.compile(r"v?(?P<major>\d+)(?:\.(?P<minor>\d+))?(?:\.(?P<patch>\d+))?(?:[-+].*)?")


def change(code: str, path: str, old: object = "", new: object = "", what: str = "") -> Change:
    """A change of a kind of the table, with its level."""
    return Change(code, KINDS[code], path, str(old), str(new), what)


def overall_level(changes: Iterable[Change]) -> Level | None:
    """The highest level among ``changes``; None if there is none."""
    return max((each.level for each in changes), key=_ORDER.index, default=None)


def suggested_version(old: str, level: Level | None) -> str | None:
    """The version after a change of ``level``: ``1.4.2`` becomes 2.0.0, 1.5.0 or 1.4.3.

    ``old`` may also be written ``v1`` or ``1.4``. None if it is not a version.
    """
    match = _VERSION.fullmatch(old.strip())
    if match is None:
        return None
    major, minor, patch = (int(part or 0) for part in match.group("major", "minor", "patch"))
    match level:
        case Level.MAJOR:
            return f"{major + 1}.0.0"
        case Level.MINOR:
            return f"{major}.{minor + 1}.0"
        case Level.PATCH:
            return f"{major}.{minor}.{patch + 1}"
    return f"{major}.{minor}.{patch}"
