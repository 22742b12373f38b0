"""Small canonical compositions for the AQL tests: by hand (plain functions) and at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

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


def reference(object_id: str) -> dict[str, Any]:
    """What stands in the items of a folder."""
    target = {"_type": "HIER_OBJECT_ID", "value": object_id}
    return {"_type": "OBJECT_REF", "id": target, "namespace": "local", "type": "VERSIONED_COMPOSITION"}


def folder(
    name: str,
    items: Sequence[dict[str, Any]] = (),
    folders: Sequence[dict[str, Any]] = (),
    details: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """FOLDER."""
    parts = {"items": list(items) or None, "folders": list(folders) or None, "details": details}
    return node("FOLDER", "openEHR-EHR-FOLDER.generic.v1", name, **parts)


def with_versions(
    ehr_id: str,
    objects: Sequence[Sequence[dict[str, Any] | None]],
    *,
    queryable: bool = True,
    directory: dict[str, Any] | None = None,
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
    if directory is not None:
        facts["directory"] = directory
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


# -- at random ---------------------------------------------------------------------------------------
# Few different values, many repetitions: names, times and numbers meet each other and the literals of
# the generated queries often.

TEXTS = ("alpha", "beta", "Alpha", "a*b", "blødning", "O'Brien", "")
MOMENTS = (
    *("2020", "2020-01", "2020-01-15", "2020-01-15T10:00:00Z", "2020-01-15T10:00:00+02:00"),
    *("2020-01-15T10:00", "2020-01-15T10:00:00.5Z", "2021-06-01T00:00:00", "20200115", "2020-02-29"),
)
_TIMES = ("10", "10:00", "10:00:00", "10:00:00Z", "09:30:00+01:00", "23:59:59.5")
_DURATIONS = ("P1Y", "P12M", "P30D", "P1M", "PT1H", "-P1D", "P1W")
_NUMBERS = (-2, 0, 1, 1.0, 2.5, 120, 140)

_VALUES: tuple[Callable[[Random], dict[str, Any]], ...] = (
    lambda rng: {"_type": "DV_COUNT", "magnitude": rng.choice((-2, 0, 1, 120))},
    lambda rng: text(rng.choice(TEXTS)),
    lambda rng: coded(rng.choice(TEXTS), rng.choice(("at0012", "at0013"))),
    lambda rng: {"_type": "DV_DATE_TIME", "value": rng.choice(MOMENTS)},
    lambda rng: {"_type": "DV_DATE", "value": rng.choice(("2020-01-15", "2020-01", "1999"))},
    lambda rng: {"_type": "DV_TIME", "value": rng.choice(_TIMES)},
    lambda rng: {"_type": "DV_DURATION", "value": rng.choice(_DURATIONS)},
    lambda rng: {"_type": "DV_BOOLEAN", "value": rng.random() < 0.5},
    lambda rng: {
        "_type": "DV_PROPORTION",
        "numerator": rng.choice(_NUMBERS),
        "denominator": rng.choice((0, 1, 4, 100)),
        "type": 0,
    },
    lambda rng: {"_type": "DV_ORDINAL", "value": rng.randint(0, 3), "symbol": coded("s", "at1")},
)


def random_records(rng: Random) -> list[Record]:
    """One to three EHRs with a few objects each, some with superseded versions or deleted, and folders."""
    return [
        with_versions(
            f"ehr-{number}",
            [_history(rng) for _ in range(rng.choice((0, 1, 2, 3, 4)))],
            queryable=rng.random() < 0.85,
            directory=_folder(rng, f"ehr-{number}", 2) if rng.random() < 0.6 else None,
        )
        for number in range(rng.randint(1, 3))
    ]


def _folder(rng: Random, ehr_id: str, depth: int) -> dict[str, Any]:
    """A folder that refers to some of the objects that the EHR has or has not."""
    items = [reference(f"{ehr_id}-{rng.randint(0, 4)}") for _ in range(rng.choice((0, 1, 2)))]
    folders = [_folder(rng, ehr_id, depth - 1) for _ in range(rng.choice((0, 1, 2)) if depth else 0)]
    details = _tree(rng) if rng.random() < 0.2 else None
    return folder(rng.choice(("left", "right")), items, folders, details)


def _history(rng: Random) -> list[dict[str, Any] | None]:
    versions: list[dict[str, Any] | None] = [_composition(rng) for _ in range(rng.choice((1, 1, 2)))]
    return [*versions, None] if rng.random() < 0.15 else versions


def _composition(rng: Random) -> dict[str, Any]:
    return composition(
        rng.choice((ENCOUNTER, ENCOUNTER, ENCOUNTER + ".1", REPORT)),
        *(_content(rng, 2) for _ in range(rng.choice((0, 1, 2, 2, 3)))),
        name=_name(rng),
        start=rng.choice((None, *MOMENTS)),
        template=rng.choice(("template.v1", "template.v2")),
    )


def _content(rng: Random, depth: int) -> dict[str, Any]:
    roll = rng.random()
    if roll < 0.2 and depth:
        items = [_content(rng, depth - 1) for _ in range(rng.randint(1, 2))]
        return node("SECTION", "openEHR-EHR-SECTION.adhoc.v1", _name(rng), items=items)
    if roll < 0.4:
        return node("EVALUATION", DIAGNOSIS, _name(rng), data=_tree(rng))
    archetype = rng.choice((PRESSURE, PRESSURE, PRESSURE + ".0.4", PRESSURE + "0", TEMPERATURE))
    events = [_event(rng) for _ in range(rng.choice((0, 1, 2, 2, 3)))]
    data = None if rng.random() < 0.1 else node("HISTORY", "at0001", _name(rng), events=events)
    protocol = _tree(rng) if rng.random() < 0.3 else None
    return node("OBSERVATION", archetype, _name(rng), data=data, protocol=protocol)


def _event(rng: Random) -> dict[str, Any]:
    return node(
        rng.choice(("POINT_EVENT", "INTERVAL_EVENT")),
        "at0006",
        _name(rng),
        time={"value": rng.choice(MOMENTS)} if rng.random() < 0.9 else None,
        data=_tree(rng) if rng.random() < 0.9 else None,
        state=_tree(rng) if rng.random() < 0.2 else None,
    )


def _tree(rng: Random) -> dict[str, Any]:
    return node(
        "ITEM_TREE",
        "at0003",
        _name(rng),
        items=[_item(rng, 2) for _ in range(rng.choice((0, 1, 2, 2, 3, 4)))],
    )


def _item(rng: Random, depth: int) -> dict[str, Any]:
    if rng.random() < 0.2 and depth:
        items = [_item(rng, depth - 1) for _ in range(rng.randint(0, 2))]
        return node("CLUSTER", rng.choice((DEVICE, DEVICE + ".0.1", "at0010")), _name(rng), items=items)
    value = None if rng.random() < 0.1 else _value(rng)
    return node("ELEMENT", rng.choice(("at0004", "at0005")), _name(rng), value=value)


def _value(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.5:
        return quantity(rng.choice(_NUMBERS), rng.choice(("mm[Hg]", "mm[Hg]", "kPa")))
    return rng.choice(_VALUES)(rng)


def _name(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.2:
        return coded("coded", rng.choice(("at0021", "at0022")))
    return text(rng.choice(("left", "left", "right", "Any event")))
