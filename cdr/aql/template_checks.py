"""What the stored templates say about a query: warnings, each with its place and a suggestion.

A query that breaks none of the language's rules may still ask for what no document can hold. Warnings never
keep it from running: documents under other templates, or older ones, may hold it after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CPrimitiveObject,
    CReal,
    CString,
)
from archetypes.findings import Finding, Severity, SourceSpan
from archetypes.intervals import Interval
from cdr.aql import ast
from cdr.aql.printer import print_column
from cdr.aql.rm_types import NUMBERS, TEMPORAL_PRIMITIVES, Types
from cdr.aql.scope import Scope, folded
from cdr.aql.suggest import nearest
from cdr.aql.template_places import End, TemplateClasses, TemplatePlaces
from cdr.temporal import instant
from templates.rubrics import Rubrics

_TEXTS = frozenset({"STRING"})
_BELOW_VALUE = frozenset({"DV_TEXT", "DV_QUANTITY"})  # a value of any type: the templates must say which


def template_findings(scope: Scope, templates: Sequence[TemplatePlaces]) -> list[Finding]:
    """The warnings, in the order of the text."""
    if not templates:
        return []
    check = _Check(scope, templates, [each.classes(scope.query.from_expr) for each in templates])
    found = [*check.classes(), *check.paths(), *check.conditions(scope.query.where)]
    return sorted(
        found, key=lambda finding: (finding.span.line, finding.span.column) if finding.span else (0, 0)
    )


def listed_values(
    scope: Scope, path: ast.IdentifiedPath, templates: Sequence[TemplatePlaces]
) -> dict[str, str]:
    """The values that the templates list for a path of the query, each with its text."""
    found: dict[str, str] = {}
    for each in templates:
        for end in each.classes(scope.query.from_expr).ends(path):
            allowed = _allowed(end)
            if allowed is not None:
                texts = {value: text for text, value in reversed(allowed.texts)}
                found |= {str(value): texts.get(value, "") for value in allowed.values}
    return found


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may stand at the end of a path: values with their texts, or numbers of a range."""

    values: frozenset[Any] = frozenset()
    texts: tuple[tuple[str, Any], ...] = ()
    range: Interval[Any] | None = None


@dataclass(frozen=True, slots=True)
class _Check:
    scope: Scope
    templates: Sequence[TemplatePlaces]
    known: Sequence[TemplateClasses]

    # -- FROM and paths ---------------------------------------------------------------------------

    def classes(self) -> Iterator[Finding]:
        """Archetypes that no template has, and classes that stand nowhere within what contains them."""
        for index, (expr, _) in enumerate(self.known[0].by_class):
            if any(each.by_class[index][1] for each in self.known):
                continue
            if any(each.stands(expr) for each in self.templates):
                yield _warning("aql.check.contains_never", expr, _class_text(expr))
                return  # what stands below it stands nowhere for the same reason
            if isinstance(expr.predicate, ast.ArchetypePredicate):
                wanted = expr.predicate.archetype_id
                ids = {name for each in self.templates for name in each.archetype_ids}
                yield _warning("aql.check.archetype_unknown", expr, wanted, nearest(wanted, ids))
                return

    def paths(self) -> Iterator[Finding]:
        """Paths that lead to nothing in any template that has their variable."""
        for path in self.scope.path_types:
            parts = path.path.parts if path.path is not None else ()
            has_node = any(each.variables.get(path.variable.lower()) for each in self.known)
            if not parts or not has_node or any(True for _ in self._ends(path)):
                continue
            lost = next(
                n for n in range(1, len(parts) + 1) if not any(True for _ in self._ends(_cut(path, n)))
            )
            part = parts[lost - 1]
            steps = {step for end in self._ends(_cut(path, lost - 1)) for step in _steps(end)}
            shown = print_column(_cut(path, lost))
            yield _warning("aql.check.path_unknown", part, shown, nearest(_step_text(part), steps))

    def _ends(self, path: ast.IdentifiedPath) -> Iterator[End]:
        for each in self.known:
            yield from each.ends(path)

    # -- conditions -------------------------------------------------------------------------------

    def conditions(self, expr: ast.WhereExpr | None) -> Iterator[Finding]:
        """Comparisons that can never be true."""
        match expr:
            case ast.AndExpr():
                yield from _contradictions(expr)
                for operand in expr.operands:
                    yield from self.conditions(operand)
            case ast.OrExpr():
                for operand in expr.operands:
                    yield from self.conditions(operand)
            case ast.NotExpr():
                yield from self.conditions(expr.operand)
            case ast.ComparisonExpr(left=ast.IdentifiedPath() as path, right=ast.Primitive() as literal):
                yield from self._comparison(path, expr.operator, literal)
            case ast.MatchesExpr(operand=ast.ValueList() as listed):
                for item in listed.items:
                    if isinstance(item, ast.Primitive):
                        yield from self._comparison(expr.path, "=", item)

    def _comparison(
        self, path: ast.IdentifiedPath, operator: str, literal: ast.Primitive
    ) -> Iterator[Finding]:
        if literal.kind == "null":
            yield _warning("aql.check.never_true", literal, f"{print_column(path)} {operator} NULL", "EXISTS")
        elif literal.kind == "list":
            for item in literal.value if isinstance(literal.value, tuple) else ():
                yield from self._comparison(path, operator, replace(item, position=literal.position))
        elif not _compares(self.scope.path_types[path], literal):
            found = f"{print_column(path)} {operator} {_shown(literal.value)}"
            yield _warning(
                "aql.check.type_mismatch", literal, found, _types_text(self.scope.path_types[path])
            )
        else:
            yield from self._in_value_set(path, operator, literal)

    def _in_value_set(
        self, path: ast.IdentifiedPath, operator: str, literal: ast.Primitive
    ) -> Iterator[Finding]:
        allowed = [_allowed(end) for end in self._ends(path)]
        if not allowed or None in allowed:
            return
        known = [each for each in allowed if each is not None]
        if any(_may_be(each, operator, literal.value) for each in known):
            return
        if known[0].range is not None and not known[0].values:
            found = f"{print_column(path)} {operator} {_shown(literal.value)}"
            ranges = ", ".join(sorted({str(each.range) for each in known}))
            yield _warning("aql.check.never_true", literal, found, ranges)
        else:
            yield _warning(
                "aql.check.code_unknown", literal, _shown(literal.value), _suggestion(known, literal)
            )


