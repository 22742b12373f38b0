"""The JSON Schema of a template accepts what the validator accepts, and refuses what a schema can refuse."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from api.demo.story import read_story
from archetypes.aom.constraints import ArchetypeSlot, CDuration, CDvQuantity, CString, CTemporal, Interval
from archetypes.errors import MalformedXml
from archetypes.findings import Severity
from archetypes.rm.canonical_json import read_canonical
from archetypes.rm.canonical_xml import read_canonical_xml
from templates.errors import NoExample
from templates.example import example_composition
from templates.json_schema import json_schema
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.repository import library_templates
from tests.fuzz.mutating import mutated
from tests.shared_data import SHARED, needs_shared
from tests.templates.test_example import corpus, read_or_none
from tests.validators import small
from tests.validators.mutations import applied, mutations
from tests.validators.test_composition_corpus import CORPUS, XML_DIFFERENCES, listed, template_of
from validators.composition import validate_composition

# What JSON Schema has no words for (docs/json-schema.md); the validator finds it.
BEYOND_SCHEMA = {
    "duration.range",
    "temporal.range",
    "invariant.archetype_id",
    "invariant.interval_order",
    "invariant.interval_types",
    "invariant.normal_status",
}
CONTACTS = {contact.id: contact for woman in read_story() for contact in woman.contacts}
ONE_OF_EACH = {contact.template_id: contact.id for contact in reversed(CONTACTS.values())}


@cache
def validator_of(template_id: str) -> Draft202012Validator:
    return Draft202012Validator(json_schema(library_templates()[template_id]))


def first_fault(validator: Draft202012Validator, data: Any) -> str | None:
    return next((f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(data)), None)


def error_codes(opt: OperationalTemplate, data: Any) -> set[str]:
    return {f.code for f in validate_composition(opt, data) if f.severity is Severity.ERROR}


@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_the_schema_is_a_schema(template_id: str) -> None:
    Draft202012Validator.check_schema(json_schema(library_templates()[template_id]))


@pytest.mark.parametrize("contact_id", sorted(CONTACTS))
def test_every_contact_of_the_demo_is_accepted(contact_id: str) -> None:
    contact = CONTACTS[contact_id]
    assert first_fault(validator_of(contact.template_id), contact.composition(library_templates())) is None


@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_examples_of_our_templates_are_accepted(template_id: str) -> None:
    opt = library_templates()[template_id]
    for seed in range(3):
        for made in (
            example_composition(opt, seed=seed),
            example_composition(opt, kind="minimal", seed=seed),
        ):
            assert first_fault(validator_of(template_id), made) is None


@needs_shared
@pytest.mark.slow
def test_examples_of_every_operational_template_are_accepted() -> None:
    judged = 0
    for name, source in corpus().items():
        opt = read_or_none(name, source)
        if opt is None:
            continue
        schema = Draft202012Validator(json_schema(opt))
        try:
            made = example_composition(opt)
        except NoExample:
            continue
        assert first_fault(schema, made) is None, name
        judged += 1
    assert judged > 100


@needs_shared
@pytest.mark.parametrize("name", [*listed("valid"), *listed("invalid")])
def test_schema_and_validator_agree_about_data_of_other_projects(name: str) -> None:
    family, file = name.split("/")
    assert_agreed(family, read_canonical((CORPUS / family / "canonical_json" / file).read_bytes()))


@needs_shared
@pytest.mark.parametrize("name", [*listed("valid", "canonical_xml"), *listed("invalid", "canonical_xml")])
def test_schema_and_validator_agree_about_what_was_xml(name: str) -> None:
    family, file = name.split("/")
    try:
        data = read_canonical_xml((CORPUS / family / "canonical_xml" / file).read_bytes(), "COMPOSITION")
        assert_agreed(family, data)
    except (MalformedXml, StopIteration):  # no composition, or no template that can be read
        assert name not in listed("valid", "canonical_xml") or name in XML_DIFFERENCES


def assert_agreed(family: str, data: Any) -> None:
    stated = data["archetype_details"].get("template_id") or {}
    opt = template_of(family, stated.get("value", ""))
    codes, fault = error_codes(opt, data), first_fault(Draft202012Validator(json_schema(opt)), data)
    if not codes:
        assert fault is None
    else:
        assert fault is not None or codes <= BEYOND_SCHEMA


@needs_shared
@pytest.mark.parametrize("name", ["ips", "pregnancy_status"])
def test_large_documents_of_public_templates_are_accepted(name: str) -> None:
    folder = SHARED / "bench" / "data"
    opt = read_opt((folder / f"{name}.opt").read_bytes(), name)
    data = read_canonical((folder / f"{name}.json").read_bytes())
    assert error_codes(opt, data) == set()
    assert jsonschema_rs.Draft202012Validator(json_schema(opt)).is_valid(data)


JUDGES = [
    (opt, data, jsonschema_rs.Draft202012Validator(json_schema(opt)))
    for opt, data in [
        (small.template(*small.ELEMENTS), orjson.dumps(small.composition())),
        *(
            (opt, orjson.dumps(example_composition(opt, kind="minimal")))
            for opt in library_templates().values()
        ),
    ]
]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(JUDGES))
def test_schema_and_validator_agree_about_changed_documents(seed: int, judge: tuple[Any, bytes, Any]) -> None:
    opt, document, schema = judge
    made = mutated(document, random.Random(seed))
    if made is None:
        return
    data = orjson.loads(made)
    codes = error_codes(opt, data)
    if codes:
        assert not schema.is_valid(data) or codes <= BEYOND_SCHEMA
    else:
        assert schema.is_valid(data)


def check_mutations(opt: OperationalTemplate, data: Any, every: int = 1) -> int:
    """Each, or every n-th, broken constraint is refused by the schema too, or it has no words for it."""
    schema = Draft202012Validator(json_schema(opt))
    assert first_fault(schema, data) is None
    count = 0
    for mutation in list(mutations(opt, data))[::every]:
        with applied(mutation, data):
            assert not schema.is_valid(data) or mutation.code in BEYOND_SCHEMA, str(mutation)
        count += 1
    return count


def test_what_breaks_a_constraint_is_refused_by_the_schema_too() -> None:
    assert check_mutations(small.template(*small.ELEMENTS), small.composition()) > 400


@pytest.mark.slow
@pytest.mark.parametrize("template_id", sorted(ONE_OF_EACH))
def test_what_breaks_a_contact_is_refused_by_the_schema_too(template_id: str) -> None:
    contact = CONTACTS[ONE_OF_EACH[template_id]]
    opt = library_templates()[template_id]
    assert check_mutations(opt, contact.composition(library_templates()), every=10) > 15


@pytest.mark.parametrize(
    ("units", "is_allowed"),
    [("mg/L", True), ("{sultne ulver}", True), ("kg", False)],
    ids=["of the property", "of no known property", "of another property"],
)
def test_units_of_a_bare_property(units: str, is_allowed: bool) -> None:
    concentration = CDvQuantity(rm_type_name="DV_QUANTITY", property="[openehr::119]")
    opt = small.template(small.element("at0010", concentration))
    made = example_composition(opt)
    quantity = {"_type": "DV_QUANTITY", "magnitude": 1.0, "units": units}
    small.put(made, f"{small.ITEMS}[0]/value", quantity)
    assert (not error_codes(opt, made)) == is_allowed
    assert Draft202012Validator(json_schema(opt)).is_valid(made) == is_allowed


# --- single rules --------------------------------------------------------------------------------------

JUDGED: list[tuple[Any, str, str, bool]] = [
    (CTemporal(rm_type="DATE", pattern="yyyy-mm-XX"), "DV_DATE", "2026-01", True),
    (CTemporal(rm_type="DATE", pattern="yyyy-mm-XX"), "DV_DATE", "2026-01-15", False),
    (CTemporal(rm_type="DATE", pattern="yyyy-??-??"), "DV_DATE", "2026", True),
    (CTemporal(rm_type="DATE_TIME", pattern="yyyy-mm-ddTHH:MM:SS"), "DV_DATE_TIME", "2026-01-15T10", False),
    (CTemporal(rm_type="DATE_TIME", pattern="yyyy-mm-ddTHH:??:??"), "DV_DATE_TIME", "2026-01-15T10Z", True),
    (CTemporal(rm_type="DATE_TIME", pattern="yyyy-mm-ddTHH:??:??"), "DV_DATE_TIME", "2026-01-15", False),
    (CTemporal(rm_type="DATE_TIME", pattern="yyyy-??-??T??:??:??"), "DV_DATE_TIME", "2026-01", True),
    (CTemporal(rm_type="TIME", timezone_validity=1001), "DV_TIME", "10:30", False),
    (CTemporal(rm_type="TIME", timezone_validity=1001), "DV_TIME", "10:30+01:00", True),
    (CTemporal(rm_type="TIME", timezone_validity=1003), "DV_TIME", "10:30Z", False),
    (CTemporal(rm_type="DATE_TIME", timezone_validity=1003), "DV_DATE_TIME", "2026-01-15", True),
    (CTemporal(rm_type="DATE_TIME", timezone_validity=1003), "DV_DATE_TIME", "2026-01-15T10:30-01", False),
    (CTemporal(rm_type="DATE_TIME", timezone_validity=1001), "DV_DATE_TIME", "2026-01-15", False),
    (CDuration(pattern="PWD"), "DV_DURATION", "P3W2D", True),
    (CDuration(pattern="PWD"), "DV_DURATION", "P3M", False),
    (CDuration(pattern="PDTH"), "DV_DURATION", "P1DT2H", True),
    (CDuration(pattern="PDTH"), "DV_DURATION", "PT2M", False),
    (CString(pattern="a|bc"), "DV_TEXT", "bc", True),
    (CString(pattern="a|bc"), "DV_TEXT", "ac", False),
    (CString(values=("a",), list_open=True), "DV_TEXT", "b", True),
    (CString(pattern="(unreadable"), "DV_TEXT", "b", True),
]


@pytest.mark.parametrize(("item", "rm_type", "value", "is_allowed"), JUDGED)
def test_a_leaf_is_judged_as_the_validator_judges_it(
    item: Any, rm_type: str, value: str, is_allowed: bool
) -> None:
    kind = item.rm_type if isinstance(item, CTemporal) else "STRING"
    opt = small.template(small.element("at0010", small.value_of(rm_type, "value", kind, item)))
    made = example_composition(opt)
    element = small.at(made, f"{small.ITEMS}[0]")
    element.pop("null_flavour", None)  # where the example finds no value
    element["value"] = {"_type": rm_type, "value": value}
    assert (not error_codes(opt, made)) == is_allowed
    assert Draft202012Validator(json_schema(opt)).is_valid(made) == is_allowed


def slot_and_node() -> OperationalTemplate:
    slot = ArchetypeSlot(
        rm_type_name="CLUSTER",
        occurrences=Interval(1, 2),
        includes=(r"openEHR-EHR-CLUSTER\.[a-z]+\.v1",),
        excludes=(r".*secret.*",),
    )
    return small.template(small.element("at0010", small.coded("at0111")), slot)


@pytest.mark.parametrize(
    ("archetype_id", "is_allowed"),
    [
        ("openEHR-EHR-CLUSTER.device.v1", True),
        ("openEHR-EHR-CLUSTER.device.v2", False),
        ("openEHR-EHR-CLUSTER.secret.v1", False),
        ("at0011", False),
    ],
)
def test_a_slot_takes_what_its_patterns_admit(archetype_id: str, is_allowed: bool) -> None:
    opt = slot_and_node()
    made = example_composition(opt)
    filler = small.at(made, f"{small.ITEMS}[1]")
    filler["archetype_node_id"] = filler["archetype_details"]["archetype_id"]["value"] = archetype_id
    assert (not error_codes(opt, made)) == is_allowed
    assert Draft202012Validator(json_schema(opt)).is_valid(made) == is_allowed


def test_a_slot_that_must_be_filled_may_not_be_empty() -> None:
    opt = slot_and_node()
    made = example_composition(opt)
    del small.at(made, small.ITEMS)[1]
    assert error_codes(opt, made) == {"occurrences.too_few"}
    assert not Draft202012Validator(json_schema(opt)).is_valid(made)


def test_null_counts_as_absent_where_something_may_be_absent() -> None:
    opt = small.template(*small.ELEMENTS)
    schema = Draft202012Validator(json_schema(opt))
    made = small.composition() | {"uid": None, "feeder_audit": None}
    made["content"][0]["protocol"] = None
    assert not error_codes(opt, made)
    assert schema.is_valid(made)
    made["territory"] = None
    assert error_codes(opt, made) == {"rm.missing"}
    assert not schema.is_valid(made)
