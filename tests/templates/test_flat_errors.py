"""Bad FLAT is refused with every problem, each with code, FLAT path and what was probably meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.demo.story import read_story
from templates.errors import FlatRefused, NotSayable, SimplifiedFormatError
from templates.repository import library_templates
from templates.simplified import from_flat, from_structured, to_flat, to_structured

TEMPLATE = library_templates()["helsekort_kontroll.v0"]
CONTEXT = {
    "ctx/language": "nb",
    "ctx/territory": "NO",
    "ctx/composer_name": "Kari",
    "ctx/time": "2026-01-01T10:00:00+01:00",
}
BP = "svangerskapskontroll/undersøkelse/blodtrykk"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

# keys, code, FLAT path, suggestion
BAD: list[tuple[dict[str, Any], str, str, str]] = [
    ({f"{BP}/systolsk|magnitude": 1}, "flat.path.unknown", f"{BP}/systolsk", f"{BP}/systolisk"),
    (
        {"svangerskapskontroll/undersøkelse/systolisk|magnitude": 1},
        "flat.path.unknown",
        "svangerskapskontroll/undersøkelse/systolisk",
        f"{BP}/systolisk",
    ),
    ({f"{BP}/any_event:0/systolisk|magnitude": 1}, "flat.path.unknown", f"{BP}/any_event:0", BP),
    ({"svangerskapskontrol/x": 1}, "flat.path.unknown", "svangerskapskontrol", "svangerskapskontroll"),
    ({"ctx/langage": "nb"}, "flat.path.unknown", "ctx/langage", "ctx/language"),
    (
        {f"{BP}/systolisk|magnitud": 1},
        "flat.suffix.unknown",
        f"{BP}/systolisk|magnitud",
        f"{BP}/systolisk|magnitude",
    ),
    ({f"{BP}/systolisk": 120}, "flat.suffix.unknown", f"{BP}/systolisk", ""),
    ({BP: 120}, "flat.path.not_a_value", BP, ""),
    ({f"{BP}/systolisk|magnitude": "mye"}, "flat.type", f"{BP}/systolisk|magnitude", ""),
    ({f"{BP}/time": "i går"}, "flat.type", f"{BP}/time", ""),
    ({f"{BP}/kroppsstilling|code": "at9"}, "flat.code.unknown", f"{BP}/kroppsstilling|code", ""),
    ({f"{BP}:0/time": "2026", f"{BP}:2/time": "2026"}, "flat.index.gap", f"{BP}:2", ""),
    (
        {f"{BP}/systolisk:0|magnitude": 1, f"{BP}/systolisk:1|magnitude": 2},
        "flat.index.single",
        f"{BP}/systolisk:1",
        "",
    ),
    ({f"{BP}/time": "2026", f"{BP}:0/time": "2026"}, "flat.path.doubled", f"{BP}:0/time", ""),
    ({"a//b": 1}, "flat.path.malformed", "a//b", ""),
    ({"": 1}, "flat.path.malformed", "", ""),
    ({"a:-1": 1}, "flat.path.malformed", "a:-1", ""),
    ({"a|": 1}, "flat.path.malformed", "a|", ""),
    ({"a/" * 5000 + "a": 1}, "flat.path.malformed", "a/" * 5000 + "a", ""),
    ({f"{BP}/systolisk|raw": "{"}, "flat.raw.malformed", f"{BP}/systolisk|raw", ""),
    ({f"{BP}/systolisk|raw": "[" * 5000}, "flat.raw.malformed", f"{BP}/systolisk|raw", ""),
    ({f"{BP}|raw": {"_type": "ACTION"}}, "flat.raw.type", f"{BP}|raw", ""),
    ({f"{BP}|raw": {"@class": "OBSERVATION"}}, "flat.raw.type", f"{BP}|raw", ""),
    (
        {f"{BP}/systolisk|raw": {"_type": "DV_COUNT", "magnitude": 1}, f"{BP}/systolisk|unit": "x"},
        "flat.suffix.unknown",
        f"{BP}/systolisk|unit",
        "",
    ),
    ({"ctx/setting": "owl"}, "flat.code.unknown", "ctx/setting", ""),
    ({"ctx/participation_name:0": "Kari"}, "flat.value.missing", "ctx/participation_function:0", ""),
    ({"ctx/language": None}, "flat.value.missing", "ctx/language", ""),
    ({"ctx/territory": " "}, "flat.value.missing", "ctx/territory", ""),
    ({"ctx/composer_name": ""}, "flat.value.missing", "ctx/composer_name", ""),
]


@pytest.mark.parametrize(
    ("keys", "code", "path", "suggestion"), BAD, ids=[f"{b[1]} {b[2][:60]}" for b in BAD]
)
def test_refused(keys: dict[str, Any], code: str, path: str, suggestion: str) -> None:
    with pytest.raises(FlatRefused) as caught:
        from_flat(TEMPLATE, {**CONTEXT, **keys})
    found = {(each.code, each.path): each.params.get("suggestion", "") for each in caught.value.findings}
    assert found.get((code, path)) == suggestion


def test_all_problems_at_once() -> None:
    rows = [row for row in BAD if not any("ctx/" in key or "raw" in key or key == BP for key in row[0])]
    keys = {key: value for given_keys, *_ in rows for key, value in given_keys.items()}
    with pytest.raises(FlatRefused) as caught:
        from_flat(TEMPLATE, {**CONTEXT, **keys})
    assert {row[1] for row in rows} <= {finding.code for finding in caught.value.findings}


def test_empty_values_are_not_recorded() -> None:
    keys = {f"{BP}:0/kommentar": "", f"{BP}:1/kommentar": "Rolig", f"{BP}:1/systolisk|magnitude": None}
    (section,) = from_flat(TEMPLATE, {**CONTEXT, **keys})["content"]
    (observation,) = section["items"]
    assert len(observation["data"]["events"][0]["data"]["items"]) == 1


def test_a_composition_of_another_template_is_refused() -> None:
    other = from_flat(library_templates()["helsekort_samtykke.v0"], CONTEXT)
    with pytest.raises(NotSayable) as caught:
        to_flat(TEMPLATE, other)
    assert caught.value.findings[0].path == "/archetype_details/template_id/value"


def test_arrays_in_arrays_are_refused() -> None:
    with pytest.raises(FlatRefused) as caught:
        from_structured(TEMPLATE, {"svangerskapskontroll": {"undersøkelse": [[{}]]}})
    assert caught.value.findings[0].path == "svangerskapskontroll/undersøkelse"


CONTACT = next(
    contact
    for woman in read_story()
    for contact in woman.contacts
    if contact.template_id == "helsekort_kontroll.v0"
)
COMPOSITION = CONTACT.composition(library_templates())
FLAT = to_flat(TEMPLATE, COMPOSITION)

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False),
    st.sampled_from(["", "at0004", "DV_TEXT", "PARTY_SELF", "2026-01-01", "::", "x|y"]),
    st.sampled_from([[], {}, [1], [[]], {"_type": "DV_TEXT"}, {"_type": 3}, {"value": {}}, [{"name": 1}]]),
)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(FLAT)),
    JUNK,
    st.sampled_from(["", "|raw", "|code", "/_link:0|type", ":0", ":1", "/x"]),
)
def test_any_value_at_any_key_is_read_or_refused(key: str, value: Any, more: str) -> None:
    try:
        composition = from_flat(TEMPLATE, {**FLAT, f"{key}{more}": value}, now=NOW)
    except FlatRefused as error:
        assert error.findings
    else:
        assert composition["_type"] == "COMPOSITION"


def _objects(node: Any) -> list[dict[str, Any]]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found = [each for value in inner for each in _objects(value)]
    return [node, *found] if isinstance(node, dict) else found


PLACES = [
    (index, name) for index, node in enumerate(_objects(COMPOSITION)) for name in [*sorted(node), "more"]
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), JUNK)
def test_any_composition_is_written_or_refused(place: tuple[int, str], value: Any) -> None:
    composition = CONTACT.composition(library_templates())
    _objects(composition)[place[0]][place[1]] = value
    try:
        structured = to_structured(TEMPLATE, composition)
    except SimplifiedFormatError as error:
        assert error.findings
    else:
        assert isinstance(structured, dict)
