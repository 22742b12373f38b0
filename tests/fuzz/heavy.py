"""Hostile documents of one megabyte, and what each costs: ``python -m tests.fuzz.heavy`` prints JSON.

A process of its own, so that the memory is that of these documents alone.
"""

from __future__ import annotations

import copy
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from archetypes.aom.constraints import CString
from archetypes.rm.canonical_xml import write_canonical_xml
from templates.example import example_composition
from templates.repository import library_templates
from tests.fuzz.targets import VISIT, run
from tests.validators import small
from validators.compiled import Validator

MEGABYTE = 1_000_000


def documents() -> Iterator[tuple[str, str, bytes]]:
    """Name, target and bytes of each."""
    example = example_composition(library_templates()[VISIT])
    for name, spoil in _SPOILERS.items():
        document = copy.deepcopy(example)
        spoil(document)
        yield name, "json", orjson.dumps(document)[:MEGABYTE]
    huge = orjson.dumps(example).replace(b'"magnitude":', b'"magnitude":' + b"9" * 400_000 + b'.0,"x":', 1)
    yield "a huge number", "json", huge
    yield (
        "an exponent",
        "json",
        orjson.dumps(example).replace(b'"magnitude":', b'"magnitude":1e999999999,"x":', 1),
    )
    yield "brackets", "json", b"[" * MEGABYTE
    yield "objects in objects", "json", b'{"a":' * (MEGABYTE // 5)
    good = write_canonical_xml(example, "COMPOSITION", "composition")
    head, _, tail = good.rpartition(b"</composition>")
    yield "xml: a long text", "xml", head + b"<!--" + b"x" * MEGABYTE + b"--></composition>" + tail
    yield "xml: many elements", "xml", head + b"<content/>" * (MEGABYTE // 10) + b"</composition>"
    yield "xml: deep", "xml", b"<a>" * (MEGABYTE // 3)
    entities = b"".join(b'<!ENTITY e%d "&e%d;&e%d;">' % (n, n - 1, n - 1) for n in range(1, 40))
    yield "xml: entities", "xml", b'<!DOCTYPE a [<!ENTITY e0 "x">' + entities + b"]><a>&e39;</a>"
    yield "xml: namespaces", "xml", b"<a " + b"".join(b'xmlns:a%d="u" ' % n for n in range(50_000)) + b"/>"
    yield "xml: a huge number", "xml", good.replace(b"<magnitude>", b"<magnitude>" + b"9" * 900_000, 1)
    yield "xml: attributes", "xml", b"<a " + b"".join(b'a%d="" ' % n for n in range(90_000)) + b"/>"
    codes = [{"code": f"c{n}", "display": "x", "property": []} for n in range(20_000)]
    about = {"resourceType": "CodeSystem", "url": "u", "version": "1", "date": "2026-01-01"}
    yield "codes: many", "codes", orjson.dumps(about | {"concept": codes})[:MEGABYTE] + b""


# Each with a text of which a backtracking matcher tries exponentially or cubically many parts.
_PATTERNS = {
    "(a|a)*b": "a",
    "(a+)+b": "a",
    "([a-z]+)*[0-9]": "a",
    ".*a.*a.*b": "a",
    "(x{100}){10}y": "x",
    "(?=.*b)a*": "a",
}


def hostile_patterns() -> Iterator[tuple[str, Validator, dict[str, Any]]]:
    """A template with each pattern, and a composition with 900,000 characters in its place."""
    for pattern, letter in _PATTERNS.items():
        item = CString(pattern=pattern)
        opt = small.template(small.element("at0010", small.value_of("DV_TEXT", "value", "STRING", item)))
        document = small.composition()
        value = small.text(letter * (MEGABYTE - 100_000) + "!")
        small.put(document, small.ITEMS, [small.node("ELEMENT", "at0010", "x", value=value)])
        yield pattern, Validator(opt), document


def _first_text(node: Any, rm_type: str) -> dict[str, Any]:
    """The last object of a type."""
    found: dict[str, Any] = {}
    stack = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            found = each if each.get("_type") == rm_type and "value" in each else found
            stack.extend(each.values())
        elif isinstance(each, list):
            stack.extend(each)
    return found


def _text(rm_type: str, value: str) -> Callable[[dict[str, Any]], None]:
    def spoil(document: dict[str, Any]) -> None:
        _first_text(document, rm_type)["value"] = (value * MEGABYTE)[: MEGABYTE - 100_000]

    return spoil


def _content(member: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(document: dict[str, Any]) -> None:
        size = len(orjson.dumps(member)) + 1
        document["content"] = [member] * ((MEGABYTE - 100_000) // size)

    return spoil


def _copies(document: dict[str, Any]) -> None:
    """The same valid section again and again."""
    section = document["content"][0]
    _content(section)(document)


def _names(document: dict[str, Any]) -> None:
    document |= {f"a{number}": number for number in range(60_000)}


def _codes(document: dict[str, Any]) -> None:
    phrase = {"terminology_id": {"value": "SNOMED-CT"}, "code_string": "1"}
    document["links"] = [phrase | {"code_string": str(number)} for number in range(12_000)]


_SPOILERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "a long text": _text("DV_TEXT", "tekst "),
    "wording": _text("DV_TEXT", "provosert medikamentell x "),
    "abort": _text("DV_TEXT", "abort "),
    "blanks": _text("DV_TEXT", " "),
    "a long date": _text("DV_DATE_TIME", "2026-"),
    "a long duration": _text("DV_DURATION", "P1Y"),
    "numbers": _content(1),
    "nulls": _content(None),
    "lists": _content([[]]),
    "objects": _content({}),
    "sections": _content({"_type": "SECTION", "name": {"value": "x"}, "archetype_node_id": "at0001"}),
    "copies": _copies,
    "names": _names,
    "codes": _codes,
}


def main() -> None:
    """Run all and print seconds of CPU for each, and by how many MB the memory grew over all."""
    warm_up = orjson.dumps(example_composition(library_templates()[VISIT]))
    run("json", warm_up)
    prepared = list(documents())
    patterns = list(hostile_patterns())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = {}
    for name, target, data in prepared:
        started = time.process_time()
        run(target, data)
        seconds[name] = time.process_time() - started
    for pattern, validate, document in patterns:
        started = time.process_time()
        validate(document)
        seconds[f"pattern {pattern}"] = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    sys.stdout.write(orjson.dumps({"seconds": seconds, "megabytes": grown}).decode())


if __name__ == "__main__":
    main()
