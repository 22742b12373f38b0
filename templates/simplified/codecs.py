"""What turns an object of the reference model into FLAT keys and back.

A :class:`Shape` says for one class which attribute is which suffix (:class:`Leaf`), which attributes are
objects under a key of their own (:class:`Part`), and what always has one value (``fixed``). Both
directions follow from it. An attribute that the shape does not name is :class:`Unsayable`: the nearest
key above then carries the whole object as canonical JSON (``|raw``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from archetypes.aom.constraints import CObject
from archetypes.errors import MalformedJson
from archetypes.findings import Finding
from archetypes.rm.canonical_json import read_canonical
from archetypes.rm.schema import base_name, rm_schema
from templates.rubrics import Rubrics, openehr_rubric
from templates.simplified.entries import Entry
from templates.simplified.scalars import READERS, WrongKind, is_kind

Json = dict[str, Any]
RAW = "raw"


class Unsayable(Exception):
    """FLAT has no words for something; ``place`` is its path below the object that is being written."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


@dataclass(frozen=True, slots=True)
class Hint:
    """What is known of a value before it is read.

    ``terminology`` is the one of its code if none is given; ``constraint`` and ``rubrics`` are the
    template's, if it has something to say.
    """

    terminology: str = ""
    constraint: CObject | None = None
    rubrics: Rubrics | None = None

    def rubric(self, terminology: str, code: str, language: str) -> str | None:
        """The text of a code; of openEHR's in the language of the composition."""
        if terminology == "openehr":
            return openehr_rubric(code, language) or openehr_rubric(code, "en")
        return self.rubrics.of(terminology, code) if self.rubrics else None


NO_HINT = Hint()


@dataclass(slots=True)
class Reading:
    """The state of one conversion from FLAT: findings so far, and defaults for ids of parties."""

    language: str = "en"
    id_scheme: str | None = None
    id_namespace: str | None = None
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, code: str, path: str, expected: str = "", found: object = "") -> None:
        """Note a problem; reading goes on so that all are found."""
        text = str(found)
        self.findings.append(Finding(code, path, expected, text if len(text) <= 60 else f"{text[:57]}..."))

    def scalar(self, kind: str, entry: Entry, suffix: str) -> Any:
        """The scalar at a suffix, or None if it is absent or of another kind."""
        value = entry.take(suffix)
        if value is None:
            return None
        try:
            return READERS[kind](value)
        except WrongKind as error:
            self.refuse("flat.type", entry.key(suffix), str(error), value)
            return None


class Codec(Protocol):
    """Both directions for one class (and what may stand in its place)."""

    def write(self, value: Any, at: str, out: Json) -> None:
        """Add the keys of ``value`` at the path ``at``; raises Unsayable."""

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Any:
        """The object that the entry holds, or None if it holds nothing."""


# --- the pieces of a shape ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaf:
    """A primitive attribute: ``path`` is ``defining_code/code_string``; the first suffix is written."""

    suffixes: tuple[str, ...]
    path: tuple[str, ...]
    kind: str
    unless: Any = None

    def write(self, value: Any, at: str, out: Json) -> None:
        """One key; a default that need not be said is left out."""
        if value == self.unless and type(value) is type(self.unless):
            return
        # A blank text would read as "nothing", a text in place of a number as that number.
        if not is_kind(self.kind, value) or (isinstance(value, str) and not value.strip()):
            raise Unsayable("/".join(self.path))
        out[f"{at}|{self.suffixes[0]}" if self.suffixes[0] else at] = value

    def read(self, entry: Entry, reading: Reading) -> Any:
        """The value under the first suffix that is there."""
        found = [suffix for suffix in self.suffixes if suffix in entry.values]
        values = [reading.scalar(self.kind, entry, suffix) for suffix in found]
        entry.suffixes.difference_update(self.suffixes[1:])
        entry.suffixes.add(self.suffixes[0])
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Part:
    """An attribute that is an object of its own, or several, under the step ``key``."""

    key: str
    attribute: str
    type_name: str
    many: bool = False
    terminology: str = ""

    def write(self, value: Any, at: str, out: Json) -> None:
        """The keys of the object; as canonical JSON where they cannot say all of it."""
        if self.many:
            if not isinstance(value, list):
                raise Unsayable(self.attribute)
            for index, member in enumerate(value):
                self._write_one(member, f"{at}/{self.key}:{index}", out)
        else:
            self._write_one(value, f"{at}/{self.key}", out)

    def _write_one(self, value: Any, at: str, out: Json) -> None:
        write_or_raw(codec_of(self.type_name), value, at, out, self.type_name)

    def read(self, entry: Entry, reading: Reading) -> Any:
        """The object, the list of objects, or None."""
        if self.key not in entry.below:
            entry.steps.add(self.key)
            return None
        entries = entry.take_all(self.key)
        codec, hint = codec_of(self.type_name), Hint(self.terminology)
        values = [read_or_raw(codec, each, reading, hint, self.type_name) for each in entries]
        values = [value for value in values if value is not None]
        if not values:
            return None
        if not self.many and len(entries) > 1:
            reading.refuse("flat.index.single", entries[1].path, "one", "several")
        return values if self.many else values[0]

    def accepts(self, value: Any) -> bool:
        """True if the class of a value is that of the part."""
        found = value.get("_type") if isinstance(value, dict) else None
        return not isinstance(found, str) or rm_schema().is_a(found, base_name(self.type_name))


