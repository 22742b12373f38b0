"""``ctx/``: what a FLAT composition says once for all of its nodes (simplified formats, context)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archetypes.terminology.openehr import terminology
from templates.data_values import code_phrase, coded, text
from templates.simplified.codecs import NO_HINT, Json, Reading, codec_of
from templates.simplified.entries import Entry
from templates.simplified.parties import numbered_identifiers, participation_mode

_OTHER_CARE = "238"
_EVENT = "433"
_NOT_SPECIFIED = "not specified"  # participation mode where none is told

_IDENTIFIER = ("issuer", "assigner", "id", "type")


@dataclass(slots=True)
class Context:
    """Defaults for what the body does not say; None where nothing is said here either."""

    time: str
    language: Json | None = None
    territory: Json | None = None
    category: Json | None = None
    composer: Json | None = None
    provider: Json | None = None
    facility: Json | None = None
    setting: Json | None = None
    current_state: Json | None = None
    workflow_id: Json | None = None
    end_time: str | None = None
    history_origin: str | None = None
    action_time: str | None = None
    activity_timing: str | None = None
    narrative: str | None = None
    location: str | None = None
    participations: list[Json] = field(default_factory=list)
    links: list[Json] = field(default_factory=list)
    has_circumstances: bool = False


def read_context(entry: Entry, language: str | None, now: datetime, reading: Reading) -> Context:
    """The context; ``language`` is the one that the body states, ``now`` the time if none is given."""
    values = _Values(entry, reading)
    reading.id_scheme = values.text("id_scheme")
    reading.id_namespace = values.text("id_namespace")
    told_language, territory = values.text("language"), values.text("territory")
    reading.language = language or told_language or "en"
    time = values.time("time")
    context = Context(time or now.isoformat())
    context.language = code_phrase(told_language, "ISO_639-1") if told_language else None
    context.territory = code_phrase(territory, "ISO_3166-1") if territory else None
    context.category = values.code("category", "composition_category")
    context.setting = values.code("setting", "setting")
    context.current_state = values.code("action_ism_transition_current_state", "instruction_states")
    context.end_time = values.time("end_time")
    context.history_origin = values.time("history_origin")
    context.action_time = values.time("action_time")
    context.activity_timing = values.text("activity_timing")
    context.narrative = values.text("instruction_narrative")
    context.location = values.text("location")
    context.composer = values.composer()
    context.provider = values.party("provider")
    context.facility = values.facility()
    context.workflow_id = values.workflow_id()
    context.links = values.links()
    context.participations = values.participations()
    context.has_circumstances = any(
        (time, context.end_time, context.setting, context.facility, context.location)
    )
    return context


def default_setting(language: str) -> Json:
    """EVENT_CONTEXT.setting if nobody says it."""
    return _openehr("setting", _OTHER_CARE, language)


def default_category(language: str) -> Json:
    """COMPOSITION.category if neither template nor context say it."""
    return _openehr("composition_category", _EVENT, language)


def _openehr(group: str, code: str, language: str) -> Json:
    return coded(code, "openehr", terminology().rubric(group, code, language) or code)


class _Values:
    """Takes the keys of ``ctx`` apart."""

    def __init__(self, entry: Entry, reading: Reading) -> None:
        self._entry = entry
        self._reading = reading

    def _scalar(self, name: str, kind: str, suffix: str = "") -> Any:
        entries = self._entry.take_all(name)
        return self._reading.scalar(kind, entries[0], suffix) if entries else None

    def text(self, name: str) -> str | None:
        value: str | None = self._scalar(name, "STRING")
        return value

    def time(self, name: str) -> str | None:
        value: str | None = self._scalar(name, "DATE_TIME")
        return value

    def code(self, name: str, group: str) -> Json | None:
        """A code of an openEHR group, told by code or by its text in any language."""
        told = self.text(name)
        if told is None:
            return None
        codes = terminology().groups[group]
        found = (
            told if told in codes else next((c for c, texts in codes.items() if told in texts.values()), None)
        )
        if found is None:
            self._reading.refuse("flat.code.unknown", f"ctx/{name}", f"a code of {group}", told)
            return None
        return _openehr(group, found, self._reading.language)

    def composer(self) -> Json | None:
        is_self = self._scalar("composer_self", "BOOLEAN")
        party = self.party("composer")
        if is_self:
            return {**(party or {}), "_type": "PARTY_SELF"}
        return party

    def party(self, name: str) -> Json | None:
        """``composer_name`` and ``composer_id``."""
        told = {"name": self.text(f"{name}_name"), "id": self.text(f"{name}_id")}
        return self._party(f"ctx/{name}_id", told)

    def _party(self, path: str, values: dict[str, Any], below: Entry | None = None) -> Json | None:
        entry = Entry(path, 0) if below is None else below
        entry.values.update({name: value for name, value in values.items() if value is not None})
        party: Json | None = codec_of("PARTY_IDENTIFIED").read(entry, self._reading, NO_HINT)
        return party

    def facility(self) -> Json | None:
        entries = self._entry.take_all("health_care_facility") + self._entry.take_all("healthcare_facility")
        return self._party("", {}, entries[0]) if entries else None

    def workflow_id(self) -> Json | None:
        entries = self._entry.take_all("work_flow_id") + self._entry.take_all("workflow_id")
        found: Json | None = (
            codec_of("OBJECT_REF").read(entries[0], self._reading, NO_HINT) if entries else None
        )
        return found

    def links(self) -> list[Json]:
        links = [codec_of("LINK").read(each, self._reading, NO_HINT) for each in self._entry.take_all("link")]
        return [link for link in links if link is not None]

    def participations(self) -> list[Json]:
        """One for each index that any of the keys has, in their order."""
        found: dict[int, dict[str, Entry]] = {}
        for name in ("name", "function", "mode", "id", "identifiers"):
            self._entry.steps.add(f"participation_{name}")
            for index, each in self._entry.below.get(f"participation_{name}", {}).items():
                found.setdefault(index, {})[name] = each
        return [self._participation(index, found[index]) for index in sorted(found)]

    def _participation(self, index: int, entries: dict[str, Entry]) -> Json:
        told = {
            name: self._reading.scalar("STRING", entry, "")
            for name, entry in entries.items()
            if name != "identifiers"
        }
        path = f"ctx/participation_function:{index}"
        if told.get("function") is None:
            self._reading.refuse("flat.value.missing", path, "a function of the participation", "nothing")
        mode = participation_mode(told.get("mode") or _NOT_SPECIFIED)
        if mode is None:
            expected = "a participation mode of openEHR"
            mode_path = f"ctx/participation_mode:{index}"
            self._reading.refuse("flat.code.unknown", mode_path, expected, told.get("mode"))
        names = {"name": told.get("name"), "id": told.get("id")}
        performer = self._party(f"ctx/participation_id:{index}", names) or {"_type": "PARTY_IDENTIFIED"}
        identifiers = self._identifiers(entries["identifiers"]) if "identifiers" in entries else []
        if identifiers:
            performer["identifiers"] = identifiers
        made: Json = {"_type": "PARTICIPATION", "function": text(told.get("function") or "")}
        return {**made, "mode": mode, "performer": performer}

    def _identifiers(self, entry: Entry) -> list[Json]:
        """``issuer::assigner::id::type;...`` in one text, or ``|issuer:0`` and its like."""
        compact = self._reading.scalar("STRING", entry, "")
        if compact is not None:
            return [self._compact(entry, each) for each in compact.split(";")]
        return numbered_identifiers(entry, self._reading)

    def _compact(self, entry: Entry, told: str) -> Json:
        parts = told.split("::")
        if len(parts) != len(_IDENTIFIER):
            self._reading.refuse("flat.type", entry.path, "issuer::assigner::id::type", told)
        known = {name: part for name, part in zip(_IDENTIFIER, parts, strict=False) if part}
        return {"_type": "DV_IDENTIFIER", **known}
