"""The validity rules of archetypes, and their run.

Codes that begin with V are those of the openEHR specifications (ADL 1.4, AOM 1.4; where AOM 1.4 states a rule
without a code, the code that AOM 2 gives it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from archetypes.aom.archetype import Archetype
from archetypes.findings import Finding
from archetypes.repository import ArchetypeRepository
from validators.archetype import (
    assumed_values,
    identity,
    multiplicities,
    reference_model,
    references,
    specialisation,
    terms,
)
from validators.archetype.adl2 import identity as identity2
from validators.archetype.adl2 import paths, slots, structure
from validators.archetype.adl2 import specialisation as specialisation2
from validators.archetype.adl2 import terms as terms2
from validators.archetype.subject import Subject, in_its_words

Rule = Callable[[Subject], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    identity.check_identifier,
    identity.check_concept,
    identity.check_root_type,
    identity.check_description,
    identity.check_original_language,
    identity.check_parent_id,
    identity.check_specialisation_cycle,
    identity.check_specialisation_depth,
    terms.check_terms_defined,
    terms.check_constraints_defined,
    terms.check_code_form,
    terms.check_code_depth,
    terms.check_node_ids_present,
    terms.check_node_ids_unique,
    terms.check_translations,
    terms.check_codes_in_all_languages,
    terms.check_term_bindings,
    terms.check_constraint_bindings,
    references.check_slot_ids,
    references.check_paths,
    references.check_reference_types,
    references.check_reference_cycles,
    reference_model.check_attributes_known,
    reference_model.check_types_known,
    reference_model.check_types_fit,
    reference_model.check_attribute_names_unique,
    reference_model.check_existence,
    reference_model.check_cardinality,
    reference_model.check_multiplicity,
    multiplicities.check_intervals,
    multiplicities.check_sum_of_occurrences,
    multiplicities.check_single_occurrences,
    multiplicities.check_upper_bounds,
    multiplicities.check_orphans,
    assumed_values.check_assumed_values,
    specialisation.check_types_conform,
    specialisation.check_occurrences_conform,
    specialisation.check_existence_conforms,
    specialisation.check_cardinality_conforms,
    specialisation.check_new_nodes,
)


RULES_OF_ADL2: tuple[Rule, ...] = (
    identity2.check_identifier,
    identity2.check_root_code,
    identity.check_root_type,
    identity2.check_adl_version,
    identity2.check_rm_release,
    identity2.check_description,
    identity2.check_original_language,
    identity2.check_original_language_defined,
    identity2.check_translations_defined,
    identity.check_parent_id,
    identity.check_specialisation_cycle,
    identity2.check_depth,
    identity2.check_languages_of_parent,
    terms2.check_code_form,
    terms2.check_code_level,
    terms.check_codes_in_all_languages,
    terms2.check_node_terms,
    terms2.check_terms_defined,
    terms2.check_value_sets_defined,
    terms2.check_assumed_codes,
    terms2.check_code_depth,
    terms2.check_term_bindings,
    terms2.check_value_set_bindings,
    terms2.check_value_set_ids,
    terms2.check_value_set_members,
    terms2.check_value_set_members_unique,
    structure.check_differential_paths_allowed,
    structure.check_differential_paths_exist,
    structure.check_attributes_unique,
    structure.check_codes_unique,
    structure.check_reference_paths,
    structure.check_reference_types,
    references.check_reference_cycles,
    references.check_slot_ids,
    slots.check_includes_and_excludes,
    slots.check_used_archetypes_known,
    slots.check_used_types,
    slots.check_languages_of_fillers,
    reference_model.check_attributes_known,
    structure.check_tuple_members,
    reference_model.check_types_known,
    reference_model.check_types_fit,
    reference_model.check_existence,
    reference_model.check_cardinality,
    reference_model.check_multiplicity,
    multiplicities.check_intervals,
    multiplicities.check_single_occurrences,
    multiplicities.check_upper_bounds,
    multiplicities.check_orphans,
    structure.check_lower_bounds,
    assumed_values.check_assumed_values,
    specialisation2.check_existence_conforms,
    specialisation2.check_cardinality_conforms,
    specialisation2.check_types_conform,
    specialisation2.check_kinds_conform,
    specialisation2.check_new_nodes,
    specialisation2.check_occurrences_conform,
    specialisation2.check_prohibited_kinds,
    specialisation2.check_prohibited_codes,
    specialisation2.check_prohibited_exists,
    specialisation2.check_sibling_order,
    specialisation2.check_values_conform,
    specialisation2.check_tuple_members_conform,
    specialisation2.check_tuple_rows_conform,
    slots.check_redefined_slot_codes,
    slots.check_redefined_slots_narrower,
    slots.check_closed_slots,
    slots.check_closed_or_narrowed,
    slots.check_fillers_fit,
    slots.check_filler_codes,
    slots.check_redefined_references,
    paths.check_annotation_paths,
    paths.check_rule_paths,
    paths.check_visibility_paths,
    paths.check_aliases,
    structure.check_flattened,
)


def validate_archetype(archetype: Archetype, repository: ArchetypeRepository | None = None) -> list[Finding]:
    """What breaks the validity rules of its generation, in the order of :data:`RULES`.

    Without ``repository`` the rules about other archetypes stay silent. Any archetype that can be read can be
    judged: nothing is raised, and cyclic references are findings. A template is judged with its overlays.
    """
    subject = Subject(archetype, repository)
    rules = RULES_OF_ADL2 if archetype.is_adl2 else RULES
    findings = in_its_words(archetype, [found for rule in rules for found in rule(subject)])
    local = repository.with_overlays(archetype) if repository else None
    for overlay in archetype.overlays:
        findings += [_inside(overlay, found) for found in validate_archetype(overlay, local)]
    return findings


def _inside(overlay: Archetype, found: Finding) -> Finding:
    """A finding about an overlay of a template: its path begins with the overlay's id."""
    path = f"[{overlay.archetype_id}]{found.path}"
    return replace(found, path=path, archetype_path=path)
