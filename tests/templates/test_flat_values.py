"""Every data type, and every attribute without a node, has its keys in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from templates.simplified.codecs import NO_HINT, Hint, Reading, Unsayable, codec_of, write_or_raw
from templates.simplified.entries import Entry, Suggestions, read_keys


def _code(code: str, terminology: str) -> dict[str, Any]:
    terminology_id = {"_type": "TERMINOLOGY_ID", "value": terminology}
    return {"_type": "CODE_PHRASE", "terminology_id": terminology_id, "code_string": code}


def _text(value: str) -> dict[str, Any]:
    return {"_type": "DV_TEXT", "value": value}


def _coded(code: str, terminology: str, value: str) -> dict[str, Any]:
    return {"_type": "DV_CODED_TEXT", "value": value, "defining_code": _code(code, terminology)}


def _quantity(magnitude: float) -> dict[str, Any]:
    return {"_type": "DV_QUANTITY", "magnitude": magnitude, "units": "cm"}


def _interval(**more: Any) -> dict[str, Any]:
    flags = {f"{bound}_{flag}": flag == "included" for bound in ("lower", "upper") for flag in _FLAGS}
    return {"_type": "DV_INTERVAL", **flags, **more}


_FLAGS = ("unbounded", "included")
_PARTY_REF = {
    "_type": "PARTY_REF",
    "namespace": "NS",
    "type": "PARTY",
    "id": {"_type": "GENERIC_ID", "value": "9", "scheme": "S"},
}
_IDENTIFIER = {"_type": "DV_IDENTIFIER", "id": "1", "issuer": "a", "assigner": "b", "type": "c"}
_PARTY = {
    "_type": "PARTY_IDENTIFIED",
    "name": "Kari",
    "external_ref": _PARTY_REF,
    "identifiers": [_IDENTIFIER],
}
_PARTY_KEYS = {
    "x|name": "Kari",
    "x|id": "9",
    "x|id_scheme": "S",
    "x|id_namespace": "NS",
    "x/_identifier:0|id": "1",
    "x/_identifier:0|issuer": "a",
    "x/_identifier:0|assigner": "b",
    "x/_identifier:0|type": "c",
}
_MODE = _coded("216", "openehr", "face-to-face communication")

# type, canonical, keys of it at x
SAID: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("DV_TEXT", _text("a"), {"x": "a"}),
    (
        "DV_TEXT",
        {
            **_text("a"),
            "formatting": "plain",
            "language": _code("nb", "ISO_639-1"),
            "encoding": _code("UTF-8", "IANA_character-sets"),
            "hyperlink": {"_type": "DV_URI", "value": "http://a"},
            "mappings": [
                {
                    "_type": "TERM_MAPPING",
                    "match": "=",
                    "target": _code("1", "SNOMED-CT"),
                    "purpose": _coded("671", "openehr", "research study"),
                }
            ],
        },
        {
            "x": "a",
            "x|formatting": "plain",
            "x/_language|code": "nb",
            "x/_language|terminology": "ISO_639-1",
            "x/_encoding|code": "UTF-8",
            "x/_encoding|terminology": "IANA_character-sets",
            "x/_hyperlink": "http://a",
            "x/_mapping:0|match": "=",
            "x/_mapping:0/target|code": "1",
            "x/_mapping:0/target|terminology": "SNOMED-CT",
            "x/_mapping:0/purpose|code": "671",
            "x/_mapping:0/purpose|value": "research study",
            "x/_mapping:0/purpose|terminology": "openehr",
        },
    ),
    ("DV_TEXT", _coded("1", "ICD-10", "a"), {"x|code": "1", "x|terminology": "ICD-10", "x|value": "a"}),
    ("DV_CODED_TEXT", _text("a"), {"x|other": "a"}),
    (
        "DV_CODED_TEXT",
        {
            "_type": "DV_CODED_TEXT",
            "value": "a",
            "defining_code": {**_code("1", "ICD-10"), "preferred_term": "b"},
        },
        {"x|code": "1", "x|value": "a", "x|terminology": "ICD-10", "x|preferred_term": "b"},
    ),
    (
        "DV_ORDINAL",
        {
            "_type": "DV_ORDINAL",
            "value": 2,
            "symbol": _coded("at2", "local", "two"),
            "normal_status": _code("N", "openehr_normal_statuses"),
        },
        {"x|code": "at2", "x|value": "two", "x|ordinal": 2, "x|normal_status": "N"},
    ),
    (
        "DV_SCALE",
        {"_type": "DV_SCALE", "value": 2.5, "symbol": _coded("2", "LOINC", "two")},
        {"x|code": "2", "x|value": "two", "x|ordinal": 2.5, "x|terminology": "LOINC"},
    ),
    (
        "DV_QUANTITY",
        {
            **_quantity(3.5),
            "precision": 1,
            "units_system": "http://u",
            "units_display_name": "centimetre",
            "magnitude_status": "~",
            "accuracy": 5.0,
            "accuracy_is_percent": True,
            "normal_range": _interval(lower=_quantity(1), upper=_quantity(2)),
            "other_reference_ranges": [
                {
                    "_type": "REFERENCE_RANGE",
                    "meaning": _text("high"),
                    "range": _interval(lower=_quantity(4), upper_unbounded=True, upper_included=False),
                },
                {
                    "_type": "REFERENCE_RANGE",
                    "meaning": _coded("1", "ICD-10", "low"),
                    "range": _interval(upper=_quantity(1), lower_unbounded=True, lower_included=False),
                },
            ],
        },
        {
            "x|magnitude": 3.5,
            "x|unit": "cm",
            "x|precision": 1,
            "x|units_system": "http://u",
            "x|units_display_name": "centimetre",
            "x|magnitude_status": "~",
            "x|accuracy": 5.0,
            "x|accuracy_is_percent": True,
            "x/_normal_range/lower|magnitude": 1,
            "x/_normal_range/lower|unit": "cm",
            "x/_normal_range/upper|magnitude": 2,
            "x/_normal_range/upper|unit": "cm",
            "x/_other_reference_ranges:0/meaning": "high",
            "x/_other_reference_ranges:0/lower|magnitude": 4,
            "x/_other_reference_ranges:0/lower|unit": "cm",
            "x/_other_reference_ranges:0|upper_unbounded": True,
            "x/_other_reference_ranges:0|upper_included": False,
            "x/_other_reference_ranges:1/meaning|code": "1",
            "x/_other_reference_ranges:1/meaning|value": "low",
            "x/_other_reference_ranges:1/meaning|terminology": "ICD-10",
            "x/_other_reference_ranges:1/upper|magnitude": 1,
            "x/_other_reference_ranges:1/upper|unit": "cm",
            "x/_other_reference_ranges:1|lower_unbounded": True,
            "x/_other_reference_ranges:1|lower_included": False,
        },
    ),
    ("DV_COUNT", {"_type": "DV_COUNT", "magnitude": 7}, {"x": 7}),
    (
        "DV_PROPORTION",
        {"_type": "DV_PROPORTION", "numerator": 1, "denominator": 4, "type": 0, "precision": 0},
        {"x|numerator": 1, "x|denominator": 4, "x|type": 0, "x|precision": 0, "x": 0.25},
    ),
    (
        "DV_DATE",
        {
            "_type": "DV_DATE",
            "value": "2026-01",
            "accuracy": {"_type": "DV_DURATION", "value": "P2D"},
            "magnitude_status": "<",
        },
        {"x": "2026-01", "x/_accuracy": "P2D", "x|magnitude_status": "<"},
    ),
    ("DV_TIME", {"_type": "DV_TIME", "value": "10:30"}, {"x": "10:30"}),
    (
        "DV_DATE_TIME",
        {"_type": "DV_DATE_TIME", "value": "2026-01-02T03:04+01:00"},
        {"x": "2026-01-02T03:04+01:00"},
    ),
    ("DV_DURATION", {"_type": "DV_DURATION", "value": "P12W3D"}, {"x": "P12W3D"}),
    ("DV_BOOLEAN", {"_type": "DV_BOOLEAN", "value": False}, {"x": False}),
    ("DV_URI", {"_type": "DV_URI", "value": "http://a"}, {"x": "http://a"}),
    ("DV_EHR_URI", {"_type": "DV_EHR_URI", "value": "ehr://a"}, {"x": "ehr://a"}),
    ("DV_IDENTIFIER", _IDENTIFIER, {"x|id": "1", "x|issuer": "a", "x|assigner": "b", "x|type": "c"}),
    (
        "DV_PARSABLE",
        {"_type": "DV_PARSABLE", "value": "a", "formalism": "f", "charset": _code("UTF-8", "IANA")},
        {"x": "a", "x|formalism": "f", "x/_charset|code": "UTF-8", "x/_charset|terminology": "IANA"},
    ),
    (
        "DV_MULTIMEDIA",
        {
            "_type": "DV_MULTIMEDIA",
            "uri": {"_type": "DV_URI", "value": "http://a"},
            "media_type": _code("image/png", "IANA_media-types"),
            "size": 12,
            "alternate_text": "alt",
            "compression_algorithm": _code("zlib", "openehr_compression_algorithms"),
            "integrity_check": "ab",
            "integrity_check_algorithm": _code("SHA-256", "openehr_integrity_check_algorithms"),
            "thumbnail": {
                "_type": "DV_MULTIMEDIA",
                "media_type": _code("image/png", "IANA_media-types"),
                "data": "Zg==",
            },
        },
        {
            "x": "http://a",
            "x|mediatype": "image/png",
            "x|size": 12,
            "x|alternatetext": "alt",
            "x|compression_algorithm": "zlib",
            "x|integrity_check": "ab",
            "x|integrity_check_algorithm": "SHA-256",
            "x/_thumbnail|mediatype": "image/png",
            "x/_thumbnail|data": "Zg==",
        },
    ),
    (
        "DV_STATE",
        {"_type": "DV_STATE", "value": _coded("1", "local", "on"), "is_terminal": False},
        {"x|code": "1", "x|value": "on", "x|terminology": "local", "x|is_terminal": False},
    ),
    (
        "DV_INTERVAL<DV_COUNT>",
        _interval(lower={"_type": "DV_COUNT", "magnitude": 1}, upper_unbounded=True, upper_included=False),
        {"x/lower": 1, "x|upper_unbounded": True, "x|upper_included": False},
    ),
    (
        "DV_INTERVAL<DV_QUANTITY>",
        _interval(lower=_quantity(1), upper=_quantity(2), lower_included=False),
        {
            "x/lower|magnitude": 1,
            "x/lower|unit": "cm",
            "x/upper|magnitude": 2,
            "x/upper|unit": "cm",
            "x|lower_included": False,
        },
    ),
    ("PARTY_PROXY", {"_type": "PARTY_SELF"}, {"x|_type": "PARTY_SELF"}),
    ("PARTY_PROXY", _PARTY, _PARTY_KEYS),
    (
        "PARTY_PROXY",
        {**_PARTY, "_type": "PARTY_RELATED", "relationship": _coded("10", "openehr", "mother")},
        {
            **_PARTY_KEYS,
            "x/relationship|code": "10",
            "x/relationship|value": "mother",
            "x/relationship|terminology": "openehr",
        },
    ),
    (
        "PARTY_PROXY",
        {
            "_type": "PARTY_SELF",
            "external_ref": {
                **_PARTY_REF,
                "type": "PERSON",
                "id": {"_type": "HIER_OBJECT_ID", "value": "1.2.3"},
            },
        },
        {"x|_type": "PARTY_SELF", "x|id": "1.2.3", "x|id_namespace": "NS", "x|id_type": "PERSON"},
    ),
    (
        "PARTICIPATION",
        {"_type": "PARTICIPATION", "function": _text("performer"), "mode": _MODE, "performer": _PARTY},
        {**_PARTY_KEYS, "x|function": "performer", "x|mode": "face-to-face communication"},
    ),
    (
        "PARTICIPATION",
        {"_type": "PARTICIPATION", "function": _coded("JO", "9060", "Jordmor"), "performer": _PARTY},
        {
            **_PARTY_KEYS,
            "x/function|code": "JO",
            "x/function|value": "Jordmor",
            "x/function|terminology": "9060",
        },
    ),
    (
        "OBJECT_REF",
        {**_PARTY_REF, "_type": "OBJECT_REF", "type": "GUIDELINE"},
        {"x|id": "9", "x|id_scheme": "S", "x|namespace": "NS", "x|type": "GUIDELINE"},
    ),
    (
        "LINK",
        {
            "_type": "LINK",
            "meaning": _coded("1", "ICD-10", "a"),
            "type": _text("problem"),
            "target": {"_type": "DV_EHR_URI", "value": "ehr://1"},
        },
        {
            "x|type": "problem",
            "x|target": "ehr://1",
            "x/meaning|code": "1",
            "x/meaning|value": "a",
            "x/meaning|terminology": "ICD-10",
        },
    ),
    (
        "INSTRUCTION_DETAILS",
        {
            "_type": "INSTRUCTION_DETAILS",
            "instruction_id": {
                "_type": "LOCATABLE_REF",
                "namespace": "local",
                "type": "COMPOSITION",
                "id": {"_type": "OBJECT_VERSION_ID", "value": "1::a::1"},
                "path": "/content[0]",
            },
            "activity_id": "activities[at0001]",
        },
        {"x|composition_uid": "1::a::1", "x|path": "/content[0]", "x|activity_id": "activities[at0001]"},
    ),
    (
        "FEEDER_AUDIT",
        {
            "_type": "FEEDER_AUDIT",
            "originating_system_item_ids": [_IDENTIFIER],
            "original_content": {"_type": "DV_PARSABLE", "value": "a", "formalism": "text/plain"},
            "originating_system_audit": {
                "_type": "FEEDER_AUDIT_DETAILS",
                "system_id": "s",
                "version_id": "v",
                "time": {"_type": "DV_DATE_TIME", "value": "2026-01-01T10:00:00Z"},
                "subject": {"_type": "PARTY_SELF"},
                "provider": {"_type": "PARTY_IDENTIFIED", "name": "P"},
                "location": {"_type": "PARTY_IDENTIFIED", "name": "L"},
            },
        },
        {
            "x/originating_system_item_id:0|id": "1",
            "x/originating_system_item_id:0|issuer": "a",
            "x/originating_system_item_id:0|assigner": "b",
            "x/originating_system_item_id:0|type": "c",
            "x/original_content": "a",
            "x/original_content|formalism": "text/plain",
            "x/originating_system_audit|system_id": "s",
            "x/originating_system_audit|version_id": "v",
            "x/originating_system_audit|time": "2026-01-01T10:00:00Z",
            "x/originating_system_audit/subject|_type": "PARTY_SELF",
            "x/originating_system_audit/provider|name": "P",
            "x/originating_system_audit/location|name": "L",
        },
    ),
    (
        "FEEDER_AUDIT",
        {
            "_type": "FEEDER_AUDIT",
            "original_content": {
                "_type": "DV_MULTIMEDIA",
                "media_type": _code("image/png", "IANA_media-types"),
            },
            "originating_system_audit": {"_type": "FEEDER_AUDIT_DETAILS", "system_id": "s"},
        },
        {
            "x/original_content_multimedia|mediatype": "image/png",
            "x/originating_system_audit|system_id": "s",
        },
    ),
]


def _entry(keys: dict[str, Any], reading: Reading) -> tuple[Entry, Entry]:
    tree = read_keys(keys, reading.findings)
    return tree, tree.take_all("x")[0]


def _read(type_name: str, keys: dict[str, Any], hint: Hint = NO_HINT) -> tuple[Any, list[str]]:
    reading = Reading()
    tree, entry = _entry(keys, reading)
    value = codec_of(type_name).read(entry, reading, hint)
    left = tree.left(Suggestions(lambda: ()))
    return value, [f"{finding.code} {finding.path}" for finding in (*reading.findings, *left)]


@pytest.mark.parametrize(
    ("type_name", "value", "keys"), SAID, ids=[f"{i}-{name}" for i, (name, _, _) in enumerate(SAID)]
)
def test_both_directions(type_name: str, value: dict[str, Any], keys: dict[str, Any]) -> None:
    out: dict[str, Any] = {}
    codec_of(type_name).write(value, "x", out)
    assert out == keys
    assert _read(type_name, keys) == (value, [])


# Other ways to say it, on input only.
ALSO_READ: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("DV_TEXT", {"x|value": "a"}, _text("a")),
    ("DV_QUANTITY", {"x|magnitude": "3.5", "x|units": "cm"}, _quantity(3.5)),
    ("DV_COUNT", {"x|magnitude": "7"}, {"_type": "DV_COUNT", "magnitude": 7}),
    ("DV_COUNT", {"x": 7.0}, {"_type": "DV_COUNT", "magnitude": 7}),
    ("DV_BOOLEAN", {"x": "true"}, {"_type": "DV_BOOLEAN", "value": True}),
    ("DV_IDENTIFIER", {"x": "1"}, {"_type": "DV_IDENTIFIER", "id": "1"}),
    ("DV_DURATION", {"x|week": 12, "x|day": 3}, {"_type": "DV_DURATION", "value": "P12W3D"}),
    ("DV_DURATION", {"x/hour": "2", "x/day": 0}, {"_type": "DV_DURATION", "value": "PT2H"}),
    ("DV_DURATION", {"x|day": 0}, {"_type": "DV_DURATION", "value": "PT0S"}),
    (
        "DV_PROPORTION",
        {"x|numerator": 80, "x|type": 2},
        {"_type": "DV_PROPORTION", "numerator": 80, "type": 2, "denominator": 100.0},
    ),
    (
        "DV_MULTIMEDIA",
        {"x|url": "http://a", "x|media_type": "image/png"},
        {
            "_type": "DV_MULTIMEDIA",
            "uri": {"_type": "DV_URI", "value": "http://a"},
            "media_type": _code("image/png", "IANA_media-types"),
        },
    ),
    (
        "LINK",
        {
            "x|type": "t",
            "x|target": "ehr://1",
            "x|meaning|code": "1",
            "x|meaning|value": "a",
            "x|meaning|terminology": "ICD-10",
        },
        {
            "_type": "LINK",
            "meaning": _coded("1", "ICD-10", "a"),
            "type": _text("t"),
            "target": {"_type": "DV_EHR_URI", "value": "ehr://1"},
        },
    ),
    (
        "PARTICIPATION",
        {
            "x|function": "f",
            "x|mode": "216",
            "x|name": "Kari",
            "x|identifiers_id:0": "1",
            "x|identifiers_issuer:0": "a",
        },
        {
            "_type": "PARTICIPATION",
            "function": _text("f"),
            "mode": _MODE,
            "performer": {
                "_type": "PARTY_IDENTIFIED",
                "name": "Kari",
                "identifiers": [{"_type": "DV_IDENTIFIER", "id": "1", "issuer": "a"}],
            },
        },
    ),
]


@pytest.mark.parametrize(
    ("type_name", "keys", "value"), ALSO_READ, ids=[f"{i}-{name}" for i, (name, _, _) in enumerate(ALSO_READ)]
)
def test_also_read(type_name: str, keys: dict[str, Any], value: dict[str, Any]) -> None:
    assert _read(type_name, keys) == (value, [])


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("DV_QUANTITY", {"x|magnitude": "many", "x|unit": "cm"}, "flat.type x|magnitude"),
    ("DV_QUANTITY", {"x|magnitude": True, "x|unit": "cm"}, "flat.type x|magnitude"),
    ("DV_QUANTITY", {"x|magnitude": "1e999", "x|unit": "cm"}, "flat.type x|magnitude"),
    ("DV_QUANTITY", {"x|magnitude": 1}, "flat.value.missing x|unit"),
    ("DV_QUANTITY", {"x|unit": "cm"}, "flat.value.missing x|magnitude"),
    ("DV_QUANTITY", {"x": 1, "x|magnitude": 1, "x|unit": "cm"}, "flat.suffix.unknown x"),
    ("DV_COUNT", {"x": 12.5}, "flat.type x"),
    ("DV_BOOLEAN", {"x": "ja"}, "flat.type x"),
    ("DV_BOOLEAN", {"x": 1}, "flat.type x"),
    ("DV_DATE", {"x": "2026-13-01"}, "flat.type x"),
    ("DV_TIME", {"x": "25:00"}, "flat.type x"),
    ("DV_DATE_TIME", {"x": "yesterday"}, "flat.type x"),
    ("DV_DURATION", {"x": "3 weeks"}, "flat.type x"),
    ("DV_TEXT", {"x": 3}, "flat.type x"),
    ("DV_TEXT", {"x": {"a": 1}}, "flat.type x"),
    ("DV_TEXT", {"x": "a", "x|magnitude": 1}, "flat.suffix.unknown x|magnitude"),
    ("DV_CODED_TEXT", {"x|code": "1", "x|value": "a"}, "flat.value.missing x|terminology"),
    ("DV_CODED_TEXT", {"x|code": "1", "x|terminology": "ICD-10"}, "flat.value.missing x|value"),
    ("DV_PROPORTION", {"x|numerator": 1, "x|denominator": 2, "x": 0.7}, "flat.contradiction x"),
    (
        "DV_INTERVAL<DV_COUNT>",
        {"x/lower": 1, "x|lower_unbounded": True},
        "flat.contradiction x|lower_unbounded",
    ),
    ("DV_INTERVAL<DV_COUNT>", {"x/lower": "a", "x/upper": 3}, "flat.type x/lower"),
    ("PARTY_PROXY", {"x|id": "9"}, "flat.value.missing x|id_namespace"),
    ("PARTY_PROXY", {"x|_type": "PERSON"}, "flat.type x|_type"),
    ("PARTICIPATION", {"x|name": "Kari"}, "flat.value.missing x|function"),
    ("PARTICIPATION", {"x|function": "f", "x|name": "K", "x|mode": "owl"}, "flat.code.unknown x|mode"),
    ("OBJECT_REF", {"x|id": "9", "x|id_scheme": "S"}, "flat.value.missing x|namespace"),
    ("LINK", {"x|type": "t"}, "flat.value.missing x|target"),
    ("FEEDER_AUDIT_DETAILS", {"x|version_id": "1"}, "flat.value.missing x|system_id"),
]


@pytest.mark.parametrize(("type_name", "keys", "finding"), REFUSED, ids=[row[2] for row in REFUSED])
def test_refused(type_name: str, keys: dict[str, Any], finding: str) -> None:
    assert finding in _read(type_name, keys)[1]


UNSAYABLE: list[tuple[str, dict[str, Any]]] = [
    ("DV_TEXT", {**_text("a"), "unheard_of": 1}),
    ("DV_TEXT", _text(" ")),
    ("DV_COUNT", {"_type": "DV_COUNT", "magnitude": 1.5}),
    ("DV_COUNT", {"_type": "DV_COUNT", "magnitude": "1"}),
    ("DV_QUANTITY", {**_quantity(1), "normal_status": _code("N", "another")}),
    ("DV_INTERVAL<DV_COUNT>", _interval(lower=_quantity(1), upper=_quantity(2))),
    ("PARTICIPATION", {"_type": "PARTICIPATION", "function": _text("f"), "performer": _PARTY, "time": {}}),
    (
        "PARTICIPATION",
        {
            "_type": "PARTICIPATION",
            "function": _text("f"),
            "performer": _PARTY,
            "mode": _coded("1", "x", "a"),
        },
    ),
    (
        "PARTY_PROXY",
        {"_type": "PARTY_IDENTIFIED", "external_ref": {**_PARTY_REF, "id": {"_type": "ARCHETYPE_ID"}}},
    ),
    ("FEEDER_AUDIT_DETAILS", {"_type": "FEEDER_AUDIT_DETAILS", "system_id": "s", "other_details": {}}),
]


@pytest.mark.parametrize(
    ("type_name", "value"), UNSAYABLE, ids=[f"{i}-{name}" for i, (name, _) in enumerate(UNSAYABLE)]
)
def test_what_has_no_keys_goes_as_it_is(type_name: str, value: dict[str, Any]) -> None:
    out: dict[str, Any] = {}
    write_or_raw(codec_of(type_name), value, "x", out, type_name)
    # Either the whole or the part of it that has no keys.
    assert [key for key in out if key.endswith("|raw")]
    if "x|raw" in out:
        assert out == {"x|raw": value}


def test_what_is_no_object_cannot_be_said() -> None:
    with pytest.raises(Unsayable):
        write_or_raw(codec_of("DV_TEXT"), "a", "x", {}, "DV_TEXT")
