"""cADL 1.4: the definition section as a constraint tree (ADL 1.4 specification, cADL syntax)."""

from __future__ import annotations

import re

from archetypes.adl.cadl_domain_types import parse_domain_type
from archetypes.adl.cadl_parts import (
    read_attribute,
    read_attribute_name,
    read_occurrences,
    read_root,
    read_slot_assertions,
    read_type_name,
)
from archetypes.adl.lexer import MATCHES, TokenStream
from archetypes.adl.odin import MAX_DEPTH
from archetypes.adl.primitives import at_primitive, parse_primitive, rm_type_of
from archetypes.aom.constraints import (
    ONCE,
    ArchetypeInternalRef,
    ArchetypeSlot,
    CAttribute,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    OrdinalItem,
)

_NODE = re.compile(r"\[\s*((?:at|id)[\d.]+)\s*\]")
_COMMENT = re.compile(r"--[^\n]*")
_CODE = re.compile(r"\[\s*(?P<terminology>[\w.\-]+(?:\([^)]*\))?)\s*::(?P<codes>[^\]]*)\]")


def parse_definition(stream: TokenStream) -> CComplexObject:
    """The root object of a definition section. Raises AdlSyntaxError."""
    return read_root(stream, _object)


def _object(stream: TokenStream, depth: int) -> CObject:
    """c_object: complex | slot | use_node | domain type | code | ordinal | primitive"""
    if depth > MAX_DEPTH:
        raise stream.source.error("nested too deep", stream.token.start)
    if stream.at("allow_archetype"):
        return _slot(stream)
    if stream.at("use_node"):
        return _internal_ref(stream)
    if stream.token.kind == "code":
        return _code_phrase(stream)
    if stream.token.kind == "bracket":
        return _constraint_ref(stream)
    if _at_ordinals(stream):
        return _ordinals(stream)
    if at_primitive(stream):
        return _primitive(stream)
    return _complex_or_domain(stream, depth)


def _complex_or_domain(stream: TokenStream, depth: int) -> CObject:
    """TYPE '<' odin '>' | TYPE [node] [occurrences] [matches '{' attributes '}']"""
    span = stream.source.span(stream.token.start)
    start = stream.token.start
    name = read_type_name(stream)
    if stream.at("<"):
        return parse_domain_type(stream, name, start)
    node_id = _node_id(stream)
    stated = read_occurrences(stream) or ONCE
    attributes = _body(stream, depth) if stream.take(*MATCHES) else ()
    return CComplexObject(
        rm_type_name=name, node_id=node_id, occurrences=stated, attributes=attributes, span=span
    )


def _node_id(stream: TokenStream) -> str:
    match = _NODE.fullmatch(stream.token.text) if stream.token.kind == "bracket" else None
    if match is None:
        return ""
    stream.next()
    return match[1]


def _body(stream: TokenStream, depth: int) -> tuple[CAttribute, ...]:
    """'{' ('*' | attribute+) '}'"""
    stream.expect("{")
    attributes = []
    if not stream.take("*"):
        while not stream.at("}"):
            attributes.append(read_attribute(stream, _attribute_name, _object, depth + 1))
    stream.expect("}")
    return tuple(attributes)


def _attribute_name(stream: TokenStream) -> tuple[str, str]:
    """An attribute of the object itself: ADL 1.4 has no paths here."""
    return "", read_attribute_name(stream)


def _slot(stream: TokenStream) -> ArchetypeSlot:
    """allow_archetype TYPE [node] [occurrences] matches '{' [include ...] [exclude ...] '}'"""
    span = stream.source.span(stream.next().start)
    name = read_type_name(stream)
    node_id = _node_id(stream)
    stated = read_occurrences(stream) or ONCE
    node_id = node_id or _node_id(stream)
    assertions = read_slot_assertions(stream)
    return ArchetypeSlot(
        rm_type_name=name,
        node_id=node_id,
        occurrences=stated,
        span=span,
        **assertions,
    )


def _internal_ref(stream: TokenStream) -> ArchetypeInternalRef:
    """use_node TYPE [node] [occurrences] path"""
    span = stream.source.span(stream.next().start)
    name = read_type_name(stream)
    node_id = _node_id(stream)
    stated = read_occurrences(stream)
    path = stream.path()
    return ArchetypeInternalRef(
        rm_type_name=name,
        node_id=node_id,
        occurrences=stated or ONCE,
        inherits_occurrences=stated is None,
        target_path=path,
        span=span,
    )


def _code_phrase(stream: TokenStream) -> CCodePhrase:
    """'[' terminology '::' [code (',' code)*] [';' assumed] ']'"""
    token = stream.next()
    for number, comment in enumerate(_COMMENT.findall(token.text)):
        stream.comments[token.start + number] = comment  # what is said of single codes is kept with the list
    match = _CODE.fullmatch(_COMMENT.sub("", token.text))
    if match is None:
        raise stream.source.error(f"{token.text!r} is not a list of codes", token.start)
    codes, _, assumed = match["codes"].partition(";")
    return CCodePhrase(
        rm_type_name="CODE_PHRASE",
        terminology_id=match["terminology"],
        codes=tuple(code.strip() for code in codes.split(",") if code.strip()),
        assumed_value=assumed.strip() or None,
        span=stream.source.span(token.start),
    )


def _constraint_ref(stream: TokenStream) -> CObject:
    """'[' acNNNN ']'"""
    token = stream.next()
    reference = token.text.strip("[] \t\r\n")
    if not reference.startswith("ac"):
        raise stream.source.error(f"expected a constraint code, found {token.text!r}", token.start)
    return ConstraintRef(
        rm_type_name="CODE_PHRASE",
        reference=reference,
        span=stream.source.span(token.start),
    )


def _at_ordinals(stream: TokenStream) -> bool:
    """A number, a bar and a code; a number may stand before the bar of an interval, too."""
    return (
        stream.token.kind in ("integer", "real")
        and stream.peek().text == "|"
        and stream.peek(2).kind in ("code", "bracket")
    )


def _ordinals(stream: TokenStream) -> CDvOrdinal:
    """value '|' '[' terminology '::' code ']' (',' ...)* [';' assumed]"""
    span = stream.source.span(stream.token.start)
    scale = stream.token.kind == "real"  # whole numbers are written without point
    items = [_ordinal(stream)]
    while stream.take(","):
        items.append(_ordinal(stream))
    assumed = float(stream.number()) if stream.take(";") else None
    return CDvOrdinal(
        rm_type_name="DV_SCALE" if scale else "DV_ORDINAL",
        items=tuple(items),
        assumed_value=assumed,
        span=span,
    )


def _ordinal(stream: TokenStream) -> OrdinalItem:
    value = float(stream.number())
    stream.expect("|")
    if stream.token.kind != "code":
        raise stream.unexpected("a code")
    code = _code_phrase(stream)
    if len(code.codes) != 1:
        raise stream.unexpected("one code")
    return OrdinalItem(value=value, terminology_id=str(code.terminology_id), code=code.codes[0])


def _primitive(stream: TokenStream) -> CPrimitiveObject:
    span = stream.source.span(stream.token.start)
    item = parse_primitive(stream)
    return CPrimitiveObject(rm_type_name=rm_type_of(item), item=item, span=span)
