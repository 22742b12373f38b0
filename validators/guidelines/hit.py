"""What a rule answers: a remark that is not yet a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from templates.field_reading import FieldValue
from validators.guidelines.guideline import Limits
from validators.guidelines.pregnancy import Contact, Pregnancy


@dataclass(frozen=True, slots=True)
class Hit:
    """``code`` is a code of the texts (``guideline.`` is put before it); ``at`` the value that says it."""

    code: str
    found: str = ""
    expected: str = ""
    at: FieldValue | None = None
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


# A rule sees the contact that it judges and the pregnancy as it was known then.
Rule: TypeAlias = Callable[[Contact, Pregnancy, Limits], Iterator[Hit]]


def written(number: float) -> str:
    """A number without a decimal that says nothing."""
    return f"{number:g}"
