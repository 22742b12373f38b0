"""The operational template: one template, everything filled in, nothing left to look up (OPT 1.4).

Validator, web template, composing from card fields, forms and AQL typing are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import CArchetypeRoot, CComplexObject, CObject
from archetypes.aom.names import fixed_name as fixed_name
from archetypes.aom.names import step as step

Annotations = Mapping[str, Mapping[str, str]]  # template path -> key -> value
Defaults = Mapping[str, Mapping[str, Any]]  # path of a value -> data value, as canonical JSON


class TemplateAccess(StrEnum):
    """Whose eyes compositions of a template are for; ``other_details`` of the template hold it."""

    OPEN = ""  # access alone decides
    CARD = "card"  # part of the card: needs her consent
    SHIELDED = "shielded"  # needs her consent, and is never on the shared card
    CONSENT = "consent"  # the consent itself

    @property
    def on_card(self) -> bool:
        """Does it need her consent?"""
        return self in (TemplateAccess.CARD, TemplateAccess.SHIELDED)

    @classmethod
    def _missing_(cls, value: object) -> TemplateAccess:
        """A word that we do not know is taken for the strictest."""
        return cls.SHIELDED


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationalTemplate:
    """A compiled template; immutable.

    ``language`` is the default language of texts and FLAT ids; ``annotations`` are keyed by the
    template path as :func:`nodes` writes it; ``content_hash`` is the SHA-256 hex digest of the
    canonical OPT XML. For forms only, and no constraints: ``defaults`` (what a new form shows at
    ``.../items[at0004]/value``) and ``view`` (hints such as ``pass_through``, keyed like annotations).
    """

    template_id: str
    concept: str
    language: str
    definition: CArchetypeRoot
    uid: str | None = None
    description: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    annotations: Annotations = field(default_factory=lambda: MappingProxyType({}))
    defaults: Defaults = field(default_factory=lambda: MappingProxyType({}))
    view: Annotations = field(default_factory=lambda: MappingProxyType({}))
    content_hash: str = ""

    @property
    def access(self) -> TemplateAccess:
        """Whose eyes its compositions are for (``helsekort.access`` in other_details)."""
        return TemplateAccess(self.description.get("other_details.helsekort.access", ""))

    def nodes(self) -> Iterator[Node]:
        """Every node of the template, depth first, the root first."""
        return nodes_of(self.definition)


@dataclass(frozen=True, slots=True)
class Node:
    """A constraint in its place.

    ``path`` is made of ``/attribute[id]`` steps, with ``,'Name'`` where the template fixes the name of
    the node to one text; ``root`` is the archetype root whose terms name the node; ``parents`` are the
    objects above, the template's root first.
    """

    path: str
    constraint: CObject
    root: CArchetypeRoot
    parents: tuple[CComplexObject, ...]


def nodes_of(definition: CArchetypeRoot) -> Iterator[Node]:
    """Every node below and with the root of a template, depth first, the root first."""
    return _walk(definition, "", definition, ())


def _walk(
    constraint: CObject, path: str, root: CArchetypeRoot, parents: tuple[CComplexObject, ...]
) -> Iterator[Node]:
    root = constraint if isinstance(constraint, CArchetypeRoot) else root
    yield Node(path, constraint, root, parents)
    if isinstance(constraint, CComplexObject):
        below = (*parents, constraint)
        for attribute, child in constraint.children():
            yield from _walk(child, path + step(attribute.rm_attribute_name, child), root, below)