# --- what may stand at the end of a path --------------------------------------------------------------


def _allowed(end: End) -> Allowed | None:
    """None: anything may stand there, or nobody says."""
    names = [part.name for part in end.rest]
    node = end.constraint
    if isinstance(node, CCodePhrase) and names == ["code_string"] and node.codes:
        return Allowed(
            frozenset(node.codes), tuple(_rubrics(end, node.terminology_id or "local", node.codes))
        )
    if isinstance(node, CDvOrdinal) and names == ["value"]:
        texts = (
            (text, int(item.value))
            for item in node.items
            for text, _ in _rubrics(end, item.terminology_id, (item.code,))
        )
        return Allowed(frozenset(int(item.value) for item in node.items), tuple(texts))
    if isinstance(node, CDvOrdinal) and names[-1:] == ["code_string"]:
        codes = tuple(item.code for item in node.items)
        return Allowed(frozenset(codes), tuple(_rubrics(end, "local", codes)))
    if isinstance(node, CDvQuantity):
        return _of_quantity(node, names)
    if isinstance(node, CPrimitiveObject) and not names:
        return _of_primitive(node)
    return None


def _of_quantity(node: CDvQuantity, names: Sequence[str]) -> Allowed | None:
    if names == ["units"] and node.items:
        return Allowed(frozenset(item.units for item in node.items))
    ranges = [item.magnitude for item in node.items]
    if names == ["magnitude"] and len(ranges) == 1 and ranges[0] is not None:
        return Allowed(range=ranges[0])
    return None


def _of_primitive(node: CPrimitiveObject) -> Allowed | None:
    match node.item:
        case CString(values=values, list_open=False) if values:
            return Allowed(frozenset(values))
        case CInteger(values=values) | CReal(values=values) if values:
            return Allowed(frozenset(values))
        case CInteger(range=Interval() as limits) | CReal(range=Interval() as limits):
            return Allowed(range=limits)
    return None


