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
    """All ids, types, occurrences and paths; the rest of each node in test_web_template_pairs.py."""
    exported = path.read_text("utf-8")
    # Data have no node id at the context, which is no LOCATABLE; a path with one would find nothing.
    theirs = dict(_nodes(json.loads(exported.replace("/context[at0001]", "/context"))["tree"]))
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


# File name -> (nodes of theirs that we have not, nodes of ours that they have not) and why.
EHRBASE_DIFFERS = {
    # They show the plain text of a text-or-code pair, we the code with the text as "other".
    "GECCO_Diagnose.json": (1, 1),
    # They put a fixed name into the path of one of two nodes that the template does not name.
    "Testing_Template_N.json": (1, 1),
    # An old form with a node for each null flavour.
    "example.initialassesment.json": (6, 0),
    # An ELEMENT of any type: we offer DV_SCALE, which came with RM 1.1.
    "gecco_serologischer_befund.json": (0, 2),
    # An old form of their exporter, which wrote names where paths have "value".
    "ips_template.json": (17, 18),
    # They offer INSTRUCTION_DETAILS, which the template does not mention.
    "test_all_types.json": (2, 0),
}


# Of a count above 10 they say "at least 11".
OTHER_INPUTS = {
    (
        "/content[openEHR-EHR-OBSERVATION.abbey_pain_scale.v0]"
        "/data[at0001]/events[at0002]/data[at0003]/items[at0014]/value",
        "DV_COUNT",
    )
}


@needs_shared
def test_same_nodes_as_in_a_third_implementation() -> None:
    folder = SHARED / "spec" / "webtemplate" / "ehrbase"
    sources = [read_opt(path.read_bytes(), path.name) for path in sorted((folder / "opt").glob("*.opt"))]
    compiled = {template.template_id: template for template in sources}
    differing = {}
    compared = 0
    for path in sorted((folder / "webtemplate").glob("*.json")):
        exported = json.loads(path.read_text("utf-8"))
        if exported["templateId"] not in compiled:
            continue
        theirs = _by_path(exported["tree"])
        ours = _by_path(to_web_template(compiled[exported["templateId"]])["tree"])
        compared += len(theirs)
        counts = (len(set(theirs) - set(ours)), len(set(ours) - set(theirs)))
        if counts != (0, 0):
            differing[path.name] = counts
        for place in set(theirs) & set(ours):
            assert ours[place]["max"] == theirs[place]["max"], place
            if place not in OTHER_INPUTS:
                assert _inputs(ours[place]) == _inputs(theirs[place]), place
    assert compared > 1000
    assert differing == EHRBASE_DIFFERS


def _inputs(node: dict[str, Any]) -> list[tuple[str, ...]]:
    """Suffix, type, values and limits of each input; lists have no order of their own there."""
    return sorted(
        (
            each.get("suffix", ""),
            each["type"],
            *sorted(str(item["value"]) for item in each.get("list", ())),
            json.dumps(each.get("validation", {}), sort_keys=True),
        )
        for each in node.get("inputs", ())
    )


def _by_path(tree: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(node.get("aqlPath", ""), node["rmType"]): node for _, node in _nodes(tree)}


@needs_shared
@pytest.mark.slow
def test_every_public_template_has_a_web_template() -> None:
    for path in sorted((SHARED / "testdata" / "templates" / "opt").glob("*")):
        web_template = to_web_template(read_opt(path.read_bytes(), path.name))
        assert json.loads(json.dumps(web_template)) == web_template
