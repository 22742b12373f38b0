"""National ids: the public test vectors, and where in data they are looked for."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from archetypes.norwegian_ids import NationalId, classify, is_organisation_number
from cdr.errors import RefusedIdentifier
from cdr.national_id import check_identifiers


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("13097248022", NationalId.REAL),
        ("29020075838", NationalId.REAL),
        ("15021951940", NationalId.REAL),
        ("53097248016", NationalId.REAL),  # D-number
        ("70108299914", NationalId.REAL),  # D-number
        ("30108299939", NationalId.REAL),  # by the rule of 2032 only
        ("130972 48022", NationalId.REAL),
        ("13527248013", NationalId.SYNTHETIC),  # month + 40
        ("10915596784", NationalId.SYNTHETIC),  # month + 80
        ("68467038838", NationalId.SYNTHETIC),
        ("50846202355", NationalId.SYNTHETIC),
        ("13717404089", NationalId.SYNTHETIC),  # month + 65
        ("02013299987", None),
        ("13097248032", None),
        ("13097248023", None),
        ("10086055555", None),
        ("1309724802", None),
        ("130972480222", None),
        ("", None),
        ("१३०९७२४८०२२", None),
    ],
)
def test_kinds_of_national_ids(text: str, kind: NationalId | None) -> None:
    assert classify(text) is kind


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("983544622", True),
        ("983 544 622", True),
        ("983544623", False),
        ("98354462", False),
        ("9835446221", False),
        ("98354462x", False),
        ("९८३५४४६२२", False),
        ("", False),
    ],
)
def test_organisation_numbers(text: str, valid: bool) -> None:
    assert is_organisation_number(text) is valid


REAL, SYNTHETIC = "13097248022", "10915596784"


def refused_places(data: dict[str, Any], *, dev: bool) -> list[str]:
    try:
        check_identifiers(data, orjson.dumps(data), dev=dev)
    except RefusedIdentifier as error:
        return [finding.path for finding in error.findings]
    return []


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"a": [{"_type": "DV_IDENTIFIER", "id": REAL}]}, "/a[0]/id"),
        ({"subject": {"external_ref": {"id": {"value": REAL}}}}, "/subject/external_ref/id/value"),
        ({"composer": {"identifiers": [{"id": "7"}, {"id": REAL}]}}, "/composer/identifiers[1]/id"),
    ],
)
def test_where_identifiers_stand(data: dict[str, Any], place: str) -> None:
    assert refused_places(data, dev=True) == [place]
    assert refused_places(data, dev=False) == []


def test_production_takes_no_synthetic_ids() -> None:
    data = {"subject": {"external_ref": {"id": {"value": SYNTHETIC}}}}
    assert refused_places(data, dev=False) == ["/subject/external_ref/id/value"]
    assert refused_places(data, dev=True) == []


def test_numbers_that_identify_nobody_are_left_alone() -> None:
    assert refused_places({"value": REAL, "uid": {"value": REAL}, "id": {"value": REAL}}, dev=True) == []
