"""A definition of ADL 2 with the constraints of ADL 1.4 that say the same, so that both compare alike.

Tuples of a DV_QUANTITY, DV_ORDINAL or DV_SCALE become C_DV_QUANTITY and C_DV_ORDINAL, required codes and
value sets become C_CODE_PHRASE or, with members outside, a CONSTRAINT_REF. What ADL 1.4 cannot say stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from archetypes.aom.constraints import (
    CAttribute,
    CAttributeTuple,
    CCodePhrase,
    CComplexObject,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CReal,
    CString,
    CTerminologyCode,
    Interval,
    OrdinalItem,
    QuantityItem,
)

LOCAL = "local"
ValueSets = Mapping[str, tuple[str, ...]]
Row = Mapping[str, CObject]
Item = TypeVar("Item", QuantityItem, OrdinalItem)
_QUANTITY = frozenset({"magnitude", "units", "precision"})


def with_domain_types(node: CObject, value_sets: ValueSets) -> CObject:
    """The node and all below with domain types in place of tuples and codes."""
    if isinstance(node, CTerminologyCode):
        return _codes(node, value_sets)
    if not isinstance(node, CComplexObject):
        return node
    return _quantity(node) or _ordinal(node) or _rebuilt(node, value_sets)


def _rebuilt(node: CComplexObject, value_sets: ValueSets) -> CComplexObject:
    return replace(node, attributes=tuple(_attribute(each, value_sets) for each in node.attributes))


def _attribute(attribute: CAttribute, value_sets: ValueSets) -> CAttribute:
    children = tuple(with_domain_types(child, value_sets) for child in attribute.children)
    return replace(attribute, children=children)


def _codes(code: CTerminologyCode, value_sets: ValueSets) -> CObject:
    if code.status not in ("", "required"):
        return code
    if code.code.startswith("at"):
        return CCodePhrase(
            rm_type_name="CODE_PHRASE", terminology_id=LOCAL, codes=(code.code,), span=code.span
        )
    members = value_sets.get(code.code)
    if not members:
        return ConstraintRef(rm_type_name="CODE_PHRASE", reference=code.code, span=code.span)
    return CCodePhrase(
        rm_type_name="CODE_PHRASE",
        terminology_id=LOCAL,
        codes=members,
        assumed_value=code.assumed_value,
        span=code.span,
    )


def _only_tuple(node: CComplexObject) -> CAttributeTuple | None:
    """The tuple of a node that says nothing else; the property of a quantity follows from its units."""
    others = {attribute.rm_attribute_name for attribute in node.attributes} - {"property"}
    return node.tuples[0] if len(node.tuples) == 1 and not others and node.default_value is None else None


def _quantity(node: CComplexObject) -> CDvQuantity | None:
    told = _only_tuple(node) if node.rm_type_name == "DV_QUANTITY" else None
    if told is None or not {"units"} <= set(told.members) <= _QUANTITY:
        return None
    items = _items(told, _quantity_item)
    return CDvQuantity(items=items, **_place(node)) if items else None


def _items(told: CAttributeTuple, read: Callable[[Row], Item | None]) -> tuple[Item, ...]:
    """The rows of a tuple; none where one of them cannot be said."""
    items = [read(dict(zip(told.members, row, strict=True))) for row in told.rows]
    known = tuple(item for item in items if item is not None)
    return known if len(known) == len(items) else ()


def _place(node: CObject) -> dict[str, Any]:
    """What any constraint has, whatever its kind."""
    names = ("rm_type_name", "node_id", "occurrences", "occurrences_stated", "span")
    return {name: getattr(node, name) for name in names}


def _quantity_item(row: Row) -> QuantityItem | None:
    units = _primitive(row["units"])
    magnitude, precision = _primitive(row.get("magnitude")), _primitive(row.get("precision"))
    if not isinstance(units, CString) or len(units.values) != 1:
        return None
    if not isinstance(magnitude, CReal | CInteger | None) or not isinstance(precision, CInteger | None):
        return None
    reals = None if magnitude is None else _range(magnitude)
    return QuantityItem(
        units=units.values[0],
        magnitude=None
        if reals is None
        else Interval(
            None if reals.lower is None else float(reals.lower),
            None if reals.upper is None else float(reals.upper),
            reals.lower_included,
            reals.upper_included,
        ),
        precision=None if precision is None else _whole(precision),
    )


def _range(item: CReal | CInteger) -> Interval[float] | Interval[int] | None:
    if item.range is not None or len(item.values) != 1:
        return item.range
    return Interval(float(item.values[0]), float(item.values[0]))


def _whole(item: CInteger) -> Interval[int] | None:
    if item.range is not None or len(item.values) != 1:
        return item.range
    return Interval(item.values[0], item.values[0])


def _ordinal(node: CComplexObject) -> CDvOrdinal | None:
    told = _only_tuple(node) if node.rm_type_name in ("DV_ORDINAL", "DV_SCALE") else None
    if told is None or set(told.members) != {"value", "symbol"}:
        return None
    items = _items(told, _ordinal_item)
    return CDvOrdinal(items=items, **_place(node)) if items else None


def _ordinal_item(row: Row) -> OrdinalItem | None:
    value, symbol = _primitive(row["value"]), row["symbol"]
    if not isinstance(value, CInteger | CReal) or len(value.values) != 1:
        return None
    if not isinstance(symbol, CTerminologyCode):
        return None
    return OrdinalItem(value=float(value.values[0]), terminology_id=LOCAL, code=symbol.code)


def _primitive(cell: CObject | None) -> object | None:
    """The constraint of a cell; one with alternatives is none that ADL 1.4 can say."""
    if cell is None:
        return None
    is_one = isinstance(cell, CPrimitiveObject) and not cell.others
    return cell.item if is_one and isinstance(cell, CPrimitiveObject) else cell
