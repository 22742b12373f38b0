"""Read template sources in the OET form of template editors (namespace ``openEHR/v1/Template``).

What the form has and we do not compile (participations, conditions on age) is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

from lxml import etree

from archetypes.aom.constraints import Interval
from archetypes.findings import Finding
from templates.errors import UnreadableTemplate
from templates.oet_writer import NAMESPACE
from templates.ranges import duration_seconds
from templates.source import (
    Annotation,
    CountConstraint,
    DateConstraint,
    DurationConstraint,
    IntegrityCheck,
    Item,
    MultipleConstraint,
    OrdinalConstraint,
    QuantityConstraint,
    Rule,
    Template,
    TextConstraint,
    UnitRange,
    ValueConstraint,
    ViewHint,
)
from templates.xml_source import local_name, parse_xml, span_of, text_of, xsi_type

T = TypeVar("T", int, float, str)


def read_oet(data: bytes, source: str = "") -> Template:
    """Read a template source.

    ``source`` is the file's name for messages. Raises UnreadableTemplate: all faults of structure that
    were found, with their lines.
    """
    root = parse_xml(data, source, root_tag=f"{{{NAMESPACE}}}template")
    return _Reader(source).template(root)


class _Reader:
    """Walks the elements; gathers faults, so that an author sees all of them at once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._faults: list[Finding] = []

    def template(self, root: etree._Element) -> Template:
        parts = {name: _child(root, name) for name in ("id", "name", "definition")}
        for name, element in parts.items():
            if element is None or (name == "name" and not text_of(element)):
                self._fault("oet.missing_part", root, expected=f"<{name}>")
        if parts["definition"] is None:
            raise UnreadableTemplate(self._faults)
        template = Template(
            id=text_of(parts["id"]),
            name=text_of(parts["name"]),
            definition=self._item(parts["definition"]),
            description=MappingProxyType(dict(_description(_child(root, "description")))),
            annotations=tuple(map(self._annotation, _children(root, "annotations"))),
            view=tuple(map(_view_hint, root.iterfind(f"{{{NAMESPACE}}}view/{{{NAMESPACE}}}constraints"))),
            integrity_checks=tuple(map(_integrity_check, _children(root, "integrity_checks"))),
            source=self._source,
        )
        if self._faults:
            raise UnreadableTemplate(self._faults)
        return template

    def _item(self, element: etree._Element) -> Item:
        if not element.get("archetype_id"):
            self._fault("oet.missing_part", element, expected="archetype_id")
        rules: list[Rule] = []
        items: list[Item] = []
        self._parts(element, rules, items)
        # Those of the context belong to the composition itself; they come last, wherever they stand.
        for context in _children(element, "Context"):
            self._parts(context, rules, items)
        subject = _child(element, "SubjectOfCare")
        return Item(
            archetype_id=(element.get("archetype_id") or "").strip(),
            rm_type=xsi_type(element),
            span=span_of(element, self._source),
            path=element.get("path") or "",
            name=element.get("name") or None,
            minimum=self._number(element, "min"),
            maximum=self._number(element, "max"),
            hide_on_form=element.get("hide_on_form") == "true",
            template_id=element.get("template_id") or None,
            concept_name=element.get("concept_name"),
            note=element.get("annotation"),
            subject=None if subject is None else self._text(subject),
            rules=tuple(rules),
            items=tuple(items),
        )

    def _parts(self, element: etree._Element, rules: list[Rule], items: list[Item]) -> None:
        """Collect the rules and items directly below."""
        for child in element:
            match local_name(child):
                case "Rule":
                    rules.append(self._rule(child))
                case "Content" | "Item" | "Items":
                    items.append(self._item(child))
                case "datavalueConstraint" | "nameConstraint" | "nullFlavorConstraint":
                    rules.append(self._own_rule(element, child))
                case "hide_on_form" | "SubjectOfCare" | "Context":
                    pass
                case name:
                    self._fault("oet.unsupported_element", child, found=f"<{name}>")

    def _own_rule(self, element: etree._Element, child: etree._Element) -> Rule:
        """A constraint that stands directly under an item, as a rule on the item's root."""
        span = span_of(child, self._source)
        match local_name(child):
            case "datavalueConstraint":
                return Rule(path="/", span=span, constraint=self._constraint(child))
            case "nameConstraint":
                return Rule(path="/", span=span, name_constraint=self._text(child))
            case _:
                return Rule(path="/", span=span, null_flavour_constraint=self._text(child))

    def _rule(self, element: etree._Element) -> Rule:
        if element.get("path") is None:
            self._fault("oet.missing_part", element, expected="path")
        if element.get("exclusive") == "true":
            self._fault("oet.unsupported_element", element, found='exclusive="true"')
        for child in element:
            if local_name(child) not in _RULE_PARTS:
                self._fault("oet.unsupported_element", child, found=f"<{local_name(child)}>")
        constraint = _child(element, "constraint")
        name = _child(element, "nameConstraint")
        null_flavour = _child(element, "nullFlavourConstraint")
        event = _child(element, "eventConstraint")
        return Rule(
            path=element.get("path") or "",
            span=span_of(element, self._source),
            name=element.get("name") or None,
            minimum=self._number(element, "min"),
            maximum=self._number(element, "max"),
            clone=element.get("clone") == "true",
            default=element.get("default"),
            hide_on_form=element.get("hide_on_form") == "true",
            constraint=None if constraint is None else self._constraint(constraint),
            name_constraint=None if name is None else self._text(name),
            null_flavour_constraint=None if null_flavour is None else self._text(null_flavour),
            event_type=None if event is None else self._event_type(event),
            note=element.get("annotation"),
        )

    def _event_type(self, event: etree._Element) -> str | None:
        """The allowed kind of event; its width and its aggregations are not compiled."""
        width = text_of(_child(event, "widthOrOffset"))
        if duration_seconds(width or "PT0S") != 0:
            self._fault("oet.unsupported_element", event, found=f"<widthOrOffset> {width}")
        if _children(event, "includedAggregations"):
            self._fault("oet.unsupported_element", event, found="<includedAggregations>")
        return text_of(_child(event, "allowedType")) or None

    def _constraint(self, element: etree._Element) -> ValueConstraint | None:
        reader = _CONSTRAINTS.get(xsi_type(element))
        if reader is None:
            self._fault("oet.unsupported_constraint", element, found=xsi_type(element) or "no xsi:type")
            return None
        try:
            return reader(element)
        except ValueError as error:
            self._fault("oet.malformed_value", element, found=str(error))
            return None

    def _text(self, element: etree._Element) -> TextConstraint:
        return _text_constraint(element)

    def _annotation(self, element: etree._Element) -> Annotation:
        items = {
            text_of(_child(item, "key")): text_of(_child(item, "value"))
            for group in _children(element, "items")
            for item in _children(group, "item")
        }
        if not element.get("path") or not items:
            self._fault("oet.missing_part", element, expected="path and items")
        return Annotation(
            path=element.get("path") or "",
            items=MappingProxyType(items),
            span=span_of(element, self._source),
        )

    def _number(self, element: etree._Element, attribute: str) -> int | None:
        text = element.get(attribute)
        if text is None or text.strip() == "":
            return None
        if not text.strip().isdecimal():
            self._fault("oet.malformed_value", element, found=f'{attribute}="{text}"', expected="a number")
            return None
        return int(text)

    def _fault(self, code: str, element: etree._Element, *, found: str = "", expected: str = "") -> None:
        path = element.get("path") or ""
        self._faults.append(Finding(code, path, expected, found, span=span_of(element, self._source)))


