"""Every constraint kind of OPT 1.4 is checked, by the interpreter and compiled, and the page says so."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from archetypes.aom.constraints import CDvQuantity, CTemporal, Primitive
from archetypes.findings import Severity
from bench.constraint_kinds import DOCUMENT, page
from templates.errors import UnreadableTemplate
from templates.opt import read_opt, write_opt
from tests.validators.constraint_kinds import NOT_OPERATIONAL, UNKNOWN_KIND, Kind, kinds
from tests.validators.small import element, template
from validators.codes import SEVERITIES
from validators.compiled import Validator
from validators.composition import validate_composition

KINDS = list(kinds())
ONE_QUANTITY = write_opt(template(element("at0010", CDvQuantity(rm_type_name="DV_QUANTITY"))))


@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind.kind}, {kind.part}" for kind in KINDS])
def test_a_sample_is_accepted_and_one_is_refused(kind: Kind) -> None:
    opt = read_opt(write_opt(kind.opt), "small.opt")
    validator = Validator(opt)
    accepted = validate_composition(opt, kind.data(kind.accepted))
    assert [f for f in accepted if f.severity is Severity.ERROR] == []
    assert validator(kind.data(kind.accepted)) == accepted
    if kind.refused is None:
        assert [f.code for f in accepted] == [kind.code] * bool(kind.code)
        return
    assert SEVERITIES[kind.code] is Severity.ERROR
    refused = validate_composition(opt, kind.data(kind.refused))
    parent = kind.path.rpartition("/")[0]
    assert any(f.code == kind.code and f.path.startswith(parent) for f in refused)
    assert validator(kind.data(kind.refused)) == refused


def refused_as(kind: str) -> UnreadableTemplate:
    with pytest.raises(UnreadableTemplate) as caught:
        read_opt(ONE_QUANTITY.replace(b"C_DV_QUANTITY", kind.encode()), "small.opt")
    return caught.value


@pytest.mark.parametrize("kind", NOT_OPERATIONAL)
def test_what_has_no_place_in_a_template_is_refused_by_name(kind: str) -> None:
    (finding,) = refused_as(kind).findings
    assert (finding.code, finding.found) == (UNKNOWN_KIND, kind)


def test_every_kind_that_the_reader_knows_has_a_row() -> None:
    (finding,) = refused_as("C_DV_STATE").findings
    known = set(finding.expected.split(", ")) - {"C_PRIMITIVE_OBJECT"}
    primitives = {re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper() for cls in get_args(Primitive)}
    temporal = re.sub(r"(?<!^)(?=[A-Z])", "_", CTemporal.__name__).upper()
    shown = {kind.kind for kind in KINDS}
    assert known | (primitives - {temporal}) | {"C_DATE", "C_TIME", "C_DATE_TIME"} <= shown


def test_the_page_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == page(), "run python -m bench.constraint_kinds"
