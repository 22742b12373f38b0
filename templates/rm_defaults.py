"""What the reference model demands of a node besides what its archetype says (RM 1.1.0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import CCodePhrase, CComplexObject, CObject
from templates.data_values import DataValue, code_constraint, code_phrase, coded, text
from templates.header import Header
from templates.operational import fixed_name
from templates.rubrics import Rubrics, openehr_rubric

RM_VERSION = "1.1.0"
ENCODING = ("UTF-8", "IANA_character-sets")
ANY_ACTION = "/.*/"  # the activity may be carried out by any action archetype

# Archetypes may name an abstract class; data must not.
_CONCRETE = {"EVENT": "POINT_EVENT", "ITEM_STRUCTURE": "ITEM_TREE", "ITEM": "CLUSTER"}

Complete = Callable[[dict[str, Any], CComplexObject, Header, Rubrics], None]


def concrete_type(constraint: CObject) -> str:
    """The class of which an instance is made."""
    return _CONCRETE.get(constraint.rm_type_name, constraint.rm_type_name)


def node_name(constraint: CObject, rubrics: Rubrics) -> DataValue:
    """LOCATABLE.name: the template's, as code or text, else the text of the node's term."""
    fixed, code = fixed_name(constraint), _name_code(constraint)
    if code is not None:
        return coded(code, "local", fixed or rubrics.name(code))
    return text(fixed or rubrics.name(constraint.node_id))


def _name_code(constraint: CObject) -> str | None:
    attribute = constraint.attribute("name") if isinstance(constraint, CComplexObject) else None
    for child in attribute.children if attribute else ():
        limit = code_constraint(child)
        if isinstance(limit, CCodePhrase) and len(limit.codes) == 1:
            return limit.codes[0]
    return None


def subject(entry: CComplexObject, instance: int, language: str) -> DataValue:
    """ENTRY.subject: the woman, or the fetus or child with its number."""
    relationship = _relationship(entry)
    if relationship is None:
        return {"_type": "PARTY_SELF"}
    return {
        "_type": "PARTY_RELATED",
        "identifiers": [{"_type": "DV_IDENTIFIER", "id": str(instance)}],
        "relationship": coded(
            relationship, "openehr", openehr_rubric(relationship, language) or relationship
        ),
    }


def _relationship(entry: CComplexObject) -> str | None:
    """The relationship code that the template asks for: the first, if it leaves a choice."""
    attribute = entry.attribute("subject")
    for party in attribute.children if attribute else ():
        if not isinstance(party, CComplexObject) or party.rm_type_name != "PARTY_RELATED":
            continue
        named = party.attribute("relationship")
        for child in named.children if named else ():
            limit = code_constraint(child)
            if isinstance(limit, CCodePhrase) and limit.codes:
                return limit.codes[0]
    return None


def _entry(made: dict[str, Any], constraint: CComplexObject, header: Header, rubrics: Rubrics) -> None:
    made["language"] = header.language_code()
    made["encoding"] = code_phrase(*ENCODING)


def _history(made: dict[str, Any], constraint: CComplexObject, header: Header, rubrics: Rubrics) -> None:
    made["origin"] = _time(header)


def _event(made: dict[str, Any], constraint: CComplexObject, header: Header, rubrics: Rubrics) -> None:
    made["time"] = _time(header)


def _action(made: dict[str, Any], constraint: CComplexObject, header: Header, rubrics: Rubrics) -> None:
    made["time"] = _time(header)


def _instruction(made: dict[str, Any], constraint: CComplexObject, header: Header, rubrics: Rubrics) -> None:
    made["narrative"] = text(made["name"]["value"])


def _activity(made: dict[str, Any], constraint: CComplexObject, header: Header, rubrics: Rubrics) -> None:
    made["action_archetype_id"] = ANY_ACTION


def _time(header: Header) -> DataValue:
    return {"_type": "DV_DATE_TIME", "value": header.start_time}


RM_DEFAULTS: Mapping[str, tuple[Complete, ...]] = MappingProxyType(
    {
        "OBSERVATION": (_entry,),
        "EVALUATION": (_entry,),
        "ADMIN_ENTRY": (_entry,),
        "INSTRUCTION": (_entry, _instruction),
        "ACTION": (_entry, _action),
        "HISTORY": (_history,),
        "POINT_EVENT": (_event,),
        "INTERVAL_EVENT": (_event,),
        "ACTIVITY": (_activity,),
    }
)
