"""Where the classes and paths of a query stand in a template.

A path is there if the template speaks of each node that it names; what it names by attribute alone must
exist in the reference model. Inside an open slot everything is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archetypes.aom.constraints import ArchetypeSlot, CArchetypeRoot, CAttribute, CComplexObject, CObject
from archetypes.rm.schema import rm_schema
from cdr.aql import ast
from cdr.candidates import archetype_matches
from templates.operational import Node, OperationalTemplate, fixed_name

# These hold compositions; a template says nothing about them.
_AROUND = frozenset({"EHR", "EHR_STATUS", "FOLDER"})


@dataclass(frozen=True, slots=True)
class End:
    """Where a path leads: the last object that the template speaks of, and what of the path is beyond it.

    ``above`` are the objects on the way to it, the outermost first.
    """

    constraint: CObject
    root: CArchetypeRoot
    above: tuple[CObject, ...]
    rest: tuple[ast.PathPart, ...]


@dataclass(frozen=True, slots=True)
class TemplateClasses:
    """The nodes of the template that each class of FROM may stand for."""

    by_class: tuple[tuple[ast.ClassExpr, tuple[Node, ...]], ...]
    variables: Mapping[str, tuple[Node, ...]]

    def nodes_of(self, expr: ast.ClassExpr) -> tuple[Node, ...]:
        """The nodes of a class expression (found by identity)."""
        return next(nodes for known, nodes in self.by_class if known is expr)

    def holds(self, path: ast.IdentifiedPath) -> bool:
        """Does a node of the variable have the path?"""
        return any(True for _ in self.ends(path))

    def ends(self, path: ast.IdentifiedPath) -> Iterator[End]:
        """Everything that the path may lead to, from any node of its variable."""
        parts = path.path.parts if path.path is not None else ()
        for node in self.variables.get(path.variable.lower(), ()):
            if selects(path.predicate, node.constraint, node.root):
                yield from _ends(node.constraint, node.root, node.parents, parts)


class TemplatePlaces:
    """One template, ready to be asked where the classes of a query stand."""

    def __init__(self, template: OperationalTemplate) -> None:
        self._nodes = tuple(template.nodes())
        roots = (node.constraint for node in self._nodes if isinstance(node.constraint, CArchetypeRoot))
        self.archetype_ids = frozenset(root.archetype_id for root in roots)

    def stands(self, expr: ast.ClassExpr) -> bool:
        """Does the class stand anywhere in the template?"""
        return bool(self._matching(expr, None))

    def classes(self, expr: ast.ContainsExpr) -> TemplateClasses:
        """The nodes of every class of FROM that binds something; NOT CONTAINS binds nothing."""
        by_class: list[tuple[ast.ClassExpr, tuple[Node, ...]]] = []
        self._collect(expr, None, by_class)
        variables = {known.variable.lower(): nodes for known, nodes in by_class if known.variable}
        return TemplateClasses(tuple(by_class), variables)

    def _collect(
        self,
        expr: ast.ContainsExpr,
        within: tuple[Node, ...] | None,
        found: list[tuple[ast.ClassExpr, tuple[Node, ...]]],
    ) -> None:
        if not isinstance(expr, ast.Containment):
            for operand in expr.operands:
                self._collect(operand, within, found)
            return
        if isinstance(expr.operand, ast.ClassExpr) and expr.operand.rm_type.upper() not in _AROUND:
            within = self._matching(expr.operand, within)
            found.append((expr.operand, within))
        if expr.contains is not None and not expr.negated:
            self._collect(expr.contains, within, found)

    def _matching(self, expr: ast.ClassExpr, within: tuple[Node, ...] | None) -> tuple[Node, ...]:
        above = None if within is None else {id(node.constraint) for node in within}
        return tuple(
            node
            for node in self._nodes
            if _is_of_class(node.constraint, expr)
            and selects(expr.predicate, node.constraint, node.root)
            and (above is None or any(id(parent) in above for parent in node.parents))
        )


def _is_of_class(constraint: CObject, expr: ast.ClassExpr) -> bool:
    return not isinstance(constraint, ArchetypeSlot) and rm_schema().is_a(
        constraint.rm_type_name, expr.rm_type.upper()
    )


# --- predicates ---------------------------------------------------------------------------------------


def selects(predicate: ast.PathPredicate | None, node: CObject, root: CArchetypeRoot) -> bool:
    """May the node be one that the predicate means? What only data can tell counts as yes."""
    match predicate:
        case ast.ArchetypePredicate():
            known = isinstance(node, CArchetypeRoot) and archetype_matches(
                predicate.archetype_id, node.archetype_id
            )
            return known and _has_name(predicate.name, node, root)
        case ast.NodePredicate():
            plain = not isinstance(node, CArchetypeRoot) and node.node_id == predicate.node_id
            return plain and _has_name(predicate.name, node, root)
        case ast.PredicateAnd():
            return all(selects(each, node, root) for each in predicate.operands)
        case ast.PredicateOr():
            return any(selects(each, node, root) for each in predicate.operands)
        case ast.StandardPredicate(operator="=", operand=ast.Primitive() as operand):
            names = [part.name for part in predicate.path.parts]
            return names != ["name", "value"] or _has_name(operand, node, root)
    return True


def _has_name(name: ast.NameOperand | None, node: CObject, root: CArchetypeRoot) -> bool:
    """A node without a fixed name usually has that of its code, in some language."""
    if not isinstance(name, ast.Primitive):
        return True
    fixed = fixed_name(node)
    if fixed is not None:
        return name.value == fixed
    own = node if isinstance(node, CArchetypeRoot) else root
    texts = {terms[node.node_id].text for terms in own.terms.values() if node.node_id in terms}
    return not texts or name.value in texts


# --- paths --------------------------------------------------------------------------------------------


def _ends(
    node: CObject, root: CArchetypeRoot, above: tuple[CObject, ...], parts: tuple[ast.PathPart, ...]
) -> Iterator[End]:
    if not parts or isinstance(node, ArchetypeSlot):
        yield End(node, root, above, parts)
        return
    part, rest = parts[0], parts[1:]
    attribute = node.attribute(part.name) if isinstance(node, CComplexObject) else None
    if attribute is None or (not attribute.children and not _is_prohibited(attribute)):
        if not _names_a_node(parts) and _rm_has(frozenset({node.rm_type_name}), parts):
            yield End(node, root, above, parts)
        return
    for child in attribute.children:
        if isinstance(child, ArchetypeSlot) or selects(part.predicate, child, root):
            its_root = child if isinstance(child, CArchetypeRoot) else root
            yield from _ends(child, its_root, (*above, node), rest)


def _is_prohibited(attribute: CAttribute) -> bool:
    return attribute.existence is not None and attribute.existence.upper == 0


def _names_a_node(parts: tuple[ast.PathPart, ...]) -> bool:
    """Does the path go by ids that only a template or archetype can know?"""
    return any(isinstance(part.predicate, ast.NodePredicate | ast.ArchetypePredicate) for part in parts)


def _rm_has(types: frozenset[str], parts: tuple[ast.PathPart, ...]) -> bool:
    """Does the reference model have the attributes, in some subtype?"""
    schema = rm_schema()
    for part in parts:
        concrete = {each for name in types for each in (schema.concrete_subtypes(name) or {name})}
        found = (schema.attribute(each, part.name) for each in concrete)
        types = frozenset(attribute.type_name for attribute in found if attribute is not None)
        if not types:
            return False
    return True


_KNOWN: dict[int, tuple[OperationalTemplate, TemplatePlaces]] = {}
_MOST_KNOWN = 256


def places_of(template: OperationalTemplate) -> TemplatePlaces:
    """The places of a template; made once for each template that is alive."""
    known = _KNOWN.get(id(template))
    # The template is kept beside its places, so that its id is not given to another one.
    if known is not None and known[0] is template:
        return known[1]
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    places = TemplatePlaces(template)
    _KNOWN[id(template)] = (template, places)
    return places
