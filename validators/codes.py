"""Every finding code of the validators, in one table.

A code is ``family.name``, or the code of a rule of the openEHR specifications (``VARCN``), and never
changes its meaning. Its texts lie in ``validators/messages``, its description for readers in
``docs/validation-codes.md``; a test holds the three together.
"""

from __future__ import annotations

from types import MappingProxyType

from archetypes.findings import Severity

_ERRORS = (
    # The composition and its template.
    "template.mismatch",
    "template.unsupported",
    # Structure of the reference model.
    "rm.not_an_object",
    "rm.not_a_list",
    "rm.wrong_value",
    "rm.wrong_type",
    "rm.unknown_type",
    "rm.abstract_type",
    "rm.type_missing",
    "rm.unknown_attribute",
    "rm.missing",
    "rm.empty_list",
    "rm.empty_text",
    "rm.too_deep",
    # Formats of values.
    "format.date",
    "format.time",
    "format.date_time",
    "format.duration",
    "format.uri",
    "format.ehr_uri",
    # Invariants of the reference model.
    "invariant.element_value",
    "invariant.null_reason",
    "invariant.party_identified",
    "invariant.party_ref_type",
    "invariant.interval_order",
    "invariant.interval_bounds",
    "invariant.interval_types",
    "invariant.proportion_kind",
    "invariant.proportion_denominator",
    "invariant.proportion_integral",
    "invariant.precision",
    "invariant.magnitude_status",
    "invariant.normal_status",
    "invariant.accuracy",
    "invariant.archetype_details_missing",
    "invariant.archetype_details_unexpected",
    "invariant.archetype_id",
    "invariant.history_events",
    "invariant.mapping_match",
    "invariant.multimedia",
    "invariant.ism_transition",
    # openEHR terminology.
    "terminology.not_in_group",
    "terminology.not_in_code_set",
    # Nodes of the template.
    "type.not_allowed",
    "node_id.mismatch",
    "node.unexpected",
    "name.not_allowed",
    "slot.not_admitted",
    "existence.missing",
    "existence.prohibited",
    "occurrences.too_few",
    "occurrences.too_many",
    "occurrences.prohibited",
    "cardinality.too_few",
    "cardinality.too_many",
    # Values.
    "boolean.not_allowed",
    "string.not_in_list",
    "string.pattern",
    "number.not_in_list",
    "number.range",
    "temporal.pattern",
    "temporal.range",
    "temporal.timezone",
    "duration.pattern",
    "duration.range",
    "quantity.units",
    "quantity.magnitude",
    "quantity.precision",
    "ordinal.value",
    "ordinal.symbol",
    "code.terminology",
    "code.not_in_list",
    # Of the record, found when a composition or an EHR_STATUS is stored (cdr).
    "template.unknown",
    "composition.persistence",
    "ehr_status.subject",
    "contribution.malformed",
    "contribution.version",
    "directory.name_used_twice",
    "identifier.refused",
    # The list itself.
    "findings.truncated",
    # Validity of archetypes; the codes of the openEHR specifications.
    "VARID",
    "VARCN",
    "VARDT",
    "VARD",
    "VDEOL",
    "VASID",
    "VACSD",
    "VATDF",
    "VACDF",
    "VATCV",
    "VATCD",
    "VCOID",
    "VCOSU",
    "VOTM",
    "VTLC",
    "VTTBK",
    "VTCBK",
    "VDFAI",
    "VDFPT",
    "VUNT",
    "VCARM",
    "VCORM",
    "VCORMT",
    "VCATU",
    "VCAEX",
    "VCACA",
    "VCAM",
    "VCOCD",
    "VACSO",
    "VACMCU",
    "VACMCO",
    "VOBAV",
    "VSONCT",
    "VSONCO",
    "VSANCE",
    "VSANCC",
    "VSONIN",
    "archetype.specialisation_cycle",
    "archetype.use_node_cycle",
    # Compiled templates.
    "template.use_node",
)

_WARNINGS = (
    "VCOC",
    # Editorial quality of archetypes.
    "lint.language_missing",
    "lint.text_missing",
    "lint.untranslated",
    "lint.spaces",
    "lint.punctuation",
    "lint.name_form",
    "lint.code_unused",
    "lint.code_reused",
    "lint.concept_form",
    "lint.metadata_missing",
    "lint.units_not_ucum",
    "lint.binding_form",
    "lint.binding_check_digit",
    "lint.reference_unknown",
    "lint.reference_older",
    # Compiled templates.
    "template.annotation_path",
    "template.field_twice",
    "template.certainty",
    "template.slot_unfillable",
    "code.not_checked",
    "code.rubric",
    "quantity.units_unknown",
    "string.pattern_unreadable",
)

SEVERITIES = MappingProxyType(
    {code: Severity.ERROR for code in _ERRORS} | {code: Severity.WARNING for code in _WARNINGS}
)
