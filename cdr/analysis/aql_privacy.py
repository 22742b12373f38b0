"""What a path of a query shows of a person: decided by its attributes, its types and the templates.

A path may lead to many nodes, all of which count. What no template knows is free text where it may be a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archetypes.aom.constraints import CCodePhrase, CDvOrdinal, CObject, CString
from archetypes.aom.names import fixed_name
from archetypes.rm.schema import rm_schema
from cdr.analysis.columns import Privacy
from cdr.analysis.definitions import naming_fields, restricted_fields
from cdr.aql import ast
from cdr.aql.scope import Scope
from cdr.aql.template_places import End, TemplateClasses, places_of
from templates.data_values import alternatives, code_constraint, primitive
from templates.fields import FIELD
from templates.operational import OperationalTemplate

# Attributes that lead to a person, or to what identifies one.
_OF_PERSONS = frozenset(
    {
        "composer",
        "committer",
        "subject",
        "external_ref",
        "identifiers",
        "provider",
        "performer",
        "attestations",
    }
    | {"participations", "other_participations", "health_care_facility", "feeder_audit", "links", "location"}
    | {
        "work_flow_id",
        "workflow_id",
        "guideline_id",
        "wf_details",
        "wf_definition",
        "signature",
        "other_details",
    }
)
_PSEUDONYMS = frozenset({("composer", "name"), ("committer", "name"), ("health_care_facility", "name")})
_PROFESSION = ("function", "defining_code", "code_string")
_KEYS = frozenset({"ehr_id", "uid", "preceding_version_uid", "contribution", "other_input_version_uids"})
# Texts of the model that no user writes, by the attribute that holds them.
_TECHNICAL = frozenset({"archetype_node_id", "rm_version", "units", "code_string", "system_id"})
_IDS = frozenset({"terminology_id", "archetype_id", "template_id"})
_PLAIN = frozenset({"INTEGER", "REAL", "BOOLEAN", "DATE", "DATE_TIME", "TIME", "DURATION"})
_MEASURES = frozenset({"DV_QUANTITY", "DV_COUNT", "DV_PROPORTION", "DV_ORDINAL", "DV_DATE", "DV_DATE_TIME"})
_MEASURES |= {"DV_TIME", "DV_DURATION", "DV_BOOLEAN", "CODE_PHRASE"}
_TEXTS = frozenset({"STRING", "DV_TEXT", "DV_CODED_TEXT", "DV_IDENTIFIER", "DV_URI", "DV_EHR_URI"})
_VALUES = frozenset({"DV_TEXT", "DV_QUANTITY", "DV_CODED_TEXT", "STRING"})


@dataclass(frozen=True, slots=True)
class Shown:
    """How private the values of a path are; ``fields`` are those of the card that make it so."""

    privacy: Privacy
    fields: frozenset[str] = frozenset()


OPEN, KEY = frozenset({Shown(Privacy.OPEN)}), frozenset({Shown(Privacy.KEY)})
TEXT, IDENTIFIER = frozenset({Shown(Privacy.TEXT)}), frozenset({Shown(Privacy.IDENTIFIER)})
# An object with all that lies below it.
WHOLE = TEXT | IDENTIFIER | frozenset({Shown(Privacy.RESTRICTED)})


class PathPrivacy:
    """Judges the paths of one query against the templates."""

    def __init__(self, scope: Scope, templates: Iterable[OperationalTemplate]) -> None:
        self._scope = scope
        self._known: list[tuple[TemplateClasses, Mapping[int, frozenset[str]]]] = []
        for template in templates:
            classes = places_of(template).classes(scope.query.from_expr)
            self._known.append((classes, _fields_by_node(template)))

    def of(self, path: ast.IdentifiedPath) -> frozenset[Shown]:
        """How private the values are, for each kind of place that the path may lead to."""
        names = [part.name for part in path.path.parts] if path.path is not None else []
        by_name = self._by_name(path, names)
        if by_name is not None:
            return by_name | self.restricted(path)
        if names[-1:] == ["name"] or names[-2:] == ["name", "value"]:
            return self._of_names(path) | self.restricted(path)
        found = frozenset(self._in_templates(path))
        types = self._scope.path_types[path]
        if types <= _PLAIN:
            return self.restricted(path) or OPEN
        if not types <= _MEASURES | _TEXTS | {"ELEMENT"} and not types & _VALUES:
            return WHOLE
        return found or (OPEN if types <= _MEASURES else TEXT)

    def restricted(self, path: ast.IdentifiedPath) -> frozenset[Shown]:
        """The restricted places that a path reaches."""
        return frozenset(each for each in self._in_templates(path) if each.privacy is Privacy.RESTRICTED)

    def _of_names(self, path: ast.IdentifiedPath) -> frozenset[Shown]:
        """Names are open where the templates fix them, else somebody may have written them."""
        assert path.path is not None  # it ends in name
        parts = path.path.parts[: [part.name for part in path.path.parts].index("name")]
        owner = replace(path, path=ast.ObjectPath(parts=parts) if parts else None)
        named = [end.constraint for classes, _ in self._known for end in classes.ends(owner)]
        return OPEN if named and all(fixed_name(each) is not None for each in named) else TEXT

    def _by_name(self, path: ast.IdentifiedPath, names: Sequence[str]) -> frozenset[Shown] | None:
        """What the attributes alone decide."""
        entry = self._scope.variables[path.variable.lower()]
        persons = next((index for index, name in enumerate(names) if name in _OF_PERSONS), None)
        if persons is not None:
            if tuple(names[persons : persons + 2]) in _PSEUDONYMS and len(names) == persons + 2:
                return KEY
            return OPEN if tuple(names[-3:]) == _PROFESSION else IDENTIFIER
        if _KEYS.intersection(names) or names[-2:] == ["id", "value"]:
            return KEY
        if not names and entry.rm_type in ("EHR", "EHR_STATUS", "VERSION"):
            return WHOLE
        is_id = len(names) > 1 and names[-2] in _IDS
        return OPEN if names and (names[-1] in _TECHNICAL or is_id) else None

    def _in_templates(self, path: ast.IdentifiedPath) -> Iterator[Shown]:
        for classes, fields in self._known:
            for end in classes.ends(path):
                yield _shown(end, fields, self._scope.path_types[path])


def _fields_by_node(template: OperationalTemplate) -> Mapping[int, frozenset[str]]:
    """The fields at each node, by the identity of its constraint."""
    return {
        id(node.constraint): frozenset(template.annotations[node.path][FIELD].split())
        for node in template.nodes()
        if FIELD in template.annotations.get(node.path, {})
    }


def _shown(end: End, fields: Mapping[int, frozenset[str]], types: frozenset[str]) -> Shown:
    """How private is what lies at one end?"""
    chain = (*end.above, end.constraint)
    here = frozenset(field for node in chain for field in fields.get(id(node), ()))
    if here & restricted_fields():
        return Shown(Privacy.RESTRICTED, here)
    names = [part.name for part in end.rest]
    element = next((node for node in reversed(chain) if node.rm_type_name == "ELEMENT"), None)
    if element is end.constraint and not names:
        return Shown(Privacy.TEXT, here)  # the whole element, with a name and a reason for an absent value
    if element is None:
        below = rm_schema().is_a(end.constraint.rm_type_name, "DATA_VALUE")
        return _of_value((end.constraint,), here) if below else Shown(Privacy.TEXT, here)
    return _of_value(alternatives(element), here) if not types <= _PLAIN else Shown(Privacy.OPEN, here)


def _of_value(values: Sequence[CObject], fields: frozenset[str]) -> Shown:
    if fields & naming_fields() or any(each.rm_type_name == "DV_IDENTIFIER" for each in values):
        return Shown(Privacy.IDENTIFIER, fields)
    return Shown(Privacy.TEXT if any(map(_may_be_text, values)) else Privacy.OPEN, fields)


def _may_be_text(value: CObject) -> bool:
    """May a user have written what stands there? Codes are listed, other texts are not."""
    if value.rm_type_name == "DV_CODED_TEXT":
        limit = code_constraint(value)
        return not (isinstance(limit, CCodePhrase) and limit.codes)
    if value.rm_type_name == "DV_TEXT":
        allowed = primitive(value, "value")
        return not (isinstance(allowed, CString) and allowed.values and not allowed.list_open)
    return not isinstance(value, CDvOrdinal) and value.rm_type_name not in _MEASURES
