"""Attributes of the reference model that templates do not show: the ``_`` steps, by class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from archetypes.rm.schema import rm_schema
from templates.simplified.codecs import Leaf, Part

_LOCATABLE = (
    Part("_uid", "uid", "UID_BASED_ID"),
    Part("_link", "links", "LINK", many=True),
    Part("_feeder_audit", "feeder_audit", "FEEDER_AUDIT"),
)

NAME = Part("_name", "name", "DV_TEXT", terminology="local")

_PARTS: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {
        "LOCATABLE": _LOCATABLE,
        "ENTRY": (
            Part("_other_participation", "other_participations", "PARTICIPATION", many=True),
            Part("_provider", "provider", "PARTY_PROXY"),
            Part("_work_flow_id", "workflow_id", "OBJECT_REF"),
        ),
        "CARE_ENTRY": (Part("_guideline_id", "guideline_id", "OBJECT_REF"),),
        "INSTRUCTION": (
            Part("_expiry_time", "expiry_time", "DV_DATE_TIME"),
            Part("_wf_definition", "wf_definition", "DV_PARSABLE"),
        ),
        "ACTION": (Part("_instruction_details", "instruction_details", "INSTRUCTION_DETAILS"),),
        "ISM_TRANSITION": (Part("_reason", "reason", "DV_TEXT", many=True),),
        "EVENT_CONTEXT": (
            Part("_end_time", "end_time", "DV_DATE_TIME"),
            Part("_location", "location", "STRING"),
            Part("_health_care_facility", "health_care_facility", "PARTY_IDENTIFIED"),
            Part("_participation", "participations", "PARTICIPATION", many=True),
        ),
        "ELEMENT": (
            Part("_null_flavour", "null_flavour", "DV_CODED_TEXT", terminology="openehr"),
            Part("_null_reason", "null_reason", "DV_TEXT"),
        ),
        # Shown as nodes where the template asks for an interval event; an EVENT may turn out to be one.
        "EVENT": (
            Part("width", "width", "DV_DURATION"),
            Part("math_function", "math_function", "DV_CODED_TEXT", terminology="openehr"),
        ),
    }
)

SAMPLE_COUNT = Leaf(("sample_count",), ("sample_count",), "INTEGER")
ORIGIN = Part("history_origin", "origin", "DV_DATE_TIME")


@cache
def parts_of(type_name: str, *, shown: bool) -> Mapping[str, Part]:
    """The parts of a class by attribute.

    A node that FLAT leaves out (``shown`` false) has no path of its own: its uid and links cannot be said.
    """
    parts: dict[str, Part] = {}
    for owner, own in _PARTS.items():
        if rm_schema().is_a(type_name, owner) and (shown or owner == "EVENT"):
            parts.update({part.attribute: part for part in own})
    return MappingProxyType(parts)
