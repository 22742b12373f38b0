"""A template compiled for FLAT: each node of its web template joined to its constraint.

FLAT leaves out item structures, HISTORY and single events; they are places here too, without a step of
their own, so that both directions walk one tree. A template is compiled once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archetypes.aom.constraints import (
    CArchetypeRoot,
    CComplexObject,
    CObject,
)
from archetypes.paths import PathSegment, RmPath
from archetypes.rm.schema import base_name, rm_schema
from templates.data_values import DataValue, code_constraint, text
from templates.operational import OperationalTemplate, fixed_name
from templates.remembering import once_a_template
from templates.rm_defaults import concrete_type, node_name
from templates.rubrics import Rubrics
from templates.simplified.codecs import Codec, Hint, Part, codec_of, has_codec
from templates.simplified.extras import parts_of
from templates.tree import identifier
from templates.web_template import to_web_template

Json = dict[str, Any]


# Terminologies of attributes that the reference model binds.
_TERMINOLOGIES: Mapping[str, str] = {
    "language": "ISO_639-1",
    "territory": "ISO_3166-1",
    "encoding": "IANA_character-sets",
    "category": "openehr",
    "setting": "openehr",
    "math_function": "openehr",
    "current_state": "openehr",
    "transition": "openehr",
    "careflow_step": "local",
    "timing": "timing",
}

# Web templates leave these out where the template does not name them; data have them.
_IMPLIED: Mapping[str, tuple[str, ...]] = {
    "COMPOSITION": ("context",),
    "EVENT_CONTEXT": ("start_time", "setting"),
    "ISM_TRANSITION": ("current_state", "transition", "careflow_step"),
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One data type of an ELEMENT; ``step`` is empty where the ELEMENT has no other."""

    step: str
    type_name: str
    codec: Codec
    hint: Hint


@dataclass(slots=True)
class Place:
    """A node of the template in its place.

    ``step`` is its id in FLAT, empty for a node that FLAT leaves out. ``type_name`` is the class of new
    data; ``allowed_type`` the one of the template, of which data may be a subtype.
    """

    step: str
    attribute: str
    container: bool
    type_name: str
    allowed_type: str
    root: CArchetypeRoot
    path: str
    constraint: CObject | None = None
    repeats: bool = False
    node_id: str = ""
    name: DataValue | None = None
    named: bool = False
    alternatives: tuple[Alternative, ...] = ()
    codec: Codec | None = None
    hint: Hint = field(default_factory=Hint)
    below: dict[str, list[Place]] = field(default_factory=dict)
    steps: frozenset[str] = frozenset()
    parts: Mapping[str, Part] = field(default_factory=dict)

    @property
    def is_element(self) -> bool:
        """True for an ELEMENT, which FLAT does not tell from its value."""
        return self.type_name == "ELEMENT"

    @property
    def archetype_id(self) -> str | None:
        """The archetype, if this is the root of one."""
        return self.constraint.archetype_id if isinstance(self.constraint, CArchetypeRoot) else None

    def children_of(self, attribute: str) -> Sequence[CObject]:
        """What the template says may stand in an attribute."""
        there = self.constraint.attribute(attribute) if isinstance(self.constraint, CComplexObject) else None
        return there.children if there else ()

    def key(self, index: int) -> str:
        """The step with its index."""
        return f"{self.step}:{index}" if self.repeats else self.step


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template ready for FLAT."""

    opt: OperationalTemplate
    root: Place


@once_a_template
def compiled(opt: OperationalTemplate) -> Compiled:
    """The template's places; made at the first call for a template."""
    return Compiled(opt, _Compiler(opt).tree())


