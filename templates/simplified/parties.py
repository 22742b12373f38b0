"""Parties, participations, references, links and feeder audits in FLAT."""

from __future__ import annotations

import re
from typing import Any

from archetypes.terminology.openehr import terminology
from templates.data_values import coded, text
from templates.simplified.codecs import (
    Hint,
    Json,
    Leaf,
    Part,
    Reading,
    Shape,
    Unsayable,
    codec_of,
    register,
    same,
)
from templates.simplified.entries import Entry

_PARTIES = ("PARTY_SELF", "PARTY_IDENTIFIED", "PARTY_RELATED")

# A reference of these types says nothing of what it points to; any other is said.
_ANY_PARTY = ("PARTY", "ANY")

_NUMBERED = re.compile(r"(issuer|assigner|id|type)(?::([0-9]{1,3}))?")

_REFERENCE = Shape(
    "PARTY_REF",
    leaves=(
        Leaf(("id_namespace",), ("namespace",), "STRING"),
        Leaf(("id_type",), ("type",), "STRING"),
    ),
)


def uid_of(value: str) -> Json:
    """A UID_BASED_ID; its syntax says which."""
    return {"_type": "OBJECT_VERSION_ID" if "::" in value else "HIER_OBJECT_ID", "value": value}


def _write_id(identifier: Any, at: str, out: Json, suffix: str = "id") -> None:
    """The value and, of a GENERIC_ID, the scheme."""
    if not isinstance(identifier, dict):
        raise Unsayable("id")
    rest = {name: value for name, value in identifier.items() if name not in ("_type", "value", "scheme")}
    generic = identifier.get("_type") == "GENERIC_ID"
    scheme = identifier.get("scheme")
    value = identifier.get("value")
    if rest or not _is_text(value) or generic != _is_text(scheme):
        raise Unsayable("id")
    if not generic and identifier.get("_type") != "HIER_OBJECT_ID":
        raise Unsayable("id")
    out[f"{at}|{suffix}"] = value
    if generic:
        out[f"{at}|id_scheme"] = scheme


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _read_id(value: str, scheme: str | None) -> Json:
    if scheme is None:
        return {"_type": "HIER_OBJECT_ID", "value": value}
    return {"_type": "GENERIC_ID", "value": value, "scheme": scheme}


class PartyCodec:
    """PARTY_PROXY: name, reference, identifiers, relationship; ``_type`` where these do not tell."""

    def __init__(self, type_name: str) -> None:
        self._identifiers = Part("_identifier", "identifiers", "DV_IDENTIFIER", many=True)
        self._relationship = Part("relationship", "relationship", "DV_CODED_TEXT", terminology="openehr")
        self._name = Leaf(("name",), ("name",), "STRING")

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        type_name = value.get("_type") if isinstance(value, dict) else None
        if type_name not in _PARTIES:
            raise Unsayable("")
        related = "relationship" in value
        if type_name == "PARTY_SELF" or related != (type_name == "PARTY_RELATED") or len(value) == 1:
            out[f"{at}|_type"] = type_name
        for attribute, inner in value.items():
            if inner is not None and inner != [] and attribute != "_type":
                self._write_attribute(attribute, inner, at, out)

    def _write_attribute(self, attribute: str, inner: Any, at: str, out: Json) -> None:
        match attribute:
            case "name":
                self._name.write(inner, at, out)
            case "external_ref":
                _write_reference(inner, at, out)
            case "identifiers":
                self._identifiers.write(inner, at, out)
            case "relationship":
                self._relationship.write(inner, at, out)
            case _:
                raise Unsayable(attribute)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        stated = reading.scalar("STRING", entry, "_type")
        if stated is not None and stated not in _PARTIES:
            reading.refuse("flat.type", entry.key("_type"), " ".join(_PARTIES), stated)
        made: Json = {}
        for name, value in (
            ("name", self._name.read(entry, reading)),
            ("external_ref", _read_reference(entry, reading)),
            ("identifiers", self._identifiers.read(entry, reading)),
            ("relationship", self._relationship_of(entry, reading)),
        ):
            if value is not None:
                made[name] = value
        if not made and stated is None:
            return None
        implied = "PARTY_RELATED" if "relationship" in made else "PARTY_IDENTIFIED"
        return {"_type": stated or implied, **made}

    def _relationship_of(self, entry: Entry, reading: Reading) -> Any:
        """The specification's table writes the step with an underscore, its examples without."""
        found = self._relationship.read(entry, reading)
        other = Part("_relationship", "relationship", "DV_CODED_TEXT", terminology="openehr")
        return found if found is not None else other.read(entry, reading)


