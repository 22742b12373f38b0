"""Queries that would lose a path, and those that would not."""

from __future__ import annotations

import pytest

from archetypes.intervals import Interval
from cdr.aql.errors import AqlSyntaxError
from cdr.aql.parser import parse
from cdr.query_impact import NamedQuery, query_impact
from templates.operational import OperationalTemplate
from templates.repository import library_templates
from tests.templates.edits import attribute, edited, having, named
from tests.templates.planted_changes import EVENT, PRESSURE, SLOT, SYSTOLIC, VISIT, WEIGHT

OLD = library_templates()[VISIT]
PRESSURE_ID = "openEHR-EHR-OBSERVATION.blood_pressure.v2"
WEIGHT_ID = "openEHR-EHR-OBSERVATION.body_weight.v2"
SYSTOLIC_PATH = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude"
FROM = f"FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION o[{PRESSURE_ID}]"

WITHOUT_SYSTOLIC = edited(OLD, SYSTOLIC, lambda _: None)
WITHOUT_WEIGHT = edited(OLD, WEIGHT, lambda _: None)
AS_TEXT = edited(OLD, f"{SYSTOLIC}/value", having(rm_type_name="DV_TEXT"))
RENAMED = edited(OLD, PRESSURE, attribute("name", lambda _: named("BT")))
WITHOUT_STATE = edited(OLD, f"{EVENT}/state[at0007]", lambda _: None)
NARROWER = edited(OLD, PRESSURE, having(occurrences=Interval(0, 1)))


def lost(text: str, new: OperationalTemplate) -> list[str]:
    parse(text)
    return [path.text for impact in query_impact([NamedQuery("q", text)], OLD, new) for path in impact.lost]


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        (f"SELECT {SYSTOLIC_PATH} {FROM}", WITHOUT_SYSTOLIC, [SYSTOLIC_PATH]),
        (f"SELECT {SYSTOLIC_PATH} {FROM}", AS_TEXT, [SYSTOLIC_PATH]),
        (f"SELECT {SYSTOLIC_PATH} {FROM}", NARROWER, []),
        (f"SELECT {SYSTOLIC_PATH} {FROM}", WITHOUT_WEIGHT, []),
        (f"SELECT o {FROM} WHERE {SYSTOLIC_PATH} > 140", WITHOUT_SYSTOLIC, [SYSTOLIC_PATH]),
        (f"SELECT o {FROM} WHERE NOT EXISTS {SYSTOLIC_PATH}", WITHOUT_SYSTOLIC, [SYSTOLIC_PATH]),
        (f"SELECT o {FROM} ORDER BY {SYSTOLIC_PATH}", WITHOUT_SYSTOLIC, [SYSTOLIC_PATH]),
        (f"SELECT MAX({SYSTOLIC_PATH}) AS m {FROM} ORDER BY m", WITHOUT_SYSTOLIC, [SYSTOLIC_PATH]),
        (f"SELECT LENGTH({SYSTOLIC_PATH}) {FROM}", WITHOUT_SYSTOLIC, [SYSTOLIC_PATH]),
        (f"SELECT o/data/events/data/items/value {FROM}", WITHOUT_SYSTOLIC, []),
        (f"SELECT o/uid/value, c/context/start_time/value {FROM}", WITHOUT_SYSTOLIC, []),
        (f"SELECT e/ehr_id/value {FROM}", WITHOUT_SYSTOLIC, []),
        (
            f"SELECT o/data[at0001]/events[at0006]/state[at0007]/items[at0008]/value {FROM}",
            WITHOUT_STATE,
            ["o/data[at0001]/events[at0006]/state[at0007]/items[at0008]/value"],
        ),
        # FROM.
        (
            f"SELECT w FROM EHR e CONTAINS OBSERVATION w[{WEIGHT_ID}]",
            WITHOUT_WEIGHT,
            [f"OBSERVATION [{WEIGHT_ID}]"],
        ),
        (f"SELECT e FROM EHR e NOT CONTAINS OBSERVATION w[{WEIGHT_ID}]", WITHOUT_WEIGHT, []),
        (f"SELECT e FROM EHR e CONTAINS (OBSERVATION w[{WEIGHT_ID}] OR OBSERVATION o[{PRESSURE_ID}])",
         WITHOUT_WEIGHT, [f"OBSERVATION [{WEIGHT_ID}]"]),
        ("SELECT o FROM OBSERVATION o", WITHOUT_WEIGHT, []),
        ("SELECT x FROM OBSERVATION x[openEHR-EHR-OBSERVATION.nowhere.v1]", WITHOUT_WEIGHT, []),
        (f"SELECT x FROM EVALUATION v CONTAINS OBSERVATION x[{WEIGHT_ID}]", WITHOUT_WEIGHT, []),
        (
            "SELECT x/value FROM OBSERVATION o CONTAINS ELEMENT x[at0004 and name/value='Systolisk']",
            WITHOUT_SYSTOLIC,
            ["ELEMENT"],
        ),
        # Names.
        (
            f"SELECT o FROM OBSERVATION o[{PRESSURE_ID}, 'Blodtrykk']",
            RENAMED,
            [f"OBSERVATION [{PRESSURE_ID}]"],
        ),
        (f"SELECT o FROM OBSERVATION o[{PRESSURE_ID}, 'Noe annet']", RENAMED, []),
        ("SELECT o FROM OBSERVATION o[name/value='Blodtrykk']", RENAMED, ["OBSERVATION"]),
        ("SELECT o FROM OBSERVATION o[name/value=$name]", RENAMED, []),
        # In an open slot everything may be.
        (
            "SELECT g/items[openEHR-EHR-CLUSTER.electronic_communication.v1]/items[at0001]/value"
            " FROM CLUSTER g[openEHR-EHR-CLUSTER.organisation.v1]",
            edited(OLD, SLOT, lambda _: None),
            ["g/items[openEHR-EHR-CLUSTER.electronic_communication.v1]/items[at0001]/value"],
        ),
        # Who asks for nothing of the template loses nothing.
        ("SELECT s/subject FROM EHR e CONTAINS EHR_STATUS s", WITHOUT_WEIGHT, []),
        (
            f"SELECT {SYSTOLIC_PATH} FROM EHR e CONTAINS VERSION v CONTAINS COMPOSITION c"
            f" CONTAINS OBSERVATION o[{PRESSURE_ID}]",
            WITHOUT_SYSTOLIC,
            [SYSTOLIC_PATH],
        ),
    ],
)  # fmt: skip
def test_lost_paths(text: str, new: OperationalTemplate, expected: list[str]) -> None:
    assert lost(text, new) == expected
    assert lost(text, OLD) == []


def test_places_names_and_what_is_no_query() -> None:
    text = f"SELECT\n  {SYSTOLIC_PATH}\n{FROM}"
    queries = [
        NamedQuery("fine", "SELECT e FROM EHR e"),
        NamedQuery("lost", text),
        NamedQuery("odd", "SELECT"),
    ]
    found = query_impact(queries, OLD, WITHOUT_SYSTOLIC)
    assert [(each.name, len(each.lost), bool(each.error)) for each in found] == [
        ("lost", 1, False),
        ("odd", 0, True),
    ]
    assert (found[0].lost[0].line, found[0].lost[0].column) == (2, 3)
    with pytest.raises(AqlSyntaxError):
        parse("SELECT")
