"""What is done with one file of a corpus, step by step; the first step that fails ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import orjson

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.errors import HelsekortError
from archetypes.findings import Finding, Severity
from archetypes.importing import read_archetype
from archetypes.repository import ArchetypeRepository
from archetypes.rm.canonical_json import read_canonical, write_canonical
from archetypes.rm.canonical_xml import read_canonical_xml, write_canonical_xml
from templates.compile import compile_template
from templates.example import example_composition
from templates.json_schema import json_schema
from templates.oet import read_oet, write_oet
from templates.operational import OperationalTemplate
from templates.opt import read_opt, write_opt
from templates.simplified import from_flat, from_structured, to_flat, to_structured
from templates.web_template import to_web_template
from validators.archetype import validate_archetype
from validators.composition import validate_composition
from validators.template import validate_template

READ, ROUND_TRIP, FLATTENED, COMPILED, VALID, EXAMPLE = STEPS = (
    "read",
    "round trip",
    "flattened",
    "compiled",
    "valid",
    "example",
)
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that a file did not take."""

    step: str
    code: str
    text: str


@dataclass(slots=True)
class Outcome:
    """The steps that a file took, and those that it did not."""

    taken: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def step(self, name: str, take: Callable[[], Any]) -> Any:
        """Take a step; what it returns, or None if it failed."""
        try:
            result = take()
        except (HelsekortError, _Differs, ValueError) as error:
            code = getattr(error, "code", type(error).__name__)
            self.failures.append(Failure(name, _first_code(error) or code, _short(str(error))))
            return None
        self.taken.append(name)
        return result

    def no_errors(self, name: str, findings: Iterable[Finding]) -> None:
        """The step is taken if there is no error; else the first one is told."""
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if not errors:
            self.taken.append(name)
            return
        codes = ", ".join(sorted({finding.code for finding in errors}))
        first = errors[0]
        detail = f"{codes}; first at {first.path or first.archetype_path}: {first.expected} | {first.found}"
        self.failures.append(Failure(name, first.code, _short(detail)))


class _Differs(Exception):
    """What came back is not what was sent."""


@dataclass(frozen=True)
class Corpus:
    """Where the files lie, and what they need of each other."""

    root: Path

    @cached_property
    def archetypes(self) -> dict[str, ArchetypeRepository]:
        """The two libraries, by the name of the folder of their templates."""
        adl = self.root / "archetypes" / "adl14"
        adl2 = (folder for folder in (self.root / "archetypes" / "adl2").glob("*") if folder.is_dir())
        return {folder.name: ArchetypeRepository.from_folder(folder) for folder in adl2} | {
            "oet_international": ArchetypeRepository.from_folder(adl / "int"),
            "oet_norwegian": ArchetypeRepository.from_folder(adl / "no-library"),
            "int": ArchetypeRepository.from_folder(adl / "int"),
            "no-library": ArchetypeRepository.from_folder(adl / "no-library"),
        }

    def repository(self, path: Path) -> ArchetypeRepository | None:
        """The library that a file belongs to."""
        return next((r for name, r in self.archetypes.items() if name in path.parts), None)


def judged_by(kind: str, corpus: Corpus) -> tuple[tuple[str, ...], Callable[[Path], Outcome]]:
    """The steps of a kind of file, and what takes them."""
    steps, judge = _KINDS[kind]
    return steps, lambda path: judge(path, corpus)


def _adl(path: Path, corpus: Corpus) -> Outcome:
    outcome = Outcome()
    archetype = outcome.step(READ, lambda: read_archetype(path.read_bytes(), path.name))
    if archetype is None:
        return outcome
    outcome.step(ROUND_TRIP, lambda: _equal(archetype, parse_adl(print_adl(archetype), path.name)))
    outcome.no_errors(VALID, validate_archetype(archetype, corpus.repository(path)))
    return outcome


def _adl2(path: Path, corpus: Corpus) -> Outcome:
    outcome = Outcome()
    archetype = outcome.step(READ, lambda: read_archetype(path.read_bytes(), path.name))
    repository = corpus.repository(path)
    if archetype is None or repository is None:
        return outcome
    outcome.step(ROUND_TRIP, lambda: _equal(archetype, parse_adl(print_adl(archetype), path.name)))
    outcome.step(FLATTENED, lambda: _flat_form(repository.flattened(archetype)))
    outcome.no_errors(VALID, validate_archetype(archetype, repository))
    return outcome


def _flat_form(flat: Archetype) -> bool:
    return _equal(flat.definition, parse_adl(print_adl(flat)).definition)


def _oet(path: Path, corpus: Corpus) -> Outcome:
    outcome = Outcome()
    template = outcome.step(READ, lambda: read_oet(path.read_bytes(), path.name))
    repository = corpus.repository(path)
    if template is None or repository is None:
        return outcome
    outcome.step(ROUND_TRIP, lambda: _equal(template, read_oet(write_oet(template), path.name)))
    compiled = outcome.step(COMPILED, lambda: compile_template(template, repository))
    if compiled is not None:
        outcome.no_errors(VALID, validate_template(compiled))
    return outcome