# ``queryId`` repeats what termQueryId says; the schema calls it redundant.
_RULE_PARTS = frozenset(
    {"constraint", "nameConstraint", "nullFlavourConstraint", "eventConstraint", "queryId"}
)


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return element.find(f"{{{NAMESPACE}}}{name}")


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return element.findall(f"{{{NAMESPACE}}}{name}")


def _texts(element: etree._Element, name: str) -> tuple[str, ...]:
    return tuple(text_of(child) for child in _children(element, name))


def _text_constraint(element: etree._Element) -> TextConstraint:
    query = _child(element, "termQueryId")
    return TextConstraint(
        included=_texts(element, "includedValues"),
        excluded=_texts(element, "excludedValues"),
        limit_to_list=element.get("limitToList") != "false",
        terminology=None if query is None else query.get("terminologyID"),
        query=None if query is None else query.get("queryName"),
        query_language=None if query is None else query.get("terminologyLang"),
        look_up=element.get("allowTerminologyLookUp") != "false",
    )


def _quantity_constraint(element: etree._Element) -> QuantityConstraint:
    return QuantityConstraint(
        included_units=_texts(element, "includedUnits"),
        excluded_units=_texts(element, "excludedUnits"),
        unit_ranges=tuple(map(_unit_range, _children(element, "unitMagnitude"))),
    )


