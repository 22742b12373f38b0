"""What fuzzing starts from."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from archetypes.rm.canonical_json import write_canonical
from archetypes.rm.canonical_xml import write_canonical_xml
from templates.example import example_composition
from templates.repository import library_templates

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
    """Examples of every template, or code lists."""
    if target == "codes":
        yield from map(orjson.dumps, (_CODE_SYSTEM, _VALUE_SET))
        return
    for opt in library_templates().values():
        example = example_composition(opt)
        if target == "json":
            yield write_canonical(example)
        else:
            yield write_canonical_xml(example, "COMPOSITION", "composition")
