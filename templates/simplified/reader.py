"""FLAT to canonical composition.

The template leads: each place takes its keys, what the reference model demands besides comes from ``ctx/``
or from the template. Values of the card are never made up: a mandatory element that is not given is left
out, and the validator says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from archetypes.aom.constraints import CComplexObject
from archetypes.rm.schema import base_name, rm_schema
from templates.data_values import code_phrase, text
from templates.determined import determined
from templates.errors import FlatRefused
from templates.header import Header
from templates.operational import OperationalTemplate
from templates.rm_defaults import RM_DEFAULTS, archetyped, subject
from templates.rubrics import Rubrics
from templates.simplified.codecs import RAW, Json, Reading, read_or_raw, read_parts, read_raw
from templates.simplified.context import Context, default_category, default_setting, read_context
from templates.simplified.entries import CONTEXT, Entry, Suggestions, read_keys
from templates.simplified.extras import NAME, ORIGIN, SAMPLE_COUNT
from templates.simplified.places import Place, compiled, paths_of
from templates.simplified.writer import earliest

_PERSISTENT = "431"
_TIMING = "timing"  # the formalism of ACTIVITY.timing where none is told


def from_flat(opt: OperationalTemplate, flat: Mapping[str, Any], *, now: datetime | None = None) -> Json:
    """The canonical composition that the FLAT object means.

    ``now`` is the time of the contact if ``ctx/time`` does not tell it (default: the clock's). Raises
    FlatRefused with every problem of the input.
    """
    reading = Reading()
    tree = read_keys(flat, reading.findings)
    root = compiled(opt).root
    entries = tree.take_all(root.step)
    contexts = tree.take_all(CONTEXT)
    body = entries[0] if entries else Entry(root.step, 0)
    language = _told_language(body)
    at = now or datetime.now(UTC)
    context = read_context(contexts[0] if contexts else Entry(CONTEXT, 0), language, at, reading)
    composition = _Reader(opt, context, reading).composition(root, body)
    reading.findings.extend(tree.left(Suggestions(lambda: paths_of(root))))
    if reading.findings:
        raise FlatRefused(reading.findings)
    return composition


def _told_language(body: Entry) -> str | None:
    told = body.below.get("language", {}).get(0)
    code = told.values.get("code", told.values.get("")) if told else None
    return code if isinstance(code, str) else None


class _Reader:
    def __init__(self, opt: OperationalTemplate, context: Context, reading: Reading) -> None:
        self._opt = opt
        self._context = context
        self._reading = reading
        self._header = Header(start_time=context.time, setting="", language=reading.language)

    # --- the composition -------------------------------------------------------------------------

    def composition(self, root: Place, entry: Entry) -> Json:
        """The whole, with what ``ctx/`` says of it."""
        if entry.has(RAW):
            return read_raw(entry, self._reading, ("COMPOSITION",)) or {}
        content = self._content(root, entry)
        made = self._locatable(root, entry)
        made["archetype_details"]["template_id"] = {"_type": "TEMPLATE_ID", "value": self._opt.template_id}
        for name, default in (
            ("language", self._context.language),
            ("territory", self._context.territory),
            ("category", self._category(root)),
            ("composer", self._context.composer),
        ):
            made[name] = content.pop(name, default)
        self._check_told(made)
        if self._context.links:
            content.setdefault("links", self._context.links)
        context = self._circumstances(made["category"], content.pop("context", None))
        if context is not None:
            made["context"] = context
        return made | content

    def _check_told(self, made: Json) -> None:
        for name, path in (
            ("language", "ctx/language"),
            ("territory", "ctx/territory"),
            ("composer", "ctx/composer_name"),
        ):
            if made[name] is None:
                self._reading.refuse("flat.value.missing", path, name, "nothing")

    def _category(self, root: Place) -> Json:
        """Of the context, else the only one that the template allows, else an event."""
        language = self._reading.language
        only = determined(root.children_of("category"), Rubrics(root.root, language))
        return self._context.category or only or default_category(language)

    def _circumstances(self, category: Any, told: Json | None) -> Json | None:
        """EVENT_CONTEXT; a persistent composition has one only if something is told of it."""
        code = _code_of(category)
        context = self._context
        if told is None and code == _PERSISTENT and not context.has_circumstances:
            return None
        made = {"_type": "EVENT_CONTEXT", **(told or {})}
        made.setdefault("start_time", _date_time(context.time))
        made.setdefault("setting", context.setting or default_setting(self._reading.language))
        for name, value in (
            ("end_time", _date_time(context.end_time) if context.end_time else None),
            ("location", context.location),
            ("health_care_facility", context.facility),
            ("participations", context.participations),
        ):
            if value:
                made.setdefault(name, value)
        return made

    # --- objects ---------------------------------------------------------------------------------

    def _object(self, place: Place, entry: Entry, index: int) -> Json | None:
        """The object of a place from its entry, or None if nothing of it is given."""
        content = self._content(place, entry)
        name = NAME.read(entry, self._reading) if place.step and place.name is not None else None
        if not content and name is None:
            return None
        made = self._locatable(place, entry, name)
        made["_type"] = _type_of(place, content)
        return self._complete(place, made | content, index)

    def _content(self, place: Place, entry: Entry) -> Json:
        """What the keys say, attribute by attribute."""
        content: Json = {}
        for attribute, places in place.below.items():
            members = [member for inner in places for member in self._members(inner, entry)]
            if members and places[0].container:
                content[attribute] = [value for _, value in sorted(members, key=lambda pair: pair[0])]
            elif members:
                content[attribute] = members[0][1]
        read_parts(place.parts.values(), entry, self._reading, content)
        if rm_schema().is_a(place.type_name, "EVENT"):
            count = SAMPLE_COUNT.read(entry, self._reading)
            if count is not None:
                content["sample_count"] = count
        if place.type_name == "HISTORY":
            origin = ORIGIN.read(entry, self._reading)
            if origin is not None:
                content["origin"] = origin
        return content

    def _members(self, place: Place, entry: Entry) -> list[tuple[int, Any]]:
        """The objects of a place, each with its place in the input."""
        if not place.step:
            if place.steps.isdisjoint(entry.below) and not _has_parts(place, entry):
                entry.steps.update(place.steps)
                return []
            made = self._object(place, entry, 0)
            return [] if made is None else [(entry.order, made)]
        entries = entry.take_all(place.step)
        if not entries:
            return []
        if len(entries) > 1 and not place.repeats:
            self._reading.refuse("flat.index.single", entries[1].path, "one", "several")
        # The members keep the order of their keys; those of one place that of their indexes.
        orders = sorted(each.order for each in entries)
        values = [self._shown(place, each, index) for index, each in enumerate(entries)]
        return [(order, value) for order, value in zip(orders, values, strict=True) if value is not None]

    def _shown(self, place: Place, entry: Entry, index: int) -> Any:
        if place.codec is not None:
            return read_or_raw(place.codec, entry, self._reading, place.hint, place.allowed_type)
        if place.is_element:
            return self._element(place, entry)
        if entry.has(RAW):
            return read_raw(entry, self._reading, (place.allowed_type,))
        return self._object(place, entry, index)

    def _element(self, place: Place, entry: Entry) -> Json | None:
        value = self._value(place, entry)
        if value is not None and value["_type"] == "ELEMENT":
            return value
        content = {} if value is None else {"value": value}
        read_parts(place.parts.values(), entry, self._reading, content)
        name = NAME.read(entry, self._reading)
        if not content and name is None:
            return None
        return {**self._locatable(place, entry, name), **content}

    def _value(self, place: Place, entry: Entry) -> Json | None:
        """The data value of an ELEMENT: of its only type, or of the one that is given."""
        if entry.has(RAW):
            return read_raw(entry, self._reading, ("ELEMENT", "DATA_VALUE"))
        found: list[tuple[str, Json]] = []
        for each in place.alternatives:
            entries = entry.take_all(each.step) if each.step else [entry]
            for inner in entries[:1]:
                value = read_or_raw(each.codec, inner, self._reading, each.hint, each.type_name)
                if value is not None:
                    found.append((inner.path, value))
        if len(found) > 1:
            self._reading.refuse("flat.contradiction", found[1][0], "one type of value", found[0][0])
        return found[0][1] if found else None

    def _locatable(self, place: Place, entry: Entry, name: Json | None = None) -> Json:
        """Class, name and ids of a new object."""
        made: Json = {"_type": base_name(place.type_name)}
        if place.name is None:
            return made
        if not place.step:
            name = None
        elif name is None and place.attribute == "":
            name = NAME.read(entry, self._reading)
        made["name"] = name or dict(place.name)
        made["archetype_node_id"] = place.node_id
        if place.archetype_id is not None:
            made["archetype_details"] = archetyped(place.archetype_id)
        return made

    # --- what the reference model demands --------------------------------------------------------

    def _complete(self, place: Place, made: Json, index: int) -> Json:
        type_name = made["_type"]
        match type_name:
            case "HISTORY":
                self._complete_history(made)
                return made
            case "POINT_EVENT" | "INTERVAL_EVENT":
                return made  # its time follows from the history
            case "ISM_TRANSITION":
                return made
        defaults = self._defaults(type_name, made)
        if rm_schema().is_a(type_name, "ENTRY"):
            self._add_entry_defaults(place, defaults, index)
        if type_name == "ACTION":
            transition = made.get("ism_transition", {"_type": "ISM_TRANSITION"})
            self._complete_transition(place, transition)
            if len(transition) > 1:
                made["ism_transition"] = transition
        return {**made, **{name: value for name, value in defaults.items() if name not in made}}

    def _defaults(self, type_name: str, made: Json) -> Json:
        """What every object of the class has."""
        context = self._context
        defaults: Json = {"name": made.get("name")}  # an instruction's narrative is made of it
        for complete in RM_DEFAULTS.get(type_name, ()):
            complete(defaults, self._header)
        defaults.pop("name")
        if type_name == "ACTION":
            defaults["time"] = _date_time(context.action_time or context.time)
        elif type_name == "INSTRUCTION" and context.narrative:
            defaults["narrative"] = text(context.narrative)
        elif type_name == "ACTIVITY" and context.activity_timing:
            timing = {"_type": "DV_PARSABLE", "value": context.activity_timing, "formalism": _TIMING}
            defaults["timing"] = timing
        return defaults

    def _add_entry_defaults(self, place: Place, defaults: Json, index: int) -> None:
        context = self._context
        # The composition's own language may be stated in the body, with its terminology.
        defaults["language"] = code_phrase(self._reading.language, "ISO_639-1")
        defaults["subject"] = subject(place.children_of("subject"), index + 1, self._reading.language)
        for name, value in (
            ("other_participations", context.participations),
            ("provider", context.provider),
            ("workflow_id", context.workflow_id),
        ):
            if value:
                defaults[name] = value

    def _complete_history(self, made: Json) -> None:
        """Origin: as told, else of the context, else the earliest event; events without a time get it."""
        events = made.get("events", [])
        context = self._context
        told = _date_time(context.history_origin) if context.history_origin else earliest(events)
        origin = made.setdefault("origin", told or _date_time(context.time))
        for event in events:
            event.setdefault("time", dict(origin))

    def _complete_transition(self, place: Place, transition: Json) -> None:
        """The state: of the context, or the only one that goes with the careflow step or the template."""
        if "current_state" in transition:
            return
        told = _code_of(transition.get("careflow_step"))
        states = []
        for child in place.children_of("ism_transition"):
            rubrics = Rubrics(place.root, self._reading.language)
            careflow_step = _only(child, "careflow_step", rubrics)
            if told is None or told == _code_of(careflow_step):
                states.append(_only(child, "current_state", rubrics))
        state = self._context.current_state or (states[0] if len(states) == 1 else None)
        if state is not None:
            transition["current_state"] = state


def _only(transition: Any, attribute: str, rubrics: Rubrics) -> Json | None:
    there = transition.attribute(attribute) if isinstance(transition, CComplexObject) else None
    return determined(there.children, rubrics) if there else None


def _type_of(place: Place, content: Json) -> str:
    """An EVENT with a width is an interval event."""
    if place.allowed_type == "EVENT" and ("width" in content or "math_function" in content):
        return "INTERVAL_EVENT"
    return base_name(place.type_name)


def _has_parts(place: Place, entry: Entry) -> bool:
    """True if a place without a step is spoken of by an attribute that has no node."""
    if place.type_name == "HISTORY" and ORIGIN.key in entry.below:
        return True
    return any(part.key in entry.below for part in place.parts.values())


def _code_of(value: Any) -> Any:
    """The code of a DV_CODED_TEXT, which may have come as it is and be anything."""
    phrase = value.get("defining_code") if isinstance(value, dict) else None
    return phrase.get("code_string") if isinstance(phrase, dict) else None


def _date_time(value: str) -> Json:
    return {"_type": "DV_DATE_TIME", "value": value}
