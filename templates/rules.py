"""Applies the rules of a template source to the archetype that they stand under."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from archetypes.aom.constraints import (
    ArchetypeSlot,
    CArchetypeRoot,
    CAttribute,
    CCodePhrase,
    CComplexObject,
    CObject,
    CString,
    Interval,
    Terms,
)
from archetypes.errors import MalformedPath
from archetypes.intervals import ONCE
from archetypes.paths import PathSegment, RmPath
from archetypes.rm.schema import rm_schema
from templates.faults import Faults
from templates.narrowing import Alternatives, Narrowing, code_phrase, with_code_phrase, with_primitive
from templates.source import Rule, TextConstraint, ValueConstraint
from templates.tree import edit_at, with_attribute

# The text of a local code, or None.
TextOf = Callable[[str], str | None]

# How template editors name the kinds of event.
EVENT_TYPES = {
    "event": "EVENT",
    "pointevent": "POINT_EVENT",
    "pointintime": "POINT_EVENT",
    "intervalevent": "INTERVAL_EVENT",
    "interval": "INTERVAL_EVENT",
}


def apply_rules(
    root: CArchetypeRoot, rules: Iterable[Rule], *, language: str, faults: Faults
) -> tuple[CArchetypeRoot, dict[str, str]]:
    """``root`` narrowed by all rules, and the rubrics (``terminology::code`` -> text) they bring."""
    groups: dict[tuple[PathSegment, ...], list[Rule]] = {}
    for rule in rules:
        here = faults.at(rule.span, rule.path)
        try:
            groups.setdefault(RmPath.parse(rule.path).segments, []).append(rule)
        except MalformedPath as error:
            here.error("template.malformed_path", found=error.reason)
    rubrics: dict[str, str] = {}
    # Shallow first: a clone is made before what is below it is narrowed. At one depth, a step with a
    # name is found only after the rule that gives the name.
    for segments in sorted(groups, key=lambda s: (len(s), bool(s) and s[-1].name is not None)):
        root = _Group(segments, groups[segments], language, faults, rubrics).applied(root)
    return root, rubrics


class _Group:
    """All rules of one path."""

    def __init__(
        self,
        segments: tuple[PathSegment, ...],
        rules: list[Rule],
        language: str,
        faults: Faults,
        rubrics: dict[str, str],
    ) -> None:
        self._segments = segments
        self._rules = rules
        self._language = language
        self._faults = faults.at(rules[0].span, str(RmPath(segments)))
        self._rubrics = rubrics
        self._terms: Terms = {}

    def applied(self, root: CArchetypeRoot) -> CArchetypeRoot:
        self._terms = root.terms
        if not self._segments:
            new: CObject | None = self._edit(root, None)[0]
        else:
            new = edit_at(root, self._segments, self._edit, root.terms)
        if not isinstance(new, CArchetypeRoot):
            self._faults.error("template.unknown_path", found=str(RmPath(self._segments)))
            return root
        return self._with_mandatory_attribute(new)

    def _edit(self, node: CObject, owner: CComplexObject | None) -> tuple[CObject, ...]:
        single = owner is not None and not _in_container(owner, self._segments[-1].attribute)
        if single and any(0 in (rule.minimum, rule.maximum) for rule in self._rules):
            # Under a single attribute the objects are alternatives, which may be left out one by one.
            node = replace(node, occurrences=Interval(0, 1))
        variants = self._variants()
        if len(variants) > 1:
            if node.occurrences.upper == 1:
                self._faults.error("template.clone_of_single", expected=str(node.occurrences))
            # Each clone may be absent; which of them must be there, only a rule can say.
            if node.occurrences.lower and not any(rule.minimum for rule in self._rules):
                self._faults.warning("template.minimum_lost", expected=str(node.occurrences))
            node = replace(node, occurrences=Interval(0, node.occurrences.upper))
        return tuple(new for name, rules in variants for new in self._variant(node, name, rules))

    def _variants(self) -> list[tuple[str | None, list[Rule]]]:
        """One per name that the rules give; the unnamed original stays if only clones are named."""
        unnamed = [rule for rule in self._rules if rule.name is None]
        named: dict[str, list[Rule]] = {}
        for rule in self._rules:
            if rule.name is not None:
                named.setdefault(rule.name, []).append(rule)
        if not named:
            return [(None, unnamed)]
        if unnamed and all(rule.clone for rules in named.values() for rule in rules):
            return [(None, unnamed), *named.items()]
        return [(name, [*unnamed, *rules]) for name, rules in named.items()]

    def _variant(self, node: CObject, name: str | None, rules: list[Rule]) -> Alternatives:
        nodes: Alternatives = (node,)
        if name is not None:
            nodes = (self._named(node, name),)
        for rule in rules:
            nodes = tuple(new for each in nodes for new in self._ruled(each, rule))
        return nodes

    def _ruled(self, node: CObject, rule: Rule) -> Alternatives:
        faults = self._faults.at(rule.span, rule.path)
        narrowing = Narrowing(_codes(self._terms), faults, self._rubrics)
        node = replace(node, occurrences=_occurrences(node.occurrences, rule, faults))
        if rule.event_type is not None:
            node = _event(node, rule.event_type, faults)
        if rule.name_constraint is not None:
            node = self._with_name_constraint(node, rule.name_constraint, narrowing)
        if rule.null_flavour_constraint is not None:
            node = _narrowed_attribute(node, "null_flavour", rule.null_flavour_constraint, narrowing)
        if rule.constraint is None or rule.maximum == 0:
            return (node,)
        if rm_schema().is_a(node.rm_type_name, "ELEMENT"):
            return (_narrowed_attribute(node, "value", rule.constraint, narrowing),)
        if rm_schema().is_a(node.rm_type_name, "LOCATABLE"):
            faults.error("template.no_value", expected="ELEMENT", found=node.rm_type_name)
            return (node,)
        return narrowing.narrow((node,), rule.constraint)

    # --- names -----------------------------------------------------------------------------------

    def _named(self, node: CObject, name: str) -> CObject:
        if not isinstance(node, CComplexObject):
            self._faults.warning("template.name_on_slot", found=name)
            return node
        return with_fixed_name(node, name, self._faults, self._texts)

    def _with_name_constraint(
        self, node: CObject, constraint: TextConstraint, narrowing: Narrowing
    ) -> CObject:
        """Limit the name; if one code is left, its text is the only name."""
        node = _narrowed_attribute(node, "name", constraint, narrowing)
        attribute = node.attribute("name") if isinstance(node, CComplexObject) else None
        if attribute is None or len(attribute.children) != 1 or not isinstance(node, CComplexObject):
            return node
        phrase = code_phrase(attribute.children[0])
        text = self._texts(phrase.codes[0]) if phrase is not None and len(phrase.codes) == 1 else None
        if text is None:
            return node
        coded = with_primitive(attribute.children[0], "value", "STRING", CString(values=(text,)))
        return with_attribute(node, replace(attribute, children=(coded,)))

    def _texts(self, code: str) -> str | None:
        """The text of a local code in the template's language."""
        for language in (self._language, *self._terms):
            definition = self._terms.get(language, {}).get(code)
            if definition is not None:
                return definition.text
        return None

    # --- attributes ------------------------------------------------------------------------------

    def _with_mandatory_attribute(self, root: CArchetypeRoot) -> CArchetypeRoot:
        """Occurrences do not make the object of a single attribute mandatory; existence does."""
        if not self._segments or not any(rule.minimum for rule in self._rules):
            return root
        last = self._segments[-1]

        def edit(parent: CObject, _: CComplexObject) -> tuple[CObject, ...]:
            attribute = parent.attribute(last.attribute) if isinstance(parent, CComplexObject) else None
            if attribute is None or not isinstance(parent, CComplexObject):
                return (parent,)
            if _in_container(parent, last.attribute):
                return (parent,)
            return (with_attribute(parent, replace(attribute, existence=ONCE)),)

        if len(self._segments) == 1:
            new: CObject | None = edit(root, root)[0]
        else:
            new = edit_at(root, self._segments[:-1], edit, root.terms)
        return new if isinstance(new, CArchetypeRoot) else root


