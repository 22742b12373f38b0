"""What a template's constraint makes of the data types that an archetype allows.

Every function takes the alternatives of one attribute and answers with the narrower alternatives; what
would widen them, or names a code, unit or type that is not there, is recorded as a fault and left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from archetypes.aom.constraints import (
    CAttribute,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDuration,
    CDvOrdinal,
    CDvQuantity,
    CInteger,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
    CString,
    CTemporal,
    Interval,
    OrdinalItem,
    Primitive,
    QuantityItem,
)
from archetypes.intervals import ONCE
from archetypes.patterns import matches
from archetypes.rm.schema import base_name
from templates.faults import Faults
from templates.ranges import duration_fields, end_of, in_seconds, is_within, start_of
from templates.source import (
    CountConstraint,
    DateConstraint,
    DurationConstraint,
    MultipleConstraint,
    OrdinalConstraint,
    QuantityConstraint,
    TextConstraint,
    UnitRange,
    ValueConstraint,
)
from templates.tree import with_attribute

Alternatives = tuple[CObject, ...]
N = TypeVar("N", int, float)

_CODE = re.compile(r"(?P<terminology>[^:]+)::(?P<code>[^:]+)(?:::(?P<rubric>.*))?", re.DOTALL)

# The names that template editors use for data types.
TYPE_NAMES = {
    "Text": "DV_TEXT",
    "Coded_text": "DV_CODED_TEXT",
    "Count": "DV_COUNT",
    "Quantity": "DV_QUANTITY",
    "Proportion": "DV_PROPORTION",
    "Ordinal": "DV_ORDINAL",
    "Scale": "DV_SCALE",
    "Boolean": "DV_BOOLEAN",
    "Date": "DV_DATE",
    "Time": "DV_TIME",
    "Date_Time": "DV_DATE_TIME",
    "Duration": "DV_DURATION",
    "Identifier": "DV_IDENTIFIER",
    "Interval": "DV_INTERVAL",
    "URI": "DV_URI",
    "EHR_URI": "DV_EHR_URI",
    "MultiMedia": "DV_MULTIMEDIA",
    "Parsable": "DV_PARSABLE",
}


@dataclass
class Narrowing:
    """The work on one archetype: its codes, where faults go, and rubrics of codes from outside.

    ``rubrics`` is filled with ``terminology::code`` -> rubric.
    """

    codes: frozenset[str]
    faults: Faults
    rubrics: dict[str, str] = field(default_factory=dict)

    def narrow(self, alternatives: Alternatives, constraint: ValueConstraint) -> Alternatives:
        """The alternatives that are left, narrowed; never none: then a fault was recorded."""
        match constraint:
            case MultipleConstraint():
                narrowed = self._types(alternatives, constraint)
            case TextConstraint():
                narrowed = self._text(alternatives, constraint)
            case QuantityConstraint():
                narrowed = self._each(alternatives, "DV_QUANTITY", lambda a: self._quantity(a, constraint))
            case OrdinalConstraint():
                narrowed = self._each(alternatives, "DV_ORDINAL", lambda a: self._ordinal(a, constraint))
            case CountConstraint():
                narrowed = self._each(alternatives, "DV_COUNT", lambda a: self._count(a, constraint))
            case DurationConstraint():
                narrowed = self._each(alternatives, "DV_DURATION", lambda a: self._duration(a, constraint))
            case DateConstraint():
                narrowed = self._dates(alternatives, constraint)
        return narrowed or alternatives

    def _each(
        self, alternatives: Alternatives, type_name: str, narrow: Callable[[CObject], CObject]
    ) -> Alternatives:
        """Apply ``narrow`` to the alternatives of a type; a fault if there is none."""
        if not any(base_name(a.rm_type_name) == type_name for a in alternatives):
            self.faults.error("template.wrong_type", expected=_types_of(alternatives), found=type_name)
        return tuple(narrow(a) if base_name(a.rm_type_name) == type_name else a for a in alternatives)

    # --- data types ------------------------------------------------------------------------------

    def _types(self, alternatives: Alternatives, constraint: MultipleConstraint) -> Alternatives:
        wanted = {TYPE_NAMES.get(name, name) for name in constraint.types}
        for name in constraint.types:
            if name not in TYPE_NAMES:
                self.faults.error("template.unknown_type", expected=", ".join(TYPE_NAMES), found=name)
        if any(a.rm_type_name == "DATA_VALUE" for a in alternatives):
            return tuple(CComplexObject(rm_type_name=name) for name in sorted(wanted))
        kept = [a for a in alternatives if base_name(a.rm_type_name) in wanted]
        there = {base_name(a.rm_type_name) for a in alternatives}
        if "DV_CODED_TEXT" in wanted - there and "DV_TEXT" in there - wanted:
            kept.append(CComplexObject(rm_type_name="DV_CODED_TEXT"))
            there.add("DV_CODED_TEXT")
        missing = wanted - there - ({"DV_CODED_TEXT"} if "DV_TEXT" in there & wanted else set())
        if missing:
            self.faults.error(
                "template.wrong_type", expected=_types_of(alternatives), found=", ".join(sorted(missing))
            )
        return tuple(kept)

    # --- texts and codes -------------------------------------------------------------------------

    def _text(self, alternatives: Alternatives, constraint: TextConstraint) -> Alternatives:
        if any(a.rm_type_name == "DATA_VALUE" for a in alternatives):
            alternatives = (CComplexObject(rm_type_name="DV_TEXT"),)
        if not any(a.rm_type_name in ("DV_TEXT", "DV_CODED_TEXT", "CODE_PHRASE") for a in alternatives):
            self.faults.error("template.wrong_type", expected=_types_of(alternatives), found="DV_TEXT")
            return alternatives
        codes, texts = self._sort(constraint.included)
        left = self._without(alternatives, constraint.excluded)
        for terminology, wanted in codes.items():
            left = self._limit_codes(left, terminology, tuple(wanted), constraint)
        if constraint.terminology:
            left = self._coded(left, _terminology(constraint), constraint)
        if texts:
            left = self._limit_texts(left, tuple(texts), constraint)
        return left

    def _sort(self, values: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
        """Codes by terminology, and plain texts; rubrics are kept."""
        codes: dict[str, list[str]] = {}
        texts: list[str] = []
        for value in values:
            match = _CODE.fullmatch(value)
            if match is None:
                texts.append(value)
                continue
            terminology, code, rubric = match["terminology"].strip(), match["code"].strip(), match["rubric"]
            codes.setdefault(terminology, []).append(code)
            if rubric and terminology != "local":
                self.rubrics[f"{terminology}::{code}"] = rubric.strip()
        return codes, texts

    def _without(self, alternatives: Alternatives, excluded: tuple[str, ...]) -> Alternatives:
        codes, texts = self._sort(excluded)
        left: list[CObject] = []
        for alternative in alternatives:
            phrase = code_phrase(alternative)
            if phrase is not None and phrase.terminology_id in codes:
                gone = codes[phrase.terminology_id or ""]
                for code in gone:
                    if code not in phrase.codes:
                        self.faults.warning("template.unknown_code", found=code)
                kept = tuple(code for code in phrase.codes if code not in gone)
                if kept:
                    left.append(with_code_phrase(alternative, replace(phrase, codes=kept)))
            else:
                left.append(_without_texts(alternative, texts) if texts else alternative)
        if not left:
            self.faults.error("template.nothing_left", found=", ".join(excluded))
        return tuple(left)

    def _known(self, codes: Iterable[str], allowed: tuple[str, ...]) -> None:
        for code in codes:
            if allowed and code not in allowed:
                self.faults.error("template.unknown_code", expected=", ".join(allowed), found=code)

    def _limit_codes(
        self,
        alternatives: Alternatives,
        terminology: str,
        wanted: tuple[str, ...],
        constraint: TextConstraint,
    ) -> Alternatives:
        listed = [a for a in alternatives if _lists(a, terminology)]
        if not listed:
            if terminology == "local":
                self._known(wanted, tuple(sorted(self.codes)) or ("no codes",))
            phrase = CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id=terminology, codes=wanted)
            return self._coded(alternatives, phrase, constraint)
        allowed = tuple(code for a in listed for code in _phrase_codes(a))
        self._known(wanted, allowed)
        narrowed: list[CObject] = []
        for alternative in alternatives:
            phrase_there = code_phrase(alternative) if alternative in listed else None
            if phrase_there is None:
                narrowed.append(alternative)
                continue
            kept = tuple(c for c in phrase_there.codes if c in wanted) if phrase_there.codes else wanted
            if kept:
                narrowed.append(with_code_phrase(alternative, replace(phrase_there, codes=kept)))
        return tuple(narrowed)

    def _coded(
        self, alternatives: Alternatives, phrase: CCodePhrase | CCodeReference, constraint: TextConstraint
    ) -> Alternatives:
        """Put a coded alternative in the place of an open one, or in front of the plain text."""
        coded = with_code_phrase(CComplexObject(rm_type_name="DV_CODED_TEXT"), phrase)
        for position, alternative in enumerate(alternatives):
            if alternative.rm_type_name == "CODE_PHRASE" and not isinstance(alternative, CCodePhrase):
                return (*alternatives[:position], phrase, *alternatives[position + 1 :])
            if alternative.rm_type_name == "DV_CODED_TEXT" and code_phrase(alternative) is None:
                named = with_code_phrase(alternative, phrase)
                return (*alternatives[:position], named, *alternatives[position + 1 :])
        for position, alternative in enumerate(alternatives):
            if alternative.rm_type_name == "DV_TEXT":
                after = 1 if constraint.limit_to_list else 0
                return (*alternatives[:position], coded, *alternatives[position + after :])
        if any(_lists_any(a) for a in alternatives if a.rm_type_name == "DV_CODED_TEXT"):
            # A second terminology of the same rule stands beside the first.
            if phrase.terminology_id != "local" and _all_from_outside(alternatives):
                return (*alternatives, coded)
            self.faults.error("template.unknown_code", expected="codes of the archetype", found=str(phrase))
        return alternatives

    def _limit_texts(
        self, alternatives: Alternatives, texts: tuple[str, ...], constraint: TextConstraint
    ) -> Alternatives:
        narrowed: list[CObject] = []
        found = False
        for alternative in alternatives:
            if alternative.rm_type_name != "DV_TEXT" or not isinstance(alternative, CComplexObject):
                narrowed.append(alternative)
                continue
            found = True
            allowed = _string(alternative)
            for text in texts:
                if not _admits_text(allowed, text):
                    self.faults.error("template.unknown_text", expected=str(allowed), found=text)
            strings = CString(values=texts, list_open=not constraint.limit_to_list)
            narrowed.append(with_primitive(alternative, "value", "STRING", strings))
        if not found:
            self.faults.error("template.wrong_type", expected=_types_of(alternatives), found="DV_TEXT")
        return tuple(narrowed)

    # --- quantities ------------------------------------------------------------------------------

    def _quantity(self, alternative: CObject, constraint: QuantityConstraint) -> CObject:
        there = alternative if isinstance(alternative, CDvQuantity) else None
        items = there.items if there else ()
        named = (*constraint.included_units, *constraint.excluded_units)
        units = {item.units for item in items}
        for unit in dict.fromkeys((*named, *(r.unit for r in constraint.unit_ranges))):
            if items and unit not in units:
                report = self.faults.warning if unit in constraint.excluded_units else self.faults.error
                report("template.unknown_unit", expected=", ".join(sorted(units)), found=unit)
        if not items:
            wanted = dict.fromkeys((*constraint.included_units, *(r.unit for r in constraint.unit_ranges)))
            items = tuple(QuantityItem(units=unit) for unit in wanted)
        ranges = {r.unit: r for r in constraint.unit_ranges}
        kept = tuple(
            self._unit(item, ranges.get(item.units))
            for item in items
            if item.units not in constraint.excluded_units
            and (not constraint.included_units or item.units in constraint.included_units)
        )
        if not kept:
            self.faults.error("template.nothing_left", found=", ".join(named))
            return alternative
        if there is None:
            return CDvQuantity(rm_type_name="DV_QUANTITY", occurrences=alternative.occurrences, items=kept)
        return replace(there, items=kept)

    def _unit(self, item: QuantityItem, limits: UnitRange | None) -> QuantityItem:
        if limits is None:
            return item
        magnitude = self._inside(item.magnitude, limits.magnitude)
        precision = item.precision
        if limits.precision is not None:
            precision = self._inside(precision, Interval(0, limits.precision))
        return replace(item, magnitude=magnitude, precision=precision)

    def _inside(self, old: Interval[N] | None, new: Interval[N] | None) -> Interval[N] | None:
        """``new``, which must lie within ``old``; a side that ``new`` leaves open stays as it was."""
        if old is None or new is None:
            return new or old
        lower, upper = start_of(new, old), end_of(new, old)
        merged = Interval(lower[0], upper[0], lower[1], upper[1])
        if not is_within(new, old):
            self.faults.error("template.range_widened", expected=str(old), found=str(new))
            return old
        return merged

    def _ordinal(self, alternative: CObject, constraint: OrdinalConstraint) -> CObject:
        if not isinstance(alternative, CDvOrdinal):
            self.faults.error("template.wrong_type", expected="a list of ordinals", found="any ordinal")
            return alternative
        for token in (*constraint.included, *constraint.excluded):
            if not any(_is_ordinal(item, token) for item in alternative.items):
                self.faults.error("template.unknown_code", found=token)
        kept = tuple(
            item
            for item in alternative.items
            if not any(_is_ordinal(item, token) for token in constraint.excluded)
            and (not constraint.included or any(_is_ordinal(item, t) for t in constraint.included))
        )
        return replace(alternative, items=kept or alternative.items)

    def _count(self, alternative: CObject, constraint: CountConstraint) -> CObject:
        there = primitive(alternative, "magnitude")
        numbers = there if isinstance(there, CInteger) else CInteger()
        new = self._inside(numbers.range, constraint.range)
        return with_primitive(alternative, "magnitude", "INTEGER", replace(numbers, range=new))

    # --- times -----------------------------------------------------------------------------------

    def _duration(self, alternative: CObject, constraint: DurationConstraint) -> CObject:
        there = primitive(alternative, "value")
        duration = there if isinstance(there, CDuration) else CDuration()
        pattern, limits = constraint.pattern or duration.pattern, constraint.range or duration.range
        if not duration_fields(pattern) <= duration_fields(duration.pattern):
            self.faults.error(
                "template.pattern_widened", expected=duration.pattern or "", found=pattern or ""
            )
            pattern = duration.pattern
        if duration.range and limits and not is_within(in_seconds(limits), in_seconds(duration.range)):
            self.faults.error("template.range_widened", expected=str(duration.range), found=str(limits))
            limits = duration.range
        narrowed = replace(duration, pattern=pattern, range=limits)
        return with_primitive(alternative, "value", "DURATION", narrowed)

    def _dates(self, alternatives: Alternatives, constraint: DateConstraint) -> Alternatives:
        kinds = {"DV_DATE": "DATE", "DV_DATE_TIME": "DATE_TIME", "DV_TIME": "TIME"}
        if not any(a.rm_type_name in kinds for a in alternatives):
            self.faults.error("template.wrong_type", expected=_types_of(alternatives), found="DV_DATE_TIME")
        narrowed: list[CObject] = []
        for alternative in alternatives:
            kind = kinds.get(alternative.rm_type_name)
            there = primitive(alternative, "value")
            temporal = there if isinstance(there, CTemporal) else CTemporal(rm_type=kind or "")
            if kind is not None:
                temporal = replace(temporal, range=constraint.range)
                alternative = with_primitive(alternative, "value", kind, temporal)
            narrowed.append(alternative)
        return tuple(narrowed)


# --- looking into data values -------------------------------------------------------------------


def code_phrase(alternative: CObject) -> CCodePhrase | None:
    """The codes that a DV_CODED_TEXT (or a CODE_PHRASE) is limited to."""
    if isinstance(alternative, CCodePhrase):
        return alternative
    return next((c for c in _defining_code(alternative) if isinstance(c, CCodePhrase)), None)


def with_code_phrase(alternative: CObject, phrase: CCodePhrase | CCodeReference) -> CObject:
    """The same object, limited to these codes."""
    if not isinstance(alternative, CComplexObject):
        return phrase
    attribute = CAttribute(rm_attribute_name="defining_code", existence=ONCE, children=(phrase,))
    return with_attribute(alternative, attribute)


def primitive(alternative: CObject, attribute: str) -> Primitive | None:
    """The primitive constraint under an attribute of a data value, if there is one."""
    there = alternative.attribute(attribute) if isinstance(alternative, CComplexObject) else None
    leaves = (c.item for c in there.children if isinstance(c, CPrimitiveObject)) if there else iter(())
    return next(leaves, None)


def with_primitive(alternative: CObject, attribute: str, type_name: str, item: Primitive) -> CObject:
    """The same data value with this primitive constraint under ``attribute``."""
    if not isinstance(alternative, CComplexObject):
        return alternative
    leaf = CPrimitiveObject(rm_type_name=type_name, item=item)
    constraint = CAttribute(rm_attribute_name=attribute, existence=ONCE, children=(leaf,))
    return with_attribute(alternative, constraint)


def _defining_code(alternative: CObject) -> tuple[CObject, ...]:
    there = alternative.attribute("defining_code") if isinstance(alternative, CComplexObject) else None
    return there.children if there else ()


def _string(alternative: CObject) -> CString | None:
    there = primitive(alternative, "value")
    return there if isinstance(there, CString) else None


def _admits_text(allowed: CString | None, text: str) -> bool:
    if allowed is None or allowed.list_open:
        return True
    if allowed.values:
        return text in allowed.values
    return allowed.pattern is None or matches(allowed.pattern, text)


def _without_texts(alternative: CObject, texts: list[str]) -> CObject:
    allowed = _string(alternative)
    if allowed is None or not allowed.values:
        return alternative
    kept = tuple(value for value in allowed.values if value not in texts)
    return (
        with_primitive(alternative, "value", "STRING", replace(allowed, values=kept)) if kept else alternative
    )


def _phrase_codes(alternative: CObject) -> tuple[str, ...]:
    phrase = code_phrase(alternative)
    return phrase.codes if phrase else ()


def _lists(alternative: CObject, terminology: str) -> bool:
    phrase = code_phrase(alternative)
    return phrase is not None and phrase.terminology_id == terminology


def _lists_any(alternative: CObject) -> bool:
    return bool(_defining_code(alternative))


def _all_from_outside(alternatives: Alternatives) -> bool:
    coded = (a for a in alternatives if a.rm_type_name == "DV_CODED_TEXT")
    return not any(
        isinstance(child, ConstraintRef)
        or (isinstance(child, CCodePhrase) and child.terminology_id == "local")
        for a in coded
        for child in _defining_code(a)
    )


def _terminology(constraint: TextConstraint) -> CCodePhrase | CCodeReference:
    """All of a terminology, or the named subset of it."""
    terminology = constraint.terminology or ""
    if not constraint.query:
        return CCodePhrase(rm_type_name="CODE_PHRASE", terminology_id=terminology)
    uri = f"terminology:{terminology}?subset={constraint.query}"
    return CCodeReference(rm_type_name="CODE_PHRASE", terminology_id=terminology, reference_set_uri=uri)


def _types_of(alternatives: Iterable[CObject]) -> str:
    return ", ".join(a.rm_type_name for a in alternatives)


def _is_ordinal(item: OrdinalItem, token: str) -> bool:
    """``5|Dead``, ``5`` or ``local::at0005``."""
    if "::" in token:
        return token == f"{item.terminology_id}::{item.code}"
    return token.partition("|")[0].strip() in (str(int(item.value)), str(item.value))
