"""The parameters of a stored query: their names, types, defaults and what people are told of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archetypes.rm.iso8601 import is_date, is_date_time
from cdr.aql.values import AddressText
from cdr.errors import BadRequest

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_MOST, _LONGEST = 50, 1000
_MEMBERS = {"name", "type", "default", "required", "description"}


class BadQueryParameter(BadRequest):
    """A parameter of a stored query that is wrongly declared, missing, or of another type."""

    code = "query.parameter"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParameter:
    """One parameter; ``description`` by language (nb, en). It is ``required`` where there is no default."""

    name: str
    type: str
    default: Any = None
    required: bool = True
    description: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is declared."""
        made = {"name": self.name, "type": self.type, "required": self.required}
        shown = made if self.required else made | {"default": self.default}
        return shown | {"description": dict(self.description)}


def declared(raw: Any) -> tuple[QueryParameter, ...]:
    """The parameters of a declaration (a list of objects). Raises BadQueryParameter."""
    if not isinstance(raw, list) or len(raw) > _MOST:
        raise BadQueryParameter(f"parameters: a list of {_MOST} at most")
    made = tuple(_declared(each) for each in raw)
    names = [each.name.lower() for each in made]
    if len(set(names)) < len(names):
        raise BadQueryParameter("parameters: two have the same name")
    return made


def _declared(raw: Any) -> QueryParameter:
    if not isinstance(raw, dict) or set(raw) - _MEMBERS:
        raise BadQueryParameter(f"a parameter is an object of {', '.join(sorted(_MEMBERS))}")
    name, kind = raw.get("name"), raw.get("type")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadQueryParameter("a parameter has a name of letters, digits and _, without $")
    if not isinstance(kind, str) or kind not in _READERS:
        raise BadQueryParameter(f"{name}: its type is one of {', '.join(_READERS)}")
    default = raw.get("default")
    if default is not None:
        _checked(name, kind, default)
    required = raw.get("required", default is None)
    if not isinstance(required, bool) or (required and default is not None):
        raise BadQueryParameter(f"{name}: required is true or false, and true only without a default")
    return QueryParameter(
        name=name, type=kind, default=default, required=required, description=description(raw)
    )


def description(raw: Mapping[str, Any]) -> dict[str, str]:
    """The member ``description``: texts by language, nb and en. Raises BadQueryParameter."""
    texts = raw.get("description", {})
    if not isinstance(texts, dict) or set(texts) - {"nb", "en"}:
        raise BadQueryParameter("a description is an object of nb and en")
    if not all(isinstance(text, str) and len(text) <= _LONGEST for text in texts.values()):
        raise BadQueryParameter(f"a description is a text of {_LONGEST} characters at most")
    return dict(texts)


def bound(parameters: Sequence[QueryParameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values to run with: checked, with defaults. What is not declared is passed on as it is.

    Raises BadQueryParameter.
    """
    values = dict(given)
    names = {name.lower(): name for name in given}
    for each in parameters:
        name = names.get(each.name.lower(), each.name)
        if name in values:
            values[name] = _checked(each.name, each.type, values[name])
        elif each.required:
            said = each.description.get("en", "")
            raise BadQueryParameter(f"${each.name} ({each.type}) is missing{': ' + said if said else ''}")
        else:
            values[name] = each.default
    return values


def _checked(name: str, kind: str, value: Any) -> Any:
    found = _READERS[kind](value)
    if found is None:
        raise BadQueryParameter(f"${name} must be {kind}, not {str(value)[:60]!r}")
    return found


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> Any:
    if isinstance(value, AddressText):
        return int(value) if re.fullmatch(r"-?\d{1,18}", value, re.ASCII) else None
    return value if type(value) is int else None


def _number(value: Any) -> Any:
    if isinstance(value, AddressText):
        return float(value) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value, re.ASCII) else None
    return value if type(value) in (int, float) else None


def _boolean(value: Any) -> Any:
    if isinstance(value, AddressText):
        return {"true": True, "false": False}.get(value)
    return value if isinstance(value, bool) else None


def _date(value: Any) -> Any:
    return value if isinstance(value, str) and (is_date(value) or is_date_time(value)) else None


def _list(value: Any) -> Any:
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) and value else None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "list": _list,
}
