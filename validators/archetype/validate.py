"""The validity rules of archetypes, and their run.

Codes that begin with V are those of the openEHR specifications (ADL 1.4, AOM 1.4; where AOM 1.4 states a rule
without a code, the code that AOM 2 gives it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from validators.archetype.subject import Subject

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
    identity.check_identifier,
    identity.check_root_type,
    identity.check_description,
    identity.check_original_language,
    reference_model.check_types_known,
)


def validate_archetype(archetype: Archetype, repository: ArchetypeRepository | None = None) -> list[Finding]:
    """What breaks the validity rules of ADL 1.4 and AOM 1.4, in the order of :data:`RULES`.

    Without ``repository`` the rules about other archetypes stay silent. Any archetype that can be read can be
    judged: nothing is raised, and cyclic references are findings.
    """
    subject = Subject(archetype, repository)
    rules = RULES_OF_ADL2 if archetype.is_adl2 else RULES
    return [found for rule in rules for found in rule(subject)]
