"""cADL 2: the definition section as a constraint tree (ADL 2 specification, cADL)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from archetypes.adl.cadl_parts import (
    read_attribute,
    read_attribute_name,
    read_occurrences,
    read_root,
    read_slot_assertions,
    read_type_name,
)
from archetypes.adl.lexer import MATCHES, TokenStream
from archetypes.adl.odin import MAX_DEPTH, read_odin_object
from archetypes.adl.primitives import at_primitive, parse_primitive, rm_type_of
from archetypes.aom.constraints import (
    ANY_NUMBER,
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CAttributeTuple,
    CComplexObject,
    CObject,
    CPrimitiveObject,
    CTerminologyCode,
    SiblingOrder,
)
from archetypes.findings import SourceSpan

STATUSES = ("required", "extensible", "preferred", "example")
_NODE_ID = re.compile(r"(?:id|at)\d+(?:\.\d+)*")
_CODE = re.compile(r"(?:at|ac)\d+(?:\.\d+)*")
_REFERENCE = re.compile(r"(?:[\w.\-]+::)?\w+-\w+-\w+\.[\w\-]+\.v[\w.+\-]+")
_PREDICATE = re.compile(r"\[([^\]]*)\]")


class _Head(NamedTuple):
    """What stands before the body of a node."""

    rm_type_name: str
    node_id: str
    reference: str
    span: SourceSpan


def parse_definition2(stream: TokenStream) -> CComplexObject:
    """The root object of a definition section. Raises AdlSyntaxError."""
    return read_root(stream, _object)


def _object(stream: TokenStream, depth: int) -> CObject:
    """c_object: [order] (complex | slot | use_archetype | use_node) | terminology code | primitive"""
    if depth > MAX_DEPTH:
        raise stream.source.error("nested too deep", stream.token.start)
    order = _sibling_order(stream)
    if stream.at("allow_archetype"):
        return _slot(stream, order)
    if stream.at("use_node"):
        return _internal_ref(stream, order)
    if stream.at("use_archetype"):
        return _archetype_root(stream, order, depth)
    if order is None and (stream.token.kind == "bracket" or stream.at("[", *STATUSES)):
        return _terminology_code(stream)
    if order is None and at_primitive(stream):
        return _primitive(stream)
    return _complex(stream, order, depth)


def _sibling_order(stream: TokenStream) -> SiblingOrder | None:
    """('before' | 'after') '[' node ']'"""
    if not stream.at("before", "after"):
        return None
    is_before = stream.next().text.lower() == "before"
    return SiblingOrder(is_before, _bracketed(stream, _NODE_ID, "a node id"))


def _bracketed(stream: TokenStream, form: re.Pattern[str], expected: str) -> str:
    """'[' code ']'"""
    token = stream.token
    text = token.text.strip("[] \t\r\n") if token.kind == "bracket" else ""
    if form.fullmatch(text) is None:
        raise stream.unexpected(expected)
    stream.next()
    return text


def _head(stream: TokenStream, *, with_reference: bool = False) -> _Head:
    """TYPE '[' node [',' archetype id] ']'"""
    span = stream.source.span(stream.token.start)
    name = read_type_name(stream)
    if not stream.at("["):
        return _Head(name, _bracketed(stream, _NODE_ID, "a node id"), "", span)
    if not with_reference:
        raise stream.unexpected("a node id")
    stream.next()
    node_id = _named(stream, _NODE_ID, "a node id")
    stream.expect(",")
    reference = _reference(stream)
    return _Head(name, node_id, reference, span)


def _named(stream: TokenStream, form: re.Pattern[str], expected: str) -> str:
    if form.fullmatch(stream.token.text) is None:
        raise stream.unexpected(expected)
    return stream.next().text


def _reference(stream: TokenStream) -> str:
    """An archetype id up to the closing bracket."""
    start = stream.token.start
    text = stream.until("]").strip()
    if _REFERENCE.fullmatch(text) is None:
        raise stream.source.error("expected an archetype id", start)
    return text


def _occurrences(stream: TokenStream) -> dict[str, Any]:
    """Unstated occurrences are left to the reference model."""
    stated = read_occurrences(stream)
    return {"occurrences": stated or ANY_NUMBER, "occurrences_stated": stated is not None}


def _complex(stream: TokenStream, order: SiblingOrder | None, depth: int) -> CComplexObject:
    """TYPE '[' node ']' [occurrences] [matches '{' body '}']"""
    head = _head(stream)
    return CComplexObject(
        rm_type_name=head.rm_type_name,
        node_id=head.node_id,
        sibling_order=order,
        span=head.span,
        **_occurrences(stream),
        **_body(stream, depth),
    )


def _archetype_root(stream: TokenStream, order: SiblingOrder | None, depth: int) -> CArchetypeRoot:
    """use_archetype TYPE '[' node ',' archetype id ']' [occurrences] [matches '{' body '}']"""
    span = stream.source.span(stream.next().start)
    head = _head(stream, with_reference=True)
    if not head.reference:
        raise stream.unexpected("a node id with the id of an archetype")
    return CArchetypeRoot(
        rm_type_name=head.rm_type_name,
        node_id=head.node_id,
        archetype_id=head.reference,
        sibling_order=order,
        span=span,
        **_occurrences(stream),
        **_body(stream, depth),
    )


def _slot(stream: TokenStream, order: SiblingOrder | None) -> ArchetypeSlot:
    """allow_archetype TYPE '[' node ']' ('closed' | [occurrences] [matches '{' assertions '}'])"""
    span = stream.source.span(stream.next().start)
    head = _head(stream)
    stated = _occurrences(stream)
    is_closed = stream.take("closed")
    assertions = read_slot_assertions(stream)
    return ArchetypeSlot(
        rm_type_name=head.rm_type_name,
        node_id=head.node_id,
        sibling_order=order,
        is_closed=is_closed,
        span=span,
        **assertions,
        **stated,
    )


def _internal_ref(stream: TokenStream, order: SiblingOrder | None) -> ArchetypeInternalRef:
    """use_node TYPE '[' node ']' [occurrences] path"""
    span = stream.source.span(stream.next().start)
    head = _head(stream)
    stated = _occurrences(stream)
    return ArchetypeInternalRef(
        rm_type_name=head.rm_type_name,
        node_id=head.node_id,
        sibling_order=order,
        inherits_occurrences=not stated["occurrences_stated"],
        target_path=stream.path(),
        span=span,
        **stated,
    )


def _body(stream: TokenStream, depth: int) -> dict[str, Any]:
    """[matches '{' ('*' | (attribute | tuple | default)+) '}'] as members of a complex object."""
    attributes: list[CAttribute] = []
    tuples: list[CAttributeTuple] = []
    default = None
    if stream.take(*MATCHES):
        stream.expect("{")
        while not stream.at("}"):
            if stream.at("["):
                tuples.append(_tuple(stream, depth))
            elif stream.take("_default"):
                stream.expect("=")
                default = read_odin_object(stream)
            elif not stream.take("*"):
                attributes.append(read_attribute(stream, _attribute_path, _object, depth + 1))
        stream.expect("}")
    return {"attributes": tuple(attributes), "tuples": tuple(tuples), "default_value": default}


def _attribute_path(stream: TokenStream) -> tuple[str, str]:
    """A name, or a path of an attribute of a parent archetype: what leads to its owner, and its name."""
    if not stream.at("/"):
        return "", read_attribute_name(stream)
    start = stream.token.start
    owner, _, name = stream.path().rpartition("/")
    if "[" in name or not all(_NODE_ID.fullmatch(code) for code in _PREDICATE.findall(owner)):
        raise stream.source.error("expected a path of an attribute with node ids", start)
    return owner, name


def _tuple(stream: TokenStream, depth: int) -> CAttributeTuple:
    """'[' name (',' name)* ']' matches '{' row (',' row)* '}'"""
    start = stream.expect("[").start
    members = [read_attribute_name(stream)]
    while stream.take(","):
        members.append(read_attribute_name(stream))
    stream.expect("]")
    if not stream.take(*MATCHES):
        raise stream.unexpected("'matches'")
    stream.expect("{")
    rows = [_row(stream, depth)]
    while stream.take(","):
        rows.append(_row(stream, depth))
    stream.expect("}")
    if any(len(row) != len(members) for row in rows):
        raise stream.source.error("each row of a tuple has one constraint for each member", start)
    return CAttributeTuple(tuple(members), tuple(rows))


def _row(stream: TokenStream, depth: int) -> tuple[CObject, ...]:
    """'[' '{' constraint '}' (',' '{' constraint '}')* ']'"""
    stream.expect("[")
    cells = [_cell(stream, depth)]
    while stream.take(","):
        cells.append(_cell(stream, depth))
    stream.expect("]")
    return tuple(cells)


def _cell(stream: TokenStream, depth: int) -> CObject:
    stream.expect("{")
    cell = _object(stream, depth + 1)
    stream.expect("}")
    return cell


def _terminology_code(stream: TokenStream) -> CTerminologyCode:
    """[status] ('[' code ']' | '[' value set ';' assumed code ']')"""
    span = stream.source.span(stream.token.start)
    status = stream.next().text.lower() if stream.at(*STATUSES) else ""
    assumed = None
    if stream.take("["):
        code = _named(stream, _CODE, "a code of the archetype")
        if stream.take(";"):
            assumed = _named(stream, _CODE, "a code of the archetype")
        stream.expect("]")
    else:
        code = _bracketed(stream, _CODE, "a code of the archetype")
    return CTerminologyCode(
        rm_type_name="CODE_PHRASE", code=code, status=status, assumed_value=assumed, span=span
    )


def _primitive(stream: TokenStream) -> CPrimitiveObject:
    """One constraint on a primitive type, or several of which any is enough."""
    span = stream.source.span(stream.token.start)
    item = parse_primitive(stream)
    others = []
    while stream.take(","):
        if not at_primitive(stream):
            raise stream.unexpected("a primitive constraint")
        others.append(parse_primitive(stream))
    if any(rm_type_of(other) not in _compatible(rm_type_of(item)) for other in others):
        raise stream.source.error("the constraints of this list are of different types", stream.token.start)
    return CPrimitiveObject(rm_type_name=rm_type_of(item), item=item, others=tuple(others), span=span)


def _compatible(rm_type: str) -> tuple[str, ...]:
    return ("INTEGER", "REAL") if rm_type in ("INTEGER", "REAL") else (rm_type,)
