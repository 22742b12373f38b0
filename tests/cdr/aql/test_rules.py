"""The rules of docs/aql.md by number, each on the smallest data that shows it, by plan and by reference.

R12 stands in ``test_query_history``, R34 and R35 in ``test_query_terminology``.
"""

from __future__ import annotations

from typing import Any

import pytest

from cdr.aql import AqlError, Page, compile_query, parse, resolve
from cdr.candidates import QueryAccess, Record
from tests.cdr.aql.filtering import deliver
from tests.cdr.aql.records import (
    DEVICE,
    DIAGNOSIS,
    ENCOUNTER,
    PRESSURE,
    composition,
    ehr,
    element,
    event,
    folder,
    node,
    observation,
    pressure,
    quantity,
    reference,
    text,
    with_versions,
)
from tests.cdr.aql.test_semantics import DIA, NOW, SYS, run

BP = f"OBSERVATION o[{PRESSURE}]"
EV = f"EVALUATION v[{DIAGNOSIS}]"
X = f"FROM COMPOSITION c CONTAINS {EV} CONTAINS ELEMENT x"


def visit(*events: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return composition(ENCOUNTER, observation(PRESSURE, *events), **parts)


def problem(*values: dict[str, Any] | None, code: str = "at0004") -> dict[str, Any]:
    tree = node("ITEM_TREE", "at0003", items=[element(code, value) for value in values])
    return composition(ENCOUNTER, node("EVALUATION", DIAGNOSIS, "problem", data=tree))


def dated(value: str, rm_type: str = "DV_DATE_TIME") -> dict[str, Any]:
    return {"_type": rm_type, "value": value}


TWO = ehr("e1", visit(pressure(120, 80), pressure(140, 90)))
BOTH = ehr("e1", visit(pressure(120, 80)), problem(text("a")))
NESTED = ehr("e1", composition(ENCOUNTER, node("SECTION", "at0001", "s", items=[observation(PRESSURE)])))
DELETED = with_versions("e1", [[visit(pressure(1, 1)), visit(pressure(2, 2))], [visit(pressure(3, 3)), None]])
CLUSTERS = ehr(
    "e1",
    composition(
        ENCOUNTER,
        observation(
            PRESSURE, event("2024-01-01", node("CLUSTER", DEVICE, "d", items=[element("at0004", text("in"))]))
        ),
    ),
)
FILED = with_versions(
    "e1",
    [[visit(pressure(1, 1))], [visit(pressure(2, 2))], [visit(pressure(3, 3)), None]],
    directory=folder("all", [reference("e1-0::test.system::1")], [folder("gone", [reference("e1-2")])]),
)
HIDDEN = ehr("e2", visit(pressure(5, 5)), queryable=False)
MINOR = ehr(
    "e1",
    *[composition(ENCOUNTER, observation(PRESSURE + more)) for more in ("", ".0.4", "0", "-special.v1")],
)
UNITS = ehr("e1", problem(quantity(1, "kg")), problem(quantity(1, "g")))
DATES = ehr(
    "e1", *[problem(dated(value)) for value in ("2024-05", "2024-05-17T10:00:00+02:00", "2024-06-01")]
)
SPANS = ehr("e1", *[problem(dated(value, "DV_DURATION")) for value in ("P1M", "P30D", "P1Y")])
WORDS = ehr("e1", *[problem(text(value)) for value in ("alpha", "Alpha", "a*b")])
NUMBERS = ehr("e1", *[problem(quantity(value)) for value in (0.1, 2.5, 3)])

RULES: list[tuple[str, str, tuple[Record, ...], list[list[Any]]]] = [
    ("R1", f"SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c CONTAINS {BP} AND {EV}", (BOTH,), []),
    (
        "R1",
        f"SELECT COUNT(*) FROM EHR e CONTAINS (COMPOSITION c CONTAINS {BP}) AND COMPOSITION d",
        (BOTH,),
        [[2]],
    ),
    ("R1", f"SELECT COUNT(*) FROM COMPOSITION c CONTAINS {BP} OR {EV} AND SECTION s", (BOTH,), [[1]]),
    ("R2", f"SELECT c/name/value FROM COMPOSITION c CONTAINS {BP}", (NESTED,), [["composition"]]),
    ("R2", f"SELECT x/value/value FROM {BP} CONTAINS ELEMENT x[at0004]", (CLUSTERS,), [["in"]]),
    ("R3", "SELECT COUNT(*) FROM EHR CONTAINS COMPOSITION CONTAINS EVENT", (TWO,), [[2]]),
    ("R4", "SELECT COUNT(*) FROM COMPOSITION c CONTAINS (EVENT a AND EVENT b)", (TWO,), [[4]]),
    (
        "R4",
        f"SELECT o/name/value, v/name/value FROM COMPOSITION c CONTAINS ({BP} OR {EV})",
        (BOTH,),
        [["observation", None], [None, "problem"]],
    ),
    ("R5", "SELECT COUNT(*) FROM COMPOSITION c AND COMPOSITION d", (TWO, ehr("e2", visit())), [[2]]),
    ("R6", f"SELECT {SYS} FROM COMPOSITION c CONTAINS {BP}", (DELETED,), [[2]]),
    ("R6", f"SELECT {SYS} FROM VERSION v CONTAINS {BP}", (DELETED,), [[2]]),
    ("R6", f"SELECT {SYS} FROM VERSION v[ALL_VERSIONS] CONTAINS {BP}", (DELETED,), [[1], [2], [3]]),
    ("R6", "SELECT COUNT(v) FROM VERSION v[ALL_VERSIONS]", (DELETED,), [[4]]),
    ("R7", "SELECT f/name/value FROM EHR e CONTAINS FOLDER f", (FILED,), [["all"], ["gone"]]),
    ("R7", "SELECT g/name/value FROM FOLDER f CONTAINS FOLDER g", (FILED,), [["gone"]]),
    ("R7", f"SELECT f/name/value, {SYS} FROM FOLDER f CONTAINS {BP}", (FILED,), [["all", 1]]),
    ("R7", "SELECT f/name/value FROM FOLDER f NOT CONTAINS COMPOSITION", (FILED,), [["gone"]]),
    ("R8", f"SELECT {SYS} FROM EHR e CONTAINS {BP}", (HIDDEN,), []),
    ("R8", f"SELECT {SYS} FROM EHR e[ehr_id/value='e2'] CONTAINS {BP}", (HIDDEN,), [[5]]),
    ("R8", f"SELECT {SYS} FROM EHR e CONTAINS {BP} WHERE e/ehr_id/value MATCHES {{'e2'}}", (HIDDEN,), [[5]]),
    ("R9", f"SELECT COUNT(o) FROM {BP}", (MINOR,), [[2]]),
    ("R9", f"SELECT COUNT(o) FROM OBSERVATION o WHERE o/archetype_node_id = '{PRESSURE}'", (MINOR,), [[1]]),
    ("R10", f"SELECT {SYS} FROM COMPOSITION c CONTAINS {BP} AS OF '2024-01-15'", (DELETED,), [[1], [3]]),
    ("R10", "SELECT e/ehr_id/value FROM EHR e AS OF '2023-04-01'", (TWO,), []),
    ("R11", f"SELECT {SYS} FROM {BP} AS OF '2024-03-01'", (HIDDEN,), []),
    ("R13", "SELECT e/ehr_id/value FROM EHR e AS OF '2023-05-01'", (TWO,), []),
    ("R13", "SELECT e/ehr_id/value FROM EHR e AS OF '2023-05-01T08:00'", (TWO,), [["e1"]]),
    ("R14", f"SELECT o/data/events/data/items/value/magnitude FROM {BP}", (TWO,), [[120], [80], [140], [90]]),
    ("R15", f"SELECT {SYS}, {DIA} FROM {BP}", (TWO,), [[120, 80], [140, 90]]),
    (
        "R15",
        "SELECT o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude,"
        f" o/data/events/data/items[at0005]/value/magnitude FROM {BP}",
        (TWO,),
        [[120, 80], [120, 90], [140, 80], [140, 90]],
    ),
    (
        "R16",
        f"SELECT {SYS}, {DIA} FROM {BP}",
        (ehr("e1", visit(pressure(1, None), pressure(2, 3))),),
        [[1, None], [2, 3]],
    ),
    ("R16", f"SELECT {SYS}, {DIA} FROM {BP}", (ehr("e1", visit()),), [[None, None]]),
    (
        "R17",
        f"SELECT c/name/value FROM COMPOSITION c CONTAINS {BP} WHERE {SYS} > 1",
        (TWO,),
        [["composition"]] * 2,
    ),
    (
        "R18",
        f"SELECT c/name/value FROM COMPOSITION c CONTAINS ({BP} OR {EV}) WHERE {SYS} > 1",
        (BOTH,),
        [["composition"]],
    ),
    ("R19", f"SELECT o/name/value FROM {BP} WHERE EXISTS {SYS}", (TWO,), [["observation"]]),
    (
        "R19",
        f"SELECT {SYS} FROM {BP} WHERE NOT EXISTS {DIA}",
        (ehr("e1", visit(pressure(1, 1), pressure(2, None))),),
        [[2]],
    ),
    ("R20", f"SELECT o[name/value='x']/name/value, o/name/value FROM {BP}", (TWO,), [[None, "observation"]]),
    (
        "R21",
        "SELECT COUNT(c) FROM COMPOSITION c[content/data/events/data/items/value/magnitude = 90]",
        (TWO,),
        [[1]],
    ),
    ("R22", f"SELECT {SYS} FROM {BP} WHERE NOT {SYS} > 'x' OR {SYS} = NULL OR NOT {SYS} = NULL", (TWO,), []),
    ("R23", f"SELECT COUNT(x) {X} WHERE x/value/value = '2024-06-01T00:00:00Z'", (DATES,), [[1]]),
    ("R23", f"SELECT COUNT(x) {X} WHERE NOT x/value/value = 'no date'", (DATES,), [[0]]),
    ("R24", f"SELECT COUNT(x) {X} WHERE x/value = 1", (UNITS,), [[2]]),
    (
        "R24",
        "SELECT COUNT(*) FROM (COMPOSITION c CONTAINS ELEMENT x) AND (COMPOSITION d CONTAINS ELEMENT y)"
        " WHERE x/value = y/value",
        (UNITS,),
        [[2]],
    ),
    ("R25", f"SELECT COUNT(x) {X} WHERE x/value/value = '2024-05-17T08:00:00Z'", (DATES,), [[1 + 1]]),
    ("R25", f"SELECT COUNT(x) {X} WHERE x/value/value = '2024-05-17T08:00:00'", (DATES,), [[1 + 1]]),
    ("R26", f"SELECT x/value/value {X} WHERE x/value/value <= '2024-05'", (DATES,), [["2024-05"]]),
    ("R26", f"SELECT COUNT(x) {X} WHERE x/value/value = '2024-05'", (DATES,), [[2]]),
    ("R27", f"SELECT x/value/value AS d {X} ORDER BY d", (SPANS,), [["P30D"], ["P1M"], ["P1Y"]]),
    (
        "R28",
        f"SELECT x/value/value AS t {X} WHERE x/value/value >= 'a' ORDER BY t",
        (WORDS,),
        [["a*b"], ["alpha"]],
    ),
    ("R28", "SELECT COUNT(e) FROM EHR e WHERE e/ehr_status/is_queryable > false", (TWO,), [[0]]),
    ("R29", f"SELECT x/value/value {X} WHERE x/value/value LIKE '?lpha'", (WORDS,), [["alpha"], ["Alpha"]]),
    ("R29", rf"SELECT x/value/value {X} WHERE x/value/value LIKE 'a\\*?'", (WORDS,), [["a*b"]]),
    ("R29", f"SELECT COUNT(x) {X} WHERE x/value/value LIKE '2024-05*+02:00'", (DATES,), [[1]]),
    ("R30", f"SELECT x/value/magnitude + 0.2 AS s {X} ORDER BY s LIMIT 1", (NUMBERS,), [[0.3]]),
    ("R30", f"SELECT x/value/magnitude / 0 {X} LIMIT 1", (NUMBERS,), [[None]]),
    (
        "R31",
        f"SELECT x/value/value {X} WHERE x/value/value MATCHES {{/[aA]l.*/}}",
        (WORDS,),
        [["alpha"], ["Alpha"]],
    ),
    ("R31", f"SELECT x/value/value {X} WHERE x/value/value MATCHES {{/l/}}", (WORDS,), []),
    (
        "R32",
        f"SELECT DAYS_BETWEEN(x/value/value, '2024-05-20') AS d {X} ORDER BY d",
        (DATES,),
        [[-12], [3], [None]],
    ),
    (
        "R33",
        f"SELECT CONCAT(x/value/value, NULL), CONCAT_WS('-', x/value/value, NULL), ABS(x/value/value) {X}"
        " WHERE x/value/value = 'alpha'",
        (WORDS,),
        [[None, "alpha", None]],
    ),
    ("R33", f"SELECT ROUND(x/value/magnitude) AS r {X} ORDER BY r", (NUMBERS,), [[0], [3], [3]]),
    (
        "R36",
        f"SELECT x/value/value {X} WHERE x/value/value < '2024-05-31' AND x/value/value != '2024-05'",
        (DATES,),
        [],
    ),
    ("R36", f"SELECT x/value {X} LIMIT 1", (ehr("e1", problem(text("a"))),), [[text("a")]]),
    (
        "R37",
        f"SELECT DISTINCT x/value/magnitude AS m {X} ORDER BY m LIMIT 2",
        (ehr("e1", problem(quantity(1), quantity(1.0), quantity(2), quantity(3))),),
        [[1], [2]],
    ),
    (
        "R38",
        f"SELECT x/value AS v {X} ORDER BY v DESC",
        (ehr("e1", problem(quantity(1), text("a"), None)),),
        [[text("a")], [quantity(1)], [None]],
    ),
    ("R39", f"SELECT x/value/units, 'k', COUNT(*) {X}", (UNITS,), [["kg", "k", 1], ["g", "k", 1]]),
    ("R39", f"SELECT COUNT(*), MAX(x/value/magnitude) {X}", (TWO,), [[0, None]]),
    (
        "R40",
        f"SELECT SUM(x/value/magnitude), COUNT(x/value/magnitude), MAX(x/value) {X}",
        (ehr("e1", problem(quantity(0.1), quantity(0.2), None)),),
        [[0.3, 2, quantity(0.2)]],
    ),
    ("R41", f"SELECT TOP 2 BACKWARD x/value/magnitude AS m {X} ORDER BY m", (NUMBERS,), [[2.5], [3]]),
]


@pytest.mark.parametrize(
    ("query", "records", "rows"), [pytest.param(*rest, id=name) for name, *rest in RULES]
)
def test_rule(query: str, records: tuple[Record, ...], rows: list[list[Any]]) -> None:
    found = run(query, *records)
    assert found == rows if "ORDER BY" in query else sorted(found, key=repr) == sorted(rows, key=repr)


def test_r42_a_page_cuts_the_result_after_limit() -> None:
    scope = resolve(parse(f"SELECT x/value/magnitude AS m {X} ORDER BY m LIMIT 2"))
    plan = compile_query(scope, QueryAccess(), now=NOW, page=Page(offset=1, fetch=5))
    assert list(plan.run(deliver(plan.candidates, [NUMBERS]))) == [[2.5]]


def test_r43_parameters_are_values() -> None:
    hostile = "alpha' OR c/name/value != '"
    query = f"SELECT x/value/value {X} WHERE x/value/value matches {{$list}} OR x/value/value = $text"
    given = {"list": ["a*b", hostile], "text": hostile, "unused": 1}
    assert run(query, WORDS, parameters=given) == [["a*b"]]
    with pytest.raises(AqlError, match="no value for parameter"):
        resolve(parse(query), {"list": []})
