"""Canonical JSON to typed objects of the reference model and back, driven by :func:`rm_schema`.

For people who write code with names and types. The server's own way (validation, store, queries) works
on the canonical dicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from archetypes.errors import NotRmData
from archetypes.rm import common, composition, data_structures, data_types, ehr, identifiers
from archetypes.rm.canonical_json import MAX_DEPTH
from archetypes.rm.schema import RmAttribute, base_name, rm_schema

MODULES = (identifiers, data_types, common, data_structures, composition, ehr)
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {"BOOLEAN": (bool,), "INTEGER": (int,), "REAL": (int, float)}


def class_name(rm_name: str) -> str:
    """``DvCodedText`` for ``DV_CODED_TEXT``."""
    return "".join(part.title() for part in rm_name.split("_"))


@cache
def rm_classes() -> Mapping[str, type]:
    """The dataclasses by RM name. Demographic classes have none: the product keeps no demographics."""
    known = ((name, class_name(name)) for name in rm_schema().classes)
    return {
        name: getattr(module, python)
        for name, python in known
        for module in MODULES
        if getattr(getattr(module, python, None), "__module__", "") == module.__name__
    }


@cache
def _rm_names() -> Mapping[type, str]:
    return {python: name for name, python in rm_classes().items()}


def from_canonical(data: Mapping[str, Any]) -> object:
    """The object that canonical JSON describes; its ``_type`` is needed.

    Raises NotRmData for unknown classes and attributes, missing or misplaced values, and for nesting
    beyond what canonical JSON may have. Null and empty lists count as absent.
    """
    return _read_object(data, "ANY", "", 0)


def to_canonical(obj: object) -> dict[str, Any]:
    """Canonical JSON of an object, with ``_type`` at every level; absent attributes are left out.

    Raises TypeError if ``obj`` is none of :func:`rm_classes`.
    """
    rm_name = _rm_names().get(type(obj))
    if rm_name is None:
        raise TypeError(f"{type(obj).__name__} is no class of the reference model")
    written: dict[str, Any] = {"_type": rm_name}
    for attribute in rm_schema().attributes(rm_name).values():
        value = None if attribute.computed else getattr(obj, attribute.name)
        if value is not None and value != ():
            written[attribute.name] = _written(value)
    return written


def _written(value: object) -> Any:
    if isinstance(value, tuple | list):
        return [_written(member) for member in value]
    return value if isinstance(value, str | bool | int | float) else to_canonical(value)


def _read_object(data: Any, declared: str, path: str, depth: int) -> object:
    if not isinstance(data, Mapping):
        raise NotRmData(path, f"expected an object of {declared}, found {type(data).__name__}")
    if depth > MAX_DEPTH:
        raise NotRmData(path, "nested too deep")
    rm_type = _type_of(data, declared, path)
    known = rm_schema().attributes(rm_type)
    values = {}
    for name, value in data.items():
        if name == "_type" or value is None or value == []:
            continue
        attribute = known.get(name)
        if attribute is None or attribute.computed:
            raise NotRmData(f"{path}/{name}", f"{base_name(rm_type)} has no such attribute in data")
        values[name] = _read_attribute(value, attribute, f"{path}/{name}", depth + 1)
    for attribute in known.values():
        if attribute.mandatory and attribute.name not in values:
            raise NotRmData(f"{path}/{attribute.name}", "missing")
    created: object = rm_classes()[base_name(rm_type)](**values)
    return created


def _type_of(data: Mapping[str, Any], declared: str, path: str) -> str:
    """The stated type, or the declared one where it needs no statement; arguments stay as declared."""
    stated = data.get("_type", declared)
    if not isinstance(stated, str) or base_name(stated) not in rm_classes():
        raise NotRmData(path, f"unknown class {stated!r}")
    rm_class = rm_schema().get(stated)
    if rm_class is None or rm_class.abstract:
        raise NotRmData(path, f"{stated} is abstract; _type must name a class below it")
    if not rm_schema().is_a(stated, declared):
        raise NotRmData(path, f"expected {declared}, found {stated}")
    return declared if base_name(stated) == base_name(declared) else stated


def _read_attribute(value: Any, attribute: RmAttribute, path: str, depth: int) -> object:
    if not attribute.container:
        return _read_value(value, attribute.type_name, path, depth)
    if not isinstance(value, list | tuple):
        raise NotRmData(path, f"expected a list, found {type(value).__name__}")
    return tuple(
        _read_value(member, attribute.type_name, f"{path}[{index}]", depth)
        for index, member in enumerate(value)
    )


def _read_value(value: Any, declared: str, path: str, depth: int) -> object:
    if not rm_schema().is_primitive(declared):
        return _read_object(value, declared, path, depth)
    allowed = _JSON_TYPES.get(declared, (str,))
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise NotRmData(path, f"expected {declared}, found {type(value).__name__}")
    return value
