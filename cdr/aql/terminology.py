"""What a query asks of terminologies, and the query with the answers in their places. Pure.

The answer to an expansion becomes a list of codes, to a question yes or no, to a look-up a text; so that
whoever executes the query afterwards knows nothing of terminologies.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from cdr.aql import ast
from cdr.aql.errors import AqlSemanticError
from cdr.aql.scope import Scope

Question: TypeAlias = ast.TerminologyFunction | ast.UriOperand
OPERATIONS = frozenset({"expand", "validate", "lookup", "subsumes"})
_FHIR = re.compile(r"(?://)?(?:hl7\.org/fhir/(?:4\.0|r4)|fhir\.hl7\.org)", re.IGNORECASE)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Code:
    """A code, and the names that its terminology may have in data."""

    terminologies: tuple[str, ...]
    code: str


Reply: TypeAlias = "tuple[Code, ...] | bool | str | None"


@dataclass(frozen=True, slots=True)
class Request:
    """An operation of FHIR R4: ``expand`` needs ``url``; ``validate``, ``lookup`` and ``subsumes`` more."""

    operation: str
    parameters: Mapping[str, str]


def questions(query: ast.AqlQuery) -> tuple[Question, ...]:
    """Everything that a terminology must answer before the query runs, each once."""
    return tuple(dict.fromkeys(_found(query)))


def _found(node: Any) -> Iterator[Question]:
    if isinstance(node, tuple):
        for member in node:
            yield from _found(member)
    elif isinstance(node, ast.TerminologyFunction | ast.UriOperand):
        yield node
    elif isinstance(node, ast.Node):
        for field in dataclasses.fields(node):
            yield from _found(getattr(node, field.name))


def request_of(question: Question) -> Request:
    """The operation that is meant. Raises AqlSemanticError for one that nobody could answer."""
    if isinstance(question, ast.UriOperand):
        return Request("expand", {"url": _value_set(question)})
    operation = question.operation.lower()
    if operation not in OPERATIONS:
        message = f"{question.operation!r} is no operation that terminologies are asked here"
        raise _wrong("aql.terminology.operation", message, question, question.operation)
    if not _FHIR.fullmatch(question.service_api.strip("/")):
        message = f"{question.service_api!r} is no service: write 'hl7.org/fhir/4.0'"
        raise _wrong("aql.terminology.service", message, question, question.service_api)
    parameters = _parameters(question.params_uri)
    wanted = {"expand": ("url",), "validate": ("code",), "lookup": ("system", "code")}
    needed = wanted.get(operation, ("system", "codeA", "codeB"))
    missing = [name for name in needed if name not in parameters]
    if missing:
        message = f"{question.operation} needs {' and '.join(missing)} in its parameters"
        raise _wrong("aql.terminology.parameters", message, question, question.params_uri)
    return Request(operation, parameters)


def _parameters(text: str) -> Mapping[str, str]:
    """``url=...&system=...``, or a value set alone; a value may hold ``?`` and ``=`` itself."""
    if not re.match(r"(url|system|code|codeA|codeB|display)=", text):
        return {"url": text}
    pairs = re.split(r"&(?=(?:url|system|code|codeA|codeB|display|version|source|target)=)", text)
    return {name: unquote(value) for name, _, value in (pair.partition("=") for pair in pairs)}


def _value_set(question: ast.UriOperand) -> str:
    """The FHIR value set of ``terminology://<terminology>/hierarchy?rootConceptId=<code>`` and the like."""
    parts = urlsplit(question.uri)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "terminology" and "url" in asked:
        return asked["url"]
    if parts.scheme == "terminology" and parts.path == "/hierarchy" and "rootConceptId" in asked:
        return f"{parts.netloc}?fhir_vs=isa/{asked['rootConceptId']}"
    if parts.scheme in ("http", "https", "urn"):
        return question.uri
    message = "this URI names no value set: terminology://<terminology>/hierarchy?rootConceptId=<code>"
    raise _wrong("aql.terminology.uri", message, question, question.uri)


def answered(scope: Scope, replies: Mapping[Question, Reply]) -> ast.AqlQuery:
    """The query with the replies in the places of its questions."""
    return _replaced(scope.query, scope, replies)


