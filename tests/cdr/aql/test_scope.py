"""What makes no sense is refused with code and place; parameters are values."""

from __future__ import annotations

from typing import Any

import pytest

from cdr.aql import AqlSemanticError, check, parse, resolve
from cdr.aql.printer import print_query

BP = "OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2]"


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("SELECT x FROM EHR e", "aql.variable.unknown", 8),
        ("SELECT e FROM EHR e CONTAINS COMPOSITION E", "aql.variable.duplicate", 30),
        ("SELECT o FROM COMPOSITION c NOT CONTAINS OBSERVATION o", "aql.variable.not_contained", 8),
        ("SELECT c/name/value AS n FROM COMPOSITION c WHERE n = 'x'", "aql.alias.in_where", 51),
        ("SELECT c/name/value AS n, c/uid/value AS N FROM COMPOSITION c", "aql.alias.duplicate", 27),
        ("SELECT c FROM COMPOSITIO c", "aql.class.unknown", 15),
        ("SELECT o/nonsense/value FROM OBSERVATION o", "aql.attribute.unknown", 10),
        ("SELECT o/data/events/data/nothing FROM OBSERVATION o", "aql.attribute.unknown", 27),
        ("SELECT o FROM OBSERVATION o[naem/value='x']", "aql.attribute.unknown", 29),
        ("SELECT o FROM OBSERVATION o[openEHR-EHR-EVALUATION.x.v1]", "aql.archetype.class", 29),
        ("SELECT c FROM COMPOSITION c CONTAINS EHR e", "aql.contains.impossible", 38),
        ("SELECT c FROM COMPOSITION c CONTAINS VERSION v", "aql.contains.impossible", 38),
        ("SELECT LENGHT(c/name/value) FROM COMPOSITION c", "aql.function.unknown", 8),
        ("SELECT LENGTH(c/name/value, 2) FROM COMPOSITION c", "aql.function.arguments", 8),
        ("SELECT SUM(c/name/value) FROM COMPOSITION c", "aql.aggregate.type", 8),
        (f"SELECT MAX(o/data) FROM {BP}", "aql.aggregate.type", 8),
        ("SELECT c/name/value FROM COMPOSITION c ORDER BY c/context", "aql.order_by.type", 49),
        (
            "SELECT DISTINCT c/name/value FROM COMPOSITION c ORDER BY c/uid/value",
            "aql.order_by.not_selected",
            58,
        ),
        ("SELECT COUNT(c) FROM COMPOSITION c ORDER BY c/uid/value", "aql.order_by.not_selected", 45),
        ("SELECT c FROM COMPOSITION c GROUP BY c/uid/value", "aql.group_by.column", 8),
        ("SELECT COUNT(c) AS n FROM COMPOSITION c GROUP BY n", "aql.group_by.aggregate", 50),
        ("SELECT c FROM COMPOSITION c WHERE c/name/value MATCHES {/(a/}", "aql.regex", 56),
        ("SELECT c FROM COMPOSITION c[matches {/a**/}]", "aql.regex", 29),
        ("SELECT c FROM COMPOSITION c AS OF 'yesterday'", "aql.as_of", 35),
        ("SELECT c/nmae/value + 1 FROM COMPOSITION c", "aql.attribute.unknown", 10),
        ("SELECT c FROM COMPOSITION c WHERE c/name/value = $n", "aql.parameter.missing", 50),
    ],
)
def test_refusal_has_code_and_place(text: str, code: str, column: int) -> None:
    with pytest.raises(AqlSemanticError) as caught:
        resolve(parse(text))
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, 1, column)


def test_a_near_word_is_suggested() -> None:
    with pytest.raises(AqlSemanticError, match=r"did you mean magnitude\?"):
        resolve(parse(f"SELECT o/data/events/data/items/value/magnitud FROM {BP}"))


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("SELECT c FROM COMPOSITION c[$p]", {"p": "no archetype"}),
        ("SELECT c FROM COMPOSITION c WHERE c/name/value = $p", {"p": ["a"]}),
        ("SELECT c FROM COMPOSITION c WHERE c/name/value = $p", {"p": {"a": 1}}),
        ("SELECT c FROM COMPOSITION c WHERE c/name/value = $p", {"p": float("nan")}),
        ("SELECT c FROM COMPOSITION c WHERE c/name/value LIKE $p", {"p": 7}),
        ("SELECT c FROM COMPOSITION c WHERE c/name/value matches {$p}", {"p": [["a"]]}),
    ],
)
def test_a_parameter_of_a_wrong_type_is_refused(text: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(AqlSemanticError) as caught:
        resolve(parse(text), parameters)
    assert caught.value.code == "aql.parameter.type"


def test_parameters_are_values_and_never_text() -> None:
    text = (
        "SELECT c FROM EHR e[ehr_id/value=$e] CONTAINS COMPOSITION c[$a] WHERE c/name/value matches {$l, 1}"
    )
    evil = "x' OR '1'='1"
    values = {"e": evil, "a": "openEHR-EHR-COMPOSITION.encounter.v1", "l": ["a", 2, None], "unused": object()}
    printed = print_query(resolve(parse(text), values).query)
    assert printed == (
        "SELECT c FROM EHR e[ehr_id/value='x\\' OR \\'1\\'=\\'1'] CONTAINS "
        "COMPOSITION c[openEHR-EHR-COMPOSITION.encounter.v1] WHERE c/name/value MATCHES {'a', 2, NULL, 1}"
    )


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("SELECT c FROM COMPOSITION c WHERE c/name/value matches TERMINOLOGY('a','b','c')", "terminology"),
        (
            "SELECT c FROM COMPOSITION c WHERE c/name/value matches {'x', TERMINOLOGY('a','b','c')}",
            "terminology",
        ),
        ("SELECT c FROM COMPOSITION c WHERE TERMINOLOGY('a','b','c') = true", "terminology"),
        ("SELECT c FROM COMPOSITION c WHERE c/name matches {terminology://x/y}", "matches_uri"),
        ("SELECT f FROM EHR e CONTAINS VERSIONED_FOLDER f", "class"),
        ("SELECT v FROM EHR e CONTAINS VERSIONED_OBJECT o CONTAINS VERSION v", "class"),
        ("SELECT e FROM EHR e AND EHR f", "several_ehrs"),
        ("SELECT e/directory/id/value FROM EHR e", "ehr_attribute"),
        ("SELECT t/offset/value FROM EHR e CONTAINS EVENT t", "computed_attribute"),
        ("SELECT s FROM EHR e CONTAINS VERSION v CONTAINS EHR_STATUS s", "version_of_status"),
    ],
)
def test_what_is_not_executed_is_named_with_its_place(text: str, construct: str) -> None:
    findings = check(resolve(parse(text)))
    assert [finding.code for finding in findings] == [f"aql.unsupported.{construct}"]
    assert findings[0].params["column"] == str(findings[0].span.column if findings[0].span else 0)
