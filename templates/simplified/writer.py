"""Canonical composition to FLAT.

Data lead: every attribute that is there must be said, or is carried as canonical JSON by the nearest key
above (``|raw``). What only the template knows (node ids, names, archetype details) is not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archetypes.aom.constraints import CComplexObject
from archetypes.findings import Finding
from archetypes.rm.iso8601 import temporal_key
from archetypes.rm.schema import base_name, rm_schema
from templates.errors import NotSayable
from templates.operational import OperationalTemplate
from templates.rm_defaults import subject
from templates.simplified.codecs import Json, Unsayable, raw, same, write_or_raw
from templates.simplified.extras import NAME, ORIGIN, SAMPLE_COUNT
from templates.simplified.places import Alternative, Place, compiled

# Said by the template, so not by FLAT.
_FROM_TEMPLATE = frozenset({"_type", "archetype_node_id"})

_STRUCTURE = frozenset({"_type", "name", "archetype_node_id"})


def to_flat(opt: OperationalTemplate, composition: Json) -> Json:
    """The composition as one flat JSON object, without ``ctx/``.

    Raises NotSayable if the composition does not follow the template in a place above which there is no
    key that could carry it.
    """
    root = compiled(opt).root
    writer = _Writer(composition)
    out: Json = {}
    try:
        writer.check_template(opt, composition)
        writer.node(root, composition, root.step, "", out)
    except Unsayable as error:
        raise NotSayable(
            [Finding("flat.not_sayable", error.place or "/", "a place in the template")]
        ) from None
    return out


class _Writer:
    def __init__(self, composition: Json) -> None:
        language = composition.get("language")
        code = language.get("code_string") if isinstance(language, dict) else None
        self._language = str(code or "en")

    def check_template(self, opt: OperationalTemplate, composition: Json) -> None:
        """The composition must be one of this template."""
        details = composition.get("archetype_details")
        named = details.get("template_id") if isinstance(details, dict) else None
        told = named.get("value") if isinstance(named, dict) else None
        if told not in (None, opt.template_id):
            raise Unsayable("/archetype_details/template_id/value")

    def node(self, place: Place, value: Any, at: str, rm_path: str, out: Json, index: int = 0) -> None:
        """The keys of an object in its place; ``index`` counts its siblings of the same place."""
        if not isinstance(value, dict):
            raise Unsayable(rm_path)
        self._check_type(place, value, rm_path)
        counts: dict[int, int] = {}
        for attribute, inner in value.items():
            if attribute in _FROM_TEMPLATE or inner is None or inner == []:
                continue
            inner_path = f"{rm_path}/{attribute}"
            try:
                self._attribute(place, attribute, inner, (at, inner_path, index), counts, out)
            except Unsayable as error:
                raise Unsayable(error.place if error.place.startswith("/") else inner_path) from None
        if place.type_name == "HISTORY":
            _write_origin(value, at, out)

    def _attribute(
        self,
        place: Place,
        attribute: str,
        inner: Any,
        where: tuple[str, str, int],
        counts: dict[int, int],
        out: Json,
    ) -> None:
        at, rm_path, index = where
        if _is_empty_structure(place, attribute, inner):
            return
        if attribute == "name":
            _write_name(place, inner, at, out)
        elif attribute == "archetype_details":
            _check_details(place, inner)
        elif attribute == "subject" and same(
            inner, subject(place.children_of("subject"), index + 1, self._language)
        ):
            return
        elif attribute in place.below:
            self._members(place.below[attribute], inner, at, rm_path, counts, out)
        elif attribute in place.parts:
            place.parts[attribute].write(inner, at, out)
        elif attribute == "sample_count":
            SAMPLE_COUNT.write(inner, at, out)
        elif attribute != "origin" or place.type_name != "HISTORY":
            raise Unsayable(rm_path)

    def _members(
        self,
        places: Sequence[Place],
        inner: Any,
        at: str,
        rm_path: str,
        counts: dict[int, int],
        out: Json,
    ) -> None:
        members = inner if isinstance(inner, list) else [inner]
        if isinstance(inner, list) != places[0].container:
            raise Unsayable(rm_path)
        for position, member in enumerate(members):
            path = f"{rm_path}[{position}]" if isinstance(inner, list) else rm_path
            place = _place_of(places, member)
            if place is None:
                raise Unsayable(path)
            index = counts.get(id(place), 0)
            counts[id(place)] = index + 1
            if index and not place.repeats:
                raise Unsayable(path)  # more than the template allows
            if not place.step:
                self._left_out(place, member, at, path, out)
            else:
                self._shown(place, member, f"{at}/{place.key(index)}", path, out, index)

    def _left_out(self, place: Place, value: Any, at: str, rm_path: str, out: Json) -> None:
        """A node without a path of its own: it comes back only with something below it."""
        keys: Json = {}
        self.node(place, value, at, rm_path, keys)
        if not keys:
            raise Unsayable(rm_path)
        out.update(keys)

    def _shown(self, place: Place, value: Any, at: str, rm_path: str, out: Json, index: int) -> None:
        """A node with a path of its own; as canonical JSON where its keys cannot say all of it."""
        if place.codec is not None:
            write_or_raw(place.codec, value, at, out, place.allowed_type)
            return
        keys: Json = {}
        try:
            if place.is_element:
                self._element(place, value, at, rm_path, keys)
            else:
                self.node(place, value, at, rm_path, keys, index)
        except Unsayable:
            keys = raw(value, at, place.type_name)
        out.update(keys or raw(value, at, place.type_name))

    def _element(self, place: Place, element: Any, at: str, rm_path: str, out: Json) -> None:
        if not isinstance(element, dict):
            raise Unsayable(rm_path)
        rest = {name: inner for name, inner in element.items() if name != "value"}
        value = element.get("value")
        if value is not None:
            _write_value(place, value, at, out)
        self.node(place, rest, at, rm_path, out)

    def _check_type(self, place: Place, value: Json, rm_path: str) -> None:
        """New data would be of the same class, and the node of the same id."""
        found = base_name(str(value.get("_type", place.type_name)))
        wanted = base_name(place.type_name)
        if place.allowed_type == "EVENT" and found == "INTERVAL_EVENT":
            wanted = "INTERVAL_EVENT" if "width" in value or "math_function" in value else wanted
        if found != wanted or value.get("archetype_node_id", place.node_id) != place.node_id:
            raise Unsayable(rm_path)


def _is_empty_structure(place: Place, attribute: str, value: Any) -> bool:
    """True for an item structure without items that neither model nor template ask for."""
    if not isinstance(value, dict) or not str(value.get("_type")).startswith("ITEM_"):
        return False
    known = rm_schema().attribute(base_name(str(place.allowed_type)), attribute)
    said = {name for name, inner in value.items() if inner not in (None, [])}
    if known is None or known.mandatory or not said <= _STRUCTURE:
        return False
    there = place.constraint.attribute(attribute) if isinstance(place.constraint, CComplexObject) else None
    return there is None or there.existence is None or not there.existence.lower


def _write_value(place: Place, value: Any, at: str, out: Json) -> None:
    found = _alternative_of(place.alternatives, value)
    if found is None:
        raise Unsayable("value")
    write_or_raw(found.codec, value, f"{at}/{found.step}" if found.step else at, out, found.type_name)


def _alternative_of(alternatives: Sequence[Alternative], value: Any) -> Alternative | None:
    """The alternative for the class of a value; a code may stand where a text is expected."""
    if not isinstance(value, dict):
        return None
    found = base_name(str(value.get("_type")))
    fitting = [each for each in alternatives if base_name(each.type_name) == found]
    if found == "DV_INTERVAL" and len(fitting) > 1:
        bound = value.get("lower") or value.get("upper")
        inner = str(bound.get("_type")) if isinstance(bound, dict) else ""
        fitting = [each for each in fitting if f"<{inner}>" in each.type_name] or fitting
    if not fitting and found in ("DV_CODED_TEXT", "DV_TEXT"):
        fitting = [each for each in alternatives if each.type_name in ("DV_TEXT", "DV_CODED_TEXT")]
    if not fitting and len(alternatives) == 1:
        return alternatives[0]
    return fitting[0] if fitting else None


def _place_of(places: Sequence[Place], member: Any) -> Place | None:
    """The place whose node id, class and, where several share these, name a member has."""
    if not isinstance(member, dict):
        return places[0] if len(places) == 1 else None
    if not places[0].node_id:
        return places[0]
    found = [place for place in places if place.node_id == member.get("archetype_node_id")]
    if len(found) > 1:
        type_name = base_name(str(member.get("_type")))
        found = [p for p in found if rm_schema().is_a(type_name, base_name(p.allowed_type))] or found
    if len(found) > 1:
        name = member.get("name")
        told = name.get("value") if isinstance(name, dict) else None
        same = [place for place in found if place.name is not None and place.name["value"] == told]
        found = same or [place for place in found if not place.named] or found
    return found[0] if found else None


def _write_name(place: Place, name: Any, at: str, out: Json) -> None:
    """Only a name that the template does not give, and only of a node with a path."""
    if not isinstance(name, dict) or place.name is None:
        raise Unsayable("name")
    if place.step and not same(name, place.name):
        NAME.write(name, at, out)


def _check_details(place: Place, details: Any) -> None:
    archetype = details.get("archetype_id") if isinstance(details, dict) else None
    if not isinstance(archetype, dict) or archetype.get("value") != place.archetype_id:
        raise Unsayable("archetype_id")


def _write_origin(history: Json, at: str, out: Json) -> None:
    """HISTORY.origin, unless it is the time of its earliest event."""
    origin = history.get("origin")
    if isinstance(origin, dict) and not same(origin, earliest(history.get("events") or [])):
        ORIGIN.write(origin, at, out)


def earliest(events: Sequence[Any]) -> Any:
    """The earliest time of the events that have one, or None."""
    times = [
        event["time"] for event in events if isinstance(event, dict) and isinstance(event.get("time"), dict)
    ]
    keyed = [(temporal_key(str(time.get("value"))), time) for time in times]
    known = [(key, time) for key, time in keyed if key is not None]
    return min(known, key=lambda pair: pair[0])[1] if known else None
