"""What every rule of the template receives, and the dispatch from a constraint to its rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archetypes.aom.constraints import CObject
from validators.composition.place import Place
from validators.composition.report import Report


@dataclass(frozen=True, slots=True)
class Check:
    """One run over one composition.

    ``language`` is the template's, for the names of nodes; ``complete`` is False for a composition that
    says it is incomplete: then nothing is required, and what is there must still be right.
    """

    rules: Mapping[type[CObject], Rule]
    language: str
    complete: bool
    report: Report = field(default_factory=Report)

    def value(self, constraint: CObject, value: Any, place: Place) -> None:
        """Check one value against one constraint."""
        self.rules[type(constraint)](constraint, value, place, self)

    def trial(self) -> Check:
        """The same run with a report of its own, to see whether something fits."""
        return Check(self.rules, self.language, self.complete)


Rule = Callable[[Any, Any, Place, Check], None]
