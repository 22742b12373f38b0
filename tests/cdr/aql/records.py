"""Small canonical compositions for the AQL tests: by hand (plain functions) and by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from cdr.candidates import Record, VersionRecord

ENCOUNTER = "openEHR-EHR-COMPOSITION.encounter.v1"
REPORT = "openEHR-EHR-COMPOSITION.report.v1"
PRESSURE = "openEHR-EHR-OBSERVATION.blood_pressure.v2"
TEMPERATURE = "openEHR-EHR-OBSERVATION.body_temperature.v2"
DIAGNOSIS = "openEHR-EHR-EVALUATION.problem.v1"
DEVICE = "openEHR-EHR-CLUSTER.device.v1"

# -- by hand -----------------------------------------------------------------------------------------


def text(value: str) -> dict[str, Any]:
    """DV_TEXT."""
    return {"_type": "DV_TEXT", "value": value}


def coded(value: str, code: str, terminology: str = "local") -> dict[str, Any]:
    """DV_CODED_TEXT."""
    return {
        "_type": "DV_CODED_TEXT",
        "value": value,
        "defining_code": {
            "_type": "CODE_PHRASE",
            "terminology_id": {"_type": "TERMINOLOGY_ID", "value": terminology},
            "code_string": code,
        },
    }


def quantity(magnitude: float, units: str = "mm[Hg]") -> dict[str, Any]:
    """DV_QUANTITY."""
    return {"_type": "DV_QUANTITY", "magnitude": magnitude, "units": units}


def node(rm_type: str, node_id: str, name: str | dict[str, Any] = "node", **parts: Any) -> dict[str, Any]:
    """Any LOCATABLE; parts that are None are left out."""
    made = {
        "_type": rm_type,
        "archetype_node_id": node_id,
        "name": text(name) if isinstance(name, str) else name,
    }
    return made | {key: part for key, part in parts.items() if part is not None}


def element(
    node_id: str, value: dict[str, Any] | None, name: str | dict[str, Any] = "element"
) -> dict[str, Any]:
    """ELEMENT."""
    return node("ELEMENT", node_id, name, value=value)


def event(time: str, *items: dict[str, Any], rm_type: str = "POINT_EVENT") -> dict[str, Any]:
    """POINT_EVENT with a tree of items."""
    moment = {"_type": "DV_DATE_TIME", "value": time}
    return node(rm_type, "at0006", time=moment, data=node("ITEM_TREE", "at0003", items=list(items)))


def pressure(
    systolic: float | None, diastolic: float | None, time: str = "2024-01-01T10:00:00Z"
) -> dict[str, Any]:
    """A blood pressure event; None leaves the element out."""
    items = [("at0004", systolic), ("at0005", diastolic)]
    return event(time, *(element(code, quantity(value)) for code, value in items if value is not None))


def observation(archetype: str, *events: dict[str, Any], name: str = "observation") -> dict[str, Any]:
    """OBSERVATION."""
    return node("OBSERVATION", archetype, name, data=node("HISTORY", "at0001", events=list(events)))


def composition(
    archetype: str,
    *content: dict[str, Any],
    name: str | dict[str, Any] = "composition",
    start: str | None = "2024-01-01T09:00:00Z",
    template: str = "template.v1",
) -> dict[str, Any]:
    """COMPOSITION; its start_time says no ``_type``, as canonical JSON allows."""
    return node(
        "COMPOSITION",
        archetype,
        name,
        archetype_details={
            "_type": "ARCHETYPED",
            "archetype_id": {"_type": "ARCHETYPE_ID", "value": archetype},
            "template_id": {"_type": "TEMPLATE_ID", "value": template},
            "rm_version": "1.1.0",
        },
        composer={"_type": "PARTY_IDENTIFIED", "name": "Kari"},
        context=None if start is None else {"_type": "EVENT_CONTEXT", "start_time": {"value": start}},
        content=list(content) or None,
    )


def ehr(ehr_id: str, *compositions: dict[str, Any], queryable: bool = True) -> Record:
    """An EHR with one version of each composition."""
    return with_versions(ehr_id, [[each] for each in compositions], queryable=queryable)


def with_versions(
    ehr_id: str, objects: Sequence[Sequence[dict[str, Any] | None]], *, queryable: bool = True
) -> Record:
    """An EHR with objects, each of versions in order; None is a deletion."""
    versions = [
        _version(ehr_id, number, index, history)
        for number, history in enumerate(objects)
        for index in range(len(history))
    ]
    status = node("EHR_STATUS", "openEHR-EHR-EHR_STATUS.generic.v1", "status")
    status |= {"subject": {"_type": "PARTY_SELF"}, "is_queryable": queryable, "is_modifiable": True}
    facts = {
        "ehr_id": ehr_id,
        "system_id": "test.system",
        "time_created": "2023-05-01T08:00:00Z",
        "ehr_status": status,
    }
    return Record(ehr=facts, versions=versions)


def _version(ehr_id: str, number: int, index: int, history: Sequence[dict[str, Any] | None]) -> VersionRecord:
    uid = f"{ehr_id}-{number}::test.system::{index + 1}"
    canonical = history[index]
    if canonical is not None:
        canonical = canonical | {"uid": {"_type": "OBJECT_VERSION_ID", "value": uid}}
    committed = f"2024-0{index + 1}-01T12:00:00Z"
    return VersionRecord(
        uid=uid,
        composition=canonical,
        is_latest=canonical is not None and index == len(history) - 1,
        contribution=f"contribution-{number}-{index}",
        audit={
            "_type": "AUDIT_DETAILS",
            "system_id": "test.system",
            "time_committed": {"value": committed},
            "change_type": coded("creation", "249", "openehr"),
            "committer": {"_type": "PARTY_IDENTIFIED", "name": "Kari"},
        },
        lifecycle="523" if canonical is None else "532",
        preceding_uid=f"{ehr_id}-{number}::test.system::{index}" if index else None,
        time_committed=committed,
    )


# -- by hypothesis -----------------------------------------------------------------------------------

NUMBERS = st.sampled_from([-2, 0, 1, 1.0, 2.5, 120, 140])
UNITS = st.sampled_from(["mm[Hg]", "kPa"])
TEXTS = st.sampled_from(["alpha", "beta", "Alpha", "a*b", "blødning", "O'Brien", ""])
_MOMENTS = (
    *("2020", "2020-01", "2020-01-15", "2020-01-15T10:00:00Z", "2020-01-15T10:00:00+02:00"),
    *("2020-01-15T10:00", "2020-01-15T10:00:00.5Z", "2021-06-01T00:00:00", "20200115", "2020-02-29"),
)
MOMENTS = st.sampled_from(_MOMENTS)
TIMES = st.sampled_from(["10", "10:00", "10:00:00", "10:00:00Z", "09:30:00+01:00", "23:59:59.5"])
DURATIONS = st.sampled_from(["P1Y", "P12M", "P30D", "P1M", "PT1H", "-P1D", "P1W"])
NAMES = st.one_of(
    st.sampled_from(["left", "right", "Any event"]).map(text),
    st.sampled_from(["at0021", "at0022"]).map(lambda code: coded("coded", code)),
)

VALUES = st.one_of(
    st.builds(quantity, NUMBERS, UNITS),
    st.builds(quantity, NUMBERS),
    NUMBERS.filter(lambda n: isinstance(n, int)).map(lambda n: {"_type": "DV_COUNT", "magnitude": n}),
    TEXTS.map(text),
    st.builds(coded, TEXTS, st.sampled_from(["at0012", "at0013"])),
    MOMENTS.map(lambda t: {"_type": "DV_DATE_TIME", "value": t}),
    st.sampled_from(["2020-01-15", "2020-01", "1999"]).map(lambda t: {"_type": "DV_DATE", "value": t}),
    TIMES.map(lambda t: {"_type": "DV_TIME", "value": t}),
    DURATIONS.map(lambda t: {"_type": "DV_DURATION", "value": t}),
    st.booleans().map(lambda b: {"_type": "DV_BOOLEAN", "value": b}),
    st.tuples(NUMBERS, st.sampled_from([0, 1, 4, 100])).map(
        lambda pair: {"_type": "DV_PROPORTION", "numerator": pair[0], "denominator": pair[1], "type": 0}
    ),
    st.integers(0, 3).map(lambda n: {"_type": "DV_ORDINAL", "value": n, "symbol": coded("s", f"at{n}")}),
)


def _often(part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Missing one time in eight."""
    return st.integers(0, 7).flatmap(lambda roll: st.none() if roll == 7 else part)


