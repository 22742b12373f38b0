"""JSON Schema of an operational template (draft 2020-12), for canonical JSON.

It accepts every composition that the validator accepts and refuses what a schema can refuse: types,
required parts, node ids, names, numbers of members, ranges, lists and patterns. What it cannot say,
docs/json-schema.md lists: there the validator is the judge.
"""

from __future__ import annotations

from typing import Any

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDvOrdinal,
    CDvQuantity,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
)
from archetypes.rm.schema import RmAttribute, rm_schema, type_arguments
from templates.json_schema_members import closed_names, members_schema, must_have_members, slot_schema
from templates.json_schema_rm import Schema, definitions, instances_of, is_of, reference
from templates.json_schema_values import (
    NOTHING,
    code_schema,
    ordinal_schema,
    primitive_schema,
    quantity_schema,
)
from templates.operational import OperationalTemplate, fixed_name
from templates.rubrics import Rubrics
from templates.tree import identifier

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NULL: Schema = {"type": "null"}
# Older tools write the American spelling into templates; the reference model has one spelling.
_SPELLINGS = {"null_flavor": "null_flavour"}


def json_schema(opt: OperationalTemplate) -> dict[str, Any]:
    """The schema of complete compositions (lifecycle state 532) of the template."""
    root = opt.definition
    template_id = {"properties": {"value": {"const": opt.template_id}}, "required": ["value"]}
    details = {"properties": {"template_id": {"type": "object", **template_id}}, "required": ["template_id"]}
    of_template = {"properties": {"archetype_details": details}, "required": ["archetype_details"]}
    return {
        "$schema": DIALECT,
        "title": opt.template_id,
        "description": f"{opt.concept}: a composition in canonical JSON (openEHR RM 1.1.0)",
        "type": "object",
        "allOf": [
            reference(root.rm_type_name),
            of_template,
            _Writer(opt.language).object_schema(root, root, root.rm_type_name),
        ],
        "$defs": definitions([root.rm_type_name]),
    }


