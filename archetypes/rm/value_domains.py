"""What single attributes of the reference model may hold (RM 1.1.0, "Invariants" of each class).

The names of groups and code sets are those of ``archetypes.terminology``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Class, attribute (a DV_CODED_TEXT), and the group of the openEHR terminology that its code is of.
GROUPS = (
    ("COMPOSITION", "category", "composition_category"),
    ("EVENT_CONTEXT", "setting", "setting"),
    ("ELEMENT", "null_flavour", "null_flavours"),
    ("ISM_TRANSITION", "current_state", "instruction_states"),
    ("ISM_TRANSITION", "transition", "instruction_transitions"),
    ("INTERVAL_EVENT", "math_function", "event_math_function"),
    ("PARTICIPATION", "mode", "participation_mode"),
    ("PARTY_RELATED", "relationship", "subject_relationship"),
    ("TERM_MAPPING", "purpose", "term_mapping_purpose"),
    ("AUDIT_DETAILS", "change_type", "audit_change_type"),
    ("ATTESTATION", "reason", "attestation_reason"),
)

# Class, attribute (a CODE_PHRASE), and the code set that its code is of.
CODE_SETS = (
    ("COMPOSITION", "language", "languages"),
    ("COMPOSITION", "territory", "countries"),
    ("ENTRY", "language", "languages"),
    ("ENTRY", "encoding", "character_sets"),
    ("DV_TEXT", "language", "languages"),
    ("DV_TEXT", "encoding", "character_sets"),
    ("DV_ENCAPSULATED", "language", "languages"),
    ("DV_ENCAPSULATED", "charset", "character_sets"),
    ("DV_MULTIMEDIA", "media_type", "media_types"),
    ("DV_MULTIMEDIA", "compression_algorithm", "compression_algorithms"),
    ("DV_MULTIMEDIA", "integrity_check_algorithm", "integrity_check_algorithms"),
    ("DV_ORDERED", "normal_status", "normal_statuses"),
)

# The state that each transition of the standard instruction state machine leads to.
STATE_AFTER: Mapping[str, str] = MappingProxyType({
    "535": "524", "536": "526", "537": "527", "538": "526", "166": "528", "542": "527", "539": "529",
    "534": "529", "540": "245", "541": "532", "543": "245", "544": "530", "545": "530", "546": "245",
    "547": "531", "548": "532", "549": "533", "550": "531", "551": "532", "552": "528",
})  # fmt: skip

# Class and attribute (a STRING) that must not be empty if it is there.
FILLED_TEXTS = (
    ("LOCATABLE", "archetype_node_id"),
    ("ARCHETYPED", "rm_version"),
    ("OBJECT_ID", "value"),
    ("CODE_PHRASE", "code_string"),
    ("DV_TEXT", "value"),
    ("DV_TEXT", "formatting"),
    ("DV_IDENTIFIER", "id"),
    ("DV_URI", "value"),
    ("DV_PARSABLE", "formalism"),
    ("DV_QUANTITY", "units"),
    ("EVENT_CONTEXT", "location"),
    ("PARTY_IDENTIFIED", "name"),
    ("ACTIVITY", "action_archetype_id"),
    ("INSTRUCTION_DETAILS", "activity_id"),
    ("FEEDER_AUDIT_DETAILS", "system_id"),
    ("AUDIT_DETAILS", "system_id"),
)

PARTY_TYPES = frozenset({"PERSON", "ORGANISATION", "GROUP", "AGENT", "ROLE", "PARTY", "ACTOR"})
PERIOD_FORMALISMS = frozenset({"HL7:PIVL", "HL7:EIVL"})
MAGNITUDE_STATUSES = frozenset({"=", "<", ">", "<=", ">=", "~"})
