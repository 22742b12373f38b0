"""A stored document as a record of a query: what is read of it, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from cdr.candidates import CandidateFilter, RecordOrder, VersionRecord
from cdr.store.database import FAR, Document
from cdr.store.documents import decompress, preceding_uid, stored_version
from cdr.stored_rows import FORMAT
from cdr.versions import iso

_FIELDS = ("e", "o", "n", "s", "ct", "au", "lc", "t", "tc", "until", "ps", "k", "full")
# What says who may see a version.
_MARKS = ("tid", "ac", "og", "cd")
_HEAD: Document = dict.fromkeys((*_FIELDS, *_MARKS), 1)
_ROW = ("c", "q", "p", "m", "a")


def projection(wanted: CandidateFilter) -> Document:
    """What is read of a document: its composition, its rows if they are enough, or neither."""
    if not wanted.needs_payload:
        return {"r": 0, "z": 0, "rows": 0}
    if wanted.rows is None:
        return {"r": 0, "rows": 0}
    values = ["v"] if wanted.rows.keys is None else [f"v.{key}" for key in sorted(wanted.rows.keys)]
    # Rows do not tell which section they come from: where one may be hidden, the payload is read too.
    if_needed = {"$cond": [{"$eq": ["$full", FORMAT]}, "$$REMOVE", "$z"]}
    without = 1 if wanted.sights.partial else if_needed
    return _HEAD | {f"rows.{field}": 1 for field in (*_ROW, *values)} | {"z": without}


def _is_latest(document: Document, as_of: datetime | None) -> bool:
    """Was it the latest version then? A deletion ends when it begins and is never."""
    return bool(document["until"] == FAR if as_of is None else document["until"] > as_of)


def version_record(document: Document, wanted: CandidateFilter) -> VersionRecord:
    """The version in a document that was read with ``projection``."""
    composition, rows = None, None
    if document["until"] != document["tc"] or "z" in document:  # a deletion ends when it begins
        partly_hidden = bool(wanted.sights.of(document["e"]).sections)
        if wanted.rows is not None and document.get("full") == FORMAT and not partly_hidden:
            rows = document["rows"]
        reads = wanted.needs_payload and rows is None
        composition = _shown(document, wanted) if reads else {}
    preceding = preceding_uid(document)
    return VersionRecord(
        rows=rows,
        uid=f"{document['o']}::{document['s']}::{document['n']}",
        composition=composition,
        is_latest=_is_latest(document, wanted.as_of),
        contribution=document["ct"],
        audit=stored_version({**document, "z": None}).audit.to_canonical() if wanted.needs_audit else {},
        lifecycle=document["lc"],
        preceding_uid=None if preceding is None else str(preceding),
        time_committed=iso(document["tc"]),
    )


def _shown(document: Document, wanted: CandidateFilter) -> Mapping[str, Any]:
    composition: Mapping[str, Any] = orjson.loads(decompress(document["z"]))
    return wanted.sights.of(document["e"]).shown(composition)


def best_value(document: Document, order: RecordOrder) -> float | datetime | None:
    """The value that a document stands by, which is read in this order; None where that is not known."""
    if order.key is None:
        return document["t"]  # type: ignore[no-any-return]  # a datetime
    values = [row["v"][order.key] for row in document.get("rows", ()) if order.key in row.get("v", ())]
    known = values and all(isinstance(value, int | float) for value in values)
    return max(values) if known else None
