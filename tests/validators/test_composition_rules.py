"""Each rule of the composition validator: one change to a valid composition, one finding at its place."""

from __future__ import annotations

from typing import Any

import pytest

from archetypes.aom.constraints import (
    ANY_NUMBER,
    ArchetypeInternalRef,
    CCodePhrase,
    CDvQuantity,
    CString,
    Interval,
)
from archetypes.findings import Finding, Severity
from tests.validators.small import (
    ABSENT,
    COMPOSITION,
    ELEMENTS,
    ITEMS,
    PLACES,
    VALUES,
    at,
    coded_text,
    complex_object,
    composition,
    count,
    element,
    node,
    phrase,
    put,
    single,
    template,
    text,
    value_of,
)
from validators.compiled import Validator
from validators.composition import validate_composition

OPT = template(*ELEMENTS)
EVENT = "/content[0]/data/events[0]"
FILLER = len(VALUES) + 2


def findings(data: Any, *, complete: bool = True) -> list[tuple[str, str]]:
    return [
        (f.code, f.path)
        for f in validate_composition(OPT, data, complete=complete)
        if f.severity == Severity.ERROR
    ]


def changed(path: str, value: Any) -> dict[str, Any]:
    data = composition()
    put(data, path, value)
    return data


def test_a_valid_composition_has_no_errors() -> None:
    assert findings(composition()) == []


VALUE_CASES = [
    ("at0010", "magnitude", 250.0, "quantity.magnitude"),
    ("at0010", "magnitude", 119.99, "quantity.magnitude"),
    ("at0010", "units", "kg", "quantity.units"),
    ("at0010", "precision", 3, "quantity.precision"),
    ("at0010", "precision", -2, "invariant.precision"),
    ("at0010", "magnitude", "170", "rm.wrong_value"),
    ("at0010", "magnitude", True, "rm.wrong_value"),
    ("at0010", "magnitude", ABSENT, "rm.missing"),
    ("at0010", "magnitude_status", "circa", "invariant.magnitude_status"),
    ("at0010", "unit", "cm", "rm.unknown_attribute"),
    ("at0011", "defining_code/code_string", "at0999", "code.not_in_list"),
    ("at0011", "defining_code/terminology_id/value", "SNOMED-CT", "code.terminology"),
    ("at0012", "value", 7, "ordinal.value"),
    ("at0012", "symbol/defining_code/code_string", "at0120", "ordinal.symbol"),
    ("at0013", "magnitude", 26, "number.range"),
    ("at0013", "magnitude", 2.5, "rm.wrong_value"),
    ("at0014", "value", "45678", "string.pattern"),
    ("at0014", "value", "", "rm.empty_text"),
    ("at0015", "value", False, "boolean.not_allowed"),
    ("at0015", "value", 1, "rm.wrong_value"),
    ("at0016", "value", "2026", "temporal.pattern"),
    ("at0016", "value", "3. februar", "format.date"),
    ("at0017", "value", "P3W", "duration.range"),
    ("at0017", "value", "P5M", "duration.pattern"),
    ("at0017", "value", "20 uker", "format.duration"),
    ("at0018", "numerator", 101.0, "number.range"),
    ("at0018", "denominator", 50.0, "invariant.proportion_denominator"),
    ("at0018", "type", 0, "number.not_in_list"),
    ("at0018", "type", 9, "invariant.proportion_kind"),
    ("at0020", "lower/magnitude", 11, "number.range"),
    ("at0020", "upper_included", ABSENT, "rm.missing"),
    ("at0021", "defining_code/terminology_id/value", "ICD-10", "code.terminology"),
]


@pytest.mark.parametrize(("code", "attribute", "value", "expected"), VALUE_CASES)
def test_values(code: str, attribute: str, value: Any, expected: str) -> None:
    path = f"{PLACES[code]}/value/{attribute}"
    found = findings(changed(path, value))
    assert (expected, path) in found
    assert all(where.startswith(f"{PLACES[code]}/value") for _, where in found)


