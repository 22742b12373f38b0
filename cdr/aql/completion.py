"""What may stand next in a query that is being written, from the templates that are stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from archetypes.aom.constraints import CArchetypeRoot
from archetypes.rm.schema import rm_schema
from cdr.aql.errors import AqlError
from cdr.aql.functions import FUNCTION_ARGUMENTS
from cdr.aql.parser import parse
from cdr.aql.rm_types import EHR_ATTRIBUTES, class_types
from cdr.aql.scope import resolve
from cdr.aql.template_checks import listed_values
from cdr.aql.template_places import places_of
from cdr.candidates import archetype_matches
from templates.operational import OperationalTemplate
from templates.rubrics import Rubrics

_TYPED = re.compile(r"(?<![\w/\]])([A-Za-z]\w*)((?:/[\w.\-]*(?:\[[^\]]*\])?)+)$")
_CLASS = re.compile(r"\b([A-Za-z_]+)(?=\s+([A-Za-z]\w*)\s*(?:\[\s*([\w.\-]+\.v\d[\w.\-]*))?)")
_NAME = re.compile(r"\[([^\],]*),[^\]]*\]")


_IN_BRACKETS = re.compile(r"\b([A-Za-z_]+)(?:\s+[A-Za-z]\w*)?\s*\[\s*([\w.\-]*)$")
_IN_FROM = re.compile(r"\b(?:FROM|CONTAINS|AND|OR)(?:\s+|\s*\(+\s*)([A-Za-z_]*)$", re.IGNORECASE)
_COMPARED = re.compile(
    r"([A-Za-z]\w*(?:/[\w.\-]+(?:\[[^\]]*\])?)+)\s*(?:=|!=|matches\s*\{(?:[^{}]*,)?)\s*'?([^'{},]*)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<![\w/\]'.\-])([A-Za-z_]\w*)$")
_FROM = re.compile(
    r"\bFROM\b(.*?)(?:\bWHERE\b|\bGROUP\b|\bORDER\b|\bLIMIT\b|\bAS\s+OF\b|$)", re.I | re.DOTALL
)
_AROUND = ("EHR", "EHR_STATUS", "VERSION", "COMPOSITION")
AGGREGATES = ("COUNT", "MIN", "MAX", "SUM", "AVG")


class Kind(StrEnum):
    """What is offered."""

    PATH = "path"
    ARCHETYPE = "archetype"
    CLASS = "class"
    VALUE = "value"
    FUNCTION = "function"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class Completion:
    """``text`` may stand from the offset ``start`` on, in place of what was begun; ``label`` names it."""

    text: str
    kind: Kind
    start: int
    label: str = ""


def complete(text: str, position: int, templates: Iterable[OperationalTemplate]) -> list[Completion]:
    """What may stand at ``position`` (an offset), by where it is; empty where nothing is known."""
    before, known = text[:position], tuple(templates)
    steps = path_steps(text, position, known)
    if steps:
        start = position - len(re.split(r"/(?![^\[]*\])", before)[-1])
        return [Completion(each, Kind.PATH, start) for each in steps]
    if (found := _COMPARED.search(before)) is not None:
        return _values(text, found[1], found[2], position, known)
    if (found := _IN_BRACKETS.search(before)) is not None:
        return _archetypes(found[1].upper(), found[2], position, known)
    is_in_from = re.search(r"\bFROM\b(?!.*\b(?:WHERE|ORDER)\b)", before, re.I | re.DOTALL) is not None
    if is_in_from and (found := _IN_FROM.search(before)) is not None:
        return _classes(found[1], position, known)
    found = _WORD.search(before)
    return [] if found is None else _words(text, found[1], position)


def _archetypes(
    rm_type: str, begun: str, position: int, templates: Iterable[OperationalTemplate]
) -> list[Completion]:
    """Archetypes of a class that some template has, each with its name."""
    labels: dict[str, str] = {}
    for template in templates:
        for node in template.nodes():
            root = node.constraint
            if isinstance(root, CArchetypeRoot) and rm_schema().is_a(root.rm_type_name, rm_type):
                labels.setdefault(root.archetype_id, Rubrics(root, template.language).name(root.node_id))
    start = position - len(begun)
    return [Completion(each, Kind.ARCHETYPE, start, labels[each]) for each in sorted(labels) if begun in each]


def _classes(begun: str, position: int, templates: Iterable[OperationalTemplate]) -> list[Completion]:
    """Classes that stand in some template, and those that hold compositions."""
    found = {node.constraint.rm_type_name for template in templates for node in template.nodes()}
    names = {name for name in found if rm_schema().is_a(name, "LOCATABLE")} | set(_AROUND)
    start = position - len(begun)
    return [Completion(each, Kind.CLASS, start) for each in sorted(names) if each.startswith(begun.upper())]


def _values(
    text: str, path: str, begun: str, position: int, templates: Iterable[OperationalTemplate]
) -> list[Completion]:
    """Codes, texts and units that the templates list for the path before the operator, with their texts."""
    from_clause = _FROM.search(text)
    if from_clause is None:
        return []
    try:
        scope = resolve(parse(f"SELECT {path} FROM {from_clause[1]}"))
    except AqlError:
        return []
    asked = next(iter(scope.path_types))
    labels = listed_values(scope, asked, [places_of(each) for each in templates])
    start = position - len(begun)
    return [
        Completion(value, Kind.VALUE, start, label)
        for value, label in sorted(labels.items())
        if begun.lower() in f"{value} {label}".lower()
    ]


def _words(text: str, begun: str, position: int) -> list[Completion]:
    """Functions and variables."""
    start = position - len(begun)
    functions = sorted({*FUNCTION_ARGUMENTS, *AGGREGATES})
    variables = sorted({name for rm_type, name, _ in _CLASS.findall(text) if class_types(rm_type.upper())})
    offered = [Completion(each, Kind.VARIABLE, start) for each in variables if each.startswith(begun)]
    called = (Completion(f"{each}(", Kind.FUNCTION, start) for each in functions)
    return offered + [each for each in called if each.text.startswith(begun.upper())]


def path_steps(text: str, position: int, templates: Iterable[OperationalTemplate]) -> list[str]:
    """The segments that can go on the path that ends at ``position`` (an offset), without duplicates.

    A variable of an archetype gets the nodes that any template has there, then the attributes of the class
    that stands at the place; a variable of a class alone gets the attributes of the class. Empty where no
    path ends, or its variable is unknown.
    """
    typed = _TYPED.search(text[:position])
    if typed is None:
        return []
    declared = {
        name.lower(): (rm_type.upper(), id_)
        for rm_type, name, id_ in _CLASS.findall(text)
        if rm_type.upper() == "VERSION" or class_types(rm_type.upper())
    }
    found = declared.get(typed[1].lower())
    if found is None:
        return []
    above, _, begun = _NAME.sub(r"[\1]", typed[2]).rpartition("/")
    rm_type, archetype_id = found
    places = set(_places(rm_type, archetype_id, templates))
    options = {
        _NAME.sub(r"[\1]", path)[len(above) + 1 :] for path, _ in places if path.startswith(above + "/")
    }
    steps = {option.partition("/")[0] for option in options}
    for path, constrained in places:
        if path == above:
            steps |= _attributes(constrained) - {step.partition("[")[0] for step in steps}
    return sorted(step for step in steps if step.startswith(begun))


def _places(
    rm_type: str, archetype_id: str, templates: Iterable[OperationalTemplate]
) -> Iterator[tuple[str, str]]:
    """Paths below the object of a variable, without names, each with the class that stands there."""
    yield "", rm_type
    if not archetype_id:
        return
    for template in templates:
        roots = []
        for node in template.nodes():
            root = node.constraint
            if isinstance(root, CArchetypeRoot) and archetype_matches(archetype_id, str(root.archetype_id)):
                roots.append(node.path)
            for start in roots:
                if node.path.startswith(start + "/"):
                    yield _NAME.sub(r"[\1]", node.path[len(start) :]), node.constraint.rm_type_name


def _attributes(rm_type: str) -> set[str]:
    if rm_type == "EHR":
        return set(EHR_ATTRIBUTES)
    names = {"ORIGINAL_VERSION"} if rm_type == "VERSION" else class_types(rm_type)
    attributes = (attribute for name in names for attribute in rm_schema().attributes(name).values())
    return {attribute.name for attribute in attributes if not attribute.computed}
