"""What of an EHR somebody may see who was let in to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A predicate over stored versions; the default sees everything."""

    hidden_templates: frozenset[str] = frozenset()

    def sees(self, template_id: str | None) -> bool:
        """May a version under this template be seen?"""
        return template_id is None or template_id not in self.hidden_templates


EVERYTHING = Sight()
