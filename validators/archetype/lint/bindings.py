"""Bindings to terminologies: their form and their check digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from archetypes.findings import Finding
from validators.archetype.lint.check_digits import is_loinc, is_snomed_ct
from validators.archetype.subject import Subject, finding

_BINDING = re.compile(r"\[(?P<terminology>[^\]:]+)::(?P<code>[^\]]*)\]")
_URI = re.compile(r"[a-z][a-z0-9+.\-]*:\S+", re.IGNORECASE)
_VERSION = re.compile(r"\(.*\)$")
_SNOMED = re.compile(r"snomed", re.IGNORECASE)
_LOINC = re.compile(r"^(?:loinc|lnc\d*)$", re.IGNORECASE)
_LOINC_PARTS = re.compile(r"L[PA]\d+-\d")


def check_bindings(subject: Subject, languages: tuple[str, ...]) -> Iterator[Finding]:
    """Codes are bound as ``[terminology::code]``, with a right check digit (ADL 1.4, Binding Sections)."""
    for name, items in subject.archetype.terminology.term_bindings.items():
        for key, target in items.items():
            path = f"/ontology/term_bindings[{name}]/items[{key}]"
            match = _BINDING.fullmatch(target.strip())
            if match is None:
                if not _URI.fullmatch(target):
                    yield finding("lint.binding_form", path, expected=f"[{name}::code]", found=target)
                continue
            code = match["code"].strip()
            check = _check_of(match["terminology"])
            if check is not None and not _LOINC_PARTS.fullmatch(code) and not check(code):
                terminology = match["terminology"].strip()
                yield finding("lint.binding_check_digit", path, expected=terminology, found=code)


def _check_of(terminology: str) -> Callable[[str], bool] | None:
    name = _VERSION.sub("", terminology.strip()).strip()
    if _SNOMED.search(name):
        return is_snomed_ct
    return is_loinc if _LOINC.fullmatch(name) else None
