"""Example values of mandatory attributes that a template says nothing about (RM 1.1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from archetypes.terminology.openehr import terminology
from templates.data_values import code_phrase
from templates.example_primitives import START, Choice, temporal_text
from templates.example_values import EXAMPLE_CODE, EXAMPLE_TERMINOLOGY, group_code, openehr_coded
from templates.header import Header, Party
from templates.rm_defaults import ANY_ACTION, ENCODING, RM_DEFAULTS

SYSTEM = "example"
EXAMPLE_TEXTS: Mapping[str, str] = MappingProxyType({"nb": "Eksempel", "nn": "Døme", "de": "Beispiel"})

# Classes that stand for an abstract one, the most usual first.
CONCRETE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "EVENT": ("POINT_EVENT", "INTERVAL_EVENT"),
        "ITEM_STRUCTURE": ("ITEM_TREE", "ITEM_LIST", "ITEM_SINGLE"),
        "ITEM": ("ELEMENT", "CLUSTER"),
        "PARTY_PROXY": ("PARTY_SELF", "PARTY_IDENTIFIED"),
        "CONTENT_ITEM": ("SECTION",),
        "ENTRY": ("EVALUATION", "OBSERVATION", "ADMIN_ENTRY"),
        "CARE_ENTRY": ("EVALUATION", "OBSERVATION"),
        "OBJECT_ID": ("HIER_OBJECT_ID",),
        "DATA_VALUE": (
            "DV_TEXT", "DV_CODED_TEXT", "DV_QUANTITY", "DV_COUNT", "DV_BOOLEAN", "DV_DATE_TIME", "DV_DATE",
            "DV_TIME", "DV_DURATION", "DV_PROPORTION", "DV_ORDINAL", "DV_SCALE", "DV_IDENTIFIER", "DV_URI",
            "DV_EHR_URI", "DV_MULTIMEDIA", "DV_PARSABLE", "DV_INTERVAL",
        ),
        "DV_ORDERED": ("DV_COUNT", "DV_QUANTITY", "DV_DATE_TIME"),
        "DV_QUANTIFIED": ("DV_COUNT", "DV_QUANTITY"),
        "DV_AMOUNT": ("DV_COUNT", "DV_QUANTITY", "DV_DURATION"),
        "DV_TEMPORAL": ("DV_DATE_TIME", "DV_DATE", "DV_TIME"),
        "DV_ENCAPSULATED": ("DV_PARSABLE", "DV_MULTIMEDIA"),
    }
)  # fmt: skip

_PLAIN: Mapping[tuple[str, str], Any] = MappingProxyType(
    {
        ("DV_URI", "value"): "https://example.org/example",
        ("DV_EHR_URI", "value"): "ehr:///example",
        ("DV_QUANTITY", "units"): "1",
        ("DV_QUANTITY", "magnitude"): 1.0,
        ("DV_IDENTIFIER", "id"): "example-1",
        ("DV_PARSABLE", "formalism"): "text/plain",
        ("DV_MULTIMEDIA", "size"): 0,
        ("DV_PROPORTION", "type"): 0,
        ("ACTIVITY", "action_archetype_id"): ANY_ACTION,
        ("FEEDER_AUDIT_DETAILS", "system_id"): SYSTEM,
    }
)
_CODE_SET_CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "media_type": ("text/plain", "IANA_media-types"),
        "encoding": ENCODING,
        "charset": ENCODING,
        "territory": ("NO", "ISO_3166-1"),
    }
)


def concrete_types(type_name: str) -> tuple[str, ...]:
    """The classes that an instance of ``type_name`` may be of, the usual ones first; never empty."""
    known = rm_schema().get(type_name)
    if known is None or not known.abstract:
        return (type_name,)
    base = base_name(type_name)
    return CONCRETE.get(base) or tuple(sorted(rm_schema().concrete_subtypes(base))) or (type_name,)


def example_header(language: str) -> Header:
    """The circumstances of the contact that never was."""
    known = language if language in terminology().code_sets["languages"] else "en"
    return Header(start_time=START.isoformat(), setting="238", composer=Party(name="Example"), language=known)


def defaults_of(made: Mapping[str, Any], header: Header) -> dict[str, Any]:
    """What the reference model demands of an object of this class and the header knows."""
    defaults: dict[str, Any] = {"name": made.get("name")}
    for complete in RM_DEFAULTS.get(made["_type"], ()):
        complete(defaults, header)
    defaults.pop("name")
    if made["_type"] == "COMPOSITION":
        defaults.update(
            language=header.language_code(), territory=header.territory_code(), composer=header.author()
        )
    elif made["_type"] == "EVENT_CONTEXT":
        defaults.update(header.context())
    if rm_schema().is_a(made["_type"], "ENTRY"):
        defaults["subject"] = {"_type": "PARTY_SELF"}
    return {name: value for name, value in defaults.items() if name not in made}


def plain_default(owner: str, attribute: RmAttribute, choice: Choice, language: str) -> Any:
    """The value of a single attribute that needs no object of its own; None if it needs one."""
    if (owner, attribute.name) in _PLAIN:
        return _PLAIN[owner, attribute.name]
    group = group_code(owner, attribute.name)
    if group is not None:
        return openehr_coded(group, language)
    match attribute.type_name:
        case "STRING":
            return EXAMPLE_TEXTS.get(language, "Example")
        case "INTEGER":
            return int(10 * choice.share)
        case "REAL":
            return round(10 * choice.share, 1)
        case "BOOLEAN":
            return choice.pick((True, False))
        case "DATE" | "TIME" | "DATE_TIME" as kind:
            return temporal_text(kind, choice)
        case "DURATION":
            return choice.pick(("P1D", "PT1H"))
        case "CODE_PHRASE":
            return code_phrase(*usual_code(attribute.name, language) or (EXAMPLE_CODE, EXAMPLE_TERMINOLOGY))
    return None


def usual_code(attribute: str, language: str) -> tuple[str, str] | None:
    """Code and terminology of an attribute that is coded by a code set of openEHR."""
    if attribute == "language":
        known = language if language in terminology().code_sets["languages"] else "en"
        return known, "ISO_639-1"
    return _CODE_SET_CODES.get(attribute)
