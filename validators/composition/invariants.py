"""Invariants of the reference model's classes (RM 1.1.0, "Invariants" of each class).

A rule gets an object whose class is known and whose members may still be of any shape: a member of a
wrong shape is somebody else's finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from archetypes.rm.iso8601 import NANOSECONDS, duration_seconds, temporal_key
from archetypes.rm.value_domains import (
    CODE_SETS,
    FILLED_TEXTS,
    GROUPS,
    MAGNITUDE_STATUSES,
    PARTY_TYPES,
    PERIOD_FORMALISMS,
    STATE_AFTER,
)
from archetypes.terminology import terminology
from validators.composition.data import Node, code_of, known_class, number, part, text
from validators.composition.place import Place
from validators.composition.report import Report, shown

Invariant = Callable[[Node, Place, Report], None]

_ARCHETYPE_ID = re.compile(r"\w+-\w+-[A-Z_]+\.[\w-]+(?:\.[\w.\-]+)?", re.ASCII)
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")
_EXACT_DURATION = re.compile(r"P(\d+W)?(\d+D)?(T.+)?", re.ASCII)
_RATIO, _UNITARY, _PERCENT, _FRACTION, _INTEGER_FRACTION = range(5)
_DENOMINATORS: Mapping[float, int] = {_UNITARY: 1, _PERCENT: 100}


# --- composition and structures -----------------------------------------------------------------


# Clients of openEHR servers leave archetype_details out of these, and nothing depends on them there.
_ROOTS_WITHOUT_DETAILS = frozenset({"EHR_STATUS", "FOLDER"})


def is_archetype_id(node_id: str) -> bool:
    """True for ``openEHR-EHR-CLUSTER.person.v1``, false for ``at0004``."""
    return _ARCHETYPE_ID.fullmatch(node_id) is not None


def check_archetype_details(node: Node, place: Place, report: Report) -> None:
    node_id = text(node, "archetype_node_id")
    details = node.get("archetype_details")
    if not node_id:
        return
    if not is_archetype_id(node_id):
        if details is not None:
            report.add(
                "invariant.archetype_details_unexpected", Place(place, "archetype_details"), "", node_id
            )
    elif details is None and node.get("_type") in _ROOTS_WITHOUT_DETAILS:
        return
    elif details is None:
        report.add("invariant.archetype_details_missing", Place(place, "archetype_details"), node_id)
    else:
        stated = text(node, "archetype_details", "archetype_id", "value")
        if stated is not None and stated != node_id:
            here = Place(place, "archetype_details")
            report.add("invariant.archetype_id", here, node_id, stated, below="/archetype_id/value")


def check_element_value(node: Node, place: Place, report: Report) -> None:
    has_value, has_flavour = node.get("value") is not None, node.get("null_flavour") is not None
    if has_value == has_flavour:
        found = "both" if has_value else "neither"
        report.add("invariant.element_value", place, "value or null_flavour", found)
    if has_value and node.get("null_reason") is not None:
        report.add("invariant.null_reason", Place(place, "null_reason"))


def check_history_events(node: Node, place: Place, report: Report) -> None:
    if not node.get("events") and node.get("summary") is None:
        report.add("invariant.history_events", place, "events or summary")


def check_archetype_root(node: Node, place: Place, report: Report) -> None:
    """A COMPOSITION or ENTRY is the root of an archetype, and says of which."""
    node_id = text(node, "archetype_node_id")
    if node_id and not is_archetype_id(node_id) and node.get("archetype_details") is None:
        report.add("invariant.archetype_details_missing", Place(place, "archetype_details"), "", node_id)


def check_history_period(node: Node, place: Place, report: Report) -> None:
    """Events of a periodic history lie whole periods after its origin; months and years have no length."""
    period, events = text(node, "period", "value"), node.get("events")
    length = None if period is None or not _EXACT_DURATION.fullmatch(period) else duration_seconds(period)
    start = temporal_key(text(node, "origin", "value") or "")
    if not length or start is None or not isinstance(events, list):
        return
    for index, event in enumerate(events):
        written = text(event, "time", "value") if isinstance(event, dict) else None
        moment = temporal_key(written or "")
        if moment is not None and (moment - start) % round(length * NANOSECONDS):
            here = Place(Place(place, "events", index), "time")
            report.add("invariant.history_period", here, f"a multiple of {period}", written or "")


def check_item_table(node: Node, place: Place, report: Report) -> None:
    """Each row of a table holds elements only."""
    rows = node.get("rows")
    for row_index, row in enumerate(rows if isinstance(rows, list) else ()):
        cells = row.get("items") if isinstance(row, dict) else None
        for index, cell in enumerate(cells if isinstance(cells, list) else ()):
            kind = cell.get("_type") if isinstance(cell, dict) else None
            if kind not in (None, "ELEMENT"):
                here = Place(Place(place, "rows", row_index), "items", index)
                report.add("invariant.item_table", here, "ELEMENT", shown(kind))


def check_ism_transition(node: Node, place: Place, report: Report) -> None:
    _, state = code_of(part(node, "current_state", "defining_code"))
    _, transition = code_of(part(node, "transition", "defining_code"))
    expected = STATE_AFTER.get(transition or "")
    if expected is None or state is None or not terminology().is_in_group("instruction_states", state):
        return
    if state != expected:
        params = {"transition": transition or ""}
        report.add("invariant.ism_transition", Place(place, "current_state"), expected, state, params=params)


def check_party_identified(node: Node, place: Place, report: Report) -> None:
    if all(node.get(name) is None for name in ("name", "identifiers", "external_ref")):
        report.add("invariant.party_identified", place, "name, identifiers or external_ref")


def check_party_ref_type(node: Node, place: Place, report: Report) -> None:
    found = text(node, "type")
    if found is not None and found not in PARTY_TYPES:
        report.add("invariant.party_ref_type", Place(place, "type"), " | ".join(sorted(PARTY_TYPES)), found)


# --- data values --------------------------------------------------------------------------------


def _interval(node: Node, place: Place, report: Report) -> None:
    for side in ("lower", "upper"):
        unbounded, value = node.get(f"{side}_unbounded"), node.get(side)
        if unbounded is True and (value is not None or node.get(f"{side}_included") is True):
            report.add("invariant.interval_bounds", Place(place, side), f"no {side} bound", shown(value))
        elif unbounded is False and value is None:
            report.add("invariant.interval_bounds", Place(place, side), f"a {side} bound")
    lower, upper = part(node, "lower"), part(node, "upper")
    if lower and upper:
        _interval_order(lower, upper, place, report)


def _interval_order(lower: Node, upper: Node, place: Place, report: Report) -> None:
    kinds = [known_class(bound.get("_type")) for bound in (lower, upper)]
    if kinds[0] is not kinds[1] or text(lower, "units") != text(upper, "units"):
        report.add("invariant.interval_types", place, _described(lower), _described(upper))
        return
    low, high = _sort_key(lower), _sort_key(upper)
    if low is not None and high is not None and low > high:
        report.add(
            "invariant.interval_order", place, "lower ≤ upper", f"{_described(lower)}..{_described(upper)}"
        )


def _described(bound: Node) -> str:
    value = next((bound[name] for name in ("magnitude", "value", "numerator") if name in bound), "")
    units = text(bound, "units") or ""
    return f"{shown(value)} {units}".strip() or shown(dict(bound))


def _sort_key(bound: Node) -> float | None:
    """A number to compare bounds of one type by, or None if it has none."""
    written = text(bound, "value")
    kind = str(bound.get("_type", ""))
    if written is not None and kind == "DV_DURATION":
        return duration_seconds(written)
    if written is not None and kind in ("DV_DATE", "DV_TIME", "DV_DATE_TIME"):
        return temporal_key(written, kind.removeprefix("DV_"))
    if kind == "DV_PROPORTION":
        numerator, denominator = number(bound, "numerator"), number(bound, "denominator")
        return numerator / denominator if numerator is not None and denominator else None
    magnitude = number(bound, "magnitude")
    return number(bound, "value") if magnitude is None else magnitude


def is_integral(node: Node) -> bool | None:
    """True if both numbers of a proportion are whole; None if one is missing."""
    numbers = [number(node, name) for name in ("numerator", "denominator")]
    return None if None in numbers else all(value == value // 1 for value in numbers if value is not None)


def check_proportion(node: Node, place: Place, report: Report) -> None:
    kind, denominator = number(node, "type"), number(node, "denominator")
    if kind is not None and kind not in range(5):
        report.add("invariant.proportion_kind", Place(place, "type"), "0..4", shown(kind))
    if denominator is not None:
        expected = _DENOMINATORS.get(kind or _RATIO)
        if denominator == 0 or (expected is not None and denominator != expected):
            wanted = "not 0" if expected is None else str(expected)
            here = Place(place, "denominator")
            report.add("invariant.proportion_denominator", here, wanted, shown(denominator))
    must_be_whole = kind in (_FRACTION, _INTEGER_FRACTION) or number(node, "precision") == 0
    if must_be_whole and is_integral(node) is False:
        found = f"{shown(node['numerator'])}/{shown(node['denominator'])}"
        report.add("invariant.proportion_integral", place, "whole numbers", found)


def check_range_is_simple(node: Node, place: Place, report: Report) -> None:
    """The bounds of a reference range have no ranges of their own."""
    for side in ("lower", "upper"):
        bound = part(node, "range", side)
        for name in ("normal_range", "other_reference_ranges"):
            if bound and bound.get(name) is not None:
                here = Place(Place(place, "range"), side)
                report.add("invariant.range_is_simple", here, f"no {name}")


def check_period_formalism(node: Node, place: Place, report: Report) -> None:
    """A periodic time is written in one of HL7's two formalisms."""
    found = text(node, "value", "formalism")
    if found is not None and found not in PERIOD_FORMALISMS:
        here = Place(place, "value")
        expected = " | ".join(sorted(PERIOD_FORMALISMS))
        report.add("invariant.time_specification", here, expected, found, below="/formalism")


