"""What is fuzzed: bytes as a client sends them, read and judged; only errors of ours may come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import orjson

from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from archetypes.rm.canonical_json import read_canonical
from archetypes.rm.canonical_xml import read_canonical_xml
from cdr.terminology import code_uses, read_code_list
from templates.operational import OperationalTemplate
from templates.repository import library_templates
from tests.validators import small
from validators.compiled import compile_validator
from validators.composition import validate_composition
from validators.document import validate_document
from validators.messages import LANGUAGES, finding_hint, finding_text

COMPARED = 200_000  # bytes up to which the two forms of the validator are compared
VISIT = "helsekort_kontroll.v0"


def json_document(data: bytes) -> None:
    """A canonical JSON composition of any of our templates."""
    _judge(read_canonical(data), compare=len(data) < COMPARED)


def xml_document(data: bytes) -> None:
    """The same in canonical XML."""
    _judge(read_canonical_xml(data, "COMPOSITION"), compare=len(data) < COMPARED)


def constraints(data: bytes) -> None:
    """Any JSON as a composition of a template with every kind of constraint, complete and incomplete."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    opt = _every_constraint()
    for complete in (True, False):
        found = validate_composition(opt, value, complete=complete)
        assert compile_validator(opt)(value, complete) == found
    _say(validate_document(opt, value))


def code_list(data: bytes) -> None:
    """A FHIR CodeSystem or ValueSet."""
    read_code_list(data)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "json": json_document,
    "xml": xml_document,
    "constraints": constraints,
    "codes": code_list,
}


def run(target: str, data: bytes) -> None:
    """Give the bytes to a target; an error of ours is an answer."""
    try:
        TARGETS[target](data)
    except HelsekortError as error:
        assert str(error)


def _judge(composition: Any, *, compare: bool) -> None:
    opt = _template(composition)
    findings = validate_document(opt, composition)
    _say(findings)
    code_uses(composition, findings)
    if compare:
        assert compile_validator(opt)(composition) == validate_composition(opt, composition)


def _say(findings: Iterable[Finding]) -> None:
    for finding in findings:
        assert all(finding_text(finding, language) for language in LANGUAGES)
        finding_hint(finding)


def _template(composition: Any) -> OperationalTemplate:
    try:
        stated = composition["archetype_details"]["template_id"]["value"]
        return _library()[stated]
    except (KeyError, TypeError):
        return _library()[VISIT]


@cache
def _every_constraint() -> OperationalTemplate:
    return small.template(*small.ELEMENTS)


@cache
def _library() -> dict[str, OperationalTemplate]:
    return dict(library_templates())