def with_subject(root: CArchetypeRoot, subject: TextConstraint, narrowing: Narrowing) -> CArchetypeRoot:
    """An entry about somebody who is related to the subject of the record, such as the foetus."""
    there = root.attribute("subject")
    related = [c for c in there.children if c.rm_type_name == "PARTY_RELATED"] if there else []
    if there and there.children and not related:
        narrowing.faults.error("template.wrong_type", expected="PARTY_SELF", found="PARTY_RELATED")
        return root
    party = related[0] if related else CComplexObject(rm_type_name="PARTY_RELATED")
    party = _narrowed_attribute(party, "relationship", subject, narrowing)
    attribute = CAttribute(rm_attribute_name="subject", existence=ONCE, children=(party,))
    new = with_attribute(root, attribute)
    return new if isinstance(new, CArchetypeRoot) else root


def with_fixed_name(
    node: CComplexObject, name: str, faults: Faults, text_of: TextOf | None = None
) -> CComplexObject:
    """``node`` with ``name`` as its only name; the archetype may have listed the names it allows."""
    there = node.attribute("name")
    for alternative in there.children if there else ():
        phrase = code_phrase(alternative)
        coded = _coded_name(phrase, name, text_of) if phrase is not None else None
        if coded is not None and phrase is not None:
            kept = with_code_phrase(alternative, replace(phrase, codes=(coded,)))
            return _with_name(node, with_primitive(kept, "value", "STRING", CString(values=(name,))))
    if there and there.children and not any(c.rm_type_name == "DV_TEXT" for c in there.children):
        faults.error("template.name_not_allowed", found=name)
        return node
    text = CComplexObject(rm_type_name="DV_TEXT")
    return _with_name(node, with_primitive(text, "value", "STRING", CString(values=(name,))))


