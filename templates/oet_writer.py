"""Write template sources in the OET form of template editors (namespace ``openEHR/v1/Template``).

The parts stand in the order of the published schema. Annotations, views and integrity checks, which
editors write and the schema does not know, stand where editors put them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from lxml import etree

from archetypes.aom.constraints import Interval
from archetypes.rm.safe_xml import XSI_TYPE
from templates.source import (
    CountConstraint,
    DateConstraint,
    DurationConstraint,
    Item,
    MultipleConstraint,
    OrdinalConstraint,
    QuantityConstraint,
    Rule,
    Template,
    TextConstraint,
    UnitRange,
    ValueConstraint,
)

NAMESPACE = "openEHR/v1/Template"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

Parent = etree._Element

# The stubs of lxml do not know the default namespace.
_PREFIXES = cast(dict[str, str], {None: NAMESPACE, "xsi": XSI})
_CONTEXT = "/context"


def write_oet(template: Template) -> bytes:
    """The source as UTF-8 XML, indented; :func:`templates.oet.read_oet` reads it back equal."""
    root = etree.Element(_tag("template"), nsmap=_PREFIXES)
    _add(root, "id", template.id)
    _add(root, "name", template.name)
    if template.description:
        _description(_add(root, "description"), template.description)
    for annotation in template.annotations:
        element = _add(root, "annotations", path=annotation.path)
        _dictionary(_add(element, "items"), annotation.items)
    _composition_or_part(_add(root, "definition"), template.definition)
    _view(root, template)
    for check in template.integrity_checks:
        element = _add(root, "integrity_checks", archetype_id=check.archetype_id)
        element.set(XSI_TYPE, "ArchetypeIntegrity")
        for name, digest in check.digests.items():
            _add(element, "digest", digest, id=name)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _view(root: Parent, template: Template) -> None:
    view = _add(root, "view") if template.view else root
    for hint in template.view:
        element = _add(view, "constraints", path=hint.path)
        for name, text in hint.items.items():
            _add(_add(element, "items", id=name), "value", text)


# --- description --------------------------------------------------------------------------------


def _description(description: Parent, texts: Mapping[str, str]) -> None:
    _group(description, "original_author", texts, "original_author.")
    _list(description, "other_contributors", texts)
    _add(description, "lifecycle_state", texts.get("lifecycle_state", ""))
    details = _add(description, "details")
    _add(details, "purpose", texts.get("purpose", ""))
    _list(details, "keywords", texts)
    _add(details, "use", texts.get("use", ""))
    _add(details, "misuse", texts.get("misuse", ""))
    for name in ("copyright", "original_resource_uri"):
        if name in texts:
            _add(details, name, texts[name])
    _group(details, "other_details", texts, "details.other_details.")
    if "resource_package_uri" in texts:
        _add(description, "resource_package_uri", texts["resource_package_uri"])
    _group(description, "other_details", texts, "other_details.")


def _group(parent: Parent, name: str, texts: Mapping[str, str], prefix: str) -> None:
    group = {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)}
    if group:
        _dictionary(_add(parent, name), group)


def _list(parent: Parent, name: str, texts: Mapping[str, str]) -> None:
    if name in texts:
        group = _add(parent, name)
        for line in texts[name].split("\n"):
            _add(group, "item", line)


def _dictionary(parent: Parent, texts: Mapping[str, str]) -> None:
    for key, text in texts.items():
        item = _add(parent, "item")
        _add(item, "key", key)
        _add(item, "value", text)


# --- items and rules ----------------------------------------------------------------------------


def _composition_or_part(element: Parent, item: Item) -> None:
    """A COMPOSITION has its items before its rules, everything else has its rules first."""
    _head(element, item)
    if item.rm_type != "COMPOSITION":
        _rules(element, item.rules)
        if item.subject is not None:
            _text(_add(element, "SubjectOfCare"), item.subject)
        _items(element, "Item" if item.rm_type == "SECTION" else "Items", item.items)
        return
    _items(element, "Content", (part for part in item.items if not _is_of_context(part)))
    items = [part for part in item.items if _is_of_context(part)]
    rules = [rule for rule in item.rules if _is_of_context(rule)]
    if items or rules:
        context = _add(element, "Context")
        _items(context, "Items", items)
        _rules(context, rules)
    _rules(element, (rule for rule in item.rules if not _is_of_context(rule)))


def _is_of_context(part: Item | Rule) -> bool:
    return part.path == _CONTEXT or part.path.startswith(f"{_CONTEXT}/")


def _head(element: Parent, item: Item) -> None:
    element.set(XSI_TYPE, item.rm_type)
    _attributes(
        element,
        archetype_id=item.archetype_id,
        template_id=item.template_id,
        concept_name=item.concept_name,
        name=item.name,
        path=item.path or None,
        max=item.maximum,
        min=item.minimum,
        hide_on_form=item.hide_on_form or None,
        annotation=item.note,
    )


def _items(parent: Parent, name: str, items: Iterable[Item]) -> None:
    for item in items:
        _composition_or_part(_add(parent, name), item)


def _rules(parent: Parent, rules: Iterable[Rule]) -> None:
    for rule in rules:
        _rule(_add(parent, "Rule"), rule)


def _rule(element: Parent, rule: Rule) -> None:
    _attributes(
        element,
        path=rule.path,
        max=rule.maximum,
        min=rule.minimum,
        default=rule.default,
        hide_on_form=rule.hide_on_form or None,
        clone=rule.clone or None,
        name=rule.name,
        annotation=rule.note,
    )
    if rule.constraint is not None:
        _constraint(_add(element, "constraint"), rule.constraint)
    if rule.name_constraint is not None:
        _text(_add(element, "nameConstraint"), rule.name_constraint)
    if rule.event_type is not None:
        event = _add(element, "eventConstraint")
        _add(event, "allowedType", rule.event_type)
        _add(event, "widthOrOffset", "PT0S")
    if rule.null_flavour_constraint is not None:
        _text(_add(element, "nullFlavourConstraint"), rule.null_flavour_constraint)


def _attributes(element: Parent, **values: str | int | bool | None) -> None:
    for name, value in values.items():
        if value is not None:
            element.set(name, "true" if value is True else str(value))


# --- constraints on values ----------------------------------------------------------------------


def _constraint(element: Parent, constraint: ValueConstraint) -> None:
    match constraint:
        case TextConstraint():
            kind = "text"
            _text(element, constraint)
        case QuantityConstraint():
            kind = "quantity"
            _texts(element, "includedUnits", constraint.included_units)
            _texts(element, "excludedUnits", constraint.excluded_units)
            for unit in constraint.unit_ranges:
                _unit_range(_add(element, "unitMagnitude"), unit)
        case OrdinalConstraint():
            kind = "ordinal"
            _texts(element, "includedValues", constraint.included)
            _texts(element, "excludedValues", constraint.excluded)
        case MultipleConstraint():
            kind = "multiple"
            _texts(element, "includedTypes", constraint.types)
        case CountConstraint():
            kind = "count"
            _range(element, constraint.range)
        case DurationConstraint():
            kind = "duration"
            _add(element, "pattern", constraint.pattern or "")
            _range(element, constraint.range)
        case DateConstraint():
            kind = "date"
            _limits(element, constraint.range, "maxDateTime", "minDateTime")
    element.set(XSI_TYPE, f"{kind}Constraint")


def _text(element: Parent, constraint: TextConstraint) -> None:
    if not constraint.limit_to_list:
        element.set("limitToList", "false")
    if not constraint.look_up:
        element.set("allowTerminologyLookUp", "false")
    query = {
        "terminologyID": constraint.terminology,
        "terminologyLang": constraint.query_language,
        "queryName": constraint.query,
    }
    if any(value is not None for value in query.values()):
        _attributes(_add(element, "termQueryId"), **query)
    _texts(element, "includedValues", constraint.included)
    _texts(element, "excludedValues", constraint.excluded)


def _texts(parent: Parent, name: str, texts: Iterable[str]) -> None:
    for text in texts:
        _add(parent, name, text)


def _unit_range(element: Parent, unit: UnitRange) -> None:
    _add(element, "unit", unit.unit)
    limits: Interval[float] = unit.magnitude or Interval()
    _limits(element, limits, "maxMagnitude", "minMagnitude")
    if unit.precision is not None:
        _add(element, "precision", str(unit.precision))
    _inclusion(element, limits)


def _range(element: Parent, limits: Interval[int] | Interval[str] | None) -> None:
    of: Interval[int] | Interval[str] = limits or Interval()
    _limits(element, of, "maxMagnitude", "minMagnitude")
    _inclusion(element, of)


def _limits(
    element: Parent, limits: Interval[int] | Interval[float] | Interval[str], upper: str, lower: str
) -> None:
    for name, limit in ((upper, limits.upper), (lower, limits.lower)):
        if limit is not None:
            whole = isinstance(limit, float) and limit.is_integer()
            _add(element, name, str(int(limit) if whole else limit))


def _inclusion(element: Parent, limits: Interval[int] | Interval[float] | Interval[str]) -> None:
    """A side without limit is not included, as editors write it."""
    _add(element, "includesMaximum", _truth(limits.upper is not None and limits.upper_included))
    _add(element, "includesMinimum", _truth(limits.lower is not None and limits.lower_included))


def _truth(value: bool) -> str:
    return "true" if value else "false"


# --- elements -----------------------------------------------------------------------------------


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: Parent, name: str, text: str | None = None, **attributes: str) -> Parent:
    element = etree.SubElement(parent, _tag(name), attributes)
    if text:
        element.text = text
    return element
