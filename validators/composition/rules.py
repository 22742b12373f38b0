"""The rule of each kind of constraint."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from archetypes.aom.constraints import (
    ArchetypeInternalRef,
    ArchetypeSlot,
    CArchetypeRoot,
    CCodePhrase,
    CCodeReference,
    CComplexObject,
    CDvOrdinal,
    CDvQuantity,
    CObject,
    ConstraintRef,
    CPrimitiveObject,
)
from validators.composition.check import Check, Rule
from validators.composition.data_values import (
    check_code,
    check_code_reference,
    check_constraint_reference,
    check_ordinal,
    check_quantity,
)
from validators.composition.objects import check_object
from validators.composition.place import Place
from validators.composition.primitives import check_primitive
from validators.composition.slots import check_slot


def _unresolved(constraint: ArchetypeInternalRef, value: Any, place: Place, check: Check) -> None:
    """An operational template has no references left: one that has is not judged as if it were open."""
    check.report.add("template.unsupported", place, constraint.target_path)


RULES: Mapping[type[CObject], Rule] = MappingProxyType(
    {
        CComplexObject: check_object,
        CArchetypeRoot: check_object,
        CPrimitiveObject: check_primitive,
        CDvQuantity: check_quantity,
        CDvOrdinal: check_ordinal,
        CCodePhrase: check_code,
        CCodeReference: check_code_reference,
        ConstraintRef: check_constraint_reference,
        ArchetypeSlot: check_slot,
        ArchetypeInternalRef: _unresolved,
    }
)