def check_precision(node: Node, place: Place, report: Report) -> None:
    precision = number(node, "precision")
    if precision is not None and precision < -1:
        report.add("invariant.precision", Place(place, "precision"), "-1 or more", shown(precision))


def check_magnitude_status(node: Node, place: Place, report: Report) -> None:
    status = text(node, "magnitude_status")
    if status is not None and status not in MAGNITUDE_STATUSES:
        expected = " ".join(sorted(MAGNITUDE_STATUSES))
        report.add("invariant.magnitude_status", Place(place, "magnitude_status"), expected, status)


def check_normal_status(node: Node, place: Place, report: Report) -> None:
    """A status of N says that the value lies in the normal range, any other that it does not."""
    normal_range = part(node, "normal_range")
    _, status = code_of(part(node, "normal_status"))
    if not normal_range or status not in terminology().code_sets["normal_statuses"]:
        return
    inside = _lies_in(node, normal_range)
    if inside is not None and (status == "N") != inside:
        found = f"{_described(node)} {'in' if inside else 'outside'} the normal range"
        report.add(
            "invariant.normal_status", Place(place, "normal_status"), "N" if inside else "not N", found
        )


def _lies_in(node: Node, interval: Node) -> bool | None:
    value = _sort_key(node)
    if value is None:
        return None
    for side, sign in (("lower", 1), ("upper", -1)):
        bound = part(interval, side)
        if not bound:
            continue
        limit = _sort_key(bound)
        if limit is None or text(bound, "units") != text(node, "units"):
            return None
        outside = (limit - value) * sign
        if outside > 0 or (outside == 0 and interval.get(f"{side}_included") is False):
            return False
    return True


