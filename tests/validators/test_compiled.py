"""The compiled validator and the interpreter agree: the same findings in the same order, whatever is sent."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.demo.story import Contact
from archetypes.aom.constraints import (
    CCodePhrase,
    CCodeReference,
    CDvQuantity,
    CObject,
    ConstraintRef,
    CString,
    Interval,
)
from archetypes.rm.canonical_json import read_canonical
from archetypes.rm.value_domains import CODE_SETS, FILLED_TEXTS, GROUPS
from templates.operational import OperationalTemplate
from templates.repository import library_templates
from tests.shared_data import needs_shared
from tests.validators.conformance import schedule_rows
from tests.validators.conformance_cases import instance
from tests.validators.mutations import applied, mutations
from tests.validators.small import (
    ELEMENTS,
    ITEMS,
    Json,
    coded,
    coded_text,
    complex_object,
    composition,
    element,
    fixed,
    node,
    put,
    single,
    template,
    text,
    value_of,
)
from tests.validators.test_any_json import JSON, places
from tests.validators.test_composition_corpus import CORPUS, listed, template_of
from tests.validators.test_mutations import ALL, composed
from validators.compiled import Validator, compile_validator
from validators.composition import validate_composition
from validators.composition.invariants import INVARIANTS, OWN_RULES

MUTATIONS_OF_A_CONTACT = 25  # taken by chance, always the same ones
OPT = template(*ELEMENTS)
SMALL = Validator(OPT)


@cache
def fresh(template_id: str) -> Validator:
    """A validator that has learned from these tests only; how much one learns in its life has a limit."""
    return Validator(library_templates()[template_id])


def agree(validator: Validator, opt: OperationalTemplate, data: Any, *, complete: bool = True) -> bool:
    """Both find the same; true if the compiled form could tell without the interpreter."""
    expected = validate_composition(opt, data, complete=complete)
    recognised = None
    for _ in range(2):  # the first may learn, the second knows
        recognised = validator.recognise(data, complete)
        assert recognised is None or recognised == expected
    return recognised is not None


@pytest.mark.parametrize("contact", ALL)
def test_contacts_and_a_sample_of_broken_ones(contact: Contact) -> None:
    opt, data = library_templates()[contact.template_id], composed(contact.id)
    validator = fresh(contact.template_id)
    assert agree(validator, opt, data)
    assert agree(validator, opt, data, complete=False)
    chance = random.Random(contact.id)
    known = list(mutations(opt, data))
    for mutation in chance.sample(known, min(MUTATIONS_OF_A_CONTACT, len(known))):
        with applied(mutation, data):
            assert not agree(validator, opt, data), mutation
            assert validator(data) == validate_composition(opt, data), mutation
            agree(validator, opt, data, complete=False)


def test_every_mutation_of_the_small_composition() -> None:
    data = composition()
    assert agree(SMALL, OPT, data)
    for mutation in list(mutations(OPT, data)):
        with applied(mutation, data):
            agree(SMALL, OPT, data)


@needs_shared
@pytest.mark.parametrize("name", [*listed("valid"), *listed("invalid")])
def test_compositions_of_other_projects(name: str) -> None:
    family, file = name.split("/")
    data = read_canonical((CORPUS / family / "canonical_json" / file).read_bytes())
    stated = data["archetype_details"].get("template_id") or {}
    opt = template_of(family, stated.get("value", ""))
    validator = compile_validator(opt)
    agree(validator, opt, data)
    agree(validator, opt, data, complete=False)


@pytest.mark.slow
@needs_shared
def test_the_rows_of_the_conformance_schedule() -> None:
    recognised = accepted = 0
    for row in schedule_rows():
        opt, data = instance(row)
        recognised += agree(Validator(opt), opt, data)
        accepted += row.accepted
    assert recognised > accepted * 3 // 4  # intervals and partial values are left to the interpreter


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_json_anywhere(draw: st.DataObject) -> None:
    data = composition()
    for _ in range(draw.draw(st.integers(1, 2))):
        container, key = draw.draw(st.sampled_from(list(places(data))))
        container[key] = draw.draw(JSON)
    agree(SMALL, OPT, data, complete=draw.draw(st.booleans()))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_parts_moved_about(draw: st.DataObject) -> None:
    """Valid parts in wrong or other places, repeated, removed, in another order."""
    data = composition()
    spots = list(places(data))
    for _ in range(draw.draw(st.integers(1, 3))):
        container, key = draw.draw(st.sampled_from(spots))
        other, other_key = draw.draw(st.sampled_from(spots))
        if isinstance(container, list):
            container.insert(0, copy.deepcopy(container[key] if key < len(container) else None))
        elif draw.draw(st.booleans()):
            container.pop(key, None)
        elif other_key in other if isinstance(other, dict) else other_key < len(other):
            container[key] = copy.deepcopy(other[other_key])
    agree(SMALL, OPT, data)


@given(JSON)
def test_any_json_in_the_place_of_a_composition(data: Any) -> None:
    assert not agree(SMALL, OPT, data)


# --- warnings and choices -------------------------------------------------------------------------

EXTERNAL = CCodeReference(rm_type_name="CODE_PHRASE", reference_set_uri="terminology:X", terminology_id="X")
REFERENCE = ConstraintRef(rm_type_name="CODE_PHRASE", reference="ac0001")
LENGTH = CDvQuantity(rm_type_name="DV_QUANTITY", property="openehr::122")
MANY = Interval(0, None)


def of_code(constraint: CObject) -> CObject:
    return complex_object("DV_CODED_TEXT", single("defining_code", constraint))


def elements(*values: Json) -> list[Json]:
    return [node("ELEMENT", "at0010", "x", value=value) for value in values]


def judged(opt: OperationalTemplate, items: list[Json]) -> bool:
    data = composition()
    put(data, ITEMS, items)
    return agree(Validator(opt), opt, data)


@pytest.mark.parametrize("constraint", [EXTERNAL, REFERENCE], ids=["reference set", "ac-code"])
def test_codes_that_nobody_checked_are_warned_of_in_order(constraint: CObject) -> None:
    opt = template(element("at0010", of_code(constraint), occurrences=MANY))
    assert judged(opt, elements(*(coded_text(f"c{number}", "x", "X") for number in range(12))))


def test_units_that_nobody_knows_are_warned_of() -> None:
    opt = template(element("at0010", LENGTH, occurrences=MANY))
    units = [{"_type": "DV_QUANTITY", "magnitude": 1.0, "units": each} for each in ("cm", "ell", "m", "rod")]
    assert judged(opt, elements(*units))
    assert not judged(opt, elements(*units, {"_type": "DV_QUANTITY", "magnitude": 1.0, "units": "kg"}))


CHOICES = {
    "external before text": (of_code(EXTERNAL), complex_object("DV_TEXT")),
    "text before external": (complex_object("DV_TEXT"), of_code(EXTERNAL)),
    "local before external": (coded("at0111"), of_code(EXTERNAL)),
    "two lists": (coded("at0111"), coded("at0112", "at0113")),
    "two texts": (
        value_of("DV_TEXT", "value", "STRING", CString(values=("a",))),
        value_of("DV_TEXT", "value", "STRING", CString(pattern="b+")),
    ),
}
VALUES = {
    "text": text("bb"),
    "other text": text("c"),
    "local": coded_text("at0111", "Ja"),
    "other rubric": coded_text("at0111", "Jo"),
    "second": coded_text("at0112", "Nei"),
    "unknown": coded_text("at0999", "x"),
    "external": coded_text("x1", "x", "X"),
    "null in it": {"_type": "DV_TEXT", "value": "a", "formatting": None},
}


@pytest.mark.parametrize("choice", CHOICES)
def test_choices_between_values(choice: str) -> None:
    opt = template(element("at0010", *CHOICES[choice], occurrences=MANY))
    validator = Validator(opt)
    for name, value in VALUES.items():
        data = composition()
        put(data, ITEMS, elements(value, text("a"), value))
        agree(validator, opt, data), name


def test_siblings_of_one_node_id() -> None:
    siblings = (
        element("at0010", coded("at0111"), name=fixed("A"), occurrences=Interval(1, 1)),
        element("at0010", of_code(EXTERNAL), name=fixed("B", "C"), occurrences=Interval(0, 2)),
        element("at0010", value_of("DV_TEXT", "value", "STRING", CString(values=("x",))), occurrences=MANY),
    )
    opt = template(*siblings)
    validator = Validator(opt)
    values = [coded_text("at0111", "Ja"), coded_text("c", "c", "X"), text("x"), text("y")]
    chance = random.Random(1)
    for _ in range(200):
        data = composition()
        names = [chance.choice("ABCD") for _ in range(chance.randint(0, 4))]
        put(data, ITEMS, [node("ELEMENT", "at0010", name, value=chance.choice(values)) for name in names])
        agree(validator, opt, data, complete=chance.random() < 0.5)


def test_a_coded_name_and_a_pattern_that_cannot_be_read() -> None:
    code = CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id="local", codes=("at0111",))
    named = element("at0010", name=single("name", of_code(code)))
    unreadable = element("at0011", value_of("DV_TEXT", "value", "STRING", CString(pattern="(")))
    opt = template(named, unreadable)
    for name in (text("Ja"), coded_text("at0111", "Ja"), coded_text("at0112", "Nei")):
        item = node("ELEMENT", "at0010", "x", value=text("x")) | {"name": name}
        judged(opt, [item, node("ELEMENT", "at0011", "y", value=text("y"))])
        judged(opt, [item])


def test_deep_data_end_as_the_interpreter_ends() -> None:
    cluster = "openEHR-EHR-CLUSTER.open.v1"
    for depth in (5, 45, 60, 120):
        inner = node("ELEMENT", "at0001", "x", value=text("x"))
        for _ in range(depth):
            inner = node("CLUSTER", "at0002", "c", items=[inner])
        data = composition()
        filler = data["content"][0]["data"]["events"][0]["data"]["items"][-1]
        assert filler["archetype_node_id"] == cluster
        filler["items"] = [inner]
        agree(SMALL, OPT, data)


# --- what is learned ------------------------------------------------------------------------------


def test_each_invariant_has_a_compiled_form() -> None:
    """A rule that is added to the interpreter comes from one of the tables that the compiler reads."""
    own = sum(len(rules) for rules in OWN_RULES.values())
    tables = len(FILLED_TEXTS) + len(GROUPS) + len(CODE_SETS)
    assert sum(len(rules) for rules in INVARIANTS.values()) == own + tables


def test_one_content_has_one_validator() -> None:
    templates = library_templates()
    opt = templates["helsekort_kontroll.v0"]
    assert compile_validator(opt) is compile_validator(copy.copy(opt))
    changed = replace(opt, definition=replace(opt.definition, attributes=()))
    assert compile_validator(changed) is not compile_validator(opt)
    assert len({id(compile_validator(each)) for each in templates.values()}) == len(templates)


def test_endless_shapes_are_not_learned() -> None:
    validator = Validator(OPT)
    names = ("_type", "name", "archetype_node_id", "value", "uid", "links", "feeder_audit")
    chance = random.Random(1)
    for _ in range(300):
        data = composition()
        items = data["content"][0]["data"]["events"][0]["data"]["items"]
        first = items[0] | {"uid": {"_type": "HIER_OBJECT_ID", "value": "1"}}
        order = chance.sample(names, len(names))
        items[0] = {name: first[name] for name in order if name in first}
        agree(validator, OPT, data)
