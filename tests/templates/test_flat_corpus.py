"""Public compositions survive FLAT and STRUCTURED; what changes is listed here and in docs/formats.md."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from archetypes.errors import HelsekortError
from archetypes.rm.canonical_xml import read_canonical_xml
from templates.errors import FlatRefused, NotSayable
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.simplified import from_flat, from_structured, to_flat, to_structured
from templates.simplified.structured import flatten
from templates.web_template import to_web_template
from tests.shared_data import SHARED, needs_shared
from tests.templates.differences import ABSENT, Argued, differences, unexplained
from validators.composition import validate_composition

CORPUS = SHARED / "testdata" / "compositions"
FILES = sorted(path for kind in ("json", "xml") for path in CORPUS.glob(f"*/canonical_{kind}/*"))

pytestmark = needs_shared

NORMALISED = [
    Argued(r".*/_type", lambda d: bool(d.one == ABSENT), "the class is written where the model implies it"),
    Argued(
        r".*/archetype_details(/rm_version|/template_id)?",
        lambda d: not isinstance(d.one, dict) or d.other == ABSENT,
        "archetype details are the template's: RM 1.1.0, the template id at the root",
    ),
    Argued(
        r".*/(lower|upper)_(included|unbounded)",
        lambda d: bool(d.one == ABSENT),
        "the flags of intervals are written",
    ),
    Argued(
        r".*/(uid|instruction_id/id)/_type", lambda d: True, "the syntax of a uid says which of the two it is"
    ),
    Argued(
        r".*/(data|description|protocol|state|other_context)(/events\[0\])?/name/.*",
        lambda d: True,
        "nodes that FLAT leaves out have the template's name",
    ),
    Argued(r".*/name", lambda d: bool(d.one == ABSENT), "a missing name becomes the template's"),
    Argued(
        r".*/(narrative|language|encoding|subject)",
        lambda d: bool(d.one == ABSENT),
        "what the model demands is filled in",
    ),
    Argued(
        r".*/(protocol|state|other_context|data|description)",
        lambda d: isinstance(d.one, dict) and d.other == ABSENT and "items" not in d.one,
        "an item structure without items goes",
    ),
    Argued(r"/context", lambda d: bool(d.one == ABSENT), "an event composition has a context"),
]

# Files that are no compositions of the template in their folder, by the place where that shows.
NOT_OF_THEIR_TEMPLATE = {
    "compo_with_nested_party_identified.json": "/content[0]",
    "compo_with_nested_party_related.json": "/content[0]",
    "compo_with_nested_party_self.json": "/content[0]",
    "compo_with_nested_provider.json": "/content[0]",
    "cardinality_of_section__full-1.json": "/content",
    "cardinality_of_section__full.json": "/content",
    "minimal_observation.composition.participations.extdatetimes.ehrbase.json": "/",
    "minimal_observation.composition.participations.extdatetimes_FIXED_EXAMPLE.xml": "/",
    "rawdb_composition.json": "/content",
}


@cache
def _opt(folder: Path) -> OperationalTemplate | None:
    for path in sorted((folder / "opt").iterdir()):
        try:
            return read_opt(path.read_bytes())
        except HelsekortError:
            continue
    return None


def _composition(path: Path) -> dict[str, Any] | None:
    try:
        if path.suffix == ".xml":
            return read_canonical_xml(path.read_bytes(), "COMPOSITION")
        made: dict[str, Any] = json.loads(path.read_bytes())
    except (HelsekortError, ValueError):
        return None
    return made


def _read(path: Path) -> tuple[OperationalTemplate, dict[str, Any]]:
    opt, composition = _opt(path.parents[1]), _composition(path)
    if opt is None or composition is None:
        pytest.skip("the template or the composition of this folder is broken on purpose")
    return opt, composition


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_round_trip(path: Path) -> None:
    opt, composition = _read(path)
    if path.name in NOT_OF_THEIR_TEMPLATE:
        with pytest.raises(NotSayable) as caught:
            to_flat(opt, composition)
        (finding,) = caught.value.findings
        assert finding.path == NOT_OF_THEIR_TEMPLATE[path.name]
        return
    back = from_flat(opt, json.loads(json.dumps(to_flat(opt, composition))))
    assert unexplained(differences(composition, back), NORMALISED) == []
    assert list(differences(back, from_structured(opt, to_structured(opt, back)))) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_valid_composition_becomes_invalid(path: Path) -> None:
    opt, composition = _read(path)
    if validate_composition(opt, composition):
        pytest.skip("not valid itself")
    assert validate_composition(opt, from_flat(opt, to_flat(opt, composition))) == []


def test_the_corpus_is_there() -> None:
    assert len(FILES) > 100
    assert {path.name for path in FILES} >= set(NOT_OF_THEIR_TEMPLATE)


FLAT_FILES = sorted(CORPUS.glob("*/flat/*.json"))

# Refused by name.
REFUSED = {
    "ReSPECT.json": "flat.value.missing",  # a code of an unnamed terminology
    "nested.en.v1__full.json": "flat.suffix.unknown",  # |terminology_id
}


@pytest.mark.parametrize("path", FLAT_FILES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_flat_files(path: Path) -> None:
    opt = _opt(path.parents[1])
    if opt is None:
        pytest.skip("the template of this folder is broken on purpose")
    flat = json.loads(path.read_bytes())
    if path.name in REFUSED:
        with pytest.raises(HelsekortError) as caught:
            from_flat(opt, flat)
        assert REFUSED[path.name] in {finding.code for finding in getattr(caught.value, "findings", ())}
        return
    composition = from_flat(opt, flat)
    assert list(differences(composition, from_flat(opt, to_flat(opt, composition)))) == []


SIMULATED = SHARED / "spec" / "webtemplate" / "ehrbase" / "flat"
SIMULATED_FILES = sorted(SIMULATED.glob("**/*.json"))
OLD_RAW = "flat.raw.type"  # |raw of before, with @class in place of _type
SIMULATED_REFUSED = {
    "ReSPECT.json": "flat.value.missing",
    "corona_with_raw.json": OLD_RAW,
    "corona_with_feeder_audit_raw.json": OLD_RAW,
}


@cache
def _opts_by_root() -> dict[str, list[OperationalTemplate]]:
    found: dict[str, list[OperationalTemplate]] = {}
    folders = (SHARED / "spec" / "webtemplate" / "ehrbase" / "opt", SHARED / "testdata")
    for path in sorted(path for folder in folders for path in folder.glob("**/*.opt")):
        try:
            opt = read_opt(path.read_bytes())
        except HelsekortError:
            continue
        found.setdefault(to_web_template(opt)["tree"]["id"], []).append(opt)
    return found


@pytest.mark.parametrize("path", SIMULATED_FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_flat_of_another_server(path: Path) -> None:
    given = json.loads(path.read_bytes())
    flat = flatten(given) if path.parent.name == "structured" else given
    root = next(key for key in flat if not key.startswith("ctx/")).partition("/")[0]
    codes = set()
    for opt in _opts_by_root().get(root, []):
        try:
            composition = from_flat(opt, flat)
        except FlatRefused as error:
            codes |= {finding.code for finding in error.findings}
            continue
        assert list(differences(composition, from_flat(opt, to_flat(opt, composition)))) == []
        assert path.name not in SIMULATED_REFUSED
        return
    if not codes:
        pytest.skip("its template is not in the pack")
    assert SIMULATED_REFUSED[path.name] in codes
