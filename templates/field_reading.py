"""Decompose: the values of card fields that a composition holds, the way back from ``compose``.

The walk is laid out once per template: only branches that lead to a field are entered, and each member
of the data is matched by its node id and, where the template fixes names, by its name. Any data is
read: what is not where the template has it is passed over, for the validator has said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

from archetypes.aom.constraints import CArchetypeRoot, CAttribute, CCodePhrase, CComplexObject, CObject
from archetypes.aom.names import fixed_name
from templates.data_values import PERCENT, SYSTEMS, DataValue, alternatives, code_constraint
from templates.determined import determined
from templates.fields import field_nodes
from templates.operational import Node, OperationalTemplate
from templates.placements import in_one_entry
from templates.remembering import once_a_template
from templates.rubrics import Rubrics

# A place is the place above, the attribute and, in a list, the index; text is made only on demand.
Place: TypeAlias = "tuple[Place, str, int | None] | None"

_SHORT_SYSTEMS = {system: short for short, system in SYSTEMS.items()}


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value of a field in its place.

    ``node`` is the place in the template; ``instance`` counts from 1 what the template lets repeat;
    ``value`` is the canonical data value; ``place`` the way to it, innermost step first.
    """

    field: str
    node: Node
    instance: int
    value: DataValue
    place: Place

    @property
    def path(self) -> str:
        """RM path of the data value (of the ISM_TRANSITION for a careflow step), with indexes."""
        steps: list[str] = []
        place = self.place
        while place is not None:
            place, attribute, index = place
            steps.append(f"/{attribute}" if index is None else f"/{attribute}[{index}]")
        return "".join(reversed(steps))

    @property
    def plain(self) -> Any:
        """The value in the form that ``compose`` takes."""
        return plain_value(self.value, self.node.constraint)

    @property
    def code(self) -> str | None:
        """The code of a coded value, of an ordinal's symbol or of a careflow step."""
        return code_of(self.value)

    @property
    def terminology(self) -> str | None:
        """The terminology of :attr:`code`."""
        found = _phrase(self.value).get("terminology_id", {}).get("value")
        return found if isinstance(found, str) else None

    @property
    def number(self) -> float | None:
        """The magnitude of a quantity or count, the numerator of a proportion, the value of an ordinal."""
        for name in ("magnitude", "numerator", "value"):
            found = self.value.get(name)
            if isinstance(found, int | float) and not isinstance(found, bool):
                return found
        return None

    @property
    def text(self) -> str | None:
        """The text of a DV_TEXT or DV_CODED_TEXT; dates and durations as ISO 8601."""
        found = self.value.get("value")
        return found if isinstance(found, str) else None


def read_fields(opt: OperationalTemplate, composition: Any) -> tuple[FieldValue, ...]:
    """All field values of a composition in template order."""
    reader = _reader(opt)
    found: list[FieldValue] = []
    if isinstance(composition, dict):
        _enter(reader, composition, None, 1, {}, found)
    return tuple(found)


def read_values(opt: OperationalTemplate, composition: Any) -> Mapping[str, Any]:
    """Field id -> value in the forms that ``compose`` takes; the same values compose the same content.

    A field with several instances has a list (None where an instance lacks it). Where one entry holds
    the field in several nodes, further entries stand under ``HK4.5#2`` and so on.
    """
    by_field: dict[str, list[FieldValue]] = {}
    for value in read_fields(opt, composition):
        by_field.setdefault(value.field, []).append(value)
    nodes = field_nodes(opt)
    made: dict[str, Any] = {}
    for name, found in by_field.items():
        made.update(_arguments(name, nodes[name], found))
    return made


def _arguments(name: str, nodes: tuple[Node, ...], found: list[FieldValue]) -> dict[str, Any]:
    if nodes[0].constraint.rm_type_name == "ISM_TRANSITION":
        return {name: found[0].plain}
    if in_one_entry(nodes):
        return _of_one_entry(name, nodes, found)
    if len(nodes) > 1:
        given = [value.plain for value in found if not _is_determined(value)]
        return {name: _single(given)} if given else {}
    last = max(value.instance for value in found)
    listed: list[Any] = [None] * last
    for value in found:
        listed[value.instance - 1] = value.plain
    return {name: _single(listed)}


