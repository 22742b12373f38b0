"""The reference model as JSON Schema definitions (draft 2020-12), for canonical JSON.

Two definitions a class: ``EVENT`` is the class itself, ``any_EVENT`` it or a subclass, by ``_type``.
Definitions state no JSON type, so that ``null`` (which counts as absent) passes where the place allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from archetypes.rm.schema import RmAttribute, base_name, rm_schema
from archetypes.rm.value_domains import (
    CODE_SETS,
    FILLED_TEXTS,
    GROUPS,
    MAGNITUDE_STATUSES,
    PARTY_TYPES,
    STATE_AFTER,
)
from archetypes.terminology.openehr import terminology

Schema = dict[str, Any]

_MONTH, _DAY = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_HOUR, _SIXTY = "([01][0-9]|2[0-3])", "[0-5][0-9]"
_DATE = f"[0-9]{{4}}(-{_MONTH}(-{_DAY})?|{_MONTH}{_DAY}?)?"
_WHOLE_DATE = f"[0-9]{{4}}(-{_MONTH}-{_DAY}|{_MONTH}{_DAY})"
_TIME = (
    f"{_HOUR}(:{_SIXTY}(:{_SIXTY}([.,][0-9]+)?)?|{_SIXTY}({_SIXTY}([.,][0-9]+)?)?)?"
    "(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_DURATION = (
    "-?P(?=[0-9T])([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?"
    "(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+([.,][0-9]+)?S)?)?"
)
_PRIMITIVES: Mapping[str, Schema] = {
    "STRING": {"type": "string"},
    "BOOLEAN": {"type": "boolean"},
    "INTEGER": {"type": "integer"},
    "REAL": {"type": "number"},
    "DATE": {"type": "string", "pattern": f"^({_DATE})$"},
    "TIME": {"type": "string", "pattern": f"^({_TIME})$"},
    "DATE_TIME": {"type": "string", "pattern": f"^({_DATE}|{_WHOLE_DATE}T{_TIME})$"},
    "DURATION": {"type": "string", "pattern": f"^({_DURATION})$"},
}
ARCHETYPE_ID = r"^[A-Za-z0-9_]+-[A-Za-z0-9_]+-[A-Z_]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_.-]+)?$"
_URI = r"^([A-Za-z][A-Za-z0-9+.-]*:\S*)?$"


def reference(type_name: str) -> Schema:
    """An instance of the type or of a subtype."""
    return {"$ref": f"#/$defs/any_{_definition_name(type_name)}"}


def definitions(roots: Iterable[str]) -> dict[str, Schema]:
    """The definitions of the types and of all that they can hold, by name."""
    made: dict[str, Schema] = {}
    waiting = list(roots)
    while waiting:
        type_name = waiting.pop()
        if f"any_{_definition_name(type_name)}" in made:
            continue
        made[f"any_{_definition_name(type_name)}"] = _dispatch(type_name)
        for concrete in _instances(type_name):
            if _definition_name(concrete) not in made:
                made[_definition_name(concrete)] = _class(concrete)
                waiting.extend(_held_types(concrete))
    sets = {f"code_set.{name}": _code_set(name) for name in sorted({name for *_, name in CODE_SETS})}
    return dict(sorted((made | sets).items()))


def is_of(type_names: Iterable[str], *, stated: bool = True) -> Schema:
    """The object says by ``_type`` that it is one of these classes; ``stated`` False: or says nothing."""
    names = sorted(set(type_names))
    plain = [name for name in names if not _takes_arguments(name)]
    options: list[Schema] = [{"enum": plain if stated else [*plain, None]}] if plain or not stated else []
    options.extend({"pattern": f"^{n}(<.+>)?$", "type": "string"} for n in names if _takes_arguments(n))
    schema = options[0] if len(options) == 1 else {"anyOf": options}
    made: Schema = {"properties": {"_type": schema}}
    return made | {"required": ["_type"]} if stated else made


def instances_of(type_name: str) -> frozenset[str]:
    """The concrete classes of a type, without arguments."""
    known = rm_schema().get(type_name)
    if known is not None and not known.abstract:
        return rm_schema().concrete_subtypes(type_name) | {base_name(type_name)}
    return rm_schema().concrete_subtypes(type_name)


def primitive_type(type_name: str) -> Schema:
    """A primitive type of the reference model."""
    return dict(_PRIMITIVES[type_name])


def _definition_name(type_name: str) -> str:
    return type_name.replace("<", "_of_").replace(">", "").replace(",", "_")


def _takes_arguments(class_name: str) -> bool:
    known = rm_schema().get(class_name)
    return known is not None and bool(known.parameters)


def _instances(type_name: str) -> list[str]:
    """The concrete classes; the type itself with its arguments."""
    own = base_name(type_name)
    return sorted(type_name if name == own else name for name in instances_of(type_name))


def _dispatch(type_name: str) -> Schema:
    """One class decides all; without ``_type`` the declared one, if it is concrete."""
    instances = _instances(type_name)
    declared = rm_schema().get(type_name)
    is_concrete = declared is not None and not declared.abstract
    branches = [
        {"if": is_of([base_name(name)]), "then": {"$ref": f"#/$defs/{_definition_name(name)}"}}
        for name in instances
    ]
    if is_concrete:
        own = {"$ref": f"#/$defs/{_definition_name(type_name)}"}
        branches.append({"if": {"properties": {"_type": {"type": "null"}}}, "then": own})
    return is_of(map(base_name, instances), stated=not is_concrete) | {"allOf": branches}


def _held_types(type_name: str) -> Iterable[str]:
    for attribute in rm_schema().attributes(type_name).values():
        if not rm_schema().is_primitive(attribute.type_name):
            yield attribute.type_name


def _class(type_name: str) -> Schema:
    attributes = rm_schema().attributes(type_name)
    properties: Schema = {"_type": {}}
    properties |= {name: _property(attribute) for name, attribute in attributes.items()}
    made: Schema = {"properties": properties, "additionalProperties": False}
    required = [name for name, attribute in attributes.items() if attribute.mandatory]
    if required:
        made["required"] = required
    rules = list(_rules_of(type_name))
    return made | {"allOf": rules} if rules else made


def _property(attribute: RmAttribute) -> Schema:
    if attribute.container:
        members = {"type": "object", **reference(attribute.type_name)}
        made: Schema = {"type": "array", "items": members}
        if attribute.cardinality.lower:
            made["minItems"] = attribute.cardinality.lower
    elif rm_schema().is_primitive(attribute.type_name):
        made = primitive_type(attribute.type_name)
    else:
        made = {"type": "object", **reference(attribute.type_name)}
    return made if attribute.mandatory else made | {"type": [made["type"], "null"]}


# --- invariants ---------------------------------------------------------------------------------------


def _rules_of(type_name: str) -> Iterable[Schema]:
    def applies(class_name: str) -> bool:
        return rm_schema().is_a(type_name, class_name)

    for class_name, rules in _RULES.items():
        if applies(class_name):
            yield from rules
    for class_name, attribute in FILLED_TEXTS:
        if applies(class_name):
            yield {"properties": {attribute: {"minLength": 1}}}
    for class_name, attribute, group in GROUPS:
        if applies(class_name):
            yield {"properties": {attribute: {"properties": {"defining_code": _in_group(group)}}}}
    for class_name, attribute, code_set in CODE_SETS:
        if applies(class_name):
            code = {"$ref": f"#/$defs/code_set.{code_set}"}
            yield {"properties": {attribute: {"properties": {"code_string": code}}}}


def _in_group(group: str) -> Schema:
    terminology_id = {"properties": {"value": {"const": "openehr"}}}
    codes = sorted(terminology().groups[group])
    return {"properties": {"terminology_id": terminology_id, "code_string": {"enum": codes}}}


def _code_set(name: str) -> Schema:
    codes = sorted({code.lower() for code in terminology().code_sets[name]})
    return {"pattern": f"^({'|'.join(map(_any_case, codes))})$"}


def _any_case(code: str) -> str:
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else re.escape(c) for c in code)


def _has(attribute: str) -> Schema:
    return {"required": [attribute], "properties": {attribute: {"not": {"type": "null"}}}}


def _has_not(attribute: str) -> Schema:
    return {"properties": {attribute: {"type": "null"}}}


def _states(attribute: str, value: Any) -> Schema:
    return {"required": [attribute], "properties": {attribute: {"const": value}}}


def _bounds(side: str) -> Iterable[Schema]:
    unbounded, included = f"{side}_unbounded", f"{side}_included"
    none: Schema = {"properties": {side: {"type": "null"}, included: {"not": {"const": True}}}}
    yield {"if": _states(unbounded, True), "then": none}
    yield {"if": _states(unbounded, False), "then": _has(side)}


def _instruction_states() -> Iterable[Schema]:
    groups = terminology().groups
    for transition, state in STATE_AFTER.items():
        if transition in groups["instruction_transitions"]:
            code = {"required": ["code_string"], "properties": {"code_string": {"const": transition}}}
            coded = {"required": ["defining_code"], "properties": {"defining_code": code}}
            yield {
                "if": {"required": ["transition"], "properties": {"transition": coded}},
                "then": {"properties": {"current_state": _coded_as(state)}},
            }


def _coded_as(code: str) -> Schema:
    return {"properties": {"defining_code": {"properties": {"code_string": {"const": code}}}}}


def _node_ids() -> Iterable[Schema]:
    of_root = {
        "required": ["archetype_node_id"],
        "properties": {"archetype_node_id": {"type": "string", "pattern": ARCHETYPE_ID}},
    }
    yield {"if": of_root, "then": _has("archetype_details"), "else": _has_not("archetype_details")}


_WHOLE: Schema = {"properties": {"numerator": {"type": "integer"}, "denominator": {"type": "integer"}}}
_LIMITED_ACCURACY: Schema = {"properties": {"accuracy": {"exclusiveMinimum": 0, "maximum": 100}}}
_RULES: Mapping[str, tuple[Schema, ...]] = {
    "LOCATABLE": tuple(_node_ids()),
    "ELEMENT": (
        {"oneOf": [_has("value"), _has("null_flavour")]},
        {"if": _has("value"), "then": _has_not("null_reason")},
    ),
    "HISTORY": (
        {
            "anyOf": [
                {"required": ["events"], "properties": {"events": {"type": "array", "minItems": 1}}},
                _has("summary"),
            ]
        },
    ),
    "ISM_TRANSITION": tuple(_instruction_states()),
    "PARTY_IDENTIFIED": ({"anyOf": [_has(name) for name in ("name", "identifiers", "external_ref")]},),
    "PARTY_REF": ({"properties": {"type": {"enum": sorted(PARTY_TYPES)}}},),
    "DV_INTERVAL": (*_bounds("lower"), *_bounds("upper")),
    "DV_PROPORTION": (
        {"properties": {"type": {"enum": [0, 1, 2, 3, 4]}, "denominator": {"not": {"const": 0}}}},
        {"if": _states("type", 1), "then": {"properties": {"denominator": {"const": 1}}}},
        {"if": _states("type", 2), "then": {"properties": {"denominator": {"const": 100}}}},
        {"if": {"anyOf": [_states("type", 3), _states("type", 4), _states("precision", 0)]}, "then": _WHOLE},
    ),
    "DV_QUANTITY": ({"properties": {"precision": {"minimum": -1}}},),
    "DV_QUANTIFIED": ({"properties": {"magnitude_status": {"enum": [*sorted(MAGNITUDE_STATUSES), None]}}},),
    "DV_AMOUNT": ({"if": _states("accuracy_is_percent", True), "then": _LIMITED_ACCURACY},),
    "TERM_MAPPING": ({"properties": {"match": {"enum": [">", "=", "<", "?"]}}},),
    "DV_MULTIMEDIA": (
        {"anyOf": [_has("uri"), _has("data")]},
        {"properties": {"size": {"minimum": 0}}},
        {"if": _has("integrity_check"), "then": _has("integrity_check_algorithm")},
    ),
    "DV_URI": ({"properties": {"value": {"pattern": _URI}}},),
    "DV_EHR_URI": ({"properties": {"value": {"pattern": "^ehr:"}}},),
}
