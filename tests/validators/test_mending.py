"""Faults of form of other software are mended and told; what could mean two things is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from archetypes.findings import Severity
from templates.repository import library_templates
from tests.api.visits import TEMPLATE, visit
from validators.document import validate_document
from validators.mending import mend

OPT = library_templates()[TEMPLATE]


def quantity(node: Any) -> dict[str, Any]:
    """The first DV_QUANTITY below a node."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get("_type") == "DV_QUANTITY":
        return node
    return next((found for each in below if (found := quantity(each))), {})


def cluster(node: Any) -> dict[str, Any]:
    """The first CLUSTER that is the root of an archetype below a node."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get("_type") == "CLUSTER" and "archetype_details" in node:
        return node
    return next((found for each in below if (found := cluster(each))), {})


def judged(composition: dict[str, Any]) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in validate_document(OPT, composition)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("68.5", 68.5), ("68", 68), *((text, None) for text in ("1e1", "68,5", "", "0068", "NaN", " 68"))],
)
def test_a_number_as_text(written: str, meant: float | None) -> None:
    composition = visit()
    quantity(composition["content"])["magnitude"] = written
    before = copy.deepcopy(composition)
    severity = Severity.ERROR if meant is None else Severity.WARNING
    assert judged(composition) == [("rm.wrong_value", severity)]
    mended, told = mend(composition, validate_document(OPT, composition))
    assert composition == before, "what was sent is not touched"
    assert len(told) == (meant is not None)
    assert quantity(mended["content"])["magnitude"] == (written if meant is None else meant)
    assert meant is None or judged(mended) == []


def test_a_mended_number_is_still_checked() -> None:
    composition = visit()
    quantity(composition["content"])["magnitude"] = "-4"
    assert ("rm.wrong_value", Severity.WARNING) in judged(composition)
    assert "quantity.magnitude" in {
        code for code, severity in judged(composition) if severity is Severity.ERROR
    }


@pytest.mark.parametrize("bounds", [("lower",), ("upper",), ("lower", "upper")])
def test_flags_of_an_interval_follow_from_its_bounds(bounds: tuple[str, ...]) -> None:
    composition = visit()
    value = quantity(composition["content"])
    number = {"_type": "DV_QUANTITY", "magnitude": value["magnitude"], "units": value["units"]}
    value["normal_range"] = {"_type": "DV_INTERVAL", **dict.fromkeys(bounds, number)}
    assert set(judged(composition)) == {("rm.missing", Severity.WARNING)}
    mended, _ = mend(composition, validate_document(OPT, composition))
    made = quantity(mended["content"])["normal_range"]
    for side in ("lower", "upper"):
        assert (made[f"{side}_unbounded"], made[f"{side}_included"]) == (side not in bounds, side in bounds)
    assert judged(mended) == []


def test_archetype_details_of_a_cluster_but_not_of_an_entry() -> None:
    composition = visit()
    inner = cluster(composition)
    details = inner.pop("archetype_details")
    assert judged(composition) == [("invariant.archetype_details_missing", Severity.WARNING)]
    mended, _ = mend(composition, validate_document(OPT, composition))
    assert cluster(mended)["archetype_details"]["archetype_id"] == details["archetype_id"]
    entry = next(each for each in composition["content"][0]["items"] if "data" in each)
    del entry["archetype_details"]
    assert ("invariant.archetype_details_missing", Severity.ERROR) in judged(composition)