def _rubrics(end: End, terminology: str, codes: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for language in ("nb", "en"):
        rubrics = Rubrics(end.root, language)
        yield from ((text, code) for code in codes if (text := rubrics.of(terminology, code)))


def _may_be(allowed: Allowed, operator: str, value: Any) -> bool:
    """May a value of these stand in this relation to the literal?"""
    if allowed.values:
        return operator != "=" or value in allowed.values
    limits = allowed.range
    if limits is None or not isinstance(value, int | float):
        return True
    if operator == "=":
        return limits.contains(value)
    if operator in (">", ">=") and limits.upper is not None:
        return bool(
            limits.upper > value or (limits.upper == value and operator == ">=" and limits.upper_included)
        )
    if operator in ("<", "<=") and limits.lower is not None:
        return bool(
            limits.lower < value or (limits.lower == value and operator == "<=" and limits.lower_included)
        )
    return True


def _suggestion(allowed: Sequence[Allowed], literal: ast.Primitive) -> str:
    """The code whose text was written, or the nearest, or the first few."""
    texts = {text.lower(): (value, text) for each in allowed for text, value in each.texts}
    written = str(literal.value)
    by_text = texts.get(nearest(written, texts).lower()) if texts else None
    if by_text is not None:
        return f"{by_text[0]} ({by_text[1]})"
    values = sorted({str(value) for each in allowed for value in each.values})
    return nearest(written, values) or ", ".join(values[:5]) + (", ..." if len(values) > 5 else "")


# --- comparisons ------------------------------------------------------------------------------------


def _compares(types: Types, literal: ast.Primitive) -> bool:
    """Can a value of these types stand in any relation to the literal?"""
    if types & _BELOW_VALUE or not types <= NUMBERS | TEMPORAL_PRIMITIVES | _TEXTS | {"BOOLEAN"}:
        return True
    match literal.kind:
        case "string":
            if types & _TEXTS or types & {"TIME", "DURATION"}:
                return True
            return bool(types & TEMPORAL_PRIMITIVES) and instant(str(literal.value), 0) is not None
        case "boolean":
            return "BOOLEAN" in types
        case _:
            return bool(types & NUMBERS)


def _contradictions(expr: ast.AndExpr) -> Iterator[Finding]:
    """Bounds of one path that leave nothing between them; the first that closes the gap is named."""
    bounds: dict[ast.ColumnExpr, Interval[float]] = {}
    for each in expr.operands:
        match each:
            case ast.ComparisonExpr(left=ast.IdentifiedPath() as path, right=ast.Primitive() as literal):
                if literal.kind not in ("integer", "real"):
                    continue
                narrowed = _narrowed(bounds.get(folded(path), Interval()), each.operator, literal.value)
                if _is_empty(narrowed):
                    yield _warning("aql.check.never_true", literal, print_column(path), str(narrowed))
                    return
                bounds[folded(path)] = narrowed


def _narrowed(known: Interval[float], operator: str, value: Any) -> Interval[float]:
    if operator in (">", ">=", "=") and (known.lower is None or value >= known.lower):
        known = replace(known, lower=value, lower_included=operator != ">")
    if operator in ("<", "<=", "=") and (known.upper is None or value <= known.upper):
        known = replace(known, upper=value, upper_included=operator != "<")
    return known


def _is_empty(bounds: Interval[float]) -> bool:
    low, high = bounds.lower, bounds.upper
    if low is None or high is None:
        return False
    return low > high or (low == high and not (bounds.lower_included and bounds.upper_included))


# --- words ------------------------------------------------------------------------------------------


def _warning(code: str, place: ast.Node, found: str, expected: str = "") -> Finding:
    span = SourceSpan(file="query", line=place.position.line, column=place.position.column)
    return Finding(code=code, path="", found=found, expected=expected, severity=Severity.WARNING, span=span)


def _cut(path: ast.IdentifiedPath, parts: int) -> ast.IdentifiedPath:
    whole = path.path.parts if path.path is not None else ()
    return replace(path, path=ast.ObjectPath(parts=whole[:parts]) if parts else None)


def _steps(end: End) -> Iterator[str]:
    """What may follow, as it is written."""
    if end.rest or not isinstance(end.constraint, CComplexObject):
        return
    for attribute, child in end.constraint.children():
        id_ = child.archetype_id if isinstance(child, CArchetypeRoot) else child.node_id
        yield f"{attribute.rm_attribute_name}[{id_}]" if id_ else attribute.rm_attribute_name


def _step_text(part: ast.PathPart) -> str:
    match part.predicate:
        case ast.NodePredicate(node_id=id_) | ast.ArchetypePredicate(archetype_id=id_):
            return f"{part.name}[{id_}]"
    return part.name


def _class_text(expr: ast.ClassExpr) -> str:
    is_archetype = isinstance(expr.predicate, ast.ArchetypePredicate)
    return f"{expr.rm_type} [{expr.predicate.archetype_id}]" if is_archetype else expr.rm_type  # type: ignore[union-attr]


def _types_text(types: Types) -> str:
    if types <= NUMBERS:
        return "a number"
    if types <= TEMPORAL_PRIMITIVES:
        return "a date or time"
    return "true or false" if types <= {"BOOLEAN"} else "a text"


def _shown(value: Any) -> str:
    return (
        f"'{value}'"
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