def _nodes(rm_type: str, ids: Sequence[str], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = {key: _often(part) for key, part in parts.items()}
    return st.fixed_dictionaries({"id": st.sampled_from(ids), "name": NAMES, **fields}).map(
        lambda made: node(rm_type, made["id"], made["name"], **{key: made[key] for key in fields})
    )


ELEMENTS = _nodes("ELEMENT", ["at0004", "at0005"], value=VALUES)
CLUSTERS: st.SearchStrategy[Any] = st.deferred(
    lambda: _nodes("CLUSTER", [DEVICE, DEVICE + ".0.1", "at0010"], items=st.lists(ITEMS, max_size=2))
)
ITEMS = ELEMENTS | ELEMENTS | CLUSTERS
TREES = _nodes("ITEM_TREE", ["at0003"], items=st.lists(ITEMS, min_size=1, max_size=3))
EVENTS = st.one_of(
    *(
        _nodes(rm_type, ["at0006"], data=TREES, state=TREES, time=MOMENTS.map(lambda t: {"value": t}))
        for rm_type in ("POINT_EVENT", "INTERVAL_EVENT")
    )
)
HISTORIES = _nodes("HISTORY", ["at0001"], events=st.lists(EVENTS, min_size=1, max_size=3))
OBSERVATIONS = _nodes(
    "OBSERVATION", [PRESSURE, PRESSURE + ".0.4", TEMPERATURE], data=HISTORIES, protocol=TREES
)
EVALUATIONS = _nodes("EVALUATION", [DIAGNOSIS], data=TREES)
SECTIONS: st.SearchStrategy[Any] = st.deferred(
    lambda: _nodes(
        "SECTION", ["openEHR-EHR-SECTION.adhoc.v1"], items=st.lists(CONTENT, min_size=1, max_size=2)
    )
)
CONTENT = OBSERVATIONS | OBSERVATIONS | EVALUATIONS | SECTIONS
COMPOSITIONS = st.builds(
    lambda archetype, content, name, start, template: composition(
        archetype, *content, name=name, start=start, template=template
    ),
    st.sampled_from([ENCOUNTER, ENCOUNTER + ".1", REPORT]),
    st.lists(CONTENT, min_size=1, max_size=3),
    NAMES,
    st.none() | MOMENTS,
    st.sampled_from(["template.v1", "template.v2"]),
)
HISTORIES_OF_OBJECTS = st.lists(COMPOSITIONS, min_size=1, max_size=2).flatmap(
    lambda known: st.sampled_from([known, known, known, [*known, None]])
)
RECORDS = st.lists(st.lists(HISTORIES_OF_OBJECTS, min_size=1, max_size=2), min_size=1, max_size=2).flatmap(
    lambda all_objects: st.tuples(
        *(
            st.sampled_from([True, True, True, False]).map(
                lambda queryable, number=number, objects=objects: with_versions(
                    f"ehr-{number}", objects, queryable=queryable
                )
            )
            for number, objects in enumerate(all_objects)
        )
    )
)
