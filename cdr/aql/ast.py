"""The syntax tree of AQL 1.1, named after the productions of the specification's AqlParser.g4.

Our extensions are ``Arithmetic``, ``RegexOperand``, ``AqlQuery.group_by`` and ``AqlQuery.as_of``.

Every node knows its ``position`` in the text; positions take no part in comparison, so that a tree
equals the tree of its printed form. Repeated AND and OR are one node with many operands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ComparisonOperator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]
ArithmeticOperator: TypeAlias = Literal["+", "-", "*", "/"]
AggregateName: TypeAlias = Literal["COUNT", "MIN", "MAX", "SUM", "AVG"]
VersionKind: TypeAlias = Literal["LATEST_VERSION", "ALL_VERSIONS"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the query; ``line`` and ``column`` count from 1."""

    line: int
    column: int


NOWHERE = Position(0, 0)


@dataclass(frozen=True, kw_only=True)
class Node:
    """What all nodes share."""

    position: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, kw_only=True)
class Primitive(Node):
    """A literal; ``kind`` keeps 1, 1.0 and true apart. A list only comes from a parameter."""

    kind: Literal["string", "integer", "real", "boolean", "null", "list"]
    value: str | int | float | bool | tuple[Primitive, ...] | None


@dataclass(frozen=True, kw_only=True)
class Parameter(Node):
    """``$name``; gone from the tree once parameters are substituted."""

    name: str


@dataclass(frozen=True, kw_only=True)
class NodeCode(Node):
    """``at0001`` or ``id4`` as an operand."""

    code: str


@dataclass(frozen=True, kw_only=True)
class TermCode(Node):
    """``terminology::code|rubric|`` as the name of a node."""

    terminology: str
    code: str
    rubric: str | None = None


NameOperand: TypeAlias = Primitive | Parameter | NodeCode | TermCode


@dataclass(frozen=True, kw_only=True)
class ArchetypePredicate(Node):
    """``[openEHR-EHR-X.y.v1]``, with a name perhaps."""

    archetype_id: str
    name: NameOperand | None = None


@dataclass(frozen=True, kw_only=True)
class NodePredicate(Node):
    """``[at0001]``, with a name perhaps."""

    node_id: str
    name: NameOperand | None = None


@dataclass(frozen=True, kw_only=True)
class ParameterPredicate(Node):
    """``[$p]``: an archetype id or a node id, known at run time only."""

    parameter: Parameter


@dataclass(frozen=True, kw_only=True)
class StandardPredicate(Node):
    """``[path op operand]``."""

    path: ObjectPath
    operator: ComparisonOperator
    operand: Primitive | Parameter | NodeCode | ObjectPath


@dataclass(frozen=True, kw_only=True)
class RegexPredicate(Node):
    """``[path matches {/regex/}]``; ``regex`` is the text between the slashes, as written.

    Without ``path`` it is about the archetype id or node id.
    """

    path: ObjectPath | None
    regex: str


@dataclass(frozen=True, kw_only=True)
class PredicateAnd(Node):
    """All of the criteria."""

    operands: tuple[PathPredicate, ...]


@dataclass(frozen=True, kw_only=True)
class PredicateOr(Node):
    """One of the criteria."""

    operands: tuple[PathPredicate, ...]


PathPredicate: TypeAlias = (
    ArchetypePredicate
    | NodePredicate
    | ParameterPredicate
    | StandardPredicate
    | RegexPredicate
    | PredicateAnd
    | PredicateOr
)


@dataclass(frozen=True, kw_only=True)
class PathPart(Node):
    """One segment: an attribute and what selects among its members."""

    name: str
    predicate: PathPredicate | None = None


@dataclass(frozen=True, kw_only=True)
class ObjectPath(Node):
    """Segments below some object; at least one."""

    parts: tuple[PathPart, ...]


@dataclass(frozen=True, kw_only=True)
class IdentifiedPath(Node):
    """``variable[predicate]/path``; the variable alone is the whole object."""

    variable: str
    predicate: PathPredicate | None = None
    path: ObjectPath | None = None


@dataclass(frozen=True, kw_only=True)
class TerminologyFunction(Node):
    """``TERMINOLOGY(operation, service_api, params_uri)``."""

    operation: str
    service_api: str
    params_uri: str


@dataclass(frozen=True, kw_only=True)
class FunctionCall(Node):
    """A single-row function; ``name`` in capitals."""

    name: str
    arguments: tuple[Terminal, ...]


@dataclass(frozen=True, kw_only=True)
class ArithmeticStep(Node):
    """``operator operand`` behind a first operand."""

    operator: ArithmeticOperator
    operand: Terminal


@dataclass(frozen=True, kw_only=True)
class Arithmetic(Node):
    """``first + a - b`` or ``first * a / b``, from left to right; one level of precedence in a node."""

    first: Terminal
    steps: tuple[ArithmeticStep, ...]