def _opt(path: Path, corpus: Corpus) -> Outcome:
    outcome = Outcome()
    opt = outcome.step(READ, lambda: read_opt(path.read_bytes(), path.name))
    if opt is None:
        return outcome
    outcome.step(ROUND_TRIP, lambda: _equal(opt.definition, read_opt(write_opt(opt)).definition))
    outcome.step(COMPILED, lambda: (to_web_template(opt), json_schema(opt)))
    outcome.no_errors(VALID, validate_template(opt))
    outcome.step(EXAMPLE, lambda: all(_example_fits(opt, kind) for kind in ("minimal", "full")))
    return outcome


def _example_fits(opt: OperationalTemplate, kind: Any) -> bool:
    made = example_composition(opt, kind=kind)
    errors = [f for f in validate_composition(opt, made) if f.severity is Severity.ERROR]
    if errors:
        raise _Differs(f"{errors[0].code} at {errors[0].path}")
    return _equal(made, from_flat(opt, to_flat(opt, made)))


# --- compositions -------------------------------------------------------------------------------------


def _canonical_json(path: Path, corpus: Corpus) -> Outcome:
    outcome = Outcome()
    data = outcome.step(READ, lambda: read_canonical(path.read_bytes()))
    if data is not None:
        outcome.step(ROUND_TRIP, lambda: _equal(data, read_canonical(write_canonical(data))))
        _check_data(outcome, data, path)
    return outcome


def _canonical_xml(path: Path, corpus: Corpus) -> Outcome:
    outcome = Outcome()
    data = outcome.step(READ, lambda: read_canonical_xml(path.read_bytes(), "COMPOSITION"))
    if data is not None:
        outcome.step(ROUND_TRIP, lambda: _equal(data, read_canonical_xml(_as_xml(data), "COMPOSITION")))
        _check_data(outcome, data, path)
    return outcome


def _as_xml(data: dict[str, Any]) -> bytes:
    return write_canonical_xml(data, "COMPOSITION", "composition")


def _flat(path: Path, corpus: Corpus) -> Outcome:
    return _simplified(path, from_flat, to_flat)


def _structured(path: Path, corpus: Corpus) -> Outcome:
    return _simplified(path, from_structured, to_structured)


def _simplified(path: Path, read: Callable[..., Any], write: Callable[..., Any]) -> Outcome:
    """The template is that of the family; where it has several, the first that reads the file."""
    outcomes = [_simplified_by(opt, path, read, write) for opt in _templates(path)]
    return max(outcomes, key=lambda outcome: len(outcome.taken), default=_without_template(READ))


def _simplified_by(
    opt: OperationalTemplate, path: Path, read: Callable[..., Any], write: Callable[..., Any]
) -> Outcome:
    outcome = Outcome()
    data = outcome.step(READ, lambda: read(opt, orjson.loads(path.read_bytes())))
    if data is not None:
        outcome.step(ROUND_TRIP, lambda: _equal(data, read(opt, write(opt, data))))
        outcome.no_errors(VALID, validate_composition(opt, data))
    return outcome


def _check_data(outcome: Outcome, data: dict[str, Any], path: Path) -> None:
    details = data.get("archetype_details") or {}
    stated = (details.get("template_id") or {}).get("value") if isinstance(details, dict) else None
    found = _templates(path)
    opt = next((opt for opt in found if opt.template_id == stated), found[0] if found else None)
    if opt is None:
        outcome.failures.extend(_without_template(VALID).failures)
    else:
        outcome.no_errors(VALID, validate_composition(opt, data))


def _without_template(step: str) -> Outcome:
    return Outcome([], [Failure(step, "corpus.no_template", "the corpus has no template for it")])


def _templates(path: Path) -> list[OperationalTemplate]:
    return _templates_of(path.parents[1])


@cache
def _templates_of(family: Path) -> list[OperationalTemplate]:
    found = []
    for path in sorted((family / "opt").glob("*.opt")):
        opt = Outcome().step(READ, lambda path=path: read_opt(path.read_bytes(), path.name))  # type: ignore[misc]
        if opt is not None:
            found.append(opt)
    return found


def _equal(one: Any, other: Any) -> bool:
    if one != other:
        raise _Differs("what came back differs")
    return True


def _first_code(error: Exception) -> str | None:
    findings = getattr(error, "findings", ())
    return findings[0].code if findings else None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[Path, Corpus], Outcome]]] = {
    "adl": ((READ, ROUND_TRIP, VALID), _adl),
    "adl2": ((READ, ROUND_TRIP, FLATTENED, VALID), _adl2),
    "oet": ((READ, ROUND_TRIP, COMPILED, VALID), _oet),
    "opt": ((READ, ROUND_TRIP, COMPILED, VALID, EXAMPLE), _opt),
    "json": ((READ, ROUND_TRIP, VALID), _canonical_json),
    "xml": ((READ, ROUND_TRIP, VALID), _canonical_xml),
    "flat": ((READ, ROUND_TRIP, VALID), _flat),
    "structured": ((READ, ROUND_TRIP, VALID), _structured),
}
