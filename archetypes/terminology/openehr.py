"""The openEHR terminology (release 3.1.0) as values.

``groups.json`` holds the vocabularies with English and, where a user meets them, Norwegian rubrics;
``code_sets.json`` the code sets (ISO 639-1, ISO 3166-1, IANA, openEHR's own); ``property_units.json``
the units that are known for each physical property, in UCUM and in the older openEHR spelling.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

Group = Mapping[str, Mapping[str, str]]  # code -> language -> rubric


@dataclass(frozen=True)
class OpenehrTerminology:
    """Lookups by group and code set; names are openEHR's, such as ``null_flavours`` and ``languages``."""

    groups: Mapping[str, Group]
    code_sets: Mapping[str, frozenset[str]]
    external_ids: Mapping[str, str]
    property_units: Mapping[str, frozenset[str]]

    @cached_property
    def units(self) -> frozenset[str]:
        """Every unit that is known for some property."""
        return frozenset().union(*self.property_units.values())

    def is_in_group(self, group: str, code: str) -> bool:
        """True if ``code`` belongs to the group; KeyError for a group that does not exist."""
        return code in self.groups[group]

    def is_in_code_set(self, code_set: str, code: str) -> bool:
        """True if ``code`` belongs to the code set; KeyError for a set that does not exist."""
        return code in self.code_sets[code_set]

    def rubric(self, group: str, code: str, language: str = "en") -> str | None:
        """The text of a code in ``language``, else in English, else None."""
        rubrics = self.groups[group].get(code)
        return None if rubrics is None else rubrics.get(language, rubrics["en"])

    def rubrics(self, group: str, code: str) -> frozenset[str]:
        """The texts of a code in every language that we hold."""
        return frozenset(self.groups[group].get(code, {}).values())

    def units_of(self, property_code: str) -> frozenset[str]:
        """The units known for a property (``122`` is length); empty if none are."""
        return self.property_units.get(property_code, frozenset())


@cache
def terminology() -> OpenehrTerminology:
    """The bundled terminology, read once."""
    code_sets = _read("code_sets.json")
    return OpenehrTerminology(
        groups=_read("groups.json"),
        code_sets={name: frozenset(entry["codes"]) for name, entry in code_sets.items()},
        external_ids={name: entry["external_id"] for name, entry in code_sets.items()},
        property_units={code: frozenset(units) for code, units in _read("property_units.json").items()},
    )


def is_in_group(group: str, code: str) -> bool:
    """True if ``code`` belongs to the openEHR group, such as ``("setting", "231")``."""
    return terminology().is_in_group(group, code)


def _read(name: str) -> Any:
    return json.loads((files("archetypes.terminology") / name).read_text(encoding="utf-8"))
