"""Code systems and value sets as files: FHIR R4 CodeSystem and ValueSet as JSON, code lists as CSV.

Validity: ``effectivePeriod`` (as R5 has it, its end is its last day), else ``date``. A draft or experimental
list is provisional.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from archetypes.errors import HelsekortError
from archetypes.rm.canonical_json import read_canonical
from cdr.terminology.releases import CodeSystemRelease, Concept, Release, ValueSetRelease

_YES = {"1", "true", "ja", "yes", "x"}
_COLUMNS = {"code", "display"}


class MalformedCodeList(HelsekortError):
    """A file that is no code list, or says too little."""

    code = "terminology.malformed"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


def read_code_list(data: bytes) -> Release:
    """A FHIR CodeSystem or ValueSet. Raises MalformedCodeList, MalformedJson."""
    kind = read_canonical(data).get("resourceType")
    return read_value_set(data) if kind == "ValueSet" else read_code_system(data)


def read_code_system(data: bytes) -> CodeSystemRelease:
    """A FHIR CodeSystem. Raises MalformedCodeList, MalformedJson."""
    said = _resource(data, "CodeSystem")
    start, end = _period(said)
    concepts: dict[str, Concept] = {}
    for concept in _concepts(said.get("concept", []), ""):
        if concept.code in concepts:
            raise MalformedCodeList("CodeSystem.concept", f"code {concept.code!r} is there twice")
        concepts[concept.code] = concept
    if not concepts:
        raise MalformedCodeList("CodeSystem.concept", "has no codes")
    url, version = _text(said, "url"), _text(said, "version")
    return CodeSystemRelease(url, version, start, concepts, end, _is_provisional(said))


def read_value_set(data: bytes) -> ValueSetRelease:
    """A FHIR ValueSet, expanded or composed of listed codes.

    Raises MalformedCodeList, also for filters and imports, which need a terminology server.
    """
    said = _resource(data, "ValueSet")
    start, end = _period(said)
    codings = frozenset(_codings(said))
    if not codings:
        raise MalformedCodeList("ValueSet", "lists no codes")
    url, version = _text(said, "url"), _text(said, "version")
    return ValueSetRelease(url, version, start, codings, end, _is_provisional(said))


def read_code_system_csv(
    text: str, *, system: str, version: str, valid_from: date, provisional: bool = False
) -> CodeSystemRelease:
    """A code list with columns code, display and, as wanted, parent, retired, successor; ``;`` or ``,``.

    Raises MalformedCodeList.
    """
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter)
    missing = _COLUMNS - set(rows.fieldnames or ())
    if missing:
        raise MalformedCodeList("line 1", f"no column {', '.join(sorted(missing))}")
    concepts: dict[str, Concept] = {}
    for row in rows:
        concept = _row(row)
        if not concept.code or concept.code in concepts:
            raise MalformedCodeList(f"line {rows.line_num}", f"code {concept.code!r} is empty or there twice")
        concepts[concept.code] = concept
    if not concepts:
        raise MalformedCodeList("line 2", "has no codes")
    return CodeSystemRelease(system, version, valid_from, concepts, None, provisional)


def _row(row: Mapping[str, str | None]) -> Concept:
    said = {name: (value or "").strip() for name, value in row.items() if isinstance(value, str | None)}
    retired = said.get("retired", "").casefold() in _YES
    return Concept(said["code"], said["display"], said.get("parent", ""), retired, said.get("successor", ""))


def _resource(data: bytes, kind: str) -> dict[str, Any]:
    said = read_canonical(data)
    if said.get("resourceType") != kind:
        raise MalformedCodeList("resourceType", f"{kind} expected")
    return said


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedCodeList(name, "a text is needed")
    return value


def _is_provisional(said: Mapping[str, Any]) -> bool:
    return said.get("experimental") is True or said.get("status") == "draft"


def _period(said: Mapping[str, Any]) -> tuple[date, date | None]:
    period = said.get("effectivePeriod")
    period = period if isinstance(period, dict) else {}
    start, end = period.get("start") or said.get("date"), period.get("end")
    return _day(start, "date"), None if end is None else _day_after(_day(end, "effectivePeriod.end"))


def _day_after(day: date) -> date | None:
    """None after the last day that there is: such a list does not end."""
    return None if day == date.max else day + timedelta(days=1)


def _day(text: Any, place: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except (TypeError, ValueError) as error:
        raise MalformedCodeList(place, "a full date is needed") from error


def _concepts(members: Any, parent: str) -> Iterator[Concept]:
    for member in _objects(members, "concept"):
        code = _text(member, "code")
        said = {str(p.get("code")): p for p in _objects(member.get("property", []), "property")}
        yield Concept(
            code,
            str(member.get("display", "")),
            _value(said.get("parent")) or parent,
            _value(said.get("inactive")) == "True" or _value(said.get("status")) in ("retired", "inactive"),
            _value(said.get("successor")) or _value(said.get("replacedBy")),
        )
        yield from _concepts(member.get("concept", []), code)


def _value(said: Mapping[str, Any] | None) -> str:
    """The value of a FHIR property, whatever its type: there is only one ``value...``."""
    return next((str(v) for name, v in (said or {}).items() if name.startswith("value")), "")


def _codings(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    expansion = said.get("expansion")
    if isinstance(expansion, dict):
        for member in _objects(expansion.get("contains", []), "expansion.contains"):
            yield _text(member, "system"), _text(member, "code")
        return
    compose = said.get("compose")
    for included in _objects(compose.get("include", []) if isinstance(compose, dict) else [], "include"):
        if not included.get("concept") or included.get("filter") or included.get("valueSet"):
            raise MalformedCodeList(
                "compose.include", "only listed codes can be read; expand the value set first"
            )
        system = _text(included, "system")
        yield from ((system, _text(member, "code")) for member in _objects(included["concept"], "concept"))


def _objects(members: Any, place: str) -> list[dict[str, Any]]:
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise MalformedCodeList(place, "a list of objects is needed")
    return members
