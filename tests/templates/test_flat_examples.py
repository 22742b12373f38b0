"""Generated compositions of every template say the same as JSON, FLAT and STRUCTURED, and stay valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from archetypes.errors import HelsekortError
from templates.example import NoExample, example_composition
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.repository import library_templates
from templates.simplified import from_flat, from_structured, to_flat, to_structured
from tests.shared_data import SHARED, needs_shared
from tests.templates.differences import ABSENT, Argued, differences, unexplained
from validators.composition import validate_composition

EMPTY_STRUCTURES = [
    Argued(
        r".*/(protocol|state|other_context|data|description)",
        lambda d: isinstance(d.one, dict) and d.other == ABSENT and "items" not in d.one,
        "an item structure without items says nothing",
    )
]

OPTS = sorted([*SHARED.glob("testdata/**/*.opt"), *SHARED.glob("spec/webtemplate/**/*.opt*")])


def _check(opt: OperationalTemplate, seed: int) -> None:
    try:
        composition = example_composition(opt, seed=seed)
    except NoExample:
        pytest.skip("the template contradicts itself")
    back = from_flat(opt, to_flat(opt, composition))
    assert unexplained(differences(composition, back), EMPTY_STRUCTURES) == []
    assert from_structured(opt, to_structured(opt, composition)) == back
    if not validate_composition(opt, composition):
        assert validate_composition(opt, back) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_our_templates(template_id: str, seed: int) -> None:
    _check(library_templates()[template_id], seed)


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("path", OPTS, ids=lambda path: path.stem)
def test_public_templates(path: Path) -> None:
    try:
        opt = read_opt(path.read_bytes())
    except HelsekortError:
        pytest.skip("broken on purpose")
    _check(opt, 0)
    _check(opt, 1)