def _replaced(node: T, scope: Scope, replies: Mapping[Question, Reply]) -> T:
    if isinstance(node, tuple):
        return tuple(_replaced(member, scope, replies) for member in node)  # type: ignore[return-value]
    if isinstance(node, ast.MatchesExpr) and _asks(node.operand):
        return _matches(node, scope, replies)  # type: ignore[return-value]  # a condition again
    if isinstance(node, ast.TerminologyFunction):
        return _literal(node, replies[node])  # type: ignore[return-value]  # a value again
    if not isinstance(node, ast.Node):
        return node
    changed = {}
    for field in dataclasses.fields(node):
        before = getattr(node, field.name)
        after = _replaced(before, scope, replies)
        if after is not before and after != before:
            changed[field.name] = after
    return dataclasses.replace(node, **changed) if changed else node


def _asks(operand: ast.MatchesOperand) -> bool:
    if isinstance(operand, ast.ValueList):
        return any(isinstance(item, ast.TerminologyFunction) for item in operand.items)
    return isinstance(operand, ast.TerminologyFunction | ast.UriOperand)


def _matches(node: ast.MatchesExpr, scope: Scope, replies: Mapping[Question, Reply]) -> ast.WhereExpr:
    operand = node.operand
    items = operand.items if isinstance(operand, ast.ValueList) else (operand,)
    codes: list[Code] = []
    literals: list[ast.Primitive | ast.Parameter | ast.TerminologyFunction] = []
    for item in items:
        if not isinstance(item, ast.TerminologyFunction | ast.UriOperand):
            literals.append(item)  # type: ignore[arg-type]  # no RegexOperand stands in a list
            continue
        reply = replies[item]
        if isinstance(reply, tuple):
            codes += reply
        else:
            literals.append(_literal(item, reply))
    types = scope.path_types[node.path]
    if types & {"CODE_PHRASE", "DV_CODED_TEXT"} and not types & {"STRING"}:
        return _coded(node, "CODE_PHRASE" in types, codes, literals)
    literals += [_text(code, node.position) for code in dict.fromkeys(each.code for each in codes)]
    return _listed(node.path, literals, node.position)


def _coded(
    node: ast.MatchesExpr,
    is_code: bool,
    codes: list[Code],
    literals: list[ast.Primitive | ast.Parameter | ast.TerminologyFunction],
) -> ast.WhereExpr:
    """Terminology and code both match; for each terminology a condition of its own."""
    base = ("defining_code",) if not is_code else ()
    by_names: dict[tuple[str, ...], list[str]] = {}
    for each in codes:
        by_names.setdefault(each.terminologies, []).append(each.code)
    options: list[ast.WhereExpr] = []
    for names, own in by_names.items():
        pattern = "(" + "|".join(re.escape(name).replace("/", r"\/") for name in names) + r")(\(.*\))?"
        terminology = ast.MatchesExpr(
            path=_below(node.path, *base, "terminology_id", "value"),
            operand=ast.RegexOperand(regex=pattern, position=node.position),
            position=node.position,
        )
        texts = [_text(code, node.position) for code in dict.fromkeys(own)]
        code = _listed(_below(node.path, *base, "code_string"), texts, node.position)
        options.append(ast.AndExpr(operands=(terminology, code), position=node.position))
    if literals or not options:
        options.append(_listed(_below(node.path, *base, "code_string"), literals, node.position))
    return options[0] if len(options) == 1 else ast.OrExpr(operands=tuple(options), position=node.position)


def _below(path: ast.IdentifiedPath, *names: str) -> ast.IdentifiedPath:
    more = tuple(ast.PathPart(name=name, position=path.position) for name in names)
    parts = (() if path.path is None else path.path.parts) + more
    return dataclasses.replace(path, path=ast.ObjectPath(parts=parts, position=path.position))


def _listed(path: ast.IdentifiedPath, items: Any, position: ast.Position) -> ast.MatchesExpr:
    """In place of an empty list stands a text that is no code."""
    members = tuple(items) or (_text("", position),)
    operand = ast.ValueList(items=members, position=position)
    return ast.MatchesExpr(path=path, operand=operand, position=position)


def _text(value: str, position: ast.Position) -> ast.Primitive:
    return ast.Primitive(kind="string", value=value, position=position)


def _literal(question: Question, reply: Reply) -> ast.Primitive:
    at = question.position
    if reply is None:
        return ast.Primitive(kind="null", value=None, position=at)
    if isinstance(reply, bool):
        return ast.Primitive(kind="boolean", value=reply, position=at)
    if isinstance(reply, str):
        return _text(reply, at)
    message = "an expansion stands behind MATCHES only"
    raise _wrong("aql.terminology.operation", message, question, "expand")


def _wrong(code: str, message: str, question: Question, subject: str) -> AqlSemanticError:
    return AqlSemanticError(code, message, question.position, subject=subject)