class _Compiler:
    def __init__(self, opt: OperationalTemplate) -> None:
        self._opt = opt

    def tree(self) -> Place:
        definition = self._opt.definition
        node = to_web_template(self._opt)["tree"]
        root = self._place(definition, "", False, definition, "", None)
        root.step = node["id"]
        self._grow(root, node)
        self._imply(root)
        _note_steps(root)
        return root

    def _imply(self, place: Place) -> None:
        """Places that every object of a class has, where the template is silent about them."""
        for attribute in _IMPLIED.get(place.type_name, ()):
            if attribute not in place.below:
                made = self._step(place, PathSegment(attribute), None, new=True)
                made.step = attribute
                if has_codec(made.type_name):
                    made.codec = codec_of(made.type_name)
                    made.hint = self._hint(None, made.root, attribute)
        for children in place.below.values():
            for child in children:
                self._imply(child)

    def _grow(self, place: Place, node: Json) -> None:
        """The places of the nodes below."""
        for child in node.get("children", ()):
            segments = RmPath.parse(child["aqlPath"][len(place.path) :]).segments
            made = self._walk(place, list(segments), child)
            made.step = child["id"]
            made.repeats = child["max"] != 1
            if made.is_element:
                made.alternatives = tuple(self._alternatives(made, child))
            elif has_codec(child["rmType"]):
                made.codec = codec_of(child["rmType"])
                made.hint = self._hint(made.constraint, made.root, made.attribute)
            else:
                self._grow(made, child)

    def _walk(self, place: Place, segments: list[PathSegment], node: Json) -> Place:
        """The place of a node, with the places that FLAT leaves out on the way."""
        while segments:
            segment = segments.pop(0)
            is_last = not segments or (len(segments) == 1 and segments[0].attribute == "value")
            constraint = self._constraint(place, segment, node["rmType"] if not segments else None)
            is_element = constraint is not None and constraint.rm_type_name == "ELEMENT"
            place = self._step(place, segment, constraint, new=is_last and (is_element or not segments))
            if is_element:
                break
        return place

    def _step(self, place: Place, segment: PathSegment, constraint: CObject | None, *, new: bool) -> Place:
        """The place one step down: a known one that FLAT leaves out, or a new one."""
        there = place.below.setdefault(segment.attribute, [])
        for known in there:
            if not new and known.constraint is constraint and not known.step:
                return known
        root = constraint if isinstance(constraint, CArchetypeRoot) else place.root
        known_attribute = rm_schema().attribute(place.allowed_type, segment.attribute)
        container = known_attribute is not None and known_attribute.container
        made = self._place(constraint, segment.attribute, container, root, f"{place.path}/{segment}", segment)
        if constraint is None and known_attribute is not None:
            made.type_name = made.allowed_type = known_attribute.type_name
        there.append(made)
        return made

    def _constraint(self, place: Place, segment: PathSegment, type_name: str | None) -> CObject | None:
        """What the template says at a step; the first of several that nothing tells apart."""
        candidates = list(place.children_of(segment.attribute))
        if segment.node_id is not None:
            candidates = [child for child in candidates if identifier(child) == segment.node_id]
        named = [child for child in candidates if fixed_name(child) == segment.name]
        candidates = named or candidates
        if type_name is not None:
            candidates = [c for c in candidates if c.rm_type_name == type_name] or candidates
        used = {id(known.constraint) for known in place.below.get(segment.attribute, ()) if known.step}
        unused = [child for child in candidates if id(child) not in used]
        return next(iter(unused or candidates), None)

    def _place(
        self,
        constraint: CObject | None,
        attribute: str,
        container: bool,
        root: CArchetypeRoot,
        path: str,
        segment: PathSegment | None,
    ) -> Place:
        type_name = concrete_type(constraint) if constraint is not None else ""
        allowed = constraint.rm_type_name if constraint is not None else ""
        made = Place("", attribute, container, type_name, allowed, root, path, constraint)
        if constraint is not None and rm_schema().is_a(type_name, "LOCATABLE"):
            made.node_id = identifier(constraint)
            made.name = node_name(constraint, Rubrics(root, self._opt.language))
            made.named = fixed_name(constraint) is not None
            if segment is not None and segment.name is not None and not made.named:
                made.name, made.named = text(segment.name), True
        return made

    def _alternatives(self, place: Place, node: Json) -> Iterator[Alternative]:
        """The data types of an ELEMENT in the order of its web template node."""
        stated = sorted(place.children_of("value"), key=lambda child: child.rm_type_name == "DV_TEXT")
        nodes = [child for child in node.get("children", ()) if child["id"].endswith("_value")]
        if node["rmType"] != "ELEMENT":
            constraint = next((c for c in stated if c.rm_type_name == node["rmType"]), None)
            yield self._alternative("", node["rmType"], constraint, place.root)
            return
        for position, child in enumerate(nodes or node.get("children", ())):
            constraint = stated[position] if position < len(stated) else None
            yield self._alternative(child["id"], child["rmType"], constraint, place.root)

    def _alternative(
        self, step: str, type_name: str, constraint: CObject | None, root: CArchetypeRoot
    ) -> Alternative:
        return Alternative(step, type_name, codec_of(type_name), self._hint(constraint, root, ""))

    def _hint(self, constraint: CObject | None, root: CArchetypeRoot, attribute: str) -> Hint:
        limit = code_constraint(constraint) if constraint is not None else None
        stated = limit.terminology_id if limit is not None else None
        terminology = stated or _TERMINOLOGIES.get(attribute, "")
        return Hint(terminology, constraint, Rubrics(root, self._opt.language))


def _note_steps(place: Place) -> frozenset[str]:
    """What FLAT steps lead on from each place, also through places that it leaves out."""
    found: set[str] = set()
    for children in place.below.values():
        for child in children:
            inner = _note_steps(child)
            found |= {child.step} if child.step else inner
    place.steps = frozenset(found)
    if rm_schema().is_a(base_name(place.type_name), "PATHABLE"):
        known = parts_of(base_name(place.type_name), shown=bool(place.step))
        place.parts = {name: part for name, part in known.items() if part.key not in found}
    return place.steps


def paths_of(place: Place, above: str = "") -> list[str]:
    """All FLAT paths from a place on, without indexes and suffixes."""
    here = f"{above}/{place.step}".removeprefix("/") if place.step else above
    found = [here] if place.step else []
    found += [f"{here}/{each.step}" for each in place.alternatives if each.step]
    for children in place.below.values():
        for child in children:
            found += paths_of(child, here)
    return found
