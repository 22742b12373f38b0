"""Who may do what, as a table: for each action, the kinds of actors that may, and what more they need."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cdr.actor import ActorKind


class Action(StrEnum):
    """What can be done; each use case has one."""

    CREATE_EHR = "ehr.create"
    READ_EHR = "ehr.read"
    FIND_EHR = "ehr.find"
    READ_STATUS = "ehr_status.read"
    UPDATE_STATUS = "ehr_status.update"
    JOIN_EHRS = "ehr.join"
    SPLIT_EHRS = "ehr.split"
    ERASE_EHR = "ehr.erase"
    ERASE_ALL = "ehr.erase_all"
    CREATE_COMPOSITION = "composition.create"
    READ_COMPOSITION = "composition.read"
    UPDATE_COMPOSITION = "composition.update"
    DELETE_COMPOSITION = "composition.delete"
    CREATE_CONTRIBUTION = "contribution.create"
    READ_CONTRIBUTION = "contribution.read"
    CREATE_DIRECTORY = "directory.create"
    READ_DIRECTORY = "directory.read"
    UPDATE_DIRECTORY = "directory.update"
    DELETE_DIRECTORY = "directory.delete"
    ERASE_OBJECT = "object.erase"
    READ_TAGS = "tags.read"
    WRITE_TAGS = "tags.write"
    STORE_QUERY = "query.store"
    READ_QUERY = "query.read"
    DELETE_QUERY = "query.delete"
    PUBLISH_TEMPLATE = "template.publish"
    READ_TEMPLATE = "template.read"
    CHECK_IMPACT = "template.impact"
    IMPORT_CODE_LIST = "code_list.import"
    READ_CODE_LIST = "code_list.read"
    CHECK_CODE_LIST = "code_list.impact"
    RECHECK_CODES = "codes.recheck"
    READ_RECHECKS = "codes.read_rechecks"
    VALIDATE = "composition.validate"
    QUERY = "query.run"
    EXPORT_EHR = "ehr.export"
    IMPORT_EHR = "ehr.import"
    READ_EVENTS = "events.read"
    MANAGE_WEBHOOKS = "webhooks.manage"
    READ_LOG = "log.read"
    READ_TABLE = "table.read"
    MANAGE_PROJECTS = "project.manage"
    READ_PROJECTS = "project.read"
    READ_AUDIT = "audit.read"
    CHECK_AUDIT = "audit.check"
    READ_RELATIONS = "relations.read"
    OPEN_RELATION = "relations.open"
    END_RELATION = "relations.end"
    MAINTAIN_ROWS = "rows.maintain"
    REAPPLY_ERASURES = "erasures.reapply"
    READ_CARD_STATUS = "card.status"
    CREATE_CARD = "card.create"
    END_CARD = "card.end"
    READ_CARDS = "card.history"
    KEEP_CARD = "card.keep"
    READ_CONSENT = "consent.read"
    GIVE_CONSENT = "consent.give"
    WITHDRAW_CONSENT = "consent.withdraw"
    PUSH_CONSENT = "consent.push"
    READ_COPY = "consent.copy"
    READ_BLOCKS = "block.read"
    CHANGE_BLOCKS = "block.change"
    REPORT_PERSON = "person.report"
    ERASE_ENTRY = "entry.erase"


class Need(StrEnum):
    """What an actor of a kind needs beyond being of it."""

    NOTHING = "nothing"
    STRONG = "strong log-in"  # of the security level that opens health data
    OWN = "own"  # to be the subject of the EHR
    CARE = "care"  # health personnel with a basis, and a treatment relation where the basis asks for one
    TOLD = "told"  # a system of an organisation with a treatment relation on record
    NEW = "new"  # as CARE, for an EHR that is not there yet: no relation can be on record


CITIZEN, PROFESSIONAL, SYSTEM = ActorKind.CITIZEN, ActorKind.PROFESSIONAL, ActorKind.SYSTEM
ANALYST, STAFF, OPERATOR = ActorKind.ANALYST, ActorKind.STAFF, ActorKind.OPERATOR
OFFICER, SERVER, REGISTER = ActorKind.OFFICER, ActorKind.SERVER, ActorKind.REGISTER

_HER_OWN_OR_IN_CARE = {CITIZEN: Need.OWN, PROFESSIONAL: Need.CARE}
_IN_CARE = {PROFESSIONAL: Need.CARE}
_HER_OWN = {CITIZEN: Need.OWN}
_KNOWN_PEOPLE = {kind: Need.NOTHING for kind in (CITIZEN, PROFESSIONAL, ANALYST, STAFF, OPERATOR, OFFICER)}
_PEOPLE_AND_SYSTEMS = {**_KNOWN_PEOPLE, SYSTEM: Need.NOTHING, SERVER: Need.NOTHING}

RULES: Mapping[Action, Mapping[ActorKind, Need]] = {
    Action.CREATE_EHR: {PROFESSIONAL: Need.NEW},
    Action.READ_EHR: _HER_OWN_OR_IN_CARE,
    Action.FIND_EHR: _HER_OWN_OR_IN_CARE,
    Action.READ_STATUS: _HER_OWN_OR_IN_CARE,
    Action.UPDATE_STATUS: _IN_CARE,
    Action.JOIN_EHRS: {OPERATOR: Need.STRONG},
    Action.SPLIT_EHRS: {OPERATOR: Need.STRONG},
    Action.ERASE_EHR: {OPERATOR: Need.STRONG, SERVER: Need.NOTHING},
    Action.ERASE_ALL: {},
    Action.CREATE_COMPOSITION: _IN_CARE,
    Action.READ_COMPOSITION: _HER_OWN_OR_IN_CARE,
    Action.UPDATE_COMPOSITION: _IN_CARE,
    Action.DELETE_COMPOSITION: _IN_CARE,
    Action.CREATE_CONTRIBUTION: _IN_CARE,
    Action.READ_CONTRIBUTION: _HER_OWN_OR_IN_CARE,
    Action.CREATE_DIRECTORY: _IN_CARE,
    Action.READ_DIRECTORY: _HER_OWN_OR_IN_CARE,
    Action.UPDATE_DIRECTORY: _IN_CARE,
    Action.DELETE_DIRECTORY: _IN_CARE,
    Action.ERASE_OBJECT: {OPERATOR: Need.STRONG, SERVER: Need.NOTHING},
    Action.READ_TAGS: _HER_OWN_OR_IN_CARE,
    Action.WRITE_TAGS: _IN_CARE,
    Action.STORE_QUERY: {ANALYST: Need.NOTHING, STAFF: Need.NOTHING, SERVER: Need.NOTHING},
    Action.READ_QUERY: _PEOPLE_AND_SYSTEMS,
    Action.DELETE_QUERY: {ANALYST: Need.NOTHING, STAFF: Need.NOTHING},
    Action.PUBLISH_TEMPLATE: {STAFF: Need.NOTHING, SERVER: Need.NOTHING},
    Action.READ_TEMPLATE: _PEOPLE_AND_SYSTEMS,
    Action.CHECK_IMPACT: {STAFF: Need.NOTHING},
    Action.IMPORT_CODE_LIST: {STAFF: Need.NOTHING},
    Action.READ_CODE_LIST: _PEOPLE_AND_SYSTEMS,
    Action.CHECK_CODE_LIST: {STAFF: Need.NOTHING},
    Action.RECHECK_CODES: {STAFF: Need.NOTHING, SERVER: Need.NOTHING},
    Action.READ_RECHECKS: {STAFF: Need.NOTHING},
    Action.VALIDATE: _PEOPLE_AND_SYSTEMS,
    Action.QUERY: {CITIZEN: Need.OWN, PROFESSIONAL: Need.CARE, ANALYST: Need.STRONG},
    Action.MAINTAIN_ROWS: {OPERATOR: Need.NOTHING, SERVER: Need.NOTHING},
    Action.REAPPLY_ERASURES: {OPERATOR: Need.NOTHING, SERVER: Need.NOTHING},
    Action.EXPORT_EHR: {OPERATOR: Need.STRONG},
    Action.IMPORT_EHR: {OPERATOR: Need.STRONG},
    Action.READ_EVENTS: {SYSTEM: Need.TOLD},
    Action.MANAGE_WEBHOOKS: {SYSTEM: Need.NOTHING, OPERATOR: Need.NOTHING},
    Action.READ_CARD_STATUS: {**_HER_OWN_OR_IN_CARE, SYSTEM: Need.TOLD},
    Action.CREATE_CARD: _IN_CARE,
    Action.END_CARD: _IN_CARE,
    Action.READ_CARDS: _HER_OWN_OR_IN_CARE,
    Action.KEEP_CARD: _HER_OWN,
    Action.READ_CONSENT: _HER_OWN,
    Action.GIVE_CONSENT: _HER_OWN,
    Action.WITHDRAW_CONSENT: _HER_OWN,
    Action.PUSH_CONSENT: {REGISTER: Need.NOTHING, SERVER: Need.NOTHING},
    Action.READ_COPY: _HER_OWN,
    Action.READ_BLOCKS: _HER_OWN,
    Action.CHANGE_BLOCKS: _HER_OWN,
    Action.REPORT_PERSON: {REGISTER: Need.NOTHING, SERVER: Need.NOTHING},
    Action.ERASE_ENTRY: {OFFICER: Need.STRONG},
    Action.READ_LOG: {CITIZEN: Need.OWN},
    Action.READ_TABLE: {ANALYST: Need.STRONG},
    Action.MANAGE_PROJECTS: {OFFICER: Need.STRONG},
    Action.READ_PROJECTS: {OFFICER: Need.NOTHING, ANALYST: Need.NOTHING},
    Action.READ_AUDIT: {OFFICER: Need.STRONG},
    Action.CHECK_AUDIT: {OFFICER: Need.NOTHING, OPERATOR: Need.NOTHING},
    Action.READ_RELATIONS: _HER_OWN_OR_IN_CARE,
    Action.OPEN_RELATION: {PROFESSIONAL: Need.CARE},
    Action.END_RELATION: _HER_OWN_OR_IN_CARE,
}


# What a token must have in scope (SMART on openEHR: resource and permission); other actions ask for none.
# There is no scope for an EHR, its status, directory, tags or contributions: they go with its compositions.
SCOPES: Mapping[Action, tuple[str, str]] = {
    Action.CREATE_EHR: ("composition", "c"),
    Action.READ_EHR: ("composition", "r"),
    Action.FIND_EHR: ("composition", "r"),
    Action.READ_STATUS: ("composition", "r"),
    Action.UPDATE_STATUS: ("composition", "u"),
    Action.ERASE_EHR: ("composition", "d"),
    Action.CREATE_COMPOSITION: ("composition", "c"),
    Action.READ_COMPOSITION: ("composition", "r"),
    Action.UPDATE_COMPOSITION: ("composition", "u"),
    Action.DELETE_COMPOSITION: ("composition", "d"),
    Action.CREATE_CONTRIBUTION: ("composition", "c"),
    Action.READ_CONTRIBUTION: ("composition", "r"),
    Action.CREATE_DIRECTORY: ("composition", "c"),
    Action.READ_DIRECTORY: ("composition", "r"),
    Action.UPDATE_DIRECTORY: ("composition", "u"),
    Action.DELETE_DIRECTORY: ("composition", "d"),
    Action.ERASE_OBJECT: ("composition", "d"),
    Action.READ_TAGS: ("composition", "r"),
    Action.WRITE_TAGS: ("composition", "u"),
    Action.STORE_QUERY: ("aql", "c"),
    Action.READ_QUERY: ("aql", "r"),
    Action.DELETE_QUERY: ("aql", "d"),
    Action.PUBLISH_TEMPLATE: ("template", "c"),
    Action.READ_TEMPLATE: ("template", "r"),
    Action.CHECK_IMPACT: ("template", "r"),
    Action.QUERY: ("aql", "s"),
}


class Basis(StrEnum):
    """Why a professional opens an EHR (``nhn-access-basis``)."""

    EXCEPTION = "UNNTAK"  # has her in treatment: the relation is on record, or vouched for
    AGREED = "SAMTYKKE"  # she is present and agrees
    AGREED_MORE = "FORHOYET_SAMTYKKE"  # she is present and agrees to what she had blocked
    EMERGENCY = "AKUTT"  # life and health at stake; needs a reason


# What is about the card alone, and is refused at the door where the card is closed. Compositions are judged
# one by one, for not all of them are on the card.
ON_CARD = frozenset(
    {
        Action.CREATE_CARD,
        Action.END_CARD,
        Action.READ_CARDS,
        Action.KEEP_CARD,
        Action.READ_COPY,
        Action.CHANGE_BLOCKS,
        Action.CREATE_DIRECTORY,
        Action.READ_DIRECTORY,
        Action.UPDATE_DIRECTORY,
        Action.DELETE_DIRECTORY,
    }
)

ROLES_IN_CARE = frozenset({"LE", "JO", "SP"})  # Volven 9060: physician, midwife, nurse
PURPOSES_OF_CARE = frozenset({"TREAT", "ETREAT", "COVERAGE"})  # purposes of use that a client may vouch for
SECURITY_LEVEL = 4  # of a log-in that opens health data
