"""Intervals and reference ranges in FLAT: two bounds, and flags only where they are not what one expects."""

from __future__ import annotations

from typing import Any

from archetypes.rm.schema import type_arguments
from templates.simplified.codecs import Hint, Json, Leaf, Part, Reading, Shape, Unsayable
from templates.simplified.entries import Entry


def _complete_interval(made: Json, entry: Entry, reading: Reading, hint: Hint) -> None:
    """The four flags are always there; a bound that is absent is open."""
    for bound in ("lower", "upper"):
        unbounded = made.setdefault(f"{bound}_unbounded", bound not in made)
        made.setdefault(f"{bound}_included", not unbounded)
        if unbounded == (bound in made):
            reading.refuse(
                "flat.contradiction", entry.key(f"{bound}_unbounded"), f"{bound} or |{bound}_unbounded"
            )


def _write_flags(value: Json, at: str, out: Json) -> None:
    for bound in ("lower", "upper"):
        unbounded = value.get(f"{bound}_unbounded", bound not in value)
        included = value.get(f"{bound}_included", not unbounded)
        if (value.get(bound) is None) != unbounded or not all(
            isinstance(f, bool) for f in (unbounded, included)
        ):
            raise Unsayable(bound)
        if unbounded:
            out[f"{at}|{bound}_unbounded"] = True
        if not included or unbounded:
            out[f"{at}|{bound}_included"] = included


_FLAGS = tuple(f"{bound}_{flag}" for bound in ("lower", "upper") for flag in ("unbounded", "included"))


class IntervalCodec:
    """DV_INTERVAL of one type: its bounds, and what is said of them."""

    def __init__(self, type_name: str) -> None:
        bound = (*type_arguments(type_name), "DV_ORDERED")[0]
        self._shape = Shape(
            type_name,
            leaves=tuple(Leaf((flag,), (flag,), "BOOLEAN") for flag in _FLAGS),
            parts=tuple(Part(name, name, bound) for name in ("lower", "upper")),
            complete=_complete_interval,
        )

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        keys: Json = {}
        self._shape.write(value, at, keys)
        # Flags are said only where they differ from what an absent or a given bound means.
        said = {key: kept for key, kept in keys.items() if key.rpartition("|")[2] not in _FLAGS}
        _write_flags(value, at, said)
        out.update(said)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        return self._shape.read(entry, reading, hint)


class ReferenceRangeCodec:
    """REFERENCE_RANGE: the keys of its interval and its meaning, at one path."""

    def __init__(self, type_name: str) -> None:
        self._interval = IntervalCodec(type_name.replace("REFERENCE_RANGE", "DV_INTERVAL"))
        self._meaning = Shape("REFERENCE_RANGE", parts=(Part("meaning", "meaning", "DV_TEXT"),))

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        if not isinstance(value, dict) or "range" not in value:
            raise Unsayable("range")
        self._meaning.write({name: inner for name, inner in value.items() if name != "range"}, at, out)
        self._interval.write(value["range"], at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        meaning, interval = (
            self._meaning.read(entry, reading, hint),
            self._interval.read(entry, reading, hint),
        )
        if meaning is None and interval is None:
            return None
        for name, part in (("meaning", meaning), ("lower", interval)):
            if part is None:
                reading.refuse("flat.value.missing", f"{entry.path}/{name}", "REFERENCE_RANGE", "nothing")
        return {**(meaning or {"_type": "REFERENCE_RANGE"}), "range": interval}
