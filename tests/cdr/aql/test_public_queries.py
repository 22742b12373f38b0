"""The queries of the conformance suite and of the benchmark; docs/aql-conformance.md argues differences."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bench.query_oracle import ANSWERS, Document, World
from tests.cdr.aql.public_queries import (
    all_types,
    answer,
    bench,
    bench_data,
    suite_data,
    suite_queries,
    suite_rows,
    suite_text,
)
from tests.shared_data import SHARED, needs_shared

pytestmark = needs_shared

# What the suite leaves to placeholders: counted by hand from its data (15 compositions in each of 10 EHRs).
COUNTED = {
    **{f"B/{number}": 150 for number in (100, 102, 300)},
    **{f"B/{number}": 40 for number in (500, 501, 502, 600, 601, 602)},
    **{"B/503": 30, "B/603": 30, "B/200": 15, "B/400": 1, "get_time_from_ehr": 1},
    **{"C/100": 15, "C/101": 5, "C/102": 15, "C/200": 15, "A/108": 10},
}
REFUSED = {
    "A/203_get_ehr_by_id": "aql.alias.in_where",  # the suite has the same query among its invalid ones
    **dict.fromkeys(("A/107", "A/110", "B/104", "B/105", "B/106", "D/312", "D/313"), "aql.syntax"),
    **dict.fromkeys(("A/109", "B/103", "C/103"), "aql.syntax"),  # TIMEWINDOW is no AQL 1.1
}


def key(name: str) -> str:
    """``A/203`` of ``A/203_get_ehr_by_id``; whole where that is not one query."""
    return name if name in REFUSED or not name[0].isupper() else name[:5]


def queries() -> list[tuple[str, dict[str, Any]]]:
    return list(suite_queries()) if SHARED.is_dir() else []


def test_they_are_all_there() -> None:
    assert len([name for name, _ in queries() if name[1] == "/"]) == 119
    assert len(bench().PROBES) == 93


@pytest.mark.slow
@pytest.mark.parametrize(("name", "query"), queries())
def test_query_of_the_conformance_suite(name: str, query: dict[str, Any]) -> None:
    text, parameters = suite_text(query)
    data = list(all_types() if name.startswith(("D/504_select_data_arch", "B/400")) else suite_data())
    rows = answer(text, [] if "empty_db" in name else data, parameters)
    if key(name) in REFUSED:
        assert rows == REFUSED[key(name)]
        return
    expected = 0 if "empty_db" in name else COUNTED.get(key(name), suite_rows(name))
    assert expected is not None
    assert isinstance(rows, list)
    if name.startswith(("A", "D")) and len(rows) > expected:
        # The suite counts each EHR once; AQL has a row for each match of FROM.
        text = re.sub("^select", "SELECT DISTINCT", text, flags=re.IGNORECASE)
        rows = answer(text, data, parameters)
    assert len(rows) == expected


@pytest.mark.parametrize("name", ["A/107", "A/110", "B/104", "B/105", "B/106", "D/312", "D/313"])
def test_limit_stands_behind_order_by(name: str) -> None:
    text = next(query["q"] for full, query in queries() if full.startswith(name))
    swapped = re.sub(r"LIMIT 5 (ORDER BY .*)", r"\1 LIMIT 5", text)
    assert len(answer(swapped, list(suite_data()))) == 5


def test_values_that_the_suite_spells_out() -> None:
    texts = {full[:5]: suite_text(query) for full, query in queries() if "empty_db" not in full}
    rows = answer(*[texts["D/500"][0], list(suite_data()), texts["D/500"][1]])
    assert sorted(row[4] for row in rows)[:2] == ["first value", "fourth value"]
    rows = answer(texts["D/504"][0], list(all_types()), texts["D/504"][1])
    assert isinstance(rows, list)
    assert rows[0][0]["template_id"]["value"] == "test_all_types.en.v1"


# -- the benchmark -----------------------------------------------------------------------------------

PROBE_REFUSED = {
    "matches_terminology_uri": "aql.unsupported.matches_uri",
    "terminology_function": "aql.unsupported.terminology",
    "versioned_object": "aql.unsupported.class",
    "unknown_path": "aql.attribute.unknown",
    "syntax_error": "aql.syntax",
}
# Right without rows: names or ids that the data do not hold, conditions that nothing fulfils, NULL.
PROBE_EMPTY = {
    "like_start",
    "like_question",
    "where_null_literal",
    "where_on_dv_date_time",
    "arithmetic_where",
} | {
    "composition_uid_predicate",
    "unknown_archetype",
    "contains_folder",
}


@pytest.mark.parametrize("number", range(93))
def test_probe_of_the_benchmark(number: int) -> None:
    name, text = bench().PROBES[number]
    rows = answer(text.replace("{EHR}", bench().ehr_id(42, 3)), list(bench_data()))
    if name in PROBE_REFUSED:
        assert rows == PROBE_REFUSED[name]
    else:
        assert isinstance(rows, list), rows
        assert bool(rows) is (name not in PROBE_EMPTY)


def vital_signs(ehr: int) -> list[dict[str, Any]]:
    """Of each composition with vital signs of an EHR: pressures, temperature, time, composer."""
    found = []
    for j in range(1, 6):
        body = json.loads(bench().body_for(42, "v", j * 8 + ehr))
        entries = {entry["archetype_node_id"]: entry for entry in body["content"][0]["items"]}
        values = [
            item["value"]["magnitude"]
            for item in entries["openEHR-EHR-OBSERVATION.blood_pressure.v2"]["data"]["events"][0]["data"][
                "items"
            ]
        ]
        warm = "openEHR-EHR-OBSERVATION.body_temperature.v2" in entries
        time = body["context"]["start_time"]["value"]
        found.append({"sys": values[0], "dia": values[1], "warm": warm, "time": time, "n": len(entries)})
    return found


def test_probes_give_what_the_generator_says() -> None:
    signs = vital_signs(3)
    systolic = [each["sys"] for each in signs]
    low, high = min(systolic), max(systolic)
    by_time = [each["sys"] for each in sorted(signs, key=lambda each: each["time"], reverse=True)]
    expected = {
        "aggregate_without_alias": [[high]],
        "count_distinct": [[len(set(systolic))]],
        "sum": [[sum(systolic)]],
        "order_by_alias": [[each] for each in sorted(systolic, reverse=True)[:3]],
        "order_by_not_selected": [[each] for each in by_time[:3]],
        "limit_offset": [[each] for each in sorted(systolic)[2:4]],
        "contains_parent_class_entry": [[1 + sum(each["n"] for each in signs)]],
    }
    bags = {
        "where_not": [[each] for each in systolic if each <= 120],
        "where_or_paren": [
            [each["sys"]] for each in signs if (each["sys"] > 130 or each["sys"] < 100) and each["dia"] > 50
        ],
        "arithmetic_select": [[each["sys"] - each["dia"]] for each in signs],
        "contains_element": [[each] for each in systolic],
    }
    probes = {name: text.replace("{EHR}", bench().ehr_id(42, 3)) for name, text in bench().PROBES}
    for name, rows in expected.items():
        assert answer(probes[name], list(bench_data())) == rows, name
    for name, rows in bags.items():
        assert sorted(answer(probes[name], list(bench_data()))) == sorted(rows), name
    without = answer(probes["not_contains"], list(bench_data()))
    assert len(without) == 1 + sum(not each["warm"] for each in signs)
    assert (low, high) == (95.0, 125.0)


@pytest.mark.parametrize("name", ANSWERS)
def test_query_of_the_benchmark(name: str) -> None:
    data = bench_data(ehrs=12, each=8, large=1)
    some = [bench().ehr_id(42, number) for number in range(10)]
    documents = [Document(each.ehr["ehr_id"], one.composition) for each in data for one in each.versions]
    text, kind = next((text, kind) for each, text, kind in bench().QUERIES if each == name)
    text = text.replace("{EHR}", some[0]).replace("{EHRS}", ",".join(f"'{each}'" for each in some))
    rows = answer(text, list(data), {"ehr_id": some[0]} if kind == "ehr" else {})
    assert isinstance(rows, list)
    assert rows or name in ("q12_order_pop_offset1000", "q09_and_bp_temp_fever")
    assert ANSWERS[name](World(documents, some[0], some)).fault(rows) is None


def test_the_oracle_sees_what_is_wrong() -> None:
    data = bench_data()
    documents = [Document(each.ehr["ehr_id"], one.composition) for each in data for one in each.versions]
    right = ANSWERS["q19_order_by_magnitude_top10"](World(documents, documents[0].ehr_id, ()))
    best = sorted(right.rows, key=lambda row: (-row[0], row[1]))
    assert right.fault(best[:10]) is None
    assert right.fault(best[:9]) == "9 rows, not 10"
    assert right.fault(best[1:11]) == "not in order"
    assert "rows that no data give" in str(right.fault([*best[:9], [1.0, *best[9][1:]]]))
