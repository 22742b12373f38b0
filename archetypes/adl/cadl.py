"""cADL 1.4: the definition section as a constraint tree (ADL 1.4 specification, cADL syntax)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archetypes.adl.intervals import parse_interval
from archetypes.adl.lexer import TokenStream
from archetypes.adl.odin import MAX_DEPTH, read_odin_object
from archetypes.adl.primitives import at_primitive, parse_primitive
from archetypes.aom.constraints import (
    ONCE,
    ArchetypeInternalRef,
    ArchetypeSlot,
    Cardinality,
    CAttribute,
    CBoolean,
    CCodePhrase,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    QuantityItem,
)
from archetypes.findings import SourceSpan

_NODE = re.compile(r"\[\s*((?:at|id)[\d.]+)\s*\]")
_TYPE = re.compile(r"[A-Z][A-Z0-9_]*(?:<[A-Z_]+>)?")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*")
_CODE = re.compile(r"\[\s*(?P<terminology>[\w.\-]+(?:\([^)]*\))?)\s*::(?P<codes>[^\]]*)\]")
_RM_TYPE_OF_PRIMITIVE: dict[type, str] = {
    CString: "STRING",
    CInteger: "INTEGER",
    CReal: "REAL",
    CBoolean: "BOOLEAN",
    CDuration: "DURATION",
}


def parse_definition(stream: TokenStream) -> CComplexObject:
    """The root object of a definition section. Raises AdlSyntaxError."""
    root = _object(stream, 0)
    if not isinstance(root, CComplexObject):
        raise stream.unexpected("a complex object as root")
    if stream.token.kind != "end":
        raise stream.unexpected("the end of the definition")
    return root


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
    if stream.token.kind in ("integer", "real") and stream.peek().text == "|":
        return _ordinals(stream)
    if at_primitive(stream):
        return _primitive(stream)
    return _complex_or_domain(stream, depth)


def _complex_or_domain(stream: TokenStream, depth: int) -> CObject:
    """TYPE '<' odin '>' | TYPE [node] [occurrences] [matches '{' attributes '}']"""
    span = stream.source.span(stream.token.start)
    start = stream.token.start
    name = _type_name(stream)
    domain = _DOMAIN_TYPES.get(name)
    if stream.at("<") or name.startswith("C_DV_STATE"):
        if domain is None:
            raise stream.source.error(f"{name} is not supported", start)
        return _domain(stream, domain, start)
    node_id = _node_id(stream)
    occurrences = _occurrences(stream) or ONCE
    attributes = _body(stream, depth) if stream.take("matches", "is_in") else ()
    return CComplexObject(
        rm_type_name=name, node_id=node_id, occurrences=occurrences, attributes=attributes, span=span
    )


def _type_name(stream: TokenStream) -> str:
    """An RM type; ``use_archetype`` and other words of later ADL versions are none."""
    if _TYPE.fullmatch(stream.token.text) is None:
        raise stream.unexpected("a type of the reference model")
    return stream.next().text


def _attribute_name(stream: TokenStream) -> str:
    if _ATTRIBUTE.fullmatch(stream.token.text) is None:
        raise stream.unexpected("an attribute name")
    return stream.next().text


def _domain(stream: TokenStream, read: Callable[[Any, SourceSpan], CObject], start: int) -> CObject:
    """A domain type written as an ODIN object; unknown or misshapen members are errors."""
    tree = read_odin_object(stream)
    try:
        return read(tree, stream.source.span(start))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise stream.source.error(f"not a constraint of this type: {error}", start) from error


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
            attributes.append(_attribute(stream, depth + 1))
    stream.expect("}")
    return tuple(attributes)


def _attribute(stream: TokenStream, depth: int) -> CAttribute:
    """name [existence] [cardinality] matches '{' ('*' | object+) '}'"""
    span = stream.source.span(stream.token.start)
    name = _attribute_name(stream)
    existence = _multiplicity(stream) if stream.take("existence") else None
    cardinality = _cardinality(stream) if stream.take("cardinality") else None
    children: list[CObject] = []
    if stream.take("matches", "is_in"):
        stream.expect("{")
        if not stream.take("*"):
            while not stream.at("}"):
                children.append(_object(stream, depth + 1))
        stream.expect("}")
    return CAttribute(
        rm_attribute_name=name,
        existence=existence,
        cardinality=cardinality,
        children=tuple(children),
        span=span,
    )


def _occurrences(stream: TokenStream) -> Interval[int] | None:
    return _multiplicity(stream) if stream.take("occurrences") else None


def _multiplicity(stream: TokenStream) -> Interval[int]:
    """matches '{' n ['..' (n | '*')] '}'"""
    if not stream.take("matches", "is_in"):
        raise stream.unexpected("'matches'")
    stream.expect("{")
    interval = _bounds(stream)
    stream.expect("}")
    return interval


def _bounds(stream: TokenStream) -> Interval[int]:
    if stream.take("*"):
        return Interval(0, None)
    lower = stream.integer()
    if not stream.take(".."):
        return Interval(lower, lower)
    return Interval(lower, None if stream.take("*") else stream.integer())


def _cardinality(stream: TokenStream) -> Cardinality:
    """matches '{' bounds (';' (ordered | unordered | unique))* '}'"""
    if not stream.take("matches", "is_in"):
        raise stream.unexpected("'matches'")
    stream.expect("{")
    interval = _bounds(stream)
    words = set()
    while stream.take(";"):
        if not stream.at("ordered", "unordered", "unique"):
            raise stream.unexpected("ordered, unordered or unique")
        words.add(stream.next().text.lower())
    stream.expect("}")
    return Cardinality(interval, is_ordered="unordered" not in words, is_unique="unique" in words)


def _slot(stream: TokenStream) -> ArchetypeSlot:
    """allow_archetype TYPE [node] [occurrences] matches '{' [include ...] [exclude ...] '}'"""
    span = stream.source.span(stream.next().start)
    name = _type_name(stream)
    node_id = _node_id(stream)
    occurrences = _occurrences(stream) or ONCE
    node_id = node_id or _node_id(stream)
    patterns: dict[str, list[str]] = {"include": [], "exclude": []}
    if stream.take("matches", "is_in"):
        stream.expect("{")
        while not stream.at("}"):
            _assertions(stream, patterns)
        stream.expect("}")
    return ArchetypeSlot(
        rm_type_name=name,
        node_id=node_id,
        occurrences=occurrences,
        includes=tuple(patterns["include"]),
        excludes=tuple(patterns["exclude"]),
        span=span,
    )


def _assertions(stream: TokenStream, patterns: dict[str, list[str]]) -> None:
    """'*' | (include | exclude) (archetype_id/value matches '{' /pattern/ '}')+

    Assertions about anything but the archetype id are refused.
    """
    if stream.take("*"):
        return
    if not stream.at("include", "exclude"):
        raise stream.unexpected("include or exclude")
    word = stream.next().text.lower()
    while stream.token.kind == "name" and not stream.at("include", "exclude"):
        if not stream.at("archetype_id"):
            raise stream.source.error(
                "assertions in slots are supported about archetype_id/value only", stream.token.start
            )
        stream.next()
        stream.expect("/")
        stream.expect("value")
        if not stream.take("matches", "is_in"):
            raise stream.unexpected("'matches'")
        stream.expect("{")
        patterns[word].append(_id_pattern(stream))
        stream.expect("}")


def _id_pattern(stream: TokenStream) -> str:
    """/pattern/, which must be a regular expression."""
    start = stream.token.start
    pattern = stream.regex()
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise stream.source.error(f"not a regular expression: {error}", start) from error
    return pattern


def _internal_ref(stream: TokenStream) -> ArchetypeInternalRef:
    """use_node TYPE [node] [occurrences] path"""
    span = stream.source.span(stream.next().start)
    name = _type_name(stream)
    node_id = _node_id(stream)
    occurrences = _occurrences(stream)
    path = stream.path()
    return ArchetypeInternalRef(
        rm_type_name=name,
        node_id=node_id,
        occurrences=occurrences or ONCE,
        inherits_occurrences=occurrences is None,
        target_path=path,
        span=span,
    )


def _code_phrase(stream: TokenStream) -> CCodePhrase:
    """'[' terminology '::' [code (',' code)*] [';' assumed] ']'"""
    token = stream.next()
    match = _CODE.fullmatch(re.sub(r"--[^\n]*", "", token.text))
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
    rm_type = item.rm_type if isinstance(item, CTemporal) else _RM_TYPE_OF_PRIMITIVE[type(item)]
    return CPrimitiveObject(rm_type_name=rm_type, item=item, span=span)


# --- domain types written as ODIN ---------------------------------------------------------------


def _members(tree: Any, *known: str) -> dict[str, Any]:
    """The members of an ODIN object; ValueError if there are others than the known ones."""
    if not isinstance(tree, dict):
        raise ValueError(f"expected an object, found {tree!r}")
    unknown = sorted(set(tree) - set(known))
    if unknown:
        raise ValueError(f"unknown member {unknown[0]!r}")
    return tree


def _dv_quantity(tree: Any, span: SourceSpan) -> CDvQuantity:
    members = _members(tree, "property", "list", "assumed_value")
    assumed = _members(members.get("assumed_value", {}), "magnitude", "units", "precision")
    return CDvQuantity(
        rm_type_name="DV_QUANTITY",
        property=str(members["property"]).strip("[]") if "property" in members else None,
        items=tuple(_quantity_item(item) for item in members.get("list", {}).values()),
        assumed_value=(float(assumed["magnitude"]), str(assumed["units"])) if assumed else None,
        span=span,
    )


def _quantity_item(tree: Any) -> QuantityItem:
    item = _members(tree, "units", "magnitude", "precision")
    magnitude = parse_interval(str(item["magnitude"]), float) if "magnitude" in item else None
    precision = parse_interval(str(item["precision"]), int) if "precision" in item else None
    return QuantityItem(units=str(item["units"]), magnitude=magnitude, precision=precision)


def _dv_ordinal(tree: Any, span: SourceSpan) -> CDvOrdinal:
    _members(tree)  # items are written inline; the empty object is an open ordinal
    return CDvOrdinal(rm_type_name="DV_ORDINAL", span=span)


def _code_phrase_odin(tree: Any, span: SourceSpan) -> CCodePhrase:
    members = _members(tree, "terminology_id", "code_list", "assumed_value")
    codes = members.get("code_list", [])
    terminology = members.get("terminology_id")
    assumed = members.get("assumed_value")
    return CCodePhrase(
        rm_type_name="CODE_PHRASE",
        terminology_id=_terminology_name(terminology) if terminology else None,
        codes=tuple(str(code) for code in (codes if isinstance(codes, list) else [codes])),
        assumed_value=str(assumed) if assumed else None,
        span=span,
    )


def _terminology_name(tree: Any) -> str:
    """``<"local">``, ``<value = <"local">>`` or ``<[local]>``."""
    name = _members(tree, "value")["value"] if isinstance(tree, dict) else tree
    return str(name).strip("[]")


_DOMAIN_TYPES: dict[str, Callable[[Any, SourceSpan], CObject]] = {
    "C_DV_QUANTITY": _dv_quantity,
    "C_QUANTITY": _dv_quantity,
    "C_DV_ORDINAL": _dv_ordinal,
    "C_CODE_PHRASE": _code_phrase_odin,
}
