"""What the reference model demands of a node besides what its archetype says (RM 1.1.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

Complete = Callable[[dict[str, Any], Header], None]


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


def archetyped(archetype_id: str) -> DataValue:
    """LOCATABLE.archetype_details of an archetype root."""
    identifier = {"_type": "ARCHETYPE_ID", "value": archetype_id}
    return {"_type": "ARCHETYPED", "archetype_id": identifier, "rm_version": RM_VERSION}


def subject(allowed: Iterable[CObject], instance: int, language: str) -> DataValue:
    """ENTRY.subject: the woman, or the fetus or child with its number.

    ``allowed`` is what the template says of the subject; where it leaves several relationships, the
    first is taken.
    """
    relationship = next((code for party in allowed for code in _relationships(party)), None)
    if relationship is None:
        return {"_type": "PARTY_SELF"}
    rubric = openehr_rubric(relationship, language) or relationship
    return {
        "_type": "PARTY_RELATED",
        "identifiers": [{"_type": "DV_IDENTIFIER", "id": str(instance)}],
        "relationship": coded(relationship, "openehr", rubric),
    }


def _relationships(party: CObject) -> tuple[str, ...]:
    named = party.attribute("relationship") if isinstance(party, CComplexObject) else None
    limits = (code_constraint(child) for child in (named.children if named else ()))
    return next((limit.codes for limit in limits if isinstance(limit, CCodePhrase)), ())


def _entry(made: dict[str, Any], header: Header) -> None:
    made["language"] = header.language_code()
    made["encoding"] = code_phrase(*ENCODING)


def _history(made: dict[str, Any], header: Header) -> None:
    made["origin"] = _time(header)


def _event(made: dict[str, Any], header: Header) -> None:
    made["time"] = _time(header)


def _action(made: dict[str, Any], header: Header) -> None:
    made["time"] = _time(header)


def _instruction(made: dict[str, Any], header: Header) -> None:
    made["narrative"] = text(made["name"]["value"])


def _activity(made: dict[str, Any], header: Header) -> None:
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
