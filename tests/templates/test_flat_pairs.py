"""FLAT and STRUCTURED of real compositions equal those of another implementation (spec/webtemplate)."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from archetypes.rm.canonical_xml import read_canonical_xml
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.simplified import from_flat, from_structured, to_flat, to_structured
from templates.simplified.structured import flatten, structure
from tests.shared_data import SHARED, needs_shared
from tests.templates.differences import ABSENT, Argued, Difference, differences, unexplained

PAIRS = SHARED / "spec" / "webtemplate" / "better-pairs"
RAW = sorted(PAIRS.glob("*/raw_*.xml"))

pytestmark = needs_shared


def _only_ours(difference: Difference) -> bool:
    return bool(difference.one == ABSENT)


def _same_instant(difference: Difference) -> bool:
    return bool(_seconds(difference.one) == _seconds(difference.other))


def _seconds(value: Any) -> str:
    """``15:06Z`` as ``15:06:00Z``: theirs drops zero seconds when it nests FLAT."""
    return re.sub(r"(T\d\d:\d\d)(?=[Z+-])", r"\1:00", str(value)).replace("+00:00", "Z")


FLAT_DIFFERS = [
    Argued(
        r".*/_name",
        lambda d: _only_ours(d) and bool(re.search(r" #\d+$", str(d.other))),
        "names of repeated nodes end in their number; theirs drops the number and makes it again",
    ),
    Argued(
        r".*/_name\|(code|value|terminology)",
        _only_ours,
        "a name that is coded where the template asks for none; theirs drops the code",
    ),
    Argued(r".*\|precision", _only_ours, "DV_QUANTITY.precision; theirs drops it"),
    Argued(
        r".*/confirmation_sign(\|id)?",
        lambda d: ABSENT in (d.one, d.other),
        "DV_IDENTIFIER has |id by the specification; theirs writes the bare value",
    ),
    Argued(
        r"/colposcopy/[a-z_]+/ism_transition/current_state\|(code|value|terminology)",
        _only_ours,
        "the state of an action whose template says nothing of it; theirs drops it",
    ),
]
STRUCTURED_DIFFERS = [
    *FLAT_DIFFERS[1:3],
    Argued(r".*/_name", _only_ours, FLAT_DIFFERS[0].reason),
    Argued(
        r".*/supplement\[0\]",
        lambda d: (
            isinstance(d.other, dict) and {"": d.one} == {k: v for k, v in d.other.items() if k != "_name"}
        ),
        FLAT_DIFFERS[1].reason,
    ),
    Argued(r".*", _same_instant, "theirs drops zero seconds"),
    Argued(r"/ctx", lambda d: d.other == ABSENT, "theirs keeps the form's own fields in ctx"),
    Argued(r"/[a-z_]+/_feeder_audit", _only_ours, "theirs moves the form's own fields to ctx"),
    Argued(
        r".*/spo\[0\]/(\|value)?",
        lambda d: ABSENT in (d.one, d.other),
        "the quotient of a DV_PROPORTION stands bare in FLAT; one of their files calls it |value",
    ),
    Argued(r"/colposcopy/[a-z_]+\[0\]/ism_transition", _only_ours, FLAT_DIFFERS[-1].reason),
]


@cache
def _opt(folder: Path) -> OperationalTemplate:
    return read_opt((folder / f"{folder.name}.opt.xml").read_bytes())


def _composition(raw: Path) -> dict[str, Any]:
    return read_canonical_xml(raw.read_bytes(), "COMPOSITION")


def _expected(raw: Path, form: str) -> dict[str, Any]:
    name = raw.name.replace("raw_", f"{form}_").replace(".xml", ".json")
    expected: dict[str, Any] = json.loads((raw.parent / name).read_text(encoding="utf-8"))
    return expected


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw.stem)
def test_flat(raw: Path) -> None:
    found = to_flat(_opt(raw.parent), _composition(raw))
    assert unexplained(differences(_expected(raw, "flat"), found), FLAT_DIFFERS) == []


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw.stem)
def test_structured(raw: Path) -> None:
    found = to_structured(_opt(raw.parent), _composition(raw))
    assert unexplained(differences(_expected(raw, "structured"), found), STRUCTURED_DIFFERS) == []


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw.stem)
def test_their_flat_is_read_and_written_again(raw: Path) -> None:
    flat = _expected(raw, "flat")
    root = next(iter(flat)).partition("/")[0]
    # Six of their compositions have no composer, which the reference model demands.
    composer = {} if any(key.startswith(f"{root}/composer") for key in flat) else {"ctx/composer_name": "A"}
    again = to_flat(_opt(raw.parent), from_flat(_opt(raw.parent), {**flat, **composer}))
    made = {key: value for key, value in again.items() if not composer or key != f"{root}/composer|name"}
    assert unexplained(differences(flat, made), FLAT_DIFFERS) == []


INPUTS = sorted(PAIRS.glob("*/input_*.json"))

# What their library adds to an input and FLAT does not ask for.
ADDED = [
    Argued(
        r"/[a-z_]+/_feeder_audit.*",
        lambda d: d.other == ABSENT,
        "theirs keeps ctx/generic_fields, the state of its own forms, as a feeder audit",
    ),
    Argued(r"/[a-z_]+/composer.*", _only_ours, "without a composer the composition is not valid"),
    Argued(r".*", _same_instant, "theirs writes +00:00 as Z"),
]


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_input(path: Path) -> None:
    opt = _opt(path.parent)
    given = json.loads(path.read_text(encoding="utf-8"))
    expected = _expected(path.with_name(path.name.replace("input_", "raw_").replace(".json", ".xml")), "flat")
    if "ctx" in given:
        given["ctx"].pop("generic_fields", None)
        given["ctx"].setdefault("composer_name", "A")
        composition = from_structured(opt, given)
    else:
        composition = from_flat(opt, given)
    found = differences(expected, to_flat(opt, composition))
    assert unexplained(found, [*FLAT_DIFFERS, *ADDED]) == []


FILES = sorted(PAIRS.glob("*/flat_*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_flat_and_structured_differ_in_form_only(path: Path) -> None:
    flat = json.loads(path.read_text(encoding="utf-8"))
    assert _without_first(flatten(structure(flat))) == _without_first(flat)


def _without_first(flat: dict[str, Any]) -> dict[str, Any]:
    """Index 0 of an only member can be said or left out."""
    return {re.sub(r":0(?=[/|]|$)", "", key): value for key, value in flat.items()}
