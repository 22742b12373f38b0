"""FLAT and STRUCTURED: compositions as the simplified formats of openEHR have them.

    from_flat(opt, flat, *, now=None) -> dict              FLAT to canonical JSON
    to_flat(opt, composition) -> dict                      canonical JSON to FLAT
    from_structured(opt, structured, *, now=None) -> dict
    to_structured(opt, composition) -> dict

Reading raises FlatRefused, writing NotSayable (templates.errors); both carry findings with FLAT paths.
What each suffix means and what a round trip normalises: docs/formats.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

# The codecs of data types and of parties are known once these are imported.
from templates.operational import OperationalTemplate
from templates.simplified import parties, values
from templates.simplified.reader import from_flat
from templates.simplified.structured import flatten, structure
from templates.simplified.writer import to_flat

__all__ = ["from_flat", "from_structured", "parties", "to_flat", "to_structured", "values"]


def from_structured(
    opt: OperationalTemplate, structured: Mapping[str, Any], *, now: datetime | None = None
) -> dict[str, Any]:
    """The canonical composition of a STRUCTURED one; raises FlatRefused, with FLAT paths."""
    return from_flat(opt, flatten(structured), now=now)


def to_structured(opt: OperationalTemplate, composition: dict[str, Any]) -> dict[str, Any]:
    """The STRUCTURED form of a canonical composition; raises NotSayable."""
    return structure(to_flat(opt, composition))
