"""What a plan asks of the store, how it runs, and its limits."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cdr.aql import (
    AqlSemanticError,
    AqlTooLarge,
    Limits,
    Page,
    Plan,
    check,
    compile_query,
    parse,
    resolve,
    result_set,
)
from cdr.candidates import InstantRange, QueryAccess, archetype_matches
from cdr.errors import QueryTimeout
from tests.cdr.aql.records import (
    DIAGNOSIS,
    ENCOUNTER,
    PRESSURE,
    REPORT,
    composition,
    ehr,
    element,
    event,
    observation,
    pressure,
    quantity,
)
from tests.shared_data import SHARED, needs_shared

COMPILE = Path(__file__).parents[2] / "data" / "aql" / "compile"
BENCH = SHARED / "bench" / "cdrbench.py"
SYS = "o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude"


def plan(text: str, access: QueryAccess | None = None, page: Page | None = None) -> Plan:
    scope = resolve(parse(text))
    assert check(scope) == []
    return compile_query(scope, access or QueryAccess(), page=page, now=datetime(2024, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("path", sorted(COMPILE.glob("*.aql")), ids=lambda path: path.stem)
def test_explained_plan(path: Path) -> None:
    """Pairs: the query, and beside it in ``.plan`` what explain says after the line with the query."""
    explained = plan(path.read_text(encoding="utf-8")).explain()
    assert explained.partition("\n")[2] == path.with_suffix(".plan").read_text(encoding="utf-8")


def test_pairs_are_there() -> None:
    assert len(list(COMPILE.glob("*.aql"))) >= 10


def bench_queries() -> dict[str, str]:
    """The literal queries of the benchmark, with its constants filled in."""
    source = BENCH.read_text(encoding="utf-8") if BENCH.is_file() else ""
    constants = dict(re.findall(r'^([A-Z]{2,5}) = "([^"]+)"$', source, re.MULTILINE))
    queries = re.findall(r'^    \("(q\d\d_\w+)", f?"(.*)", "\w*"\),$', source, re.MULTILINE)
    literals = {"{{{{EHRS}}}}": "{'e1','e2'}", "{{EHR}}": "e1"}
    fills = literals | {"{" + name + "}": value for name, value in constants.items()} | {"{T_PREG}": "t"}
    return {name: _filled(text, fills) for name, text in queries}


def _filled(text: str, fills: dict[str, str]) -> str:
    for mark, value in fills.items():
        text = text.replace(mark, value)
    assert "{{" not in text
    return text


@needs_shared
def test_all_queries_of_the_benchmark_compile() -> None:
    queries = bench_queries()
    assert len(queries) == 19
    for text in queries.values():
        scope = resolve(parse(text), {"ehr_id": "e1"})
        assert check(scope) == []
        assert list(compile_query(scope, QueryAccess()).run([])) is not None


# -- candidates ----------------------------------------------------------------------------------------


def test_candidates_of_joined_conditions() -> None:
    made = plan(
        f"SELECT c FROM EHR e[ehr_id/value='e1'] CONTAINS COMPOSITION c[{ENCOUNTER}] CONTAINS "
        f"(OBSERVATION o[{PRESSURE}] AND (EVALUATION v[{DIAGNOSIS}] OR SECTION s[openEHR-EHR-SECTION.a.v1])) "
        "WHERE c/archetype_details/template_id/value matches {'t1', 't2'} AND c/uid/value = 'u::s::1' "
        "AND c/context/start_time/value >= '2024-01-02' AND c/context/start_time < '2024-02-01T00:00:00Z'"
    ).candidates
    assert made.ehr_ids == {"e1"}
    (branch,) = made.branches
    assert branch.archetypes == (
        frozenset({ENCOUNTER}),
        frozenset({PRESSURE}),
        frozenset({DIAGNOSIS, "openEHR-EHR-SECTION.a.v1"}),
    )
    assert branch.composition_archetypes == {ENCOUNTER}
    assert branch.template_ids == {"t1", "t2"}
    assert branch.version_uids == {"u::s::1"}
    assert branch.start_time == InstantRange(
        low=datetime(2024, 1, 1, tzinfo=UTC), high=datetime(2024, 2, 2, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "condition",
    [
        "c/archetype_details/template_id/value = 't' OR c/name/value = 'x'",
        "NOT c/archetype_details/template_id/value = 't'",
        "c/archetype_details/template_id/value != 't'",
        "c/archetype_details/template_id/value LIKE 't*'",
    ],
)
def test_what_is_not_sure_is_left_to_the_decision(condition: str) -> None:
    (branch,) = plan(f"SELECT c FROM COMPOSITION c WHERE {condition}").candidates.branches
    assert branch.template_ids is None


@pytest.mark.parametrize(
    ("text", "group", "every"),
    [
        ("EHR e", False, True),
        ("EHR e CONTAINS COMPOSITION c", False, False),
        ("EHR e CONTAINS (COMPOSITION c OR COMPOSITION d)", False, False),
        ("EHR e CONTAINS (COMPOSITION c AND COMPOSITION d)", True, False),
        ("EHR e NOT CONTAINS COMPOSITION c", True, True),
        ("EHR e CONTAINS COMPOSITION c NOT CONTAINS OBSERVATION", False, False),
        ("EHR e CONTAINS EHR_STATUS s", False, True),
        ("EHR e CONTAINS ELEMENT s", True, True),
    ],
)
def test_how_records_are_to_be_cut(text: str, group: bool, every: bool) -> None:
    made = plan(f"SELECT COUNT(*) FROM {text}").candidates
    assert (made.group_by_ehr, made.every_ehr) == (group, every)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("SELECT COUNT(c) FROM EHR e CONTAINS COMPOSITION c", False),
        ("SELECT e/ehr_id/value, COUNT(*) FROM EHR e CONTAINS COMPOSITION c", False),
        ("SELECT v/uid/value FROM EHR e CONTAINS VERSION v[ALL_VERSIONS] CONTAINS COMPOSITION c", False),
        ("SELECT v/data FROM EHR e CONTAINS VERSION v", True),
        ("SELECT COUNT(DISTINCT c) FROM EHR e CONTAINS COMPOSITION c", True),
        ("SELECT COUNT(c) FROM EHR e CONTAINS COMPOSITION c WHERE EXISTS c/context", True),
        (f"SELECT COUNT(c) FROM EHR e CONTAINS COMPOSITION c[{ENCOUNTER}]", True),
        ("SELECT COUNT(c) FROM EHR e CONTAINS COMPOSITION c CONTAINS OBSERVATION", True),
        ("SELECT COUNT(a) FROM EHR e CONTAINS LOCATABLE a", True),
    ],
)
def test_when_compositions_need_not_be_read(text: str, needed: bool) -> None:
    assert plan(text).candidates.needs_payload is needed


def test_access_joins_the_candidates() -> None:
    text = "SELECT e FROM EHR e WHERE e/ehr_id/value matches {'e1', 'e2'}"
    assert plan(text, QueryAccess.one("e2")).candidates.ehr_ids == {"e2"}
    assert plan(text, QueryAccess.one("e3")).candidates.empty
    assert plan(text, QueryAccess.all_except(["e1", "e2"])).candidates.empty
    assert plan(text, QueryAccess.nothing()).start().done


@pytest.mark.parametrize(
    ("wanted", "present", "same"),
    [
        ("a.v1", "a.v1", True),
        ("a.v1", "a.v1.0.2", True),
        ("a.v1", "a.v10", False),
        ("a.v1.0.2", "a.v1", False),
    ],
)
def test_archetype_matches(wanted: str, present: str, same: bool) -> None:
    assert archetype_matches(wanted, present) is same


# -- execution -----------------------------------------------------------------------------------------


def test_limit_stops_the_reading() -> None:
    execution = plan("SELECT c/name/value FROM COMPOSITION c LIMIT 2 OFFSET 1").start()
    rows: list[Any] = []
    fed = 0
    for number in range(100):
        rows += execution.feed(ehr(f"e{number}", composition(ENCOUNTER, name=str(number))))
        fed += 1
        if execution.done:
            break
    assert (rows, fed) == ([["1"], ["2"]], 3)


def test_ordering_holds_the_best_rows_only() -> None:
    made = plan(f"SELECT {SYS} AS s FROM OBSERVATION o ORDER BY s DESC LIMIT 3")
    record = ehr("e1", composition(ENCOUNTER, observation(PRESSURE, *(pressure(n, 1) for n in range(50)))))
    assert list(made.run([record] * 100, Limits(rows=2000))) == [[49], [49], [49]]


@pytest.mark.parametrize(
    ("limit", "page", "rows"),
    [
        ("", Page(offset=1, fetch=2), ["1", "2"]),
        ("", Page(offset=3), ["3", "4"]),
        ("LIMIT 3", Page(offset=1, fetch=9), ["1", "2"]),
        ("LIMIT 3 OFFSET 1", Page(fetch=1), ["1"]),
        ("LIMIT 1", Page(offset=2, fetch=1), []),
    ],
)
@pytest.mark.parametrize("order", ["", "ORDER BY n"])
def test_a_page_is_cut_out_of_the_result(limit: str, page: Page, rows: list[str], order: str) -> None:
    record = ehr("e1", *(composition(ENCOUNTER, name=str(n)) for n in range(5)))
    made = plan(f"SELECT c/name/value AS n FROM COMPOSITION c {order} {limit}", page=page)
    assert list(made.run([record])) == [[row] for row in rows]


def test_top_and_page_exclude_each_other() -> None:
    with pytest.raises(AqlSemanticError) as caught:
        plan("SELECT TOP 3 c FROM COMPOSITION c", page=Page(fetch=2))
    assert caught.value.code == "aql.top.page"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT DISTINCT c/uid/value FROM COMPOSITION c",
        "SELECT c/uid/value FROM COMPOSITION c ORDER BY c/uid/value",
        "SELECT c/uid/value, COUNT(*) FROM COMPOSITION c",
        "SELECT COUNT(DISTINCT c/uid/value) FROM COMPOSITION c",
    ],
)
def test_what_must_be_held_is_bounded(text: str) -> None:
    record = ehr("e1", *(composition(ENCOUNTER) for _ in range(11)))
    with pytest.raises(AqlTooLarge):
        list(plan(text).run([record], Limits(rows=10)))
    assert len(list(plan(text).run([record], Limits(rows=11)))) >= 1


def test_combinations_of_one_object_are_bounded() -> None:
    many = observation(PRESSURE, event("2024", *(element("at0004", quantity(n)) for n in range(101))))
    paths = ", ".join(
        f"o/data/events/data/items[value/magnitude >= {n}]/value/magnitude" for n in (0, -1, -2)
    )
    with pytest.raises(AqlTooLarge):
        list(plan(f"SELECT {paths} FROM OBSERVATION o").run([ehr("e1", composition(ENCOUNTER, many))]))


def test_a_query_ends_at_its_deadline() -> None:
    record = ehr("e1", *(composition(REPORT) for _ in range(200)))
    limits = Limits(deadline=time.monotonic() + 0.05, seconds=0.05)
    made = plan("SELECT COUNT(*) FROM COMPOSITION c AND COMPOSITION d AND COMPOSITION f AND COMPOSITION g")
    with pytest.raises(QueryTimeout):
        list(made.run([record], limits))


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("SELECT c/name/value FROM EHR e CONTAINS COMPOSITION c WHERE c/name/value = 'a'", {"e1"}),
        ("SELECT c/name/value AS n FROM EHR e CONTAINS COMPOSITION c ORDER BY n LIMIT 1", {"e1"}),
        ("SELECT DISTINCT c/archetype_node_id FROM EHR e CONTAINS COMPOSITION c", {"e1", "e2"}),
        ("SELECT e/ehr_id/value, COUNT(*) FROM EHR e CONTAINS COMPOSITION c", {"e1", "e2"}),
        ("SELECT COUNT(*) FROM EHR e CONTAINS COMPOSITION c", set()),
    ],
)
def test_whose_rows_were_given_out(text: str, owners: set[str]) -> None:
    execution = plan(text).start()
    for ehr_id, name in (("e1", "a"), ("e2", "b")):
        execution.feed(ehr(ehr_id, composition(ENCOUNTER, name=name)))
    execution.finish()
    assert execution.take_owners() == owners
    assert not execution.take_owners()


def test_a_plan_can_be_run_again() -> None:
    made = plan("SELECT COUNT(*) FROM COMPOSITION c")
    record = ehr("e1", composition(ENCOUNTER))
    assert list(made.run([record])) == list(made.run([record])) == [[1]]


def test_result_set_in_the_form_of_the_rest_interface() -> None:
    text = "SELECT c/name/value AS name, COUNT(*), 1 FROM COMPOSITION c[$a]"
    scope = resolve(parse(text), {"a": ENCOUNTER})
    made = result_set(text, scope, [["x", 2, 1]], created=datetime(2024, 6, 1, tzinfo=UTC))
    assert made.to_json(generator="test") == {
        "meta": {
            "_type": "RESULTSET",
            "_schema_version": "1.0.0",
            "_created": "2024-06-01T00:00:00.000+00:00",
            "_generator": "test",
            "_executed_aql": f"SELECT c/name/value AS name, COUNT(*), 1 FROM COMPOSITION c[{ENCOUNTER}]",
        },
        "q": text,
        "columns": [
            {"name": "name", "path": "c/name/value"},
            {"name": "#1", "path": "COUNT(*)"},
            {"name": "#2"},
        ],
        "rows": [["x", 2, 1]],
    }
