"""AQL text to syntax tree: recursive descent, one method for each production of AqlParser.g4 (AQL 1.1).

More lenient than the grammar in two places, where nothing is ambiguous: a keyword may be a path segment
behind ``/`` (``ev/offset/value``), and ``CONTAINS(a, b)`` is the function wherever a value stands.
Productions of our own are marked so: arithmetic, GROUP BY, AS OF, values in ORDER BY, regular expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from cdr.aql import ast
from cdr.aql.lexer import AGGREGATES, KEYWORDS
from cdr.aql.stream import COMPARISONS, MAX_DEPTH, TokenStream

_NUMBERS = frozenset({"integer", "real", "-"})
_PRIMITIVES = frozenset({"string", "TRUE", "FALSE", "NULL"}) | _NUMBERS


def parse(text: str) -> ast.AqlQuery:
    """The tree of a query; raises AqlSyntaxError."""
    return _Parser(text).select_query()


class _Parser(TokenStream):
    """One pass over the tokens of a query."""

    # -- clauses ---------------------------------------------------------------------------------

    def select_query(self) -> ast.AqlQuery:
        """selectQuery: selectClause fromClause whereClause? orderByClause? limitClause? '--'? EOF

        Our own: asOfClause? behind fromClause, groupByClause? behind whereClause.
        """
        start = self._next.position
        select = self.select_clause()
        self._expect("FROM")
        from_expr = self.contains_expr()
        as_of = self.as_of_clause()
        where = self.where_expr() if self._accept("WHERE") else None
        group_by = self.group_by_clause()
        order_by = self.order_by_clause()
        limit = self.limit_clause()
        if limit is not None and select.top is not None:
            self._fail("TOP and LIMIT exclude each other", at=limit.position)
        self._accept("--")
        if self._next.kind != "end":
            self._unexpected("the end of the query")
        return ast.AqlQuery(
            select=select,
            from_expr=from_expr,
            as_of=as_of,
            where=where,
            group_by=group_by,
            order_by=order_by,
            limit=limit,
            position=start,
        )

    def select_clause(self) -> ast.SelectClause:
        """selectClause: SELECT DISTINCT? top? selectExpr (',' selectExpr)*"""
        start = self._expect("SELECT").position
        distinct = bool(self._accept("DISTINCT"))
        top = self.top()
        columns = self._separated(self.select_expr)
        return ast.SelectClause(columns=columns, distinct=distinct, top=top, position=start)

    def top(self) -> ast.Top | None:
        """top: TOP INTEGER (FORWARD | BACKWARD)?"""
        start = self._accept("TOP")
        if start is None:
            return None
        count = self._integer(minimum=1)
        if self._accept("FORWARD"):
            return ast.Top(count=count, direction="FORWARD", position=start.position)
        if self._accept("BACKWARD"):
            return ast.Top(count=count, direction="BACKWARD", position=start.position)
        return ast.Top(count=count, position=start.position)

    def select_expr(self) -> ast.SelectExpr:
        """selectExpr: columnExpr (AS IDENTIFIER)?"""
        start = self._next.position
        column = self.column_expr()
        alias = self._expect("identifier").text if self._accept("AS") else None
        return ast.SelectExpr(column=column, alias=alias, position=start)

    def column_expr(self) -> ast.ColumnExpr:
        """columnExpr: identifiedPath | primitive | aggregateFunctionCall | functionCall | arithmetic"""
        kind = self._next.kind
        if kind in AGGREGATES:
            return self.aggregate_function_call()
        if kind not in _PRIMITIVES and kind not in ("identifier", "(") and not self._at_function():
            self._unexpected("a path", "a literal", "a function")
        return self.arithmetic()

    def order_by_clause(self) -> tuple[ast.OrderByExpr, ...]:
        """orderByClause: ORDER BY orderByExpr (',' orderByExpr)*"""
        if not self._accept("ORDER"):
            return ()
        self._expect("BY")
        return self._separated(self.order_by_expr)

    def order_by_expr(self) -> ast.OrderByExpr:
        """orderByExpr: identifiedPath (DESCENDING | DESC | ASCENDING | ASC)?

        Our own: any value instead of the path.
        """
        value = self._computed("a path", "a column name", "a function")
        descending = bool(self._accept("DESC") or self._accept("DESCENDING"))
        if not descending:
            self._accept("ASC", "ASCENDING")
        return ast.OrderByExpr(value=value, descending=descending, position=value.position)

    def group_by_clause(self) -> tuple[ast.Terminal, ...]:
        """groupByClause (our own): GROUP BY value (',' value)*; GROUP is reserved nowhere else"""
        if not self._at_word("GROUP", "BY"):
            return ()
        self._advance()
        self._expect("BY")
        return self._separated(lambda: self._computed("a path", "a column name", "a function"))

    def as_of_clause(self) -> ast.Primitive | ast.Parameter | None:
        """asOfClause (our own): AS OF (STRING | PARAMETER)"""
        if not self._accept("AS"):
            return None
        word = self._expect("identifier")
        if word.text.upper() != "OF":
            self._fail(f"expected OF, found {word.text!r}", at=word.position, expected=("OF",))
        if self._next.kind == "parameter":
            return self.parameter()
        if self._next.kind != "string":
            self._unexpected("a time in quotes", "a parameter")
        return self.primitive()

    def limit_clause(self) -> ast.LimitClause | None:
        """limitClause: LIMIT INTEGER (OFFSET INTEGER)?"""
        start = self._accept("LIMIT")
        if start is None:
            return None
        limit = self._integer(minimum=1)
        offset = self._integer(minimum=0) if self._accept("OFFSET") else 0
        return ast.LimitClause(limit=limit, offset=offset, position=start.position)

    # -- FROM ------------------------------------------------------------------------------------

    def contains_expr(self) -> ast.ContainsExpr:
        """containsExpr: containsExpr OR containsExpr (AND binds tighter)"""
        with self._nested():
            return self._chain("OR", self._contains_and, ast.ContainsOr)

    def _contains_and(self) -> ast.ContainsExpr:
        """containsExpr: containsExpr AND containsExpr"""
        return self._chain("AND", self._contains_operand, ast.ContainsAnd)

    def _contains_operand(self) -> ast.ContainsExpr:
        """containsExpr: classExprOperand (NOT? CONTAINS containsExpr)? | '(' containsExpr ')'

        What stands right of CONTAINS takes everything up to the closing parenthesis.
        """
        if self._accept("("):
            inner = self.contains_expr()
            self._expect(")")
            return inner
        operand = self.class_expr_operand()
        negated = bool(self._accept("NOT"))
        if negated:
            self._expect("CONTAINS")
        elif not self._accept("CONTAINS"):
            return ast.Containment(operand=operand, position=operand.position)
        inner = self.contains_expr()
        return ast.Containment(operand=operand, contains=inner, negated=negated, position=operand.position)

    def class_expr_operand(self) -> ast.ClassExpr | ast.VersionClassExpr:
        """classExprOperand: IDENTIFIER IDENTIFIER? pathPredicate? | VERSION IDENTIFIER? versionPredicate?"""
        start = self._next
        if self._accept("VERSION"):
            variable = self._variable()
            return ast.VersionClassExpr(
                variable=variable, predicate=self.version_predicate(), position=start.position
            )
        if start.kind != "identifier":
            self._unexpected("a class such as EHR or COMPOSITION", "VERSION", "(")
        self._advance()
        variable = self._variable()
        predicate = self._optional_predicate()
        return ast.ClassExpr(
            rm_type=start.text, variable=variable, predicate=predicate, position=start.position
        )

    def version_predicate(
        self,
    ) -> ast.StandardPredicate | ast.VersionKind | None:
        """'[' (LATEST_VERSION | ALL_VERSIONS | standardPredicate) ']'"""
        if not self._accept("["):
            return None
        predicate: ast.StandardPredicate | ast.VersionKind
        if self._accept("LATEST_VERSION"):
            predicate = "LATEST_VERSION"
        elif self._accept("ALL_VERSIONS"):
            predicate = "ALL_VERSIONS"
        else:
            predicate = self.standard_predicate()
        self._expect("]")
        return predicate

    # -- WHERE -----------------------------------------------------------------------------------

    def where_expr(self) -> ast.WhereExpr:
        """whereExpr: whereExpr OR whereExpr (NOT before AND before OR)"""
        with self._nested():
            return self._chain("OR", self._where_and, ast.OrExpr)

    def _where_and(self) -> ast.WhereExpr:
        """whereExpr: whereExpr AND whereExpr"""
        return self._chain("AND", self._where_not, ast.AndExpr)

    def _where_not(self) -> ast.WhereExpr:
        """whereExpr: NOT whereExpr | '(' whereExpr ')' | identifiedExpr"""
        start = self._next
        if self._accept("NOT"):
            with self._nested():
                return ast.NotExpr(operand=self._where_not(), position=start.position)
        if start.kind == "(" and not self._at_value_in_parentheses():
            self._advance()
            inner = self.where_expr()
            self._expect(")")
            return inner
        return self.identified_expr()

    def identified_expr(self) -> ast.WhereExpr:
        """identifiedExpr: EXISTS path | (path | function) op terminal | path LIKE x | path MATCHES x

        Our own: arithmetic on both sides, and CONTAINS(a, b) as a condition of its own.
        """
        start = self._next.position
        if self._accept("EXISTS"):
            return ast.ExistsExpr(path=self.identified_path(), position=start)
        left = self._computed("a path", "a function", "EXISTS", "NOT", "(")
        if isinstance(left, ast.IdentifiedPath):
            if self._accept("LIKE"):
                return ast.LikeExpr(path=left, pattern=self.like_operand(), position=start)
            if self._accept("MATCHES"):
                return ast.MatchesExpr(path=left, operand=self.matches_operand(), position=start)
            operator = self._comparison("LIKE", "MATCHES")
        elif _is_condition(left) and self._next.kind not in COMPARISONS:
            true = ast.Primitive(kind="boolean", value=True, position=start)
            return ast.ComparisonExpr(left=left, operator="=", right=true, position=start)
        else:
            operator = self._comparison()
        return ast.ComparisonExpr(left=left, operator=operator, right=self.arithmetic(), position=start)

    def _computed(self, *expected: str) -> ast.Terminal:
        """A value that does not begin with a literal or a parameter."""
        if self._next.kind not in ("identifier", "(") and not self._at_function():
            self._unexpected(*expected)
        return self.arithmetic()

    def arithmetic(self) -> ast.Terminal:
        """arithmetic (our own): product (('+' | '-') product)*"""
        with self._nested():
            return self._operations(("+", "-"), self._product)

    def _product(self) -> ast.Terminal:
        """product (our own): factor (('*' | '/') factor)*"""
        return self._operations(("*", "/"), self._factor)

    def _factor(self) -> ast.Terminal:
        """factor (our own): terminal | '(' arithmetic ')'"""
        if not self._accept("("):
            return self.terminal()
        inner = self.arithmetic()
        self._expect(")", also=("+", "-", "*", "/"))
        return inner

    def _operations(self, operators: tuple[str, ...], operand: Callable[[], ast.Terminal]) -> ast.Terminal:
        first = operand()
        steps = []
        while operator := self._accept(*operators):
            kind = cast(ast.ArithmeticOperator, operator.kind)
            steps.append(ast.ArithmeticStep(operator=kind, operand=operand(), position=operator.position))
        if not steps:
            return first
        return ast.Arithmetic(first=first, steps=tuple(steps), position=first.position)

    def terminal(self) -> ast.Terminal:
        """terminal: primitive | PARAMETER | identifiedPath | functionCall"""
        if self._next.kind in _PRIMITIVES:
            return self.primitive()
        if self._next.kind == "parameter":
            return self.parameter()
        if self._at_function():
            return self.function_call()
        if self._next.kind != "identifier":
            self._unexpected("a literal", "a parameter", "a path", "a function")
        return self.identified_path()

    def like_operand(self) -> ast.Primitive | ast.Parameter:
        """likeOperand: STRING | PARAMETER"""
        if self._next.kind == "parameter":
            return self.parameter()
        if self._next.kind != "string":
            self._unexpected("a string", "a parameter")
        return self.primitive()

    def matches_operand(self) -> ast.MatchesOperand:
        """matchesOperand: '{' valueListItem (',' valueListItem)* '}' | '{' URI '}' | terminologyFunction

        Our own: a regular expression, as in predicates.
        """
        if self._next.kind == "TERMINOLOGY":
            return self.terminology_function()
        if self._next.kind == "regex":
            place = self._next.position
            return ast.RegexOperand(regex=self._regex(), position=place)
        start = self._expect("{", also=("TERMINOLOGY",)).position
        uri = self._accept("uri")
        if uri is not None:
            self._expect("}")
            return ast.UriOperand(uri=uri.text.strip(), position=start)
        items = self._separated(self.value_list_item)
        self._expect("}")
        return ast.ValueList(items=items, position=start)

    def value_list_item(self) -> ast.Primitive | ast.Parameter | ast.TerminologyFunction:
        """valueListItem: primitive | PARAMETER | terminologyFunction"""
        if self._next.kind == "parameter":
            return self.parameter()
        if self._next.kind == "TERMINOLOGY":
            return self.terminology_function()
        if self._next.kind not in _PRIMITIVES:
            self._unexpected("a literal", "a parameter", "TERMINOLOGY")
        return self.primitive()

    # -- paths and predicates ----------------------------------------------------------------------

    def identified_path(self) -> ast.IdentifiedPath:
        """identifiedPath: IDENTIFIER pathPredicate? ('/' objectPath)?"""
        start = self._expect("identifier")
        predicate = self._optional_predicate()
        path = None
        if not self._at_division() and self._accept("/"):
            path = self.object_path(behind_slash=True)
        return ast.IdentifiedPath(
            variable=start.text, predicate=predicate, path=path, position=start.position
        )

    def object_path(self, *, behind_slash: bool = False) -> ast.ObjectPath:
        """objectPath: pathPart ('/' pathPart)*"""
        start = self._next.position
        parts = [self.path_part(behind_slash=behind_slash)]
        while not self._at_division() and self._accept("/"):
            parts.append(self.path_part(behind_slash=True))
            if len(parts) > MAX_DEPTH:
                message = f"a path has at most {MAX_DEPTH} segments"
                self._fail(message, at=parts[-1].position, code="aql.syntax.depth")
        return ast.ObjectPath(parts=tuple(parts), position=start)

    def path_part(self, *, behind_slash: bool) -> ast.PathPart:
        """pathPart: IDENTIFIER pathPredicate?"""
        start = self._next
        if start.kind != "identifier" and not (behind_slash and start.kind in KEYWORDS):
            self._unexpected("an attribute")
        self._advance()
        return ast.PathPart(name=start.text, predicate=self._optional_predicate(), position=start.position)

    def path_predicate(self) -> ast.PathPredicate:
        """pathPredicate: '[' (standardPredicate | archetypePredicate | nodePredicate) ']'"""
        with self._nested():
            self._expect("[")
            predicate = self.node_predicate()
            self._expect("]", also=("AND", "OR"))
            return predicate

    def node_predicate(self) -> ast.PathPredicate:
        """nodePredicate: nodePredicate OR nodePredicate (AND binds tighter)"""
        return self._chain("OR", self._node_predicate_and, ast.PredicateOr)

    def _node_predicate_and(self) -> ast.PathPredicate:
        """nodePredicate: nodePredicate AND nodePredicate"""
        return self._chain("AND", self._node_criterion, ast.PredicateAnd)

    def _node_criterion(self) -> ast.PathPredicate:
        """nodePredicate: (at | id | archetype) (',' name)? | PARAMETER | path op x | path MATCHES regex"""
        start = self._next
        if start.kind == "parameter":
            return ast.ParameterPredicate(parameter=self.parameter(), position=start.position)
        if start.kind == "archetype":
            self._advance()
            return ast.ArchetypePredicate(
                archetype_id=start.text, name=self._name_operand(), position=start.position
            )
        if start.kind in ("at", "id"):
            self._advance()
            return ast.NodePredicate(node_id=start.text, name=self._name_operand(), position=start.position)
        if self._accept("MATCHES"):
            return ast.RegexPredicate(path=None, regex=self._regex(), position=start.position)
        if start.kind != "identifier":
            self._unexpected("an archetype id", "an at-code", "a parameter", "a path")
        path = self.object_path()
        if self._accept("MATCHES"):
            return ast.RegexPredicate(path=path, regex=self._regex(), position=start.position)
        return self._standard(path)

    def _regex(self) -> str:
        """The text between the slashes."""
        return self._expect("regex").text[1:-1].strip(" \t\r\n")[1:-1]

    def standard_predicate(self) -> ast.StandardPredicate:
        """standardPredicate: objectPath COMPARISON_OPERATOR pathPredicateOperand"""
        return self._standard(self.object_path())

    def _standard(self, path: ast.ObjectPath) -> ast.StandardPredicate:
        operator = self._comparison()
        operand = self.path_predicate_operand()
        return ast.StandardPredicate(path=path, operator=operator, operand=operand, position=path.position)

    def path_predicate_operand(self) -> ast.Primitive | ast.ObjectPath | ast.Parameter | ast.NodeCode:
        """pathPredicateOperand: primitive | objectPath | PARAMETER | ID_CODE | AT_CODE"""
        start = self._next
        if start.kind in _PRIMITIVES:
            return self.primitive()
        if start.kind == "parameter":
            return self.parameter()
        if start.kind in ("at", "id"):
            self._advance()
            return ast.NodeCode(code=start.text, position=start.position)
        if start.kind != "identifier":
            self._unexpected("a literal", "a parameter", "a path", "an at-code")
        return self.object_path()

    def _name_operand(self) -> ast.NameOperand | None:
        """(',' (STRING | PARAMETER | TERM_CODE | AT_CODE | ID_CODE))?"""
        if not self._accept(","):
            return None
        start = self._next
        if start.kind == "string":
            return self.primitive()
        if start.kind == "parameter":
            return self.parameter()
        if start.kind not in ("term", "at", "id"):
            self._unexpected("a string", "a parameter", "a term code", "an at-code")
        self._advance()
        if start.kind != "term":
            return ast.NodeCode(code=start.text, position=start.position)
        terminology, _, rest = start.text.partition("::")
        code, bar, rubric = rest.partition("|")
        return ast.TermCode(
            terminology=terminology,
            code=code,
            rubric=rubric[:-1] if bar else None,
            position=start.position,
        )

    # -- values ----------------------------------------------------------------------------------

    def primitive(self) -> ast.Primitive:
        """primitive: STRING | numericPrimitive | BOOLEAN | NULL"""
        start = self._next
        if start.kind in _NUMBERS:
            return self.numeric_primitive()
        self._advance()
        if start.kind == "string":
            return ast.Primitive(kind="string", value=self._string(start), position=start.position)
        if start.kind == "NULL":
            return ast.Primitive(kind="null", value=None, position=start.position)
        return ast.Primitive(kind="boolean", value=start.kind == "TRUE", position=start.position)

    def numeric_primitive(self) -> ast.Primitive:
        """numericPrimitive: INTEGER | REAL | SCI_INTEGER | SCI_REAL | '-' numericPrimitive"""
        start = self._next.position
        sign = 1
        while self._accept("-"):
            sign = -sign
        number = self._next
        if number.kind not in ("integer", "real"):
            self._unexpected("a number")
        self._advance()
        if number.kind == "integer":
            value = sign * self._small_integer(number)
            return ast.Primitive(kind="integer", value=value, position=start)
        real = sign * float(number.text)
        if real in (float("inf"), float("-inf")):
            self._fail("this number is too large", at=number.position, code="aql.syntax.number")
        return ast.Primitive(kind="real", value=real, position=start)

    def parameter(self) -> ast.Parameter:
        """PARAMETER: '$' IDENTIFIER"""
        token = self._expect("parameter")
        return ast.Parameter(name=token.text[1:], position=token.position)

    def function_call(self) -> ast.FunctionCall | ast.TerminologyFunction:
        """functionCall: terminologyFunction | name '(' (terminal (',' terminal)*)? ')'"""
        if self._next.kind == "TERMINOLOGY":
            return self.terminology_function()
        with self._nested():
            name = self._advance()
            self._expect("(")
            arguments = () if self._next.kind == ")" else self._separated(self.arithmetic)
            self._expect(")", also=(",",))
            return ast.FunctionCall(name=name.text.upper(), arguments=arguments, position=name.position)

    def aggregate_function_call(self) -> ast.AggregateFunctionCall:
        """aggregateFunctionCall: COUNT '(' (DISTINCT? path | '*') ')' | (MIN|MAX|SUM|AVG) '(' path ')'

        Only COUNT takes DISTINCT and the asterisk.
        """
        name = self._advance()
        self._expect("(")
        distinct, argument = False, None
        if name.kind != "COUNT":
            argument = self.identified_path()
        elif not self._accept("*"):
            distinct = bool(self._accept("DISTINCT"))
            argument = self.identified_path()
        self._expect(")")
        return ast.AggregateFunctionCall(
            name=cast(ast.AggregateName, name.kind),
            argument=argument,
            distinct=distinct,
            position=name.position,
        )

    def terminology_function(self) -> ast.TerminologyFunction:
        """terminologyFunction: TERMINOLOGY '(' STRING ',' STRING ',' STRING ')'"""
        start = self._expect("TERMINOLOGY").position
        self._expect("(")
        operation = self._string(self._expect("string"))
        self._expect(",")
        service_api = self._string(self._expect("string"))
        self._expect(",")
        params_uri = self._string(self._expect("string"))
        self._expect(")")
        return ast.TerminologyFunction(
            operation=operation, service_api=service_api, params_uri=params_uri, position=start
        )

    def _optional_predicate(self) -> ast.PathPredicate | None:
        return self.path_predicate() if self._next.kind == "[" else None


def _is_condition(value: ast.Terminal) -> bool:
    """Is this a function that gives a boolean?"""
    return isinstance(value, ast.FunctionCall) and value.name == "CONTAINS"
