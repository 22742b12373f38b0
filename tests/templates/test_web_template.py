"""Web templates have the nodes, ids and paths that forms and FLAT compositions elsewhere use."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from templates.opt import read_opt
from templates.repository import library_templates
from templates.web_template import node_id, to_web_template
from tests.shared_data import SHARED, needs_shared

IDS = [
    ("Blood pressure", "blood_pressure"),
    ("Høyde/lengde", "høyde_lengde"),
    ("  Vekt (kg) ", "vekt_kg"),
    ("1st visit", "a1st_visit"),
    ("24 timers urin", "a24_timers_urin"),
    ("???", "id"),
    ("C-reactive protein [CRP]", "c-reactive_protein_crp"),
    ("a\u030a", "a"),  # a ring of its own is no letter
]


@pytest.mark.parametrize(("name", "expected"), IDS)
def test_id_of_a_name(name: str, expected: str) -> None:
    assert node_id(name) == expected


def _nodes(node: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    here = f"{above}/{node['id']}"
    yield here, node
    for child in node.get("children", ()):
        yield from _nodes(child, here)


@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_ids_are_unique_and_every_card_field_is_there(template_id: str) -> None:
    template = library_templates()[template_id]
    places = list(_nodes(to_web_template(template)["tree"]))
    assert max(Counter(path for path, _ in places).values()) == 1
    shown = {
        node["annotations"]["helsekort.field"]
        for _, node in places
        if "annotations" in node and "helsekort.field" in node["annotations"]
    }
    annotated = {
        items["helsekort.field"] for items in template.annotations.values() if "helsekort.field" in items
    }
    assert shown == annotated


def test_control_visit() -> None:
    web_template = to_web_template(library_templates()["helsekort_kontroll.v0"])
    assert (web_template["version"], web_template["defaultLanguage"], web_template["languages"]) == (
        "2.3",
        "nb",
        ["nb", "en"],
    )
    nodes = dict(_nodes(web_template["tree"]))
    systolic = nodes["/svangerskapskontroll/undersøkelse/blodtrykk/systolisk"]
    assert (systolic["rmType"], systolic["min"], systolic["max"]) == ("DV_QUANTITY", 0, 1)
    assert systolic["annotations"]["helsekort.field"] == "HK13.4"
    magnitude, unit = systolic["inputs"]
    assert magnitude["validation"]["range"] == {"minOp": ">=", "min": 60.0, "maxOp": "<=", "max": 260.0}
    assert [item["value"] for item in unit["list"]] == ["mm[Hg]"]
    category = nodes["/svangerskapskontroll/category"]
    assert category["inContext"] and category["inputs"][0]["list"][0]["value"] == "433"


# --- against the web templates of another implementation -----------------------------------------

COMPARED = ("rmType", "min", "max", "aqlPath")


def _pairs() -> list[Any]:
    folder = SHARED / "spec" / "webtemplate" / "better-pairs"
    return [pytest.param(path, id=path.parent.name) for path in sorted(folder.glob("*/*.webtemplate.json"))]


@needs_shared
@pytest.mark.parametrize("path", _pairs())
def test_same_nodes_as_elsewhere(path: Any) -> None:
    """All ids, types, occurrences and paths; labels and inputs differ in what is only decoration:
    unknown languages of the exporting form, defaults of forms, rubrics of openEHR codes."""
    theirs = dict(_nodes(json.loads(path.read_text("utf-8"))["tree"]))
    (source,) = path.parent.glob("*.opt.xml")
    ours = dict(_nodes(to_web_template(read_opt(source.read_bytes(), source.name))["tree"]))
    assert set(ours) == set(theirs)
    differing = {
        place: {key: (ours[place].get(key), node.get(key))}
        for place, node in theirs.items()
        for key in COMPARED
        if ours[place].get(key) != node.get(key)
    }
    assert differing == {}


@needs_shared
def test_pairs_are_there() -> None:
    assert len(_pairs()) == 13


@needs_shared
@pytest.mark.slow
def test_every_public_template_has_a_web_template() -> None:
    for path in sorted((SHARED / "testdata" / "templates" / "opt").glob("*")):
        web_template = to_web_template(read_opt(path.read_bytes(), path.name))
        assert json.loads(json.dumps(web_template)) == web_template
