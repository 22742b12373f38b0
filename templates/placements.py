"""Where the values of card fields go in a template.

A key is a field id, or a field id and the number of the instance: ``HK13.9#2`` is the heart rate of the
second fetus. A list fills instances 1, 2, 3 ...; if one entry holds the field in several nodes (Apgar
after 1, 5 and 10 minutes), the list fills those nodes in order. ``None`` in a list leaves a gap. What
is repeated is the nearest node, from the value upwards, that the template allows more than once.

If a field has nodes in several entries, the first that allows the value takes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archetypes.aom.constraints import CComplexObject, CObject
from templates.data_values import DataValue, Unfit, data_value
from templates.errors import FieldNotHeld, ValueRefused
from templates.fields import field_nodes
from templates.operational import Node, OperationalTemplate
from templates.rubrics import Rubrics

Step = tuple[str, int, int]  # attribute, position among its constraints, instance from 1


@dataclass(frozen=True, slots=True)
class Placement:
    """One value in its place: ``steps`` lead from the composition to the node.

    ``value`` is None where choosing the node is all (a careflow step).
    """

    field: str
    steps: tuple[Step, ...]
    value: DataValue | None


def placements(opt: OperationalTemplate, values: Mapping[str, Any]) -> list[Placement]:
    """Place all values; raises FieldNotHeld and ValueRefused."""
    nodes = field_nodes(opt)
    placed: list[Placement] = []
    for key, value in values.items():
        field, _, number = key.partition("#")
        if field not in nodes:
            raise FieldNotHeld(field, opt.template_id)
        instance = _instance(field, number)
        placed.extend(_place(_Target(opt, field, nodes[field], instance), value))
    return placed


@dataclass(frozen=True, slots=True)
class _Target:
    opt: OperationalTemplate
    field: str
    nodes: Sequence[Node]
    instance: int | None


def _instance(field: str, number: str) -> int | None:
    if not number:
        return None
    if not number.isdecimal() or int(number) < 1:
        raise ValueRefused(field, f"instance {number!r} is not a number from 1")
    return int(number)


def _place(target: _Target, value: Any) -> Iterator[Placement]:
    if not isinstance(value, list):
        yield _placed(target, target.nodes, value, target.instance or 1)
    elif in_one_entry(target.nodes):
        if len(value) > len(target.nodes):
            raise ValueRefused(target.field, f"{len(value)} values for {len(target.nodes)} places")
        for node, member in zip(target.nodes, value, strict=False):
            if member is not None:
                yield _placed(target, (node,), member, target.instance or 1)
    elif target.instance is not None:
        raise ValueRefused(target.field, "a list cannot be put into one instance")
    else:
        for instance, member in enumerate(value, 1):
            if member is not None:
                yield _placed(target, target.nodes, member, instance)


def in_one_entry(nodes: Sequence[Node]) -> bool:
    """True if one entry holds the field several times: a list then fills the nodes in order."""
    return len(nodes) > 1 and all(node.root is nodes[0].root for node in nodes)


def _placed(target: _Target, nodes: Sequence[Node], value: Any, instance: int) -> Placement:
    refusals = []
    for node in nodes:
        try:
            made = _converted(value, node, target.opt.language)
            return Placement(target.field, _steps(node, instance), made)
        except Unfit as error:
            refusals.append(str(error))
    raise ValueRefused(target.field, "; or ".join(dict.fromkeys(refusals)))


def _converted(value: Any, node: Node, language: str) -> DataValue | None:
    constraint = node.constraint
    if constraint.rm_type_name == "ISM_TRANSITION":
        if value != constraint.node_id:
            raise Unfit(f"{value!r} is not the careflow step {constraint.node_id}")
        return None
    if not isinstance(constraint, CComplexObject) or constraint.rm_type_name != "ELEMENT":
        raise Unfit(f"{constraint.rm_type_name} holds no single value")
    return data_value(value, constraint, Rubrics(node.root, language))


def _steps(node: Node, instance: int) -> tuple[Step, ...]:
    """The way to ``node``; the instance number stands on its nearest repeatable step."""
    chain: tuple[CObject, ...] = (*node.parents[1:], node.constraint)
    repeated = max((i for i, child in enumerate(chain) if _repeats(child)), default=None)
    if instance > 1 and (repeated is None or not _allows(chain[repeated], instance)):
        raise Unfit(f"there is no place for instance {instance}")
    steps = []
    for i, (parent, child) in enumerate(zip(node.parents, chain, strict=True)):
        attribute, position = _position(parent, child)
        steps.append((attribute, position, instance if i == repeated else 1))
    return tuple(steps)


def _repeats(child: CObject) -> bool:
    return child.occurrences.upper is None or child.occurrences.upper > 1


def _allows(child: CObject, instance: int) -> bool:
    return child.occurrences.upper is None or instance <= child.occurrences.upper


def _position(parent: CComplexObject, child: CObject) -> tuple[str, int]:
    found = (
        (attribute.rm_attribute_name, position)
        for attribute in parent.attributes
        for position, candidate in enumerate(attribute.children)
        if candidate is child
    )
    return next(found)
