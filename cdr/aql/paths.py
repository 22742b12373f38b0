"""Paths compiled to functions over canonical data: one step, predicates, and tries of paths.

All paths of one variable form a trie; values below one instance of a common prefix stay together
(``docs/aql.md``, "Values of one event").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

from archetypes.rm.schema import rm_schema
from cdr.aql import ast
from cdr.aql.errors import AqlTooLarge
from cdr.aql.regex import compile_regex
from cdr.aql.rm_types import TEMPORAL_PRIMITIVES, Types, part_types
from cdr.aql.trees import default_type
from cdr.aql.values import TEMPORAL_CLASSES, Zone, equal, order, text_of
from cdr.candidates import archetype_matches

Truth: TypeAlias = bool | None
Step: TypeAlias = Callable[[Any], Sequence[Any]]
Test: TypeAlias = Callable[[Any], Truth]
Rows: TypeAlias = Callable[[Any], Sequence[tuple[Any, ...]]]

MAX_COMBINATIONS = 1_000_000
SELF = "."  # the name of the segment that a predicate on a variable makes

_COMPARE: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def compare(operator: str, left: Any, right: Any, zone: Zone) -> Truth:
    """``left operator right``; unknown if either is missing or the two do not compare."""
    if left is None or right is None:
        return None
    if operator in ("=", "!="):
        same = equal(left, right, zone)
        return None if same is None else same is (operator == "=")
    sign = order(left, right, zone)
    return None if sign is None else _COMPARE[operator](sign)


def all_of(tests: Sequence[Test]) -> Test:
    """Three-valued AND."""

    def test(subject: Any) -> Truth:
        result: Truth = True
        for each in tests:
            found = each(subject)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return test


def any_of(tests: Sequence[Test]) -> Test:
    """Three-valued OR."""

    def test(subject: Any) -> Truth:
        result: Truth = False
        for each in tests:
            found = each(subject)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return test


# -- predicates --------------------------------------------------------------------------------------


def compile_predicate(predicate: ast.PathPredicate, types: Types, zone: Zone) -> Test:
    """A predicate as a test of one node; only True selects it."""
    match predicate:
        case ast.PredicateAnd():
            return all_of([compile_predicate(each, types, zone) for each in predicate.operands])
        case ast.PredicateOr():
            return any_of([compile_predicate(each, types, zone) for each in predicate.operands])
        case ast.ArchetypePredicate():
            return _with_name(_archetype_test(predicate.archetype_id), predicate.name)
        case ast.NodePredicate():
            return _with_name(_node_test(predicate.node_id), predicate.name)
        case ast.StandardPredicate():
            return _standard_test(predicate, types, zone)
        case ast.RegexPredicate():
            return _regex_test(predicate, types, zone)
        case _:
            raise NotImplementedError(type(predicate).__name__)


def _archetype_test(archetype_id: str) -> Test:
    def test(node: Any) -> Truth:
        present = node.get("archetype_node_id")
        return present is not None and archetype_matches(archetype_id, present)

    return test


def _node_test(node_id: str) -> Test:
    def test(node: Any) -> Truth:
        return bool(node.get("archetype_node_id") == node_id)

    return test


def _with_name(test: Test, name: ast.NameOperand | None) -> Test:
    if name is None:
        return test
    if isinstance(name, ast.NodeCode):
        return all_of([test, _coded_name_test("local", name.code)])
    if isinstance(name, ast.TermCode):
        return all_of([test, _coded_name_test(name.terminology, name.code)])
    wanted = name.value if isinstance(name, ast.Primitive) else None

    def named(node: Any) -> Truth:
        return bool((node.get("name") or {}).get("value") == wanted)

    return all_of([test, named])


def _coded_name_test(terminology: str, code: str) -> Test:
    def test(node: Any) -> Truth:
        coded = (node.get("name") or {}).get("defining_code") or {}
        same_code = coded.get("code_string") == code
        return bool(same_code and (coded.get("terminology_id") or {}).get("value") == terminology)

    return test


def _standard_test(predicate: ast.StandardPredicate, types: Types, zone: Zone) -> Test:
    """True if any value at the path compares so with any value of the operand."""
    left = compile_values(predicate.path, types, zone)
    operand, operator = predicate.operand, predicate.operator
    if isinstance(operand, ast.ObjectPath):
        right = compile_values(operand, types, zone)
    else:
        value = operand.code if isinstance(operand, ast.NodeCode) else _literal(operand)

        def right(_: Any) -> Sequence[Any]:
            return (value,)

    def test(node: Any) -> Truth:
        result: Truth = None
        for a in left(node):
            for b in right(node):
                found = compare(operator, a, b, zone)
                if found is True:
                    return True
                if found is False:
                    result = False
        return result

    return test


def _regex_test(predicate: ast.RegexPredicate, types: Types, zone: Zone) -> Test:
    """True if any text at the path matches; without path, the archetype id or node id."""
    matches = compile_regex(predicate.regex)
    path = predicate.path or ast.ObjectPath(parts=(ast.PathPart(name="archetype_node_id"),))
    values = compile_values(path, types, zone)

    def test(node: Any) -> Truth:
        texts = [text for text in map(text_of, values(node)) if text is not None]
        return any(map(matches, texts)) if texts else None

    return test


def _literal(operand: ast.Primitive | ast.Parameter) -> Any:
    return operand.value if isinstance(operand, ast.Primitive) else None


# -- steps ---------------------------------------------------------------------------------------------


def compile_values(path: ast.ObjectPath, types: Types, zone: Zone) -> Step:
    """All values at a path below a node."""
    steps = []
    for part in path.parts:
        last = part is path.parts[-1]
        steps.append(compile_step(part, types, zone, leaf=last))
        types = step_types(types, part)

    def values(node: Any) -> Sequence[Any]:
        found: Sequence[Any] = (node,)
        for step in steps:
            found = [member for each in found for member in step(each)]
        return found

    return steps[0] if len(steps) == 1 else values


def parts_of(path: ast.IdentifiedPath) -> tuple[ast.PathPart, ...]:
    """The segments of a path; a predicate on the variable is a first segment that stays where it is."""
    rest = () if path.path is None else path.path.parts
    if path.predicate is None:
        return rest
    return (ast.PathPart(name=SELF, predicate=path.predicate, position=path.position), *rest)


def step_types(types: Types, part: ast.PathPart) -> Types:
    """The types that a segment leads to."""
    return types if part.name == SELF else part_types(types, part, [])


def compile_step(part: ast.PathPart, types: Types, zone: Zone, *, leaf: bool) -> Step:
    """The members of an attribute that its predicate selects; of a leaf, values that know their type."""
    name = part.name
    test = None
    if part.predicate is not None:
        test = compile_predicate(part.predicate, step_types(types, part), zone)
        if name == SELF:
            return _self_step(test)
    typed = _typed(part, types) if leaf else None

    def step(node: Any) -> Sequence[Any]:
        if type(node) is not dict:
            return ()
        value = node.get(name)
        if value is None:
            return ()
        members = value if type(value) is list else (value,)
        if test is not None:
            members = [member for member in members if type(member) is dict and test(member) is True]
        return members if typed is None else [typed(node, member) for member in members]

    return step


def _self_step(test: Test) -> Step:
    def step(node: Any) -> Sequence[Any]:
        return (node,) if test(node) is True else ()

    return step


def _typed(part: ast.PathPart, types: Types) -> Callable[[Any, Any], Any] | None:
    """Gives a leaf its type where the data does not say it: ``_type`` of objects, kind of temporal texts."""
    attributes = {owner: rm_schema().attribute(owner, part.name) for owner in types}
    declared = {each.type_name for each in attributes.values() if each is not None}
    only = next(iter(types)) if len(types) == 1 else ""
    if declared & TEMPORAL_PRIMITIVES:

        def temporal(node: Any, value: Any) -> Any:
            kind = TEMPORAL_CLASSES.get(node.get("_type", only))
            return kind(value) if kind is not None and isinstance(value, str) else value

        return temporal
    if all(rm_schema().is_primitive(name) for name in declared):
        return None
    defaults = {owner: default_type(each) for owner, each in attributes.items() if each is not None}

    def object_with_type(node: Any, value: Any) -> Any:
        if type(value) is not dict or "_type" in value:
            return value
        default = defaults.get(node.get("_type", only))
        return {"_type": default, **value} if default else value

    return object_with_type


# -- tries ---------------------------------------------------------------------------------------------


@dataclass
class TrieNode:
    """One segment of one or more paths of a variable; ``slot`` holds the instance a row is bound to."""

    types: Types
    part: ast.PathPart | None = None
    children: dict[tuple[str, ast.PathPredicate | None], TrieNode] = field(default_factory=dict)
    leaf: bool = False
    bound: bool = False
    slot: int = -1

    def add(self, parts: Sequence[ast.PathPart]) -> TrieNode:
        """The node of a path, made if need be."""
        node = self
        for part in parts:
            key = (part.name, part.predicate)
            if key not in node.children:
                node.children[key] = TrieNode(step_types(node.types, part), part)
            node = node.children[key]
        return node

    def along(self, parts: Sequence[ast.PathPart]) -> list[TrieNode]:
        """The nodes that exist along a path, from this one downwards."""
        found = [self]
        for part in parts:
            child = found[-1].children.get((part.name, part.predicate))
            if child is None:
                break
            found.append(child)
        return found

    @property
    def width(self) -> int:
        """How many slots lie below this node."""
        return sum((child.leaf or child.bound) + child.width for child in self.children.values())

    def number(self, slot: int) -> int:
        """Gives slots to leaves and bound nodes below this one, in order; returns the next free slot."""
        for child in self.children.values():
            if child.leaf or child.bound:
                child.slot = slot
                slot += 1
            slot = child.number(slot)
        return slot


def compile_trie(node: TrieNode, zone: Zone) -> Rows:
    """The rows of slot values that an instance of ``node`` gives for its children.

    One row for each combination of matches below each instance; a child without any match is None in
    them; no rows if no child has a match.
    """
    branches = [_compile_branch(child, node.types, zone) for child in node.children.values()]
    if len(branches) == 1:
        return branches[0][0]

    missings = [missing for _, missing in branches]

    def rows(instance: Any) -> Sequence[tuple[Any, ...]]:
        return combined([branch(instance) for branch, _ in branches], missings)

    return rows


def combined(
    found: Sequence[Sequence[tuple[Any, ...]]], missings: Sequence[tuple[None, ...]]
) -> Sequence[tuple[Any, ...]]:
    """Each combination of one row of each branch; a branch without any is missing in them."""
    if not any(found):
        return ()
    pools = [some or (missing,) for some, missing in zip(found, missings, strict=True)]
    combinations = 1
    for pool in pools:
        combinations *= len(pool)
    if combinations == 1:
        return [sum((pool[0] for pool in pools), ())]
    if combinations > MAX_COMBINATIONS:
        raise AqlTooLarge("combinations of values of one object", MAX_COMBINATIONS)
    return [sum(combination, ()) for combination in product(*pools)]


def _compile_branch(child: TrieNode, types: Types, zone: Zone) -> tuple[Rows, tuple[None, ...]]:
    assert child.part is not None
    step = compile_step(child.part, types, zone, leaf=child.leaf)
    below = compile_trie(child, zone) if child.children else None
    own = child.leaf or child.bound
    missing = (None,) * (own + child.width)
    if below is None:

        def leaves(instance: Any) -> Sequence[tuple[Any, ...]]:
            return [(value,) for value in step(instance)]

        return leaves, missing

    inner_missing = (None,) * child.width

    def rows(instance: Any) -> Sequence[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for member in step(instance):
            inner = below(member)
            if inner:
                found.extend([(member, *row) for row in inner] if own else inner)
            elif child.leaf:
                found.append((member, *inner_missing))
        return found

    return rows, missing