WHOLE_CASES = [
    (f"{PLACES['at0010']}/value", text("170 cm"), "type.not_allowed", f"{PLACES['at0010']}/value"),
    (f"{PLACES['at0011']}/value", text("Ja"), "type.not_allowed", f"{PLACES['at0011']}/value"),
    (f"{PLACES['at0019']}/value", count(1), "type.not_allowed", f"{PLACES['at0019']}/value"),
    (f"{PLACES['at0019']}/value", text("kanskje"), "string.not_in_list", f"{PLACES['at0019']}/value/value"),
    (f"{PLACES['at0020']}/value/lower", text("2"), "rm.wrong_type", f"{PLACES['at0020']}/value/lower/_type"),
    (f"{PLACES['at0010']}/value", ABSENT, "invariant.element_value", PLACES["at0010"]),
    (f"{PLACES['at0010']}/value", [], "rm.not_an_object", f"{PLACES['at0010']}/value"),
    (f"{PLACES['at0010']}/archetype_node_id", "at0999", "node.unexpected", PLACES["at0010"]),
    (f"{PLACES['at0010']}/archetype_node_id", "at0999", "occurrences.too_few", ITEMS),
    (f"{PLACES['at0011']}/_type", "CLUSTER", "type.not_allowed", PLACES["at0011"]),
    (f"{PLACES['at0011']}/name", ABSENT, "rm.missing", f"{PLACES['at0011']}/name"),
    (f"{EVENT}/archetype_node_id", "at0099", "node.unexpected", EVENT),
    (f"{EVENT}/data/archetype_node_id", "at0099", "node_id.mismatch", f"{EVENT}/data/archetype_node_id"),
    (f"{EVENT}/_type", "INTERVAL_EVENT", "type.not_allowed", EVENT),
    (f"{EVENT}/_type", "EVENT", "rm.abstract_type", f"{EVENT}/_type"),
    (f"{EVENT}/time", ABSENT, "rm.missing", f"{EVENT}/time"),
    (f"{EVENT}/data/items", {}, "rm.not_a_list", ITEMS),
    (ITEMS, [], "occurrences.too_few", ITEMS),
    (ITEMS, ABSENT, "occurrences.too_few", ITEMS),
    ("/content", ABSENT, "occurrences.too_few", "/content"),
    ("/content", [], "rm.empty_list", "/content"),
    ("/content[0]/data/events", [], "rm.empty_list", "/content[0]/data/events"),
    ("/content[0]/data/events", ABSENT, "invariant.history_events", "/content[0]/data"),
    (
        "/content[0]/archetype_details",
        ABSENT,
        "invariant.archetype_details_missing",
        "/content[0]/archetype_details",
    ),
    (
        "/content[0]/subject",
        {"_type": "PARTY_IDENTIFIED", "name": "x"},
        "type.not_allowed",
        "/content[0]/subject",
    ),
    (
        "/content[0]/archetype_details/archetype_id/value",
        "openEHR-EHR-OBSERVATION.other.v1",
        "invariant.archetype_id",
        "/content[0]/archetype_details/archetype_id/value",
    ),
    (
        "/archetype_details/template_id/value",
        "other",
        "template.mismatch",
        "/archetype_details/template_id/value",
    ),
    ("/archetype_details/template_id", ABSENT, "template.mismatch", "/archetype_details/template_id/value"),
    ("/archetype_node_id", "openEHR-EHR-COMPOSITION.other.v1", "node_id.mismatch", "/archetype_node_id"),
    ("/_type", "OBSERVATION", "rm.wrong_type", "/_type"),
    ("/_type", "PATIENT", "rm.unknown_type", "/_type"),
    ("/_type", ["COMPOSITION"], "rm.unknown_type", "/_type"),
    ("/composer/_type", ABSENT, "rm.type_missing", "/composer/_type"),
    ("/composer", {"_type": "PARTY_IDENTIFIED"}, "invariant.party_identified", "/composer"),
    ("/category", coded_text("435", "episodic", "openehr"), "terminology.not_in_group", None),
    ("/category", coded_text("451", "episodic", "openehr"), "code.not_in_list", None),
    ("/context/setting", coded_text("1", "x", "local"), "terminology.not_in_group", None),
    ("/language", phrase("no", "ISO_639-1"), "terminology.not_in_code_set", "/language/code_string"),
    ("/territory", phrase("Norge", "ISO_3166-1"), "terminology.not_in_code_set", "/territory/code_string"),
    ("/content[0]/encoding", phrase("ANSI", "IANA"), "terminology.not_in_code_set", None),
    ("/context/location", "", "rm.empty_text", "/context/location"),
]


@pytest.mark.parametrize(("path", "value", "code", "where"), WHOLE_CASES)
def test_structure(path: str, value: Any, code: str, where: str | None) -> None:
    found = findings(changed(path, value))
    assert code in [c for c, _ in found]
    assert where is None or (code, where) in found
    parent = path.removesuffix("/archetype_node_id").removesuffix("/_type").rsplit("/", 1)[0]
    assert [f for f in found if not f[1].startswith(parent)] == []


