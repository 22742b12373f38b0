"""What fuzzing starts from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from archetypes.rm.canonical_json import write_canonical
from archetypes.rm.canonical_xml import write_canonical_xml
from templates.example import example_composition
from templates.repository import library_templates
from tests.validators import small

LARGEST = 8_000  # bytes; a fuzzer gets further with many small documents than with few large ones
_CODE_SYSTEM = {
    "resourceType": "CodeSystem",
    "url": "urn:oid:1.2.3",
    "version": "1",
    "effectivePeriod": {"start": "2026-01-01", "end": "2026-12-31"},
    "concept": [
        {"code": "a", "display": "A", "concept": [{"code": "b", "display": "B"}]},
        {"code": "c", "property": [{"code": "successor", "valueCode": "a"}]},
    ],
}
_VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "urn:oid:1.2.3",
    "version": "1",
    "date": "2026",
    "compose": {"include": [{"system": "urn:oid:1.2.3", "concept": [{"code": "a"}]}]},
}


def seeds(target: str) -> Iterator[bytes]:
    """Examples of every template in the form that the target reads, or code lists."""
    if target == "codes":
        yield from map(orjson.dumps, (_CODE_SYSTEM, _VALUE_SET))
    elif target == "constraints":
        yield from map(write_canonical, _of_every_constraint())
    elif target == "json":
        yield from filter(_is_small, map(write_canonical, _examples()))
    else:
        written = (write_canonical_xml(made, "COMPOSITION", "composition") for made in _examples())
        yield from filter(_is_small, written)


def _examples() -> Iterator[dict[str, Any]]:
    for opt in library_templates().values():
        yield example_composition(opt, kind="minimal")
        yield example_composition(opt)


def _of_every_constraint() -> Iterator[dict[str, Any]]:
    """The whole composition, and one for each of its nodes alone: small ones are changed more often."""
    yield small.composition()
    for index in range(1, len(small.at(small.composition(), small.ITEMS))):
        made = small.composition()
        items = small.at(made, small.ITEMS)
        items[:] = [items[0], items[index]]
        yield made


def _is_small(document: bytes) -> bool:
    return len(document) <= LARGEST
