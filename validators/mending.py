"""Faults of form that other software writes and that have one meaning only: mended, and told as warnings.

- a number or a truth value written as text (``"magnitude": "8.7"``);
- an interval without its four flags, which follow from the bounds that are there (the XML schema lets two of
  them be left out);
- a SECTION or CLUSTER without ``archetype_details`` whose ``archetype_node_id`` names an archetype (an ENTRY
  must have them: it has an invariant of its own).

What could mean two things is not touched. Pure.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from archetypes.findings import Finding, Severity

Node = dict[str, Any]

_STEP = re.compile(r"/([a-z_]+)(?:\[(\d+)\])?")
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,17})?")
_ARCHETYPE_ID = re.compile(r"[A-Za-z]+-[A-Za-z]+-[A-Za-z_]+\.[A-Za-z0-9_-]+\.v\d[^\s]*")
_TRUTH = {"true": True, "false": False}


def mend(composition: Any, findings: Iterable[Finding]) -> tuple[Any, list[Finding]]:
    """The composition without the faults that can be mended, and those as warnings.

    It is a copy where something was mended, and otherwise the one that was given.
    """
    known = [finding for finding in findings if finding.code in _MENDERS]
    if not known:
        return composition, []
    mended, told = copy.deepcopy(composition), []
    for finding in known:
        parent, name = _place(mended, finding.path)
        if parent is not None and _MENDERS[finding.code](mended, parent, name):
            told.append(replace(finding, severity=Severity.WARNING))
    return (mended, told) if told else (composition, [])


def _place(composition: Any, path: str) -> tuple[Node | None, str]:
    """The object that an attribute belongs to, and its name; None where the path leads nowhere."""
    steps = _STEP.findall(path)
    if "".join(f"/{name}" + (f"[{index}]" if index else "") for name, index in steps) != path or not steps:
        return None, ""
    node = composition
    for name, index in steps[:-1]:
        try:
            node = node[name][int(index)] if index else node[name]
        except (KeyError, IndexError, TypeError):
            return None, ""
    return (node, steps[-1][0]) if isinstance(node, dict) and not steps[-1][1] else (None, "")


def _value(_: Node, parent: Node, name: str) -> bool:
    text = parent.get(name)
    if not isinstance(text, str):
        return False
    if text in _TRUTH:
        parent[name] = _TRUTH[text]
    elif _WHOLE.fullmatch(text):
        parent[name] = int(text)
    elif _NUMBER.fullmatch(text):
        parent[name] = float(text)
    else:
        return False
    return True


def _flag(_: Node, parent: Node, name: str) -> bool:
    side, flag = name.split("_", maxsplit=1) if "_" in name else ("", name)
    if side not in ("lower", "upper") or flag not in ("included", "unbounded") or name in parent:
        return False
    bounded = parent.get(side) is not None
    parent[name] = bounded if flag == "included" else not bounded
    return True


def _details(root: Node, parent: Node, name: str) -> bool:
    node_id = parent.get("archetype_node_id")
    if parent.get("_type") not in ("SECTION", "CLUSTER"):
        return False
    if not isinstance(node_id, str) or not _ARCHETYPE_ID.fullmatch(node_id):
        return False
    of_root = root.get("archetype_details")
    version = of_root.get("rm_version") if isinstance(of_root, dict) else None
    parent[name] = {
        "_type": "ARCHETYPED",
        "archetype_id": {"_type": "ARCHETYPE_ID", "value": node_id},
        "rm_version": version if isinstance(version, str) else "1.1.0",
    }
    return True


_MENDERS: Mapping[str, Callable[[Node, Node, str], bool]] = {
    "rm.wrong_value": _value,
    "rm.missing": _flag,
    "invariant.archetype_details_missing": _details,
}