def test_a_node_more_than_allowed() -> None:
    data = composition()
    at(data, ITEMS).append(node("ELEMENT", "at0010", "en til", value=dict(VALUES["at0010"])))
    assert findings(data) == [("occurrences.too_many", f"{ITEMS}[{FILLER + 1}]")]


def test_a_prohibited_node() -> None:
    data = composition()
    at(data, ITEMS).append(node("ELEMENT", "at0031", "forbudt", value=text("x")))
    assert findings(data) == [("occurrences.prohibited", f"{ITEMS}[{FILLER + 1}]")]


def test_a_name_that_no_sibling_of_the_id_allows() -> None:
    data = changed(f"{ITEMS}[{len(VALUES)}]/name/value", "Tante")
    report = validate_composition(OPT, data)
    assert [(f.code, f.path, f.expected, f.found) for f in report if f.severity == Severity.ERROR] == [
        ("name.not_allowed", f"{ITEMS}[{len(VALUES)}]/name/value", "Mor | Far", "Tante")
    ]


def test_the_name_decides_between_siblings_of_one_id() -> None:
    data = changed(f"{ITEMS}[{len(VALUES)}]/name/value", "Far")
    assert findings(data) == [("occurrences.too_many", f"{ITEMS}[{len(VALUES) + 1}]")]


def test_a_slot_lets_in_what_it_includes_only() -> None:
    data = composition()
    filler = at(data, f"{ITEMS}[{FILLER}]")
    for archetype_id, expected in (
        ("openEHR-EHR-CLUSTER.open-more.v1", []),
        ("openEHR-EHR-CLUSTER.other.v1", [("slot.not_admitted", f"{ITEMS}[{FILLER}]")]),
    ):
        filler["archetype_node_id"] = filler["archetype_details"]["archetype_id"]["value"] = archetype_id
        assert findings(data) == expected


def test_below_an_open_slot_the_reference_model_still_rules() -> None:
    data = changed(f"{ITEMS}[{FILLER}]/items", [])
    assert findings(data) == [("rm.empty_list", f"{ITEMS}[{FILLER}]/items")]


def test_a_null_flavour_in_the_place_of_a_value() -> None:
    data = composition()
    item = at(data, PLACES["at0010"])
    del item["value"]
    item["null_flavour"] = coded_text("271", "no information", "openehr")
    assert findings(data) == []
    item["null_flavour"] = coded_text("231", "midwifery care", "openehr")
    assert [code for code, _ in findings(data)] == ["terminology.not_in_group"]


def test_an_incomplete_composition_lacks_nothing_and_is_still_judged() -> None:
    data = changed(PLACES["at0010"], ABSENT)
    assert findings(data, complete=False) == []
    assert [code for code, _ in findings(data)] == ["occurrences.too_few"]
    wrong = changed(f"{PLACES['at0010']}/value/magnitude", 250.0)
    assert [code for code, _ in findings(wrong, complete=False)] == ["quantity.magnitude"]


def test_warnings_do_not_refuse() -> None:
    data = changed(f"{PLACES['at0011']}/value/value", "Yes")
    warnings = [(f.code, f.path) for f in validate_composition(OPT, data) if f.severity == Severity.WARNING]
    assert warnings == [
        ("code.rubric", f"{PLACES['at0011']}/value/value"),
        ("code.not_checked", f"{PLACES['at0021']}/value/defining_code/code_string"),
    ]


def test_a_finding_says_what_was_expected_and_where_in_the_template() -> None:
    [finding] = errors(changed(f"{PLACES['at0010']}/value/magnitude", 250.0))
    assert finding.expected == "|120.0..210.0| cm"
    assert finding.found == "250.0 cm"
    assert finding.archetype_path == (
        "/content[openEHR-EHR-OBSERVATION.small.v1]/data[at0001]/events[at0002]/data[at0003]"
        "/items[at0010]/value/magnitude"
    )


def test_a_missing_child_is_named() -> None:
    [finding] = errors(changed(PLACES["at0010"], ABSENT))
    assert (finding.path, finding.expected, finding.found) == (ITEMS, "at0010 'Høyde' 1..1", "0")
    assert finding.params == {"node": "at0010", "name": "Høyde"}


def errors(data: Any) -> list[Finding]:
    return [f for f in validate_composition(OPT, data) if f.severity == Severity.ERROR]