def _write_reference(value: Any, at: str, out: Json) -> None:
    if not isinstance(value, dict) or value.get("_type", "PARTY_REF") != "PARTY_REF":
        raise Unsayable("external_ref")
    shown = {name: inner for name, inner in value.items() if name != "id"}
    if shown.get("type") in _ANY_PARTY:
        del shown["type"]
    if "namespace" not in shown:
        raise Unsayable("external_ref/namespace")
    _write_id(value.get("id"), at, out)
    _REFERENCE.write(shown, at, out)


def _read_reference(entry: Entry, reading: Reading) -> Json | None:
    value = reading.scalar("STRING", entry, "id")
    scheme = reading.scalar("STRING", entry, "id_scheme") or reading.id_scheme
    namespace = reading.scalar("STRING", entry, "id_namespace") or reading.id_namespace
    type_name = reading.scalar("STRING", entry, "id_type") or "PARTY"
    if value is None:
        return None
    if namespace is None:
        reading.refuse("flat.value.missing", entry.key("id_namespace"), "|id_namespace or ctx/id_namespace")
    identifier = _read_id(value, scheme)
    return {"_type": "PARTY_REF", "namespace": namespace, "type": type_name, "id": identifier}


class ParticipationCodec:
    """PARTICIPATION: function and mode, and the keys of its performer at the same path."""

    def __init__(self, type_name: str) -> None:
        self._function = Part("function", "function", "DV_TEXT")
        self._plain_function = Leaf(("function",), ("value",), "STRING")

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        known = {"_type", "function", "mode", "performer"}
        if not isinstance(value, dict) or set(value) - known or "performer" not in value:
            raise Unsayable("")
        function = value.get("function")
        if function is not None:
            if _is_plain(function):
                self._plain_function.write(function["value"], at, out)
            else:
                self._function.write(function, at, out)
        mode = value.get("mode")
        if mode is not None:
            rubric = mode.get("value") if isinstance(mode, dict) else None
            if not isinstance(rubric, str) or not same(participation_mode(rubric), mode):
                raise Unsayable("mode")
            out[f"{at}|mode"] = rubric
        codec_of("PARTY_PROXY").write(value["performer"], at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        function = self._plain_function.read(entry, reading)
        of_parts = self._function.read(entry, reading)
        mode = reading.scalar("STRING", entry, "mode")
        performer = codec_of("PARTY_PROXY").read(entry, reading, hint)
        identifiers = numbered_identifiers(entry, reading, "identifiers_")
        if identifiers:
            performer = {"_type": "PARTY_IDENTIFIED", **(performer or {}), "identifiers": identifiers}
        if function is None and of_parts is None and mode is None and performer is None:
            return None
        made: Json = {"_type": "PARTICIPATION"}
        made["function"] = text(function) if function is not None else of_parts
        if made["function"] is None:
            reading.refuse("flat.value.missing", entry.key("function"), "PARTICIPATION", "nothing")
        if mode is not None:
            made["mode"] = participation_mode(mode)
            if made["mode"] is None:
                expected = "a participation mode of openEHR"
                reading.refuse("flat.code.unknown", entry.key("mode"), expected, mode)
        if performer is None:
            reading.refuse("flat.value.missing", entry.key("name"), "PARTICIPATION", "nothing")
        made["performer"] = performer
        return made


def numbered_identifiers(entry: Entry, reading: Reading, prefix: str = "") -> list[Json]:
    """Identifiers whose parts are the suffixes ``issuer:0``, ``id:0`` ... of one entry."""
    found: dict[int, Json] = {}
    for suffix in list(entry.values):
        match = _NUMBERED.fullmatch(suffix.removeprefix(prefix))
        if match is not None and suffix.startswith(prefix) and (prefix or match[2]):
            value = reading.scalar("STRING", entry, suffix)
            found.setdefault(int(match[2] or 0), {"_type": "DV_IDENTIFIER"})[match[1]] = value
    return [found[index] for index in sorted(found)]


def _is_plain(value: Any) -> bool:
    """True for a DV_TEXT with nothing but its text."""
    told = isinstance(value, dict) and value.get("_type", "DV_TEXT") == "DV_TEXT"
    return told and set(value) <= {"_type", "value"}


def participation_mode(told: str) -> Json | None:
    """The mode by its code or by its text in any language; the text stays as it was told."""
    group = terminology().groups["participation_mode"]
    if told in group:
        return coded(told, "openehr", group[told]["en"])
    code = next((code for code, texts in group.items() if told in texts.values()), None)
    return None if code is None else coded(code, "openehr", told)


class ObjectRefCodec:
    """OBJECT_REF of a workflow or guideline."""

    def __init__(self, type_name: str) -> None:
        pass

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        known = {"_type", "id", "namespace", "type"}
        if (
            not isinstance(value, dict)
            or value.get("_type", "OBJECT_REF") != "OBJECT_REF"
            or set(value) - known
        ):
            raise Unsayable("")
        _write_id(value.get("id"), at, out)
        for name in ("namespace", "type"):
            Leaf((name,), (name,), "STRING").write(value.get(name, ""), at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        names = ("id", "id_scheme", "scheme", "namespace", "type")
        value = {name: reading.scalar("STRING", entry, name) for name in names}
        if not any(value.values()):
            return None
        namespace = value["namespace"] or reading.id_namespace
        for name, found in (("id", value["id"]), ("namespace", namespace), ("type", value["type"])):
            if found is None:
                reading.refuse("flat.value.missing", entry.key(name), "OBJECT_REF", "nothing")
        scheme = value["id_scheme"] or value["scheme"] or reading.id_scheme
        identifier = _read_id(value["id"] or "", scheme)
        return {"_type": "OBJECT_REF", "namespace": namespace, "type": value["type"], "id": identifier}


class LinkCodec:
    """LINK: three texts; a coded meaning or type has the suffixes of a code below its own step."""

    def __init__(self, type_name: str) -> None:
        self._target = Leaf(("target",), ("target", "value"), "STRING")

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        if not isinstance(value, dict) or set(value) - {"_type", "meaning", "type", "target"}:
            raise Unsayable("")
        for name in ("type", "meaning"):
            inner = value.get(name)
            if isinstance(inner, dict) and _is_plain(inner):
                Leaf((name,), (name,), "STRING").write(inner.get("value", ""), at, out)
            elif inner is not None:
                Part(name, name, "DV_TEXT").write(inner, at, out)
        target = value.get("target")
        if not isinstance(target, dict) or set(target) - {"_type", "value"}:
            raise Unsayable("target")
        self._target.write(target.get("value", ""), at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        # The specification writes a coded meaning as |meaning|code.
        for name in ("type", "meaning"):
            for key in [key for key in entry.values if key.startswith(f"{name}|")]:
                below = entry.below.setdefault(name, {}).setdefault(0, Entry(f"{entry.path}/{name}", 0))
                below.values[key.partition("|")[2]] = entry.values.pop(key)
        made: Json = {}
        for name in ("meaning", "type"):
            value = reading.scalar("STRING", entry, name)
            told = Part(name, name, "DV_TEXT").read(entry, reading) if value is None else text(value)
            if told is not None:
                made[name] = told
        target = self._target.read(entry, reading)
        if target is not None:
            made["target"] = {"_type": "DV_EHR_URI", "value": target}
        if not made:
            return None
        for name in ("meaning", "type", "target"):
            if name not in made:
                reading.refuse("flat.value.missing", entry.key(name), "LINK", "nothing")
        return {"_type": "LINK", **made}


class InstructionDetailsCodec:
    """INSTRUCTION_DETAILS: which activity of which instruction of which composition."""

    def __init__(self, type_name: str) -> None:
        pass

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        reference = value.get("instruction_id") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(reference, dict):
            raise Unsayable("instruction_id")
        uid = reference.get("id")
        told = str(uid.get("value")) if isinstance(uid, dict) else ""
        path, activity_id = reference.get("path"), value.get("activity_id")
        if value != _instruction_details(path, told, activity_id):
            raise Unsayable("instruction_id")
        for name, said in (("composition_uid", told), ("path", path), ("activity_id", activity_id)):
            if said is not None:
                Leaf((name,), (name,), "STRING").write(said, at, out)

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        names = ("path", "composition_uid", "activity_id")
        value = {name: reading.scalar("STRING", entry, name) for name in names}
        if not any(value.values()):
            return None
        for name in ("composition_uid", "activity_id"):
            if value[name] is None:
                reading.refuse("flat.value.missing", entry.key(name), "INSTRUCTION_DETAILS", "nothing")
        return _instruction_details(value["path"], value["composition_uid"] or "", value["activity_id"])


def _instruction_details(path: str | None, uid: str, activity_id: str | None) -> Json:
    reference: Json = {"_type": "LOCATABLE_REF", "namespace": "local", "type": "COMPOSITION"}
    reference["id"] = uid_of(uid)
    if path is not None:
        reference["path"] = path
    return {"_type": "INSTRUCTION_DETAILS", "instruction_id": reference, "activity_id": activity_id}


class UidCodec:
    """LOCATABLE.uid: one text."""

    def __init__(self, type_name: str) -> None:
        pass

    def write(self, value: Any, at: str, out: Json) -> None:
        """See Codec."""
        if not isinstance(value, dict) or set(value) - {"_type", "value"} or not _is_text(value.get("value")):
            raise Unsayable("uid")
        out[at] = value["value"]

    def read(self, entry: Entry, reading: Reading, hint: Hint) -> Json | None:
        """See Codec."""
        value = reading.scalar("STRING", entry, "")
        return None if value is None else uid_of(value)


def _feeder_audit(type_name: str) -> Shape:
    return Shape(
        type_name,
        parts=(
            Part("originating_system_item_id", "originating_system_item_ids", "DV_IDENTIFIER", many=True),
            Part("feeder_system_item_id", "feeder_system_item_ids", "DV_IDENTIFIER", many=True),
            Part("original_content", "original_content", "DV_PARSABLE"),
            Part("original_content_multimedia", "original_content", "DV_MULTIMEDIA"),
            Part("originating_system_audit", "originating_system_audit", "FEEDER_AUDIT_DETAILS"),
            Part("feeder_system_audit", "feeder_system_audit", "FEEDER_AUDIT_DETAILS"),
        ),
    )


def _feeder_audit_details(type_name: str) -> Shape:
    return Shape(
        type_name,
        leaves=(
            Leaf(("system_id",), ("system_id",), "STRING"),
            Leaf(("version_id",), ("version_id",), "STRING"),
            Leaf(("time",), ("time", "value"), "DATE_TIME"),
        ),
        parts=(
            Part("location", "location", "PARTY_IDENTIFIED"),
            Part("subject", "subject", "PARTY_PROXY"),
            Part("provider", "provider", "PARTY_IDENTIFIED"),
        ),
        required=("system_id",),
    )


for _name in ("PARTY_PROXY", *_PARTIES):
    register(_name, PartyCodec)
register("PARTICIPATION", ParticipationCodec)
register("OBJECT_REF", ObjectRefCodec)
register("LINK", LinkCodec)
register("INSTRUCTION_DETAILS", InstructionDetailsCodec)
register("UID_BASED_ID", UidCodec)
register("FEEDER_AUDIT", _feeder_audit)
register("FEEDER_AUDIT_DETAILS", _feeder_audit_details)
