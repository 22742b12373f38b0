"""Which field of the card has a node, what the node accepts and what it refuses: tried, not claimed.

For every annotated node a composition with a generated value is made and validated, then the same one with
a value outside the node's constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from archetypes.findings import Finding, Severity
from archetypes.paths import RmPath
from templates.compose import compose
from templates.field_values import GeneratedValues, as_argument, generated_values
from templates.fields import certainties, field_nodes
from templates.header import Header
from templates.operational import Node, OperationalTemplate
from validators.composition import validate_composition

HEADER = Header(start_time="2026-02-16T13:59:00+01:00", setting="231")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One node of one field. ``accepted`` and ``refused`` are what the validator said of the two values."""

    field: str
    certainty: str
    template_id: str
    path: str
    rm_type: str
    value: str
    accepted: bool
    other_value: str
    broken: str
    refused: bool

    @property
    def is_covered(self) -> bool:
        """True if the node tells the two values apart as it should."""
        return self.accepted and self.refused


def template_coverage(opt: OperationalTemplate) -> Iterator[Coverage]:
    """The coverage of every field that the template holds, in field order of the template."""
    letters = certainties(opt)
    for field, nodes in field_nodes(opt).items():
        for node in nodes:
            yield _cover(opt, field, letters[field], node, nodes)


def _cover(
    opt: OperationalTemplate, field: str, certainty: str, node: Node, nodes: tuple[Node, ...]
) -> Coverage:
    generated = generated_values(node)
    composition = compose(opt, HEADER, {field: as_argument(generated.value, node, nodes)})
    place, element = next(RmPath.parse(node.path).matches(composition))
    return Coverage(
        field=field,
        certainty=certainty,
        template_id=opt.template_id,
        path=node.path,
        rm_type=str(generated.accepted["_type"]),
        value=shown(generated.accepted),
        accepted=element.get(generated.attribute) is not None and not _faults(opt, composition, place),
        other_value=shown(generated.refused),
        broken=generated.broken,
        refused=bool(_faults(opt, _with_refused(composition, node, generated), place)),
    )


def _with_refused(composition: dict[str, Any], node: Node, generated: GeneratedValues) -> dict[str, Any]:
    changed = deepcopy(composition)
    _, element = next(RmPath.parse(node.path).matches(changed))
    element[generated.attribute] = generated.refused
    return changed


def _faults(opt: OperationalTemplate, composition: dict[str, Any], place: str) -> list[Finding]:
    """Errors at a place or below it; that other mandatory fields are missing does not matter here."""
    return [
        finding
        for finding in validate_composition(opt, composition)
        if finding.severity is Severity.ERROR and (finding.path + "/").startswith(place + "/")
    ]


def shown(value: Mapping[str, Any]) -> str:
    """A data value in a few characters."""
    match value:
        case {"magnitude": magnitude, "units": units}:
            text = f"{magnitude} {units}"
        case {"magnitude": magnitude}:
            text = str(magnitude)
        case {"numerator": numerator, "denominator": denominator}:
            text = f"{numerator}/{denominator}"
        case {"symbol": {"defining_code": {"code_string": code}}}:
            text = str(code)
        case {"defining_code": {"code_string": code}}:
            text = f"{code} {value.get('value', '')}"
        case _:
            text = str(value.get("value", value.get("id", "")))
    return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} characters)"