def _of_one_entry(name: str, nodes: tuple[Node, ...], found: list[FieldValue]) -> dict[str, Any]:
    """A list over the nodes for each entry."""
    paths = [node.path for node in nodes]
    entries: dict[int, list[Any]] = {}
    for value in found:
        listed = entries.setdefault(value.instance, [None] * len(paths))
        listed[paths.index(value.node.path)] = value.plain
    return {name if instance == 1 else f"{name}#{instance}": listed for instance, listed in entries.items()}


def _is_determined(value: FieldValue) -> bool:
    """True for what the template itself says of a node, such as the name of an analyte."""
    node = value.node
    rubrics = Rubrics(node.root, next(iter(node.root.terms), ""))
    made = determined(alternatives(node.constraint), rubrics)
    if made is None:
        return False
    return code_of(made) == code_of(value.value) and made.get("value") == value.value.get("value")


def _single(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


# --- the walk ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reader:
    """A node of the template on the way to fields.

    ``below``: attribute -> node id -> readers, each with the names that select it.
    """

    node: Node | None = None
    fields: tuple[str, ...] = ()
    repeats: bool = False
    below: dict[str, dict[str, list[_Choice]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Choice:
    """A reader among siblings of one id: by its fixed name, or by any name but those of the others."""

    name: str | None
    others: frozenset[str]
    reader: _Reader


def _enter(
    reader: _Reader,
    data: Mapping[str, Any],
    place: Place,
    instance: int,
    counts: dict[int, int],
    found: list[FieldValue],
) -> None:
    """Read what lies at and below a node; ``counts`` are the instances so far of what repeats."""
    if reader.repeats:
        counted = counts[id(reader)] = counts.get(id(reader), 0) + 1
        instance = _fetus(data) or counted
    if reader.fields and reader.node is not None:
        _take(reader, reader.node, data, place, instance, found)
    for attribute, choices in reader.below.items():
        value = data.get(attribute)
        is_list = type(value) is list
        members: Any = value if is_list else (value,)
        for index, member in enumerate(members):
            if type(member) is not dict:
                continue
            chosen = _chosen(choices, member)
            if chosen is not None:
                where = (place, attribute, index if is_list else None)
                _enter(chosen, member, where, instance, counts, found)


def _chosen(choices: dict[str, list[_Choice]], member: dict[str, Any]) -> _Reader | None:
    node_id = member.get("archetype_node_id")
    found = choices.get(node_id if type(node_id) is str else _step_code(member))
    if found is None:
        return None
    name = member.get("name")
    given = name.get("value") if type(name) is dict else None
    text = given if type(given) is str else None
    for choice in found:
        # By its fixed name, or by any name but those of the others.
        if text == choice.name if choice.name is not None else text not in choice.others:
            return choice.reader
    return None


def _take(
    reader: _Reader,
    node: Node,
    data: Mapping[str, Any],
    place: Place,
    instance: int,
    found: list[FieldValue],
) -> None:
    is_step = node.constraint.rm_type_name == "ISM_TRANSITION"
    value = data if is_step else data.get("value")
    if isinstance(value, dict):
        where: Place = place if is_step else (place, "value", None)
        for name in reader.fields:
            found.append(FieldValue(name, node, instance, value, where))


def _fetus(entry: Mapping[str, Any]) -> int | None:
    """The number of the fetus that an entry is about; entries about one fetus need not come in pairs."""
    subject = entry.get("subject")
    if subject is None:
        return None
    identifiers = subject.get("identifiers") if isinstance(subject, dict) else None
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else None
    number = first.get("id") if isinstance(first, dict) else None
    is_number = isinstance(number, str) and len(number) == 1 and number in "123456789"
    return int(number) if is_number and isinstance(number, str) else None


def _step_code(member: dict[str, Any]) -> str:
    """An ISM_TRANSITION is no LOCATABLE: the code of its careflow step stands for the node id."""
    return code_of(member) or "" if "careflow_step" in member else ""


@once_a_template
def _reader(opt: OperationalTemplate) -> _Reader:
    """The reader of a template."""
    root = _Reader()
    made: dict[int, _Reader] = {id(opt.definition): root}
    for name, nodes in field_nodes(opt).items():
        for node in nodes:
            reader = _way_to(node, made)
            reader.node, reader.fields = node, (*reader.fields, name)
    return root


def _way_to(node: Node, made: dict[int, _Reader]) -> _Reader:
    """The reader of ``node``, with those above it."""
    chain: tuple[CObject, ...] = (*node.parents, node.constraint)
    for parent, child in pairwise(chain):
        if id(child) in made or not isinstance(parent, CComplexObject):
            continue
        attribute = next(a for a in parent.attributes if any(c is child for c in a.children))
        reader = made[id(child)] = _Reader(repeats=child.occurrences.upper != 1)
        choices = made[id(parent)].below.setdefault(attribute.rm_attribute_name, {})
        choices.setdefault(_id(child), []).append(_choice(child, attribute, reader))
    return made[id(node.constraint)]


def _choice(child: CObject, attribute: CAttribute, reader: _Reader) -> _Choice:
    siblings = (c for c in attribute.children if c is not child and _id(c) == _id(child))
    others = frozenset(name for name in map(fixed_name, siblings) if name is not None)
    return _Choice(fixed_name(child), others, reader)


def _id(child: CObject) -> str:
    return child.archetype_id if isinstance(child, CArchetypeRoot) else child.node_id


# --- values -----------------------------------------------------------------------------------------


def code_of(value: DataValue) -> str | None:
    """The code of a coded text, an ordinal or a careflow step; None for anything else."""
    found = _phrase(value).get("code_string")
    return found if isinstance(found, str) else None


def _phrase(value: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("symbol", "careflow_step"):
        if isinstance(value.get(name), dict):
            return _phrase(value[name])
    phrase = value.get("defining_code")
    if not isinstance(phrase, dict):
        return {}
    terminology_id = phrase.get("terminology_id")
    return phrase if isinstance(terminology_id, dict) else {**phrase, "terminology_id": {}}


def plain_value(value: DataValue, constraint: CObject) -> Any:
    """A canonical data value in the form that ``compose`` takes."""
    match value.get("_type"):
        case "ISM_TRANSITION":
            return code_of(value)
        case "DV_CODED_TEXT":
            return _plain_code(value, constraint)
        case "DV_ORDINAL" | "DV_SCALE":
            return code_of(value)
        case "DV_QUANTITY":
            return f"{value.get('magnitude')} {value.get('units')}"
        case "DV_COUNT":
            return value.get("magnitude")
        case "DV_PROPORTION":
            return _plain_proportion(value)
        case "DV_IDENTIFIER":
            parts = {name: part for name, part in value.items() if name != "_type"}
            return parts["id"] if set(parts) == {"id"} else parts
        case _:
            return value.get("value")


def _plain_proportion(value: DataValue) -> Any:
    if value.get("type") == PERCENT and value.get("denominator") == 100:
        return f"{value.get('numerator')} %"
    return {name: value.get(name) for name in ("numerator", "denominator", "type")}


def _plain_code(value: DataValue, constraint: CObject) -> Any:
    """The bare code where the constraint leaves no doubt which terminology and text are meant."""
    phrase = _phrase(value)
    code, system = phrase.get("code_string"), phrase.get("terminology_id", {}).get("value")
    for allowed in alternatives(constraint):
        limit = code_constraint(allowed)
        if isinstance(limit, CCodePhrase) and system == limit.terminology_id and code in limit.codes:
            return code
    return {"code": code, "system": _SHORT_SYSTEMS.get(str(system), system), "display": value.get("value")}
