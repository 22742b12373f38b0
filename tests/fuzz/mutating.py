"""Changes of a JSON document that keep it JSON, so that the fuzzer gets behind the parser."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson

from archetypes.rm.schema import rm_schema

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, -(2**63), 2**63, 1e308, -0.0, 0.1, "", " ", "\x00", "at0000",
    "at9999.1", "P1Y2M3DT4H5M", "-P1W", "2026-02-30", "2026-13", "24:00:00", "T12",
    "9999-12-31T23:59:59.999Z", "openEHR-EHR-OBSERVATION.x.v1", "ehr://x", "mm[Hg]",
    "10*6/ml", "\ud83d\ude00", "a" * 300, "{0}%s\\", [], {}, [[]], [{}],
    {"_type": "DV_TEXT"}, {"_type": "ELEMENT", "name": []}, {"value": {"value": {}}},
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes | None:
    """The document with one to four changes; None if it is no JSON."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    try:
        for _ in range(chance.randint(1, 4)):
            spots = list(_spots(document))
            if not spots:
                return None
            _change(*chance.choice(spots), spots, chance)
        return orjson.dumps(document)
    except TypeError:  # nested too deep by now, or a number or half a character that orjson cannot write
        return None


def _change(container: Any, key: Any, spots: list[tuple[Any, Any]], chance: random.Random) -> None:
    match chance.randrange(7):
        case 0:
            container[key] = chance.choice(ODD)
        case 1:
            del container[key]
        case 2 if isinstance(container, list):
            container.extend([container[key]] * chance.choice((1, 2, 40)))
        case 3:
            other, other_key = chance.choice(spots)
            container[key] = orjson.loads(orjson.dumps(_value(other, other_key)))
        case 4 if isinstance(container, dict):
            container["_type"] = chance.choice(sorted(rm_schema().classes))
        case 5 if isinstance(container, dict):
            container[chance.choice(NAMES)] = container.pop(key)
        case _:
            container[key] = _bent(container[key], chance)


def _value(container: Any, key: Any) -> Any:
    """What stands there now; an earlier change may have taken it away."""
    try:
        return container[key]
    except (KeyError, IndexError):
        return None


def _bent(value: Any, chance: random.Random) -> Any:
    """The value, nearly."""
    if isinstance(value, str):
        place = chance.randrange(len(value) + 1)
        return (
            value[:place] + chance.choice(("", "'", '"', "9", "]", "/", "\n", "å", "-")) + value[place + 1 :]
        )
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return chance.choice((-value, value + 0.5, value * 1000, str(value)))
    return [value] if isinstance(value, dict) else dict(_as_members(value))


def _as_members(members: list[Any]) -> Iterator[tuple[str, Any]]:
    """A list as the members of an object."""
    return ((str(index), member) for index, member in enumerate(members))


def _spots(node: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from _spots(node[key])


NAMES = sorted({name for cls in rm_schema().classes for name in rm_schema().attributes(cls)})