def check_accuracy(node: Node, place: Place, report: Report) -> None:
    accuracy, is_percent = number(node, "accuracy"), node.get("accuracy_is_percent") is True
    if is_percent and accuracy is not None and not 0 < accuracy <= 100:
        report.add("invariant.accuracy", Place(place, "accuracy"), "a percentage above 0", shown(accuracy))


def check_mapping_match(node: Node, place: Place, report: Report) -> None:
    match = text(node, "match")
    if match is not None and match not in (">", "=", "<", "?"):
        report.add("invariant.mapping_match", Place(place, "match"), "> = < ?", match)


def _multimedia(node: Node, place: Place, report: Report) -> None:
    if node.get("uri") is None and node.get("data") is None:
        report.add("invariant.multimedia", place, "uri or data")
    size = number(node, "size")
    if size is not None and size < 0:
        report.add("invariant.multimedia", Place(place, "size"), "0 or more", shown(size))
    if node.get("integrity_check") is not None and node.get("integrity_check_algorithm") is None:
        report.add("invariant.multimedia", Place(place, "integrity_check_algorithm"), "an algorithm")


def check_uri(node: Node, place: Place, report: Report) -> None:
    """A URI names its scheme (RFC 3986); below that only blanks are judged: openEHR's own hold brackets."""
    value = text(node, "value")
    if value and URI.fullmatch(value) is None:
        report.add("format.uri", Place(place, "value"), "scheme:…", value)


