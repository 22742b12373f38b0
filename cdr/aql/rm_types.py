"""Which reference model types can stand at the end of a path.

A type is a set of concrete class names, or one primitive of the schema (``STRING``, ``DATE_TIME``, ...).
"""

from __future__ import annotations

from functools import cache

from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from cdr.aql import ast
from cdr.aql.errors import AqlSemanticError
from cdr.aql.suggest import did_you_mean
from cdr.aql.unsupported import Unsupported

Types = frozenset[str]

# What an EHR record holds besides ids: RM has references there, AQL paths go through them.
EHR_ATTRIBUTES = frozenset({"ehr_id", "system_id", "time_created", "ehr_status"})
TEMPORAL_PRIMITIVES = frozenset({"DATE", "TIME", "DATE_TIME", "DURATION"})
NUMBERS = frozenset({"INTEGER", "REAL"})


@cache
def class_types(rm_type: str) -> Types:
    """The concrete classes that a class of FROM stands for; empty if there is no such class."""
    schema = rm_schema()
    if schema.get(rm_type) is None:
        return frozenset()
    return schema.concrete_subtypes(rm_type) or frozenset({rm_type})


def part_types(types: Types, part: ast.PathPart, refused: list[Unsupported]) -> Types:
    """The types that one segment leads to; attributes that data never holds are added to ``refused``."""
    found: set[str] = set()
    computed: RmAttribute | None = None
    for owner in types:
        attribute = rm_schema().attribute(owner, part.name)
        if attribute is not None and attribute.computed:
            computed = attribute
        elif attribute is not None:
            found |= attribute_types(owner, attribute)
            if owner == "EHR" and part.name not in EHR_ATTRIBUTES:
                refused.append(Unsupported("ehr_attribute", f"EHR.{part.name}", part.position))
    if not found:
        if computed is None:
            raise _unknown(types, part)
        refused.append(Unsupported("computed_attribute", part.name, part.position))
        return _resolved(computed.type_name)
    return narrowed(frozenset(found), part.predicate)


def attribute_types(owner: str, attribute: RmAttribute) -> Types:
    """The types of an attribute's value, or of its members."""
    if owner == "EHR" and attribute.name == "ehr_status":
        return frozenset({"EHR_STATUS"})
    if owner == "ORIGINAL_VERSION" and attribute.name == "data":
        return frozenset({"COMPOSITION"})
    return _resolved(attribute.type_name)


def narrowed(types: Types, predicate: ast.PathPredicate | None) -> Types:
    """An archetype id in a predicate says which class it is."""
    if not isinstance(predicate, ast.ArchetypePredicate):
        return types
    named = archetype_class(predicate.archetype_id)
    return types & class_types(named) or types


def archetype_class(archetype_id: str) -> str:
    """``OBSERVATION`` of ``openEHR-EHR-OBSERVATION.height.v2``."""
    return archetype_id.rpartition("::")[2].partition(".")[0].rpartition("-")[2]


@cache
def _resolved(type_name: str) -> Types:
    schema = rm_schema()
    if schema.is_primitive(type_name) or schema.get(type_name) is None:
        return frozenset({type_name}) if type_name != "ANY" else schema.concrete_subtypes("ANY")
    return schema.concrete_subtypes(type_name) or frozenset({base_name(type_name)})


def _unknown(types: Types, part: ast.PathPart) -> AqlSemanticError:
    known = {name for owner in types for name in rm_schema().attributes(owner)}
    owners = ", ".join(sorted(types)[:3]) + (", ..." if len(types) > 3 else "")
    message = f"{owners} has no attribute {part.name}{did_you_mean(part.name, known)}"
    return AqlSemanticError("aql.attribute.unknown", message, part.position, subject=part.name)