def _unit_range(element: etree._Element) -> UnitRange:
    precision = text_of(_child(element, "precision"))
    return UnitRange(
        unit=text_of(_child(element, "unit")),
        magnitude=_range(element, float),
        precision=int(precision) if precision else None,
    )


def _ordinal_constraint(element: etree._Element) -> OrdinalConstraint:
    return OrdinalConstraint(
        included=_texts(element, "includedValues"), excluded=_texts(element, "excludedValues")
    )


def _multiple_constraint(element: etree._Element) -> MultipleConstraint:
    return MultipleConstraint(types=_texts(element, "includedTypes"))


def _count_constraint(element: etree._Element) -> CountConstraint:
    return CountConstraint(range=_range(element, int) or Interval())


def _duration_constraint(element: etree._Element) -> DurationConstraint:
    return DurationConstraint(
        pattern=text_of(_child(element, "pattern")) or None,
        range=_range(element, _iso_duration),
    )


def _iso_duration(text: str) -> str:
    if duration_seconds(text) is None:
        raise ValueError(f"{text!r} is not an ISO 8601 duration")
    return text


def _date_constraint(element: etree._Element) -> DateConstraint:
    lower, upper = text_of(_child(element, "minDateTime")), text_of(_child(element, "maxDateTime"))
    return DateConstraint(range=Interval(lower or None, upper or None))


_CONSTRAINTS: Mapping[str, Callable[[etree._Element], ValueConstraint]] = MappingProxyType(
    {
        "textConstraint": _text_constraint,
        "quantityConstraint": _quantity_constraint,
        "ordinalConstraint": _ordinal_constraint,
        "multipleConstraint": _multiple_constraint,
        "countConstraint": _count_constraint,
        "durationConstraint": _duration_constraint,
        "dateConstraint": _date_constraint,
    }
)


def _range(element: etree._Element, of: Callable[[str], T]) -> Interval[T] | None:
    """minMagnitude..maxMagnitude; editors write ``includes... = false`` on a side that has no limit."""
    lower, upper = text_of(_child(element, "minMagnitude")), text_of(_child(element, "maxMagnitude"))
    if not lower and not upper:
        return None
    start, end = of(lower) if lower else None, of(upper) if upper else None
    if isinstance(start, int | float) and isinstance(end, int | float) and start > end:
        raise ValueError(f"{lower} to {upper} is empty")
    return Interval(
        start,
        end,
        not lower or text_of(_child(element, "includesMinimum")) != "false",
        not upper or text_of(_child(element, "includesMaximum")) != "false",
    )


def _view_hint(element: etree._Element) -> ViewHint:
    items = {item.get("id") or "": text_of(_child(item, "value")) for item in _children(element, "items")}
    return ViewHint(path=element.get("path") or "", items=MappingProxyType(items))


def _integrity_check(element: etree._Element) -> IntegrityCheck:
    digests = {digest.get("id") or "": text_of(digest) for digest in _children(element, "digest")}
    return IntegrityCheck(archetype_id=element.get("archetype_id") or "", digests=MappingProxyType(digests))


def _description(element: etree._Element | None) -> Iterator[tuple[str, str]]:
    """The description as flat keys; empty texts are left out."""
    if element is None:
        return
    for path in ("original_author", "other_details", "details.other_details"):
        yield from ((f"{path}.{key}", text) for key, text in _dictionary(element, path) if text)
    for path, key in _TEXTS.items():
        text = text_of(_descend(element, path))
        if text:
            yield key, text
    for path, key in _LISTS.items():
        group = _descend(element, path)
        texts = [] if group is None else [" ".join(text.split()) for text in _texts(group, "item")]
        if any(texts):
            yield key, "\n".join(filter(None, texts))


# Places in <description> -> flat keys.
_TEXTS = {
    "lifecycle_state": "lifecycle_state",
    "details.purpose": "purpose",
    "details.use": "use",
    "details.misuse": "misuse",
    "details.copyright": "copyright",
    "details.original_resource_uri": "original_resource_uri",
    "resource_package_uri": "resource_package_uri",
}
_LISTS = {"other_contributors": "other_contributors", "details.keywords": "keywords"}


def _dictionary(element: etree._Element, path: str) -> Iterator[tuple[str, str]]:
    group = _descend(element, path)
    for item in [] if group is None else _children(group, "item"):
        yield text_of(_child(item, "key")), text_of(_child(item, "value"))


def _descend(element: etree._Element, path: str) -> etree._Element | None:
    return element.find("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split(".")))
