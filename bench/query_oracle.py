"""What each of the load driver's 19 queries must answer, worked out over the data by plain Python.

Nothing of the product is used: documents are walked as JSON, and each query is written once more as a loop.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, TypeAlias

Row: TypeAlias = list[Any]
ENCOUNTER, REGISTER, SUMMARY = (
    f"openEHR-EHR-COMPOSITION.{name}.v1" for name in ("encounter", "registereintrag", "health_summary")
)
PRESSURE, TEMPERATURE = (
    "openEHR-EHR-OBSERVATION.blood_pressure.v2",
    "openEHR-EHR-OBSERVATION.body_temperature.v2",
)
STATUS, PROBLEM = "openEHR-EHR-OBSERVATION.pregnancy_status.v0", "openEHR-EHR-EVALUATION.problem_diagnosis.v1"
STATUS_TEMPLATE = "Schwangerschaftsstatus"
BREATHING = ("openEHR-EHR-OBSERVATION.respiration.v1", "openEHR-EHR-OBSERVATION.pulse_oximetry.v1")


@dataclass(frozen=True, slots=True)
class Document:
    """A composition as it is stored, with its EHR."""

    ehr_id: str
    body: Mapping[str, Any]

    @property
    def start(self) -> str:
        """When it took place."""
        return str(self.body["context"]["start_time"]["value"])

    @property
    def uid(self) -> str:
        """Its version."""
        return str(self.body["uid"]["value"])

    @property
    def template(self) -> str:
        """The id of its template."""
        return str(self.body["archetype_details"]["template_id"]["value"])

    def entries(self, archetype_id: str) -> list[Any]:
        """All nodes of an archetype, at any depth."""
        return list(_nodes(self.body, archetype_id))

    def numbers(self, archetype_id: str, *nodes: str) -> list[tuple[Any, ...]]:
        """The magnitudes at these nodes, together as they stand in one event of one entry."""
        events = [event for entry in self.entries(archetype_id) for event in entry["data"]["events"]]
        return [tuple(_magnitude(event, node) for node in nodes) for event in events]


def _nodes(value: Any, archetype_id: str) -> Iterator[Any]:
    if isinstance(value, dict) and value.get("archetype_node_id") == archetype_id:
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(member, archetype_id)


def _item(items: Sequence[Any], node: str) -> Any:
    (value,) = [item["value"] for item in items if item["archetype_node_id"] == node] or [None]
    return value


def _magnitude(event: Any, node: str) -> Any:
    value = _item(event["data"]["items"], node)
    return None if value is None else value["magnitude"]


@dataclass(frozen=True, slots=True)
class Expected:
    """All rows, of which those from ``skip`` are answered, ``limit`` at most.

    ``order`` are the columns that sort them, those after a minus downwards; without it any rows will do.
    """

    rows: Sequence[Row]
    order: tuple[str, ...] = ()
    columns: str = ""
    skip: int = 0
    limit: int | None = None

    @property
    def count(self) -> int:
        """How many rows are answered."""
        rest = max(0, len(self.rows) - self.skip)
        return rest if self.limit is None else min(rest, self.limit)

    def fault(self, found: Sequence[Row]) -> str | None:
        """What is wrong with an answer; None if it is right."""
        if len(found) != self.count:
            return f"{len(found)} rows, not {self.count}"
        strange = Counter(map(_form, found)) - Counter(map(_form, self.rows))
        if strange:
            return f"rows that no data give: {list(strange)[:3]}"
        wanted = sorted(map(self._key, self.rows))[self.skip : self.skip + self.count]
        return "not in order" if self.order and wanted != list(map(self._key, found)) else None

    def _key(self, row: Row) -> tuple[float, ...]:
        names = self.columns.split()
        return tuple(
            -_number(row[names.index(name[1:])]) if name[0] == "-" else _number(row[names.index(name)])
            for name in self.order
        )


def _number(cell: Any) -> float:
    return datetime.fromisoformat(cell).timestamp() if isinstance(cell, str) else float(cell)


def _form(row: Row) -> str:
    shown = [round(cell, 6) if isinstance(cell, int | float) else cell for cell in row]
    return json.dumps([float(cell) if type(cell) is int else cell for cell in shown], sort_keys=True)


# --- the queries ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class World:
    """All documents, and the EHRs that a query is asked about."""

    documents: Sequence[Document]
    ehr_id: str
    some: Sequence[str]

    def of(self, archetype_id: str, *, own: bool = False) -> Iterator[Document]:
        """Compositions of an archetype; ``own``: of the one EHR."""
        for document in self.documents:
            if document.body["archetype_node_id"] == archetype_id and (
                not own or document.ehr_id == self.ehr_id
            ):
                yield document

    def pressures(self, *, own: bool = False) -> Iterator[tuple[Document, float, float]]:
        """Each systolic and diastolic pressure of encounters."""
        for document in self.of(ENCOUNTER, own=own):
            for systolic, diastolic in document.numbers(PRESSURE, "at0004", "at0005"):
                yield document, systolic, diastolic

    def statuses(self) -> Iterator[tuple[Document, Any]]:
        """Each pregnancy status."""
        for document in self.of(REGISTER):
            for entry in document.entries(STATUS):
                for event in entry["data"]["events"]:
                    yield document, _item(event["data"]["items"], "at0011")


def _latest(world: World) -> Expected:
    rows = [[systolic, diastolic, each.start] for each, systolic, diastolic in world.pressures(own=True)]
    return Expected(rows, ("-t",), "sys dia t", limit=1)


def _of_one(world: World) -> Expected:
    rows = [[each.start, systolic, diastolic] for each, systolic, diastolic in world.pressures(own=True)]
    return Expected(rows, ("t",), "t sys dia")


def _whole(world: World) -> Expected:
    rows = [[each.body, each.start] for each in world.of(ENCOUNTER, own=True)]
    return Expected(rows, ("-t",), "c t", limit=10)


def _high(world: World) -> list[Row]:
    return [[each.ehr_id, each.start, systolic] for each, systolic, _ in world.pressures() if systolic > 140]


def _aggregate(world: World) -> Expected:
    found = [systolic for _, systolic, _ in world.pressures()]
    return Expected([[sum(found) / len(found), min(found), max(found), len(found)]])


def _fever(world: World) -> Expected:
    rows = []
    for each in world.of(ENCOUNTER):
        pairs = product(each.numbers(PRESSURE, "at0004"), each.numbers(TEMPERATURE, "at0004"))
        rows += [
            [each.ehr_id, systolic, warm] for (systolic,), (warm,) in pairs if warm >= 38 and systolic > 130
        ]
    return Expected(rows)


def _breathing(world: World) -> Expected:
    found = {each.uid for each in world.of(ENCOUNTER) if any(map(each.entries, BREATHING))}
    return Expected([[len(found)]])


def _pregnancies(world: World) -> Expected:
    rows = [[each.uid, each.start] for each in world.documents if each.template == STATUS_TEMPLATE]
    return Expected(rows, limit=100)


def _page(world: World) -> Expected:
    rows = [[each.start, systolic] for each, systolic, _ in world.pressures()]
    return Expected(rows, ("-t",), "t sys", skip=1000, limit=20)


def _all_of_one(world: World) -> Expected:
    mine = [each for each in world.documents if each.ehr_id == world.ehr_id]
    return Expected([[each.uid, each.start, each.template] for each in mine])


def _of_twenty(world: World) -> Expected:
    rows = [[each.ehr_id, systolic] for each, systolic, _ in world.pressures() if systolic > 125]
    return Expected([row for row in rows if row[0] in world.some])


def _distinct_statuses(world: World) -> Expected:
    found = {(value["value"], value["defining_code"]["code_string"]) for _, value in world.statuses()}
    return Expected([list(pair) for pair in found])


def _pregnant_and_high(world: World) -> Expected:
    pregnant = {
        each.ehr_id for each, value in world.statuses() if value["defining_code"]["code_string"] == "at0012"
    }
    high = {each.ehr_id for each, systolic, _ in world.pressures() if systolic >= 150}
    return Expected([[ehr_id] for ehr_id in pregnant & high])


def _january(world: World) -> Expected:
    first, end = (datetime.fromisoformat(f"2025-0{month}-01T00:00:00Z") for month in (1, 2))
    starts = [datetime.fromisoformat(each.start) for each in world.of(ENCOUNTER)]
    return Expected([[sum(first <= start < end for start in starts)]])


def _problems(world: World) -> Expected:
    rows = []
    for each in world.of(SUMMARY):
        for entry in each.entries(PROBLEM):
            value = _item(entry["data"]["items"], "at0002")
            rows.append([each.ehr_id, None if value is None else value["value"]])
    return Expected(rows, limit=100)


def _highest(world: World) -> Expected:
    rows = [[systolic, each.start, each.ehr_id] for each, systolic, _ in world.pressures()]
    return Expected(rows, ("-sys", "t"), "sys t ehr", limit=10)


ANSWERS: Mapping[str, Callable[[World], Expected]] = {
    "q01_ehr_latest_bp": _latest,
    "q02_ehr_all_bp_by_time": _of_one,
    "q03_ehr_compositions_whole": _whole,
    "q04_pop_sys_gt_140_limit100": lambda world: Expected(_high(world), limit=100),
    "q05_pop_sys_gt_140_all": lambda world: Expected(_high(world)),
    "q06_pop_count_compositions": lambda world: Expected([[len(world.documents)]]),
    "q07_pop_count_sys_gt_140": lambda world: Expected([[len(_high(world))]]),
    "q08_pop_agg_sys": _aggregate,
    "q09_and_bp_temp_fever": _fever,
    "q10_or_resp_spo2_count": _breathing,
    "q11_by_template_id": _pregnancies,
    "q12_order_pop_offset1000": _page,
    "q13_ehr_id_where": _all_of_one,
    "q14_ehr_id_matches_20": _of_twenty,
    "q15_distinct_pregnancy_status": _distinct_statuses,
    "q16_pregnant_with_high_bp": _pregnant_and_high,
    "q17_time_window_count": _january,
    "q18_large_problem_names": _problems,
    "q19_order_by_magnitude_top10": _highest,
}
