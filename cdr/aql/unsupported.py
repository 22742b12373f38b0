"""What is AQL 1.1, is parsed, and is not executed: each construct by name (501)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cdr.aql.ast import Position

CONSTRUCTS: Mapping[str, str] = MappingProxyType(
    {
        "terminology": "the function TERMINOLOGY: this server asks no terminology service",
        "matches_uri": "matches {uri}: this server asks no terminology service",
        "class": "a class that queries do not reach (VERSIONED_COMPOSITION, CONTRIBUTION, ...)",
        "several_ehrs": "more than one EHR class in FROM",
        "ehr_attribute": "an attribute of EHR other than ehr_id, system_id, time_created and ehr_status",
        "computed_attribute": "an attribute that the model computes and data does not hold",
        "version_of_status": "VERSION CONTAINS EHR_STATUS: only versions of compositions are reached",
    }
)


ASKED_OF_TERMINOLOGIES = frozenset({"terminology", "matches_uri"})


@dataclass(frozen=True, slots=True)
class Unsupported:
    """One such construct in a query; ``name`` is a key of CONSTRUCTS, ``found`` what stands there."""

    name: str
    found: str
    position: Position

    @property
    def code(self) -> str:
        """The code of the finding."""
        return f"aql.unsupported.{self.name}"