def read_parts(parts: Iterable[Part], entry: Entry, reading: Reading, made: Json) -> None:
    """Add what the parts say to ``made``, which wins over them."""
    entry.steps.update([part.key for part in parts])
    if entry.below:
        for part in parts:
            value = part.read(entry, reading)
            if value is not None:
                made.setdefault(part.attribute, value)


def write_or_raw(codec: Codec, value: Any, at: str, out: Json, type_name: str) -> None:
    """Keys where they say all, else the object as it is; ``type_name`` is its class if it does not say it."""
    keys: Json = {}
    try:
        codec.write(value, at, keys)
    except Unsayable:
        keys = raw(value, at, type_name)
    out.update(keys)


def raw(value: Any, at: str, type_name: str) -> Json:
    """The object as canonical JSON under ``|raw``; raises Unsayable for what is no object of one class."""
    known = rm_schema().get(type_name)
    if not isinstance(value, dict) or ("_type" not in value and (known is None or known.abstract)):
        raise Unsayable("")
    return {f"{at}|{RAW}": {"_type": base_name(type_name), **value}}


def same(one: Any, other: Any) -> bool:
    """Equal, where one of two objects may leave out its class."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(
            same(one.get(name), other.get(name))
            or (name == "_type" and None in (one.get(name), other.get(name)))
            for name in one.keys() | other.keys()
        )
    return bool(one == other)


def read_or_raw(codec: Codec, entry: Entry, reading: Reading, hint: Hint, type_name: str) -> Any:
    """The object of an entry, given by keys or as it is."""
    if entry.has(RAW):
        return read_raw(entry, reading, (type_name,))
    return codec.read(entry, reading, hint)


def read_raw(entry: Entry, reading: Reading, types: Iterable[str]) -> Json | None:
    """The canonical object under ``|raw`` (JSON, or JSON as text); it must be of one of the types."""
    value = entry.take(RAW)
    if isinstance(value, str):
        try:
            value = read_canonical(value.encode("utf-8", "surrogatepass"))
        except MalformedJson as error:
            reading.refuse("flat.raw.malformed", entry.key(RAW), "canonical JSON", error.message)
            return None
    found = value.get("_type") if isinstance(value, dict) else None
    allowed = [base_name(name) for name in types]
    if not isinstance(found, str) or not any(rm_schema().is_a(base_name(found), name) for name in allowed):
        expected = "an object with _type " + " or ".join(allowed)
        reading.refuse("flat.raw.type", entry.key(RAW), expected, found or type(value).__name__)
        return None
    known: Json = value
    return known


# --- shapes -------------------------------------------------------------------------------------

Complete = Callable[[Json, Entry, Reading, Hint], None]
"""Fills in, after the keys are read, what the template or the type leaves no choice about."""


@dataclass(frozen=True)
class Shape:
    """One class in FLAT. ``required`` are suffixes without which there is no object of the class."""

    type_name: str
    leaves: tuple[Leaf, ...] = ()
    parts: tuple[Part, ...] = ()
    fixed: tuple[tuple[tuple[str, ...], str], ...] = ()
    required: tuple[str, ...] = ()
    complete: Complete | None = None
    also_write: Callable[[Json, str, Json], None] | None = None
    _members: Mapping[str, Any] = field(init=False, repr=False, compare=False)
    _types: Mapping[tuple[str, ...], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_members", self._compiled())
        object.__setattr__(self, "_types", self._nested_types())

    def _compiled(self) -> dict[str, Any]:
        """By attribute: leaf, parts, a fixed value, or the same again for an object in between."""
        members: dict[str, Any] = {}
        for leaf in self.leaves:
            _within(members, leaf.path[:-1])[leaf.path[-1]] = leaf
        for path, value in self.fixed:
            _within(members, path[:-1])[path[-1]] = value
        for part in self.parts:
            members[part.attribute] = (*members.get(part.attribute, ()), part)
        return members

    def _nested_types(self) -> dict[tuple[str, ...], str]:
        """The class of each object between this one and a leaf."""
        paths = [leaf.path for leaf in self.leaves] + [path for path, _ in self.fixed]
        types: dict[tuple[str, ...], str] = {(): self.type_name}
        for path in paths:
            for length in range(1, len(path)):
                known = rm_schema().attribute(types[path[: length - 1]], path[length - 1])
                assert known is not None, (self.type_name, path)
                types[path[:length]] = known.type_name
        return types

    def write(self, value: Any, at: str, out: Json) -> None:
        """See :class:`Codec`."""
        self._write_object(value, self._members, (), at, out)
        if self.also_write is not None:
            self.also_write(value, at, out)

    def _write_object(
        self, value: Any, members: Mapping[str, Any], path: tuple[str, ...], at: str, out: Json
    ) -> None:
        wanted = base_name(self._types[path])
        if not isinstance(value, dict) or base_name(str(value.get("_type", wanted))) != wanted:
            raise Unsayable("/".join(path))
        for attribute, inner in value.items():
            if attribute == "_type" or inner is None or inner == []:
                continue
            member = members.get(attribute)
            if isinstance(member, Leaf):
                member.write(inner, at, out)
            elif isinstance(member, dict):
                self._write_object(inner, member, (*path, attribute), at, out)
            elif isinstance(member, tuple):
                next((part for part in member if part.accepts(inner)), member[0]).write(inner, at, out)
            elif member is None or member != inner:
                raise Unsayable("/".join((*path, attribute)))

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See :class:`Codec`."""
        made: Json = {}
        for leaf in self.leaves:
            value = leaf.read(entry, reading)
            if value is not None:
                self._inside(made, leaf.path[:-1])[leaf.path[-1]] = value
        read_parts(self.parts, entry, reading, made)
        if not made:
            return None
        if self.complete is not None:
            self.complete(made, entry, reading, hint)
        self._check_required(made, entry, reading)
        self._add_fixed(made)
        return {"_type": base_name(self.type_name), **made}

    def _inside(self, made: Json, path: tuple[str, ...]) -> Json:
        """The object at a path below, made if it is new."""
        for length in range(1, len(path) + 1):
            type_name = self._types[path[:length]]
            made = made.setdefault(path[length - 1], {"_type": type_name})
        return made

    def _check_required(self, made: Json, entry: Entry, reading: Reading) -> None:
        for suffix in self.required:
            leaf = next(leaf for leaf in self.leaves if leaf.suffixes[0] == suffix)
            value: Any = made
            for attribute in leaf.path:
                value = value.get(attribute) if isinstance(value, dict) else None
            if value is None:
                reading.refuse("flat.value.missing", entry.key(suffix), self.type_name, "nothing")

    def _add_fixed(self, made: Json) -> None:
        for path, value in self.fixed:
            if path[0] in made:
                self._inside(made, path[:-1])[path[-1]] = value


def _within(members: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for attribute in path:
        members = members.setdefault(attribute, {})
    return members


_CODECS: dict[str, Callable[[str], Codec]] = {}


def register(type_name: str, make: Callable[[str], Codec]) -> None:
    """Say which codec stands for a class; ``make`` is given the full type name (``DV_INTERVAL<...>``)."""
    _CODECS[type_name] = make


@cache
def codec_of(type_name: str) -> Codec:
    """The codec of a class, made once; KeyError if FLAT has no form for it."""
    return _CODECS[base_name(type_name)](type_name)


def has_codec(type_name: str) -> bool:
    """True if FLAT has a form for the class."""
    return base_name(type_name) in _CODECS