def test_cardinality_counts_all_members() -> None:
    opt = template(element("at0010", occurrences=ANY_NUMBER), members=Interval(2, 3))
    for members, expected in ((1, ["cardinality.too_few"]), (2, []), (3, []), (4, ["cardinality.too_many"])):
        data = composition()
        put(data, ITEMS, [node("ELEMENT", "at0010", str(i), value=text("x")) for i in range(members)])
        assert [f.code for f in validate_composition(opt, data)] == expected


def test_the_best_of_several_alternatives_speaks() -> None:
    short = value_of("DV_TEXT", "value", "STRING", CString(pattern="[a-z]{1,3}"))
    long = value_of("DV_TEXT", "value", "STRING", CString(values=("lang tekst",)))
    opt = template(element("at0010", short, long))
    data = composition()
    for value, expected in (("abc", []), ("lang tekst", []), ("ABC", ["string.pattern"])):
        put(data, ITEMS, [node("ELEMENT", "at0010", "x", value=text(value))])
        assert [f.code for f in validate_composition(opt, data)] == expected


def test_units_of_a_property() -> None:
    opt = template(element("at0010", CDvQuantity(rm_type_name="DV_QUANTITY", property="openehr::122")))
    data = composition()
    for units, expected in (("cm", []), ("kg", ["quantity.units"]), ("ell", ["quantity.units_unknown"])):
        quantity = {"_type": "DV_QUANTITY", "magnitude": 1.0, "units": units}
        put(data, ITEMS, [node("ELEMENT", "at0010", "x", value=quantity)])
        assert [f.code for f in validate_composition(opt, data)] == expected


def test_an_unresolved_reference_in_the_template_is_not_passed_over() -> None:
    reference = ArchetypeInternalRef(rm_type_name="DV_TEXT", target_path="/data")
    data = composition()
    put(data, ITEMS, [node("ELEMENT", "at0010", "x", value=text("x"))])
    report = validate_composition(template(element("at0010", reference)), data)
    assert [f.code for f in report] == ["template.unsupported"]


def test_a_coded_name() -> None:
    code = CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id="local", codes=("at0111",))
    named = element(
        "at0010", name=single("name", complex_object("DV_CODED_TEXT", single("defining_code", code)))
    )
    data = composition()
    for name, expected in (
        (coded_text("at0111", "Ja"), []),
        (coded_text("at0112", "Nei"), ["name.not_allowed"]),
        (text("Ja"), ["name.not_allowed"]),
    ):
        put(data, ITEMS, [node("ELEMENT", "at0010", "x", value=text("x")) | {"name": name}])
        assert [f.code for f in validate_composition(template(named), data)] == expected


def test_numbers_beyond_all_floats() -> None:
    bound = {"_type": "DV_PROPORTION", "numerator": 10**400, "denominator": 10**400, "type": 0}
    interval = {**VALUES["at0020"], "lower": bound, "upper": dict(bound)}
    data = changed(f"{PLACES['at0020']}/value", interval)
    assert ("type.not_allowed", f"{PLACES['at0020']}/value") in findings(data)


def test_a_foreign_attribute_of_a_megabyte_is_cut_short() -> None:
    data = composition() | {"x" * 1_000_000: 1}
    [finding] = errors(data)
    assert finding.code == "rm.unknown_attribute"
    assert len(finding.path) < 200


def test_the_list_of_findings_ends() -> None:
    data = composition()
    put(data, ITEMS, [node("ELEMENT", "at9999", "x", value=text("x")) for _ in range(2000)])
    report = validate_composition(OPT, data)
    assert len(report) == 1001
    assert report[-1].code == "findings.truncated"
    few = Validator(OPT)(data, limit=3)
    assert [finding.code for finding in few] == ["node.unexpected"] * 3 + ["findings.truncated"]
    assert few == validate_composition(OPT, data, limit=3)


def test_deep_nesting_is_a_finding() -> None:
    data = composition()
    inner: dict[str, Any] = node("ELEMENT", "at0001", "x", value=text("x"))
    for _ in range(400):
        inner = node("CLUSTER", "at0001", "x", items=[inner])
    at(data, f"{ITEMS}[{FILLER}]")["items"] = [inner]
    assert {code for code, _ in findings(data)} == {"rm.too_deep"}


def test_each_unit_has_its_own_range() -> None:
    found = findings(changed(f"{PLACES['at0010']}/value/units", "m"))
    assert found == [("quantity.magnitude", f"{PLACES['at0010']}/value/magnitude")]


@pytest.mark.parametrize(
    "data", [None, 3, "x", [], {}, {"_type": COMPOSITION}, {"archetype_node_id": COMPOSITION}]
)
def test_what_is_no_composition_at_all(data: Any) -> None:
    assert findings(data) != []
