"""The interpreter: the operational template and plain data, walked together.

It is the obvious form of the rules and the oracle of any faster one. First the whole composition is
held against the reference model, then against the template; a fault of the first kind is not reported
again as one of the second.
"""

from __future__ import annotations

from typing import Any

from archetypes.findings import Finding
from templates.operational import OperationalTemplate
from validators.composition.check import Check
from validators.composition.data import type_of
from validators.composition.place import Place
from validators.composition.reference_model import check_reference_model
from validators.composition.report import MAX_FINDINGS, Report
from validators.composition.rules import RULES


def validate_composition(
    opt: OperationalTemplate, composition: Any, *, complete: bool = True, limit: int = MAX_FINDINGS
) -> list[Finding]:
    """All problems of a composition in canonical form (plain dicts and lists); empty if it has none.

    Any value is judged, none raises. ``complete=False`` is for lifecycle state 553: lower bounds of the
    template count as 0. The list ends after ``limit`` findings with ``findings.truncated``.
    """
    check = Check(RULES, opt.language, complete, Report(limit))
    root = Place(None, "", None, opt.definition, composition)
    check_reference_model(composition, opt.definition.rm_type_name, root, check.report)
    if isinstance(composition, dict) and _is_of_template(opt, composition, root, check):
        check.value(opt.definition, composition, root)
    return check.report.findings


def _is_of_template(opt: OperationalTemplate, composition: dict[str, Any], root: Place, check: Check) -> bool:
    """Template id and root archetype; with another root nothing below can be compared."""
    stated = composition.get("archetype_details")
    template_id = stated.get("template_id") if isinstance(stated, dict) else None
    template_id = template_id.get("value") if isinstance(template_id, dict) else None
    if template_id != opt.template_id:
        found = template_id if isinstance(template_id, str) else ""
        place = Place(root, "archetype_details")
        check.report.add("template.mismatch", place, opt.template_id, found, below="/template_id/value")
    node_id = composition.get("archetype_node_id")
    if node_id != opt.definition.archetype_id:
        found = node_id if isinstance(node_id, str) else ""
        check.report.add(
            "node_id.mismatch", Place(root, "archetype_node_id"), opt.definition.archetype_id, found
        )
        return False
    return type_of(composition, opt.definition.rm_type_name) is not None