def _coded_name(phrase: CCodePhrase, name: str, text_of: TextOf | None) -> str | None:
    if text_of is None:
        return None
    return next((code for code in phrase.codes if text_of(code) == name), None)


def _with_name(node: CComplexObject, text: CObject) -> CComplexObject:
    """The name stands first, where readers look for it."""
    attribute = CAttribute(rm_attribute_name="name", existence=ONCE, children=(text,))
    others = tuple(a for a in node.attributes if a.rm_attribute_name != "name")
    return replace(node, attributes=(attribute, *others))


def _narrowed_attribute(
    node: CObject, name: str, constraint: ValueConstraint, narrowing: Narrowing
) -> CObject:
    """``node`` with the alternatives of one attribute narrowed."""
    if not isinstance(node, CComplexObject) or isinstance(node, ArchetypeSlot):
        narrowing.faults.error("template.no_value", found=node.rm_type_name)
        return node
    there = node.attribute(name)
    if there is None or not there.children:
        known = rm_schema().attribute(node.rm_type_name, name)
        type_name = known.type_name if known else "DATA_VALUE"
        anything = CComplexObject(rm_type_name=type_name)
        there = CAttribute(rm_attribute_name=name, existence=there.existence if there else None)
        there = replace(there, children=(anything,))
    narrowed = narrowing.narrow(there.children, constraint)
    return with_attribute(node, replace(there, children=narrowed))


def _event(node: CObject, name: str, faults: Faults) -> CObject:
    wanted = EVENT_TYPES.get(name.replace("_", "").replace(" ", "").lower())
    if wanted is None or not rm_schema().is_a(wanted, node.rm_type_name):
        faults.error("template.wrong_type", expected=node.rm_type_name, found=name)
        return node
    return replace(node, rm_type_name=wanted)


def _occurrences(old: Interval[int], rule: Rule, faults: Faults) -> Interval[int]:
    lower = old.lower or 0 if rule.minimum is None else rule.minimum
    upper = old.upper if rule.maximum is None else rule.maximum
    new = Interval(lower, upper)
    if rule.maximum == 0:
        if (old.lower or 0) > 0:
            faults.error("template.mandatory_removed", expected=str(old), found="0..0")
        return Interval(0, 0)
    if lower < (old.lower or 0) or (old.upper is not None and (upper is None or upper > old.upper)):
        faults.error("template.occurrences_widened", expected=str(old), found=str(new))
        return old
    if upper is not None and lower > upper:
        faults.error("template.occurrences_empty", found=str(new))
        return old
    return new


def _in_container(owner: CComplexObject, attribute: str) -> bool:
    known = rm_schema().attribute(owner.rm_type_name, attribute)
    return known is not None and known.container


def _codes(terms: Terms) -> frozenset[str]:
    return frozenset(code for codes in terms.values() for code in codes)
