"""Rules about the definition of a compiled template: terms, slots, and what archetypes obey too."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.aom.archetype import ArchetypeId
from archetypes.aom.constraints import ArchetypeInternalRef, ArchetypeSlot
from archetypes.aom.slots import admits
from archetypes.findings import Finding
from archetypes.rm.schema import rm_schema
from validators.archetype import assumed_values, multiplicities, reference_model, terms
from validators.archetype.subject import codes_of, finding
from validators.template.subject import TemplateSubject

_SHARED = (
    terms.check_node_ids_unique,
    reference_model.check_attributes_known,
    reference_model.check_types_known,
    reference_model.check_types_fit,
    reference_model.check_attribute_names_unique,
    reference_model.check_multiplicity,
    multiplicities.check_intervals,
    multiplicities.check_sum_of_occurrences,
    multiplicities.check_single_occurrences,
    assumed_values.check_assumed_values,
)


def check_as_archetype(subject: TemplateSubject) -> Iterator[Finding]:
    """The rules of archetypes that a template obeys too (AOM 1.4; OPT 1.4 has no list of its own).

    Left to the archetypes are the bounds that a template narrows one at a time (VACMCU, VACMCO), and the
    existence and cardinality that tools write out whether stated or not (VCAEX, VCACA).
    """
    for rule in _SHARED:
        yield from rule(subject.definition)


def check_terms_defined(subject: TemplateSubject) -> Iterator[Finding]:
    """VATDF: the archetype root above has a term for each code (ADL 1.4, Coded Term Validity)."""
    for node in subject.nodes:
        if node.constraint.occurrences.upper == 0:
            continue  # a removed node may lose its term
        known = {code for codes in node.root.terms.values() for code in codes}
        for code in codes_of(node.constraint):
            if code not in known:
                path = node.path or "/"
                yield finding(
                    "VATDF", path, expected="term_definitions", found=code, span=node.constraint.span
                )


def check_references_resolved(subject: TemplateSubject) -> Iterator[Finding]:
    """A compiled template holds no use_node (OPT 1.4, ARCHETYPE_INTERNAL_REF is resolved by the tool)."""
    for node in subject.nodes:
        if isinstance(node.constraint, ArchetypeInternalRef):
            yield finding("template.use_node", node.path, found=node.constraint.target_path)


def check_slots_fillable(subject: TemplateSubject) -> Iterator[Finding]:
    """A slot that stays open can be filled from the library (AOM 1.4, ARCHETYPE_SLOT)."""
    if subject.repository is None:
        return
    ids = subject.repository.ids()
    for node in subject.nodes:
        slot = node.constraint
        if not isinstance(slot, ArchetypeSlot) or slot.occurrences.upper == 0:
            continue
        if not any(_fits(slot, archetype_id) for archetype_id in ids):
            expected = " | ".join(slot.includes) or slot.rm_type_name
            yield finding("template.slot_unfillable", node.path, expected=expected, span=slot.span)


def _fits(slot: ArchetypeSlot, archetype_id: str) -> bool:
    if not admits(slot, archetype_id):
        return False
    try:
        rm_class = ArchetypeId.parse(archetype_id).rm_class
    except ValueError:
        return False
    return rm_schema().is_a(rm_class, slot.rm_type_name)
