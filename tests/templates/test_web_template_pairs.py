"""Web templates equal those of another implementation: everything that a node says, not only its id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from templates.opt import read_opt
from templates.web_template import to_web_template
from tests.shared_data import SHARED, needs_shared
from tests.templates.differences import ABSENT, Argued, Difference, differences, unexplained


def _same_words(difference: Difference) -> bool:
    """True for texts that differ in white space only."""
    one, other = difference.one, difference.other
    return isinstance(one, str) and isinstance(other, str) and one.split() == other.split()


def _only_ours(difference: Difference) -> bool:
    return difference.other is ABSENT


def _only_theirs(difference: Difference) -> bool:
    return difference.one is ABSENT


def _open_code(difference: Difference) -> bool:
    """Inputs for a code of any terminology."""
    return difference.other is ABSENT and [each.get("suffix") for each in difference.one] == ["code", "value"]


# Each with the reason that docs/formats.md gives.
ARGUED = [
    Argued(r".*/localized(Names|Descriptions|Labels)/[a-z-]+", _only_ours, "languages"),
    Argued(r".*/(annotations|localizedDescriptions)/[a-z]+", _same_words, "white space"),
    Argued(r".*/current_state/inputs\[0\]/list\[\d\]/localizedLabels", _only_ours, "labels of openEHR codes"),
    Argued(r".*/current_state/inputs\[0\]/terminology", _only_ours, "terminology of openEHR codes"),
    Argued(r".*/laboratory_test_analyte/(test_result|laboratory_record)/annotations/.*", _only_ours, "names"),
    Argued(r".*/(category|context)/nodeId", _only_ours, "an older form"),
    Argued(r".*/inputs", _open_code, "an empty reference to codes"),
    Argued(r".*/malnutrition_universal_screening_tool_must/cardinalities", _only_ours, "hidden containers"),
    Argued(r".*/method_of_oxygen_delivery/termBindings", _only_theirs, "a binding of the archetype above"),
]


def _pairs() -> list[Any]:
    folder = SHARED / "spec" / "webtemplate" / "better-pairs"
    return [pytest.param(path, id=path.parent.name) for path in sorted(folder.glob("*/*.webtemplate.json"))]


def _flat(node: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Nodes by their FLAT path; lists without an order of their own are sorted."""
    here = f"{above}/{node['id']}"
    own = {key: value for key, value in node.items() if key != "children"}
    if "dependsOn" in own:
        own["dependsOn"] = sorted(own["dependsOn"])
    if node["id"] == "current_state":
        for each in own.get("inputs", ()):
            each["list"] = sorted(each.get("list", ()), key=lambda item: str(item["value"]))
    yield here, own
    for child in node.get("children", ()):
        yield from _flat(child, here)


@needs_shared
@pytest.mark.parametrize("path", _pairs())
def test_every_entry_is_equal_or_argued(path: Path) -> None:
    # Data have no node id at the context, which is no LOCATABLE; a path with one would find nothing.
    exported = json.loads(path.read_text("utf-8").replace("/context[at0001]", "/context"))
    (source,) = path.parent.glob("*.opt.xml")
    ours = to_web_template(read_opt(source.read_bytes(), source.name))
    found = differences(dict(_flat(ours["tree"])), dict(_flat(exported["tree"])))
    assert unexplained(found, ARGUED) == []
    for key in ("templateId", "version", "defaultLanguage"):
        assert ours[key] == exported[key]
    assert set(exported["languages"]) <= set(ours["languages"])
