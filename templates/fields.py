"""Which node of a template holds which field of the card.

Templates say it themselves: a node that holds a field carries the annotation ``helsekort.field`` (ids
such as ``HK13.4``, several separated by a space) and ``helsekort.certainty`` (A: field of the national
service, B: named by a public guide, C: guideline content, K: modelling choice).
``helsekort.provisional`` names the national list that codes of our own stand in for until it is known.
What the card keeps in the reference model instead (who, when, which version) is in :data:`RM_FIELDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from templates.operational import Node, OperationalTemplate
from templates.remembering import once_a_template

FIELD = "helsekort.field"
CERTAINTY = "helsekort.certainty"
PROVISIONAL = "helsekort.provisional"


class RmClassOfField(StrEnum):
    """The object that an :class:`RmField` path starts from."""

    COMPOSITION = "COMPOSITION"
    VERSION = "ORIGINAL_VERSION"
    EHR_STATUS = "EHR_STATUS"
    OBSERVATION = "OBSERVATION"


@dataclass(frozen=True, slots=True)
class RmField:
    """A place in the reference model that holds a field: ``path`` below an object of class ``within``."""

    within: RmClassOfField
    path: str


_IN = RmClassOfField

RM_FIELDS: Mapping[str, tuple[RmField, ...]] = MappingProxyType(
    {
        "HK0.7": (
            RmField(_IN.COMPOSITION, "/composer"),
            RmField(_IN.COMPOSITION, "/context/health_care_facility"),
            RmField(_IN.VERSION, "/commit_audit/committer"),
        ),
        "HK0.8": (
            RmField(_IN.VERSION, "/uid"),
            RmField(_IN.VERSION, "/commit_audit/time_committed"),
            RmField(_IN.VERSION, "/lifecycle_state"),
        ),
        "HK1.1": (RmField(_IN.EHR_STATUS, "/subject/external_ref"),),
        "HK13.1": (RmField(_IN.COMPOSITION, "/context/start_time"),),
        "HK13.18": (RmField(_IN.COMPOSITION, "/composer"),),
        "HK14.3": (RmField(_IN.OBSERVATION, "/data/events/time"),),
    }
)


@once_a_template
def field_nodes(opt: OperationalTemplate) -> Mapping[str, tuple[Node, ...]]:
    """Field id -> the nodes that hold it, in template order."""
    found: dict[str, list[Node]] = {}
    for node in opt.nodes():
        for field in opt.annotations.get(node.path, {}).get(FIELD, "").split():
            found.setdefault(field, []).append(node)
    return MappingProxyType({field: tuple(nodes) for field, nodes in found.items()})


def provisional_lists(opt: OperationalTemplate) -> Mapping[str, str]:
    """Field id -> the national code list that codes of our own stand in for."""
    notes = [notes for notes in opt.annotations.values() if PROVISIONAL in notes]
    return MappingProxyType({field: note[PROVISIONAL] for note in notes for field in note[FIELD].split()})


def certainties(opt: OperationalTemplate) -> Mapping[str, str]:
    """Field id -> certainty (A, B, C or K), for the fields that the template holds."""
    certainty: dict[str, str] = {}
    for notes in opt.annotations.values():
        fields, letters = notes.get(FIELD, "").split(), notes.get(CERTAINTY, "").split()
        # One letter speaks for all fields of the node.
        for position, field in enumerate(fields):
            certainty[field] = letters[min(position, len(letters) - 1)] if letters else ""
    return MappingProxyType(certainty)