@dataclass(frozen=True, kw_only=True)
class AggregateFunctionCall(Node):
    """COUNT, MIN, MAX, SUM or AVG; no argument is ``COUNT(*)``."""

    name: AggregateName
    argument: IdentifiedPath | None
    distinct: bool = False


Terminal: TypeAlias = Primitive | Parameter | IdentifiedPath | FunctionCall | TerminologyFunction | Arithmetic
ColumnExpr: TypeAlias = Terminal | AggregateFunctionCall


@dataclass(frozen=True, kw_only=True)
class SelectExpr(Node):
    """One column."""

    column: ColumnExpr
    alias: str | None = None


@dataclass(frozen=True, kw_only=True)
class Top(Node):
    """``TOP n``, deprecated."""

    count: int
    direction: Literal["FORWARD", "BACKWARD"] | None = None


@dataclass(frozen=True, kw_only=True)
class SelectClause(Node):
    """``SELECT [DISTINCT] [TOP n] columns``."""

    columns: tuple[SelectExpr, ...]
    distinct: bool = False
    top: Top | None = None


@dataclass(frozen=True, kw_only=True)
class ClassExpr(Node):
    """``COMPOSITION c[predicate]``."""

    rm_type: str
    variable: str | None = None
    predicate: PathPredicate | None = None


@dataclass(frozen=True, kw_only=True)
class VersionClassExpr(Node):
    """``VERSION v[LATEST_VERSION | ALL_VERSIONS | path op operand]``."""

    variable: str | None = None
    predicate: VersionKind | StandardPredicate | None = None


@dataclass(frozen=True, kw_only=True)
class Containment(Node):
    """A class, and what it contains or (``negated``) must not contain."""

    operand: ClassExpr | VersionClassExpr
    contains: ContainsExpr | None = None
    negated: bool = False


@dataclass(frozen=True, kw_only=True)
class ContainsAnd(Node):
    """All of these, each pair of matches."""

    operands: tuple[ContainsExpr, ...]


@dataclass(frozen=True, kw_only=True)
class ContainsOr(Node):
    """Any of these, each match."""

    operands: tuple[ContainsExpr, ...]


ContainsExpr: TypeAlias = Containment | ContainsAnd | ContainsOr


@dataclass(frozen=True, kw_only=True)
class ComparisonExpr(Node):
    """``left op right``."""

    left: Terminal
    operator: ComparisonOperator
    right: Terminal


@dataclass(frozen=True, kw_only=True)
class LikeExpr(Node):
    """``path LIKE pattern``."""

    path: IdentifiedPath
    pattern: Primitive | Parameter


@dataclass(frozen=True, kw_only=True)
class UriOperand(Node):
    """``{terminology://...}``."""

    uri: str


@dataclass(frozen=True, kw_only=True)
class ValueList(Node):
    """``{item, ...}``."""

    items: tuple[Primitive | Parameter | TerminologyFunction, ...]


@dataclass(frozen=True, kw_only=True)
class RegexOperand(Node):
    """``{/regex/}``; ``regex`` is the text between the slashes, as written."""

    regex: str


MatchesOperand: TypeAlias = ValueList | UriOperand | TerminologyFunction | RegexOperand


@dataclass(frozen=True, kw_only=True)
class MatchesExpr(Node):
    """``path MATCHES operand``."""

    path: IdentifiedPath
    operand: MatchesOperand


@dataclass(frozen=True, kw_only=True)
class ExistsExpr(Node):
    """``EXISTS path``."""

    path: IdentifiedPath


@dataclass(frozen=True, kw_only=True)
class NotExpr(Node):
    """``NOT operand``."""

    operand: WhereExpr


@dataclass(frozen=True, kw_only=True)
class AndExpr(Node):
    """All of the conditions."""

    operands: tuple[WhereExpr, ...]


@dataclass(frozen=True, kw_only=True)
class OrExpr(Node):
    """One of the conditions."""

    operands: tuple[WhereExpr, ...]


WhereExpr: TypeAlias = ComparisonExpr | LikeExpr | MatchesExpr | ExistsExpr | NotExpr | AndExpr | OrExpr


@dataclass(frozen=True, kw_only=True)
class OrderByExpr(Node):
    """One sort key; a bare identifier may be a column's alias."""

    value: Terminal
    descending: bool = False


@dataclass(frozen=True, kw_only=True)
class LimitClause(Node):
    """``LIMIT limit [OFFSET offset]``."""

    limit: int
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class AqlQuery(Node):
    """A whole query."""

    select: SelectClause
    from_expr: ContainsExpr
    as_of: Primitive | Parameter | None = None
    where: WhereExpr | None = None
    group_by: tuple[Terminal, ...] = ()
    order_by: tuple[OrderByExpr, ...] = ()
    limit: LimitClause | None = None