def _ehr_uri(node: Node, place: Place, report: Report) -> None:
    value = text(node, "value")
    if value is not None and not value.startswith("ehr:"):
        report.add("format.ehr_uri", Place(place, "value"), "ehr:…", value)


# --- families made from tables --------------------------------------------------------------------


def _filled_text(attribute: str) -> Invariant:
    def rule(node: Node, place: Place, report: Report) -> None:
        if node.get(attribute) == "":
            report.add("rm.empty_text", Place(place, attribute))

    return rule


def _in_group(attribute: str, group: str) -> Invariant:
    """The coded text in ``attribute`` is of a group of the openEHR terminology."""

    def rule(node: Node, place: Place, report: Report) -> None:
        terminology_id, code = code_of(part(node, attribute, "defining_code"))
        if terminology_id is None or code is None:
            return
        if terminology_id != "openehr" or not terminology().is_in_group(group, code):
            here, found = Place(place, attribute), f"{terminology_id}::{code}"
            report.add("terminology.not_in_group", here, group, found, below="/defining_code/code_string")

    return rule


def _in_code_set(attribute: str, code_set: str) -> Invariant:
    """The code phrase in ``attribute`` is of a code set; letter case does not matter (``en-GB``)."""
    codes = frozenset(code.lower() for code in terminology().code_sets[code_set])
    external_id = terminology().external_ids[code_set]

    def rule(node: Node, place: Place, report: Report) -> None:
        terminology_id, code = code_of(part(node, attribute))
        if code is not None and code.lower() not in codes:
            here, found = Place(place, attribute), f"{terminology_id}::{code}"
            report.add("terminology.not_in_code_set", here, external_id, found, below="/code_string")

    return rule


def _tables() -> Mapping[str, tuple[Invariant, ...]]:
    rules: dict[str, list[Invariant]] = {name: list(own) for name, own in OWN_RULES.items()}
    for class_name, attribute in FILLED_TEXTS:
        rules.setdefault(class_name, []).append(_filled_text(attribute))
    for class_name, attribute, group in GROUPS:
        rules.setdefault(class_name, []).append(_in_group(attribute, group))
    for class_name, attribute, code_set in CODE_SETS:
        rules.setdefault(class_name, []).append(_in_code_set(attribute, code_set))
    return {class_name: tuple(own) for class_name, own in rules.items()}


OWN_RULES: Mapping[str, tuple[Invariant, ...]] = {
    "LOCATABLE": (check_archetype_details,),
    "COMPOSITION": (check_archetype_root,),
    "ENTRY": (check_archetype_root,),
    "ELEMENT": (check_element_value,),
    "HISTORY": (check_history_events, check_history_period),
    "ITEM_TABLE": (check_item_table,),
    "ISM_TRANSITION": (check_ism_transition,),
    "PARTY_IDENTIFIED": (check_party_identified,),
    "PARTY_REF": (check_party_ref_type,),
    "DV_INTERVAL": (_interval,),
    "DV_PROPORTION": (check_proportion,),
    "DV_QUANTITY": (check_precision,),
    "REFERENCE_RANGE": (check_range_is_simple,),
    "DV_PERIODIC_TIME_SPECIFICATION": (check_period_formalism,),
    "DV_QUANTIFIED": (check_magnitude_status,),
    "DV_ORDERED": (check_normal_status,),
    "DV_AMOUNT": (check_accuracy,),
    "TERM_MAPPING": (check_mapping_match,),
    "DV_MULTIMEDIA": (_multimedia,),
    "DV_URI": (check_uri,),
    "DV_EHR_URI": (_ehr_uri,),
}

INVARIANTS: Mapping[str, tuple[Invariant, ...]] = _tables()