class _Writer:
    """Schemas of constraints; ``language`` is that of the titles."""

    def __init__(self, language: str) -> None:
        self._language = language

    def schema_of(self, constraint: CObject, root: CArchetypeRoot, owner: str, known: RmAttribute) -> Schema:
        """A value under the attribute ``known`` of the class ``owner``."""
        match constraint:
            case CArchetypeRoot():
                return self.object_schema(constraint, constraint, known.type_name)
            case CComplexObject():
                return self.object_schema(constraint, root, known.type_name)
            case CPrimitiveObject():
                return primitive_schema(constraint, (owner, known.name))
            case CDvQuantity():
                return _both(_type_schema(constraint, known.type_name), quantity_schema(constraint))
            case CDvOrdinal():
                return _both(_type_schema(constraint, known.type_name), ordinal_schema(constraint))
            case CCodePhrase() | CCodeReference():
                return code_schema(constraint)
            case ConstraintRef():
                return {}
            case ArchetypeSlot():
                return slot_schema(constraint, known.type_name)
        return NOTHING

    def object_schema(self, constraint: CComplexObject, root: CArchetypeRoot, declared: str) -> Schema:
        """An object of the class of the constraint or of a subclass, with the node's id and attributes."""
        made = _type_schema(constraint, declared)
        title = self._title(constraint, root)
        if title:
            made = {"title": title, **made}
        properties: Schema = dict(made.get("properties", {}))
        required: list[str] = list(made.get("required", ()))
        node_id = identifier(constraint)
        if node_id and _is_locatable(constraint):
            properties["archetype_node_id"] = {"const": node_id}
        for attribute in constraint.attributes:
            known = _known_attribute(constraint, attribute)
            if known is None or known.computed:
                continue
            is_required = _is_required(attribute, known, constraint)
            schema = self._attribute(attribute, known, constraint, root, is_required)
            if schema:
                properties[known.name] = _merged(properties.get(known.name), schema)
            if is_required:
                required.append(known.name)
        made |= {"properties": properties} if properties else {}
        return made | {"required": sorted(set(required))} if required else made

    def _attribute(
        self,
        attribute: CAttribute,
        known: RmAttribute,
        owner: CComplexObject,
        root: CArchetypeRoot,
        is_required: bool,
    ) -> Schema:
        if known.name == "name" and _is_locatable(owner):
            return self._name(attribute, known, owner, root)
        if known.container:

            def schema_of(child: CObject, declared: str) -> Schema:
                return self.schema_of(child, root, owner.rm_type_name, known)

            members = members_schema(attribute, known, schema_of)
            return {"type": "array", **members} if is_required else members
        if attribute.existence is not None and attribute.existence.upper == 0:
            return dict(_NULL)
        return self._alternatives(attribute, known, owner, root, is_required)

    def _alternatives(
        self,
        attribute: CAttribute,
        known: RmAttribute,
        owner: CComplexObject,
        root: CArchetypeRoot,
        is_required: bool,
    ) -> Schema:
        allowed = [child for child in attribute.children if child.occurrences.upper != 0]
        if attribute.children and not allowed:
            return dict(_NULL)
        schemas = [self.schema_of(child, root, owner.rm_type_name, known) for child in allowed]
        made: Schema = {} if not schemas or {} in schemas else _any_of(schemas)
        if is_required:
            return _merged({"not": _NULL} if not known.mandatory else None, made)
        has_leaves = any(isinstance(child, CPrimitiveObject) for child in allowed)
        return {"anyOf": [_NULL, made]} if made and has_leaves and not known.mandatory else made

    def _name(
        self, attribute: CAttribute, known: RmAttribute, owner: CComplexObject, root: CArchetypeRoot
    ) -> Schema:
        listed = closed_names(owner)
        if listed is not None:
            return {"properties": {"value": {"enum": list(listed)}}}
        schemas = []
        for child in attribute.children:
            schema = self.schema_of(child, root, owner.rm_type_name, known)
            is_coded = child.rm_type_name == "DV_CODED_TEXT"
            schemas.append(_both(schema, {"required": ["defining_code"]}) if is_coded else schema)
        return _any_of(schemas) if schemas else {}

    def _title(self, constraint: CComplexObject, root: CArchetypeRoot) -> str:
        if not constraint.node_id:
            return ""
        return fixed_name(constraint) or Rubrics(root, self._language).name(constraint.node_id)


def _type_schema(constraint: CObject, declared: str) -> Schema:
    """``_type`` as the constraint wants it; it may be left out where the declared type fits."""
    wanted, declared_class = constraint.rm_type_name, rm_schema().get(declared)
    if rm_schema().is_a(declared, wanted) and declared_class is not None and not declared_class.abstract:
        return {}
    schema = is_of(instances_of(wanted))
    arguments = type_arguments(wanted)
    if arguments:
        bound = is_of(instances_of(arguments[0]), stated=False)
        schema["properties"] |= {"lower": bound, "upper": bound}
    return schema


def _known_attribute(constraint: CComplexObject, attribute: CAttribute) -> RmAttribute | None:
    """The attribute in the class, or in a subclass of an abstract one."""
    name = _SPELLINGS.get(attribute.rm_attribute_name, attribute.rm_attribute_name)
    types = (constraint.rm_type_name, *sorted(instances_of(constraint.rm_type_name)))
    found = (rm_schema().attribute(type_name, name) for type_name in types)
    return next((known for known in found if known is not None), None)


def _is_required(attribute: CAttribute, known: RmAttribute, owner: CComplexObject) -> bool:
    if known.container:
        return must_have_members(attribute)
    if known.name == "value" and rm_schema().is_a(owner.rm_type_name, "ELEMENT"):
        return False  # a null flavour may stand in its place: the class says so
    return bool(attribute.existence and attribute.existence.lower)


def _is_locatable(constraint: CObject) -> bool:
    return rm_schema().is_a(constraint.rm_type_name, "LOCATABLE")


def _any_of(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _both(one: Schema, other: Schema) -> Schema:
    return {"allOf": [one, other]} if one and other else one or other


def _merged(there: Schema | None, schema: Schema) -> Schema:
    return _both(there or {}, schema)
