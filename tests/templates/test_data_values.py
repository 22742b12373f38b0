"""Plain values to data values: the forms of each type, and what is refused."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CAttribute,
    CBoolean,
    CCodePhrase,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    CPrimitiveObject,
    CReal,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
    TermDefinition,
)
from templates.data_values import Unfit, data_value
from templates.rubrics import Rubrics

TERMS = {
    "at0005": TermDefinition(text="Har sluttet"),
    "at0096": TermDefinition(text="Negativ"),
    "2.16::T002": TermDefinition(text="Positiv"),
}
ROOT = CArchetypeRoot(
    rm_type_name="CLUSTER",
    node_id="at0000",
    archetype_id="openEHR-EHR-CLUSTER.t.v0",
    terms=MappingProxyType({"nb": MappingProxyType(TERMS)}),
)
RUBRICS = Rubrics(ROOT, "nb")


def element(*alternatives: CObject) -> CComplexObject:
    value = CAttribute(rm_attribute_name="value", children=alternatives)
    return CComplexObject(rm_type_name="ELEMENT", node_id="at0001", attributes=(value,))


def of(type_name: str, **limits: Primitive | CObject) -> CComplexObject:
    """A data value with a limit on each named attribute."""
    attributes = tuple(
        CAttribute(
            rm_attribute_name=name,
            children=(
                limit if isinstance(limit, CObject) else CPrimitiveObject(rm_type_name="-", item=limit),
            ),
        )
        for name, limit in limits.items()
    )
    return CComplexObject(rm_type_name=type_name, attributes=attributes)


def codes(terminology: str, *listed: str) -> CComplexObject:
    phrase = CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id=terminology, codes=listed)
    return of("DV_CODED_TEXT", defining_code=phrase)


PRESSURE = CDvQuantity(
    rm_type_name="DV_QUANTITY",
    items=(QuantityItem(units="mm[Hg]", magnitude=Interval(60, 260), precision=Interval(0, 0)),),
)
PROTEIN = CDvOrdinal(
    rm_type_name="DV_ORDINAL", items=(OrdinalItem(value=1, terminology_id="local", code="at0096"),)
)
PERCENT = of("DV_PROPORTION", numerator=CReal(range=Interval(0.0, 100.0)), type=CInteger(values=(2,)))
WEEKS = of("DV_DURATION", value=CDuration(pattern="PWD", range=Interval("P4W", "P43W6D")))
DATE = of("DV_DATE", value=CTemporal(rm_type="DATE", range=Interval("2020-01-01", None)))
POSTCODE = of("DV_TEXT", value=CString(pattern="[0-9]{4}"))
CHOICE = of("DV_TEXT", value=CString(values=("far", "medmor")))
HPR = of("DV_IDENTIFIER", id=CString(pattern="[0-9]{7,9}"))
CARD = {"numerator": 80, "denominator": 100, "type": 2}

ACCEPTED: list[tuple[CObject, Any, dict[str, Any]]] = [
    (PRESSURE, "112 mm[Hg]", {"magnitude": 112, "units": "mm[Hg]"}),
    (PRESSURE, {"magnitude": 112, "units": "mm[Hg]"}, {"magnitude": 112, "units": "mm[Hg]"}),
    (PRESSURE, {"magnitude": 112.0, "units": "mm[Hg]"}, {"magnitude": 112.0, "units": "mm[Hg]"}),
    (PROTEIN, 1, {"value": 1}),
    (PROTEIN, "at0096", {"value": 1}),
    (PROTEIN, {"at": "at0096", "ordinal": 1, "display": "Neg"}, {"value": 1}),
    (PERCENT, "80 %", CARD),
    (PERCENT, CARD, CARD),
    (WEEKS, "P24W1D", {"value": "P24W1D"}),
    (DATE, "2021-02-01", {"value": "2021-02-01"}),
    (POSTCODE, "0001", {"value": "0001"}),
    (CHOICE, "medmor", {"value": "medmor"}),
    (HPR, "999000002", {"id": "999000002"}),
    (HPR, {"id": "999000002", "type": "HPR"}, {"id": "999000002", "type": "HPR"}),
    (codes("local", "at0005"), "at0005", {"value": "Har sluttet"}),
    (codes("local", "at0005"), {"at": "at0005"}, {"value": "Har sluttet"}),
    (codes("2.16", "T002"), "T002", {"value": "Positiv"}),
    (
        codes("ICD-10"),
        {"code": "O14.9", "system": "icd-10", "display": "Preeklampsi"},
        {"value": "Preeklampsi"},
    ),
    (
        of("DV_TEXT"),
        {"code": "O14.9", "system": "icd-10", "display": "Preeklampsi"},
        {"value": "Preeklampsi"},
    ),
    (of("DV_TEXT"), "tekst", {"_type": "DV_TEXT", "value": "tekst"}),
    (of("DV_BOOLEAN", value=CBoolean(false_valid=False)), True, {"value": True}),
    (of("DV_COUNT", magnitude=CInteger(range=Interval(0, 25))), 25, {"magnitude": 25}),
    (of("DV_DATE_TIME"), "2021-11-14", {"_type": "DV_DATE_TIME", "value": "2021-11-14"}),
    (of("DV_URI"), "https://helsenorge.no", {"value": "https://helsenorge.no"}),
]
REFUSED: list[tuple[CObject, Any, str]] = [
    (PRESSURE, "261 mm[Hg]", "outside"),
    (PRESSURE, "112.5 mm[Hg]", "decimals"),
    (PRESSURE, "14 kPa", "unit kPa"),
    (PRESSURE, "112", "not a quantity"),
    (PRESSURE, "høyt mm[Hg]", "not a number"),
    (PRESSURE, {"magnitude": True, "units": "mm[Hg]"}, "not a number"),
    (PRESSURE, {"magnitude": float("nan"), "units": "mm[Hg]"}, "not a number"),
    (PRESSURE, {"magnitude": 10**400, "units": "mm[Hg]"}, "not a number"),
    (PRESSURE, "1_12 mm[Hg]", "not a number"),
    (PROTEIN, "at0097", "not one of at0096"),
    (PROTEIN, True, "not one of"),
    (PERCENT, "101 %", "outside"),
    (PERCENT, {"numerator": 1, "denominator": 2, "type": 2}, "denominator 100"),
    (PERCENT, {"numerator": 1, "denominator": 2, "type": 0}, "not one of 2"),
    (WEEKS, "P3W", "outside"),
    (WEEKS, "P24WT1H", "does not allow"),
    (WEEKS, "24 uker", "not a duration"),
    (DATE, "2019-12-31", "outside"),
    (DATE, "2021-02-30", "not a date"),
    (POSTCODE, "12", "not one of"),
    (CHOICE, "bestemor", "not one of far, medmor"),
    (HPR, "12", "not one of"),
    (HPR, {"id": "999000002", "fødselsnummer": "1"}, "not an identifier"),
    (HPR, {"id": 999000002}, "not an identifier"),
    (codes("local", "at0005"), "at0006", "not one of at0005"),
    (codes("local", "at0005"), {"code": "at0005", "system": "ICD-10"}, "expected local"),
    (codes("ICD-10"), "O14.9", "display"),
    (of("DV_TEXT"), {"code": "O14.9", "display": "Preeklampsi"}, "needs its system"),
    (of("DV_TEXT"), 7, "not a text"),
    (of("DV_TEXT"), "", "empty"),
    (of("DV_BOOLEAN", value=CBoolean(false_valid=False)), False, "not allowed"),
    (of("DV_BOOLEAN"), "ja", "not true or false"),
    (of("DV_COUNT", magnitude=CInteger(range=Interval(0, 25))), 26, "outside"),
    (of("DV_COUNT"), 2.0, "not a whole number"),
    (of("DV_URI"), "helsenorge", "not a URI"),
    (of("DV_MULTIMEDIA"), "bilde", "cannot be made"),
]


@pytest.mark.parametrize(("constraint", "value", "expected"), ACCEPTED)
def test_a_value_that_fits(constraint: CObject, value: Any, expected: dict[str, Any]) -> None:
    made = data_value(value, element(constraint), RUBRICS)
    assert expected.items() <= made.items()


@pytest.mark.parametrize(("constraint", "value", "reason"), REFUSED)
def test_a_value_that_does_not_fit(constraint: CObject, value: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        data_value(value, element(constraint), RUBRICS)


def test_a_listed_code_goes_before_free_text() -> None:
    either = element(of("DV_TEXT"), codes("local", "at0005"))
    assert data_value("at0005", either, RUBRICS)["_type"] == "DV_CODED_TEXT"
    assert data_value("noe annet", either, RUBRICS)["_type"] == "DV_TEXT"


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["magnitude", "units", "code", "system", "display", "at", "id", "numerator", "type"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)


@given(value=ANY_JSON, constraint=st.sampled_from([constraint for constraint, _, _ in ACCEPTED]))
def test_any_value_is_made_or_refused(value: Any, constraint: CObject) -> None:
    try:
        made = data_value(value, element(constraint), RUBRICS)
    except Unfit:
        return
    assert made["_type"] == constraint.rm_type_name or made["_type"] == "DV_CODED_TEXT"
