"""The tokens of a query as a parser reads them: look, take, expect, and say what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar, cast

from cdr.aql import ast
from cdr.aql.errors import AqlSyntaxError
from cdr.aql.lexer import FUNCTIONS, Token, string_value, tokens

MAX_DEPTH = 64
MAX_INTEGER = 2**63 - 1
_NAMES = {
    "identifier": "a name",
    "string": "a string",
    "integer": "an integer",
    "real": "a number",
    "parameter": "a parameter",
    "archetype": "an archetype id",
    "term": "a term code",
    "at": "an at-code",
    "id": "an id-code",
    "uri": "a URI",
    "regex": "a regular expression",
    "end": "the end of the query",
}


COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_OPERATORS = frozenset({"+", "-", "*", "/"})
_DIVISORS = frozenset({"integer", "real", "parameter", "(", "-"})

T = TypeVar("T", bound=ast.Node)


class TokenStream:
    """A position in the tokens of a query, for one pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._index = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _advance(self) -> Token:
        token = self._tokens[self._index]
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def _accept(self, *kinds: str) -> Token | None:
        return self._advance() if self._next.kind in kinds else None

    def _expect(self, kind: str, *, also: tuple[str, ...] = ()) -> Token:
        if self._next.kind != kind:
            self._unexpected(kind, *also)
        return self._advance()

    def _at_function(self) -> bool:
        kind = self._next.kind
        if kind == "identifier":
            return self._tokens[self._index + 1].kind == "("
        return kind in FUNCTIONS or kind == "TERMINOLOGY"

    def _at_word(self, word: str, then: str) -> bool:
        """Does a word stand here that is reserved only where ``then`` follows it?"""
        token = self._next
        if token.kind != "identifier" or token.text.upper() != word:
            return False
        return self._tokens[self._index + 1].kind == then

    def _at_division(self) -> bool:
        """A slash that no segment of a path follows."""
        return self._next.kind == "/" and self._tokens[self._index + 1].kind in _DIVISORS

    def _at_value_in_parentheses(self) -> bool:
        """Is what stands in these parentheses a value, for a comparison or an operator follows them?"""
        depth, index = 0, self._index
        for index in range(self._index, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[index].kind, 0)
            if not depth:
                break
        following = self._tokens[min(index + 1, len(self._tokens) - 1)]
        return following.kind in COMPARISONS or following.kind in _OPERATORS

    def _variable(self) -> str | None:
        if self._at_word("GROUP", "BY"):
            return None
        token = self._accept("identifier")
        return None if token is None else token.text

    def _comparison(self, *also: str) -> ast.ComparisonOperator:
        if self._next.kind not in COMPARISONS:
            self._unexpected("a comparison operator", *also)
        return cast(ast.ComparisonOperator, self._advance().kind)

    def _integer(self, *, minimum: int) -> int:
        token = self._expect("integer")
        value = self._small_integer(token)
        if value < minimum:
            self._fail(f"this number must be at least {minimum}", at=token.position, code="aql.syntax.number")
        return value

    def _small_integer(self, token: Token) -> int:
        if len(token.text) > 19 or int(token.text) > MAX_INTEGER:
            self._fail("this number is too large", at=token.position, code="aql.syntax.number")
        return int(token.text)

    def _string(self, token: Token) -> str:
        try:
            return string_value(token.text)
        except UnicodeDecodeError:
            reason = "half of a surrogate pair is no character"
        except ValueError as error:
            reason = str(error)
        self._fail(reason, at=token.position, code="aql.syntax.string")

    def _separated(self, production: Callable[[], T]) -> tuple[T, ...]:
        found = [production()]
        while self._accept(","):
            found.append(production())
        return tuple(found)

    def _chain(self, keyword: str, operand: Callable[[], T], node: Callable[..., T]) -> T:
        """``operand (keyword operand)*`` as one node with all operands, or the only operand itself."""
        first = operand()
        if self._next.kind != keyword:
            return first
        operands = [first]
        while self._accept(keyword):
            operands.append(operand())
        return node(operands=tuple(operands), position=first.position)

    @contextmanager
    def _nested(self) -> Iterator[None]:
        """Bounds the recursion: a deeply nested text is an error of its writer, never of ours."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            self._fail(message, at=self._next.position, code="aql.syntax.depth")
        yield
        self._depth -= 1

    def _unexpected(self, *expected: str) -> NoReturn:
        names = tuple(_NAMES.get(kind, kind) for kind in expected)
        token = self._next
        found = _NAMES["end"] if token.kind == "end" else repr(token.text)
        message = f"expected {' or '.join(names)}, found {found}"
        self._fail(message, at=token.position, expected=names)

    def _fail(
        self,
        message: str,
        *,
        at: ast.Position,
        code: str = "aql.syntax",
        expected: tuple[str, ...] = (),
    ) -> NoReturn:
        raise AqlSyntaxError(
            message, code=code, line=at.line, column=at.column, text=self._text, expected=expected
        )
