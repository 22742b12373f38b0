"""Domain types of cADL 1.4, written as ODIN objects (``C_DV_QUANTITY <...>``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archetypes.adl.intervals import parse_interval
from archetypes.adl.lexer import TokenStream
from archetypes.adl.odin import Typed, read_odin_object
from archetypes.aom.constraints import (
    CCodePhrase,
    CDvOrdinal,
    CDvQuantity,
    CDvState,
    CObject,
    QuantityItem,
    State,
    StateTransition,
)
from archetypes.findings import SourceSpan


def parse_domain_type(stream: TokenStream, name: str, start: int) -> CObject:
    """The ODIN object of a domain type; ``start`` is where its name stands.

    Raises AdlSyntaxError, also for members that are unknown or misshapen.
    """
    read = _DOMAIN_TYPES.get(name)
    if read is None:
        raise stream.source.error(f"{name} is not supported", start)
    tree = read_odin_object(stream)
    try:
        return read(tree, stream.source.span(start))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise stream.source.error(f"not a constraint of this type: {error}", start) from error


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


def _dv_state(tree: Any, span: SourceSpan) -> CDvState:
    """value = < states = < ["1"] = (NON_TERMINAL_STATE) < name, transitions > ... > >"""
    members = _members(tree, "value", "assumed_value")
    states = _members(_untyped(members.get("value", {})), "states").get("states", {})
    assumed = members.get("assumed_value")
    return CDvState(
        rm_type_name="DV_STATE",
        states=tuple(_state(each) for each in states.values()),
        assumed_value=None if assumed is None else _state_name(assumed),
        span=span,
    )


def _state(tree: Any) -> State:
    members = _members(_untyped(tree), "name", "transitions")
    transitions = members.get("transitions", {})
    return State(
        name=str(members["name"]), transitions=tuple(_transition(each) for each in transitions.values())
    )


def _transition(tree: Any) -> StateTransition:
    members = _members(_untyped(tree), "event", "next_state", "guard", "action")
    guard, action = members.get("guard"), members.get("action")
    return StateTransition(
        event=str(members["event"]),
        next_state=_state_name(members.get("next_state", "")),
        guard=None if guard is None else str(guard),
        action=None if action is None else str(action),
    )


def _state_name(tree: Any) -> str:
    """A state is referred to by its name, or by an object with it."""
    tree = _untyped(tree)
    return str(_members(tree, "name", "transitions")["name"] if isinstance(tree, dict) else tree)


def _untyped(tree: Any) -> Any:
    return tree.value if isinstance(tree, Typed) else tree


_DOMAIN_TYPES: dict[str, Callable[[Any, SourceSpan], CObject]] = {
    "C_DV_QUANTITY": _dv_quantity,
    "C_QUANTITY": _dv_quantity,
    "C_DV_ORDINAL": _dv_ordinal,
    "C_CODE_PHRASE": _code_phrase_odin,
    "C_DV_STATE": _dv_state,
}
