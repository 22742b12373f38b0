"""Generated compositions of every template say the same as JSON, XML, FLAT and STRUCTURED, and stay valid.

``pytest --hypothesis-profile=long`` looks at hundreds of each template.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archetypes.errors import HelsekortError
from archetypes.rm.canonical_xml import read_canonical_xml, write_canonical_xml
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


seeds = st.integers(0, 2**53)
some = settings(
    max_examples=200 if settings.get_current_profile_name() == "long" else 3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def _check(opt: OperationalTemplate, seed: int) -> None:
    try:
        composition = example_composition(opt, seed=seed)
    except NoExample:
        pytest.skip("the template contradicts itself")
    in_xml = write_canonical_xml(composition, "COMPOSITION", "composition")
    assert read_canonical_xml(in_xml, "COMPOSITION") == composition
    back = from_flat(opt, to_flat(opt, composition))
    assert unexplained(differences(composition, back), EMPTY_STRUCTURES) == []
    assert from_structured(opt, to_structured(opt, composition)) == back
    if not validate_composition(opt, composition):
        assert validate_composition(opt, back) == []


@some
@given(seed=seeds)
@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_our_templates(template_id: str, seed: int) -> None:
    _check(library_templates()[template_id], seed)


@cache
def _opt(path: Path) -> OperationalTemplate | None:
    try:
        return read_opt(path.read_bytes())
    except HelsekortError:
        return None


@needs_shared
@pytest.mark.slow
@some
@given(seed=seeds)
@pytest.mark.parametrize("path", OPTS, ids=lambda path: path.stem)
def test_public_templates(path: Path, seed: int) -> None:
    opt = _opt(path)
    if opt is None:
        pytest.skip("broken on purpose")
    _check(opt, seed)
