"""Columns of the card's tables with what the templates say of them: type, unit, codes, places, privacy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from archetypes.aom.constraints import CCodePhrase, CDvOrdinal, CDvQuantity, CObject, CString
from cdr.analysis.definitions import FieldColumn, Grain, Pick, TableDefinition
from cdr.rows import CellType, TypedColumn
from templates.data_values import alternatives, code_constraint, primitive
from templates.fields import field_nodes
from templates.operational import Node, OperationalTemplate
from templates.rubrics import Rubrics


@dataclass(frozen=True, slots=True)
class CardTemplate:
    """A template with the nodes that hold fields of the card."""

    compiled: OperationalTemplate
    fields: Mapping[str, tuple[Node, ...]]

    @classmethod
    def of(cls, compiled: OperationalTemplate) -> CardTemplate:
        """Look the fields up."""
        return cls(compiled, field_nodes(compiled))

    @property
    def template_id(self) -> str:
        """Its id."""
        return self.compiled.template_id


Templates: TypeAlias = Sequence[CardTemplate]


class Kind(StrEnum):
    """How a value becomes a cell."""

    QUANTITY = "quantity"
    PERCENT = "percent"
    COUNT = "count"
    ORDINAL = "ordinal"
    DAYS = "duration"
    DATE = "date"
    INSTANT = "instant"
    BOOLEAN = "boolean"
    GIVEN = "given"  # true where it is there; its absence says nothing
    ANSWER = "answer"  # yes, no, unknown, unsure
    CODE = "code"
    CHOICE = "choice"  # a text of a list
    TEXT = "text"
    WRITTEN = "written"  # a count, a date of any precision or a text, as it stands
    IDENTIFIER = "identifier"
    KEY = "key"  # of a woman, a pregnancy, a contact


class Privacy(StrEnum):
    """What must be granted by name before an analyst sees it."""

    OPEN = "open"
    KEY = "key"  # as a pseudonym
    TEXT = "free text"
    IDENTIFIER = "identifier"
    RESTRICTED = "restricted"


CELL_TYPES: Mapping[Kind, CellType] = MappingProxyType(
    {
        Kind.QUANTITY: CellType.NUMBER,
        Kind.PERCENT: CellType.NUMBER,
        Kind.COUNT: CellType.WHOLE,
        Kind.ORDINAL: CellType.WHOLE,
        Kind.DAYS: CellType.WHOLE,
        Kind.DATE: CellType.DATE,
        Kind.INSTANT: CellType.INSTANT,
        Kind.BOOLEAN: CellType.BOOLEAN,
        Kind.GIVEN: CellType.BOOLEAN,
    }
)
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "DV_QUANTITY": Kind.QUANTITY,
        "DV_PROPORTION": Kind.PERCENT,
        "DV_COUNT": Kind.COUNT,
        "DV_ORDINAL": Kind.ORDINAL,
        "DV_DURATION": Kind.DAYS,
        "DV_DATE": Kind.DATE,
        "DV_DATE_TIME": Kind.DATE,
        "DV_BOOLEAN": Kind.BOOLEAN,
        "DV_IDENTIFIER": Kind.IDENTIFIER,
        "DV_CODED_TEXT": Kind.CODE,
        "DV_TEXT": Kind.TEXT,
    }
)
_FORMS: Mapping[str, Kind] = MappingProxyType(
    {
        "code": Kind.CODE,
        "text": Kind.TEXT,
        "given": Kind.GIVEN,
        "instant": Kind.INSTANT,
        "written": Kind.WRITTEN,
    }
)
# The texts of codes that answer a question, and the word that a table has for them.
ANSWERS: Mapping[str, str] = MappingProxyType(
    {
        "yes": "yes",
        "ja": "yes",
        "present": "yes",
        "interpreter needed": "yes",
        "no": "no",
        "nei": "no",
        "absent": "no",
        "interpreter not needed": "no",
        "unknown": "unknown",
        "ukjent": "unknown",
        "unsure": "unsure",
    }
)
ANSWER_TEXTS = (("yes", "ja", "yes"), ("no", "nei", "no"), ("unknown", "ukjent", "unknown"))


@dataclass(frozen=True, slots=True)
class Code:
    """A value that a coded column may have, with its texts."""

    value: str | int
    nb: str
    en: str


@dataclass(frozen=True, slots=True)
class Place:
    """A node that holds the field; ``position`` counts from 1 the nodes of the field in the template."""

    template_id: str
    node: Node
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardColumn:
    """A column of a table.

    ``unit`` is UCUM. ``codes`` are all that it may have, empty where any code may stand. ``answers`` maps
    codes of the data to yes, no, unknown, unsure. ``field`` is None for keys and counts. ``paths`` are those
    of ``places``.
    """

    name: str
    nb: str
    en: str
    kind: Kind
    privacy: Privacy
    unit: str = ""
    codes: tuple[Code, ...] = ()
    answers: Mapping[str, str] = dataclass_field(default_factory=lambda: MappingProxyType({}))
    field: FieldColumn | None = None
    places: tuple[Place, ...] = ()
    paths: frozenset[str] = frozenset()

    @property
    def typed(self) -> TypedColumn:
        """Name and type of its cells."""
        kind = self.kind
        several = self.field is not None and self.field.pick is Pick.ALL
        return TypedColumn(self.name, CellType.TEXT if several else CELL_TYPES.get(kind, CellType.TEXT))


def key_columns(grain: Grain) -> tuple[CardColumn, ...]:
    """The columns that say which row it is."""
    ehr = _key("ehr_id", "Journal-ID", "EHR id")
    pregnancy = _key("pregnancy_id", "Svangerskaps-ID", "Id of the pregnancy")
    counted = (
        _plain("contacts", "Antall kontakter", "Number of contacts", Kind.COUNT),
        _plain("first_contact", "Første kontakt", "First contact", Kind.DATE),
        _plain("last_contact", "Siste kontakt", "Last contact", Kind.DATE),
    )
    if grain is Grain.WOMAN:
        return (
            ehr,
            _plain("pregnancies", "Antall svangerskap", "Number of pregnancies", Kind.COUNT),
            *counted,
        )
    if grain is Grain.EARLIER:
        return (ehr, _key("document_id", "Dokument-ID", "Id of the document"))
    if grain is Grain.PREGNANCY:
        return (ehr, pregnancy, *counted)
    contact = (
        ehr,
        pregnancy,
        _key("contact_id", "Kontakt-ID", "Id of the contact"),
        _plain("contact_date", "Dato for kontakten", "Date of the contact", Kind.DATE),
    )
    return contact + _OF_ONE_CONTACT.get(grain, ())


def field_columns(table: TableDefinition, templates: Templates) -> tuple[CardColumn, ...]:
    """The columns of fields that some template holds."""
    made = (card_column(column, templates) for column in table.columns)
    return tuple(column for column in made if column is not None)


def card_column(column: FieldColumn, templates: Templates) -> CardColumn | None:
    """A column with what the templates say of it; None if none holds its field."""
    places = tuple(_places(column, templates))
    if not places:
        return None
    constraints = tuple(_constraints(places))
    codes = tuple(_codes(places))
    kind = _kind(column, constraints)
    answers = _answers(codes) if kind in (Kind.CODE, Kind.CHOICE) else {}
    if answers:
        kind = Kind.ANSWER
    return CardColumn(
        name=column.name,
        nb=column.nb,
        en=column.en,
        kind=kind,
        privacy=_privacy(column, kind, constraints),
        unit=_unit(kind, constraints),
        codes=_answer_codes(answers) if answers else codes,
        answers=MappingProxyType(answers),
        field=column,
        places=places,
        paths=frozenset(place.node.path for place in places),
    )


def _plain(name: str, nb: str, en: str, kind: Kind) -> CardColumn:
    return CardColumn(name=name, nb=nb, en=en, kind=kind, privacy=Privacy.OPEN)


def _key(name: str, nb: str, en: str) -> CardColumn:
    return CardColumn(name=name, nb=nb, en=en, kind=Kind.KEY, privacy=Privacy.KEY)


_OF_ONE_CONTACT: Mapping[Grain, tuple[CardColumn, ...]] = {
    Grain.CONTACT: (
        _plain("contact_time", "Tidspunkt for kontakten", "Time of the contact", Kind.INSTANT),
        _plain("template", "Mal", "Template", Kind.CODE),
        _key("organisation", "Virksomhet", "Organisation"),
        _key("registered_by", "Registrert av", "Registered by"),
        _plain("profession", "Yrkesgruppe (Volven 9060)", "Profession (Volven 9060)", Kind.CODE),
    ),
    Grain.FETUS: (_plain("fetus", "Foster nummer", "Number of the fetus", Kind.COUNT),),
    Grain.TEST: (
        _plain("test", "Prøve", "Test", Kind.CODE),
        _plain("number", "Svar som tall", "Result as a number", Kind.QUANTITY),
        _plain("unit", "Enhet", "Unit", Kind.CODE),
        _plain("code", "Svar som kode", "Result as a code", Kind.CODE),
        _plain("result", "Kodens tekst", "Text of the code", Kind.CHOICE),
    ),
    Grain.SF: (_plain("measured_on", "Måledato", "Date of the measurement", Kind.DATE),),
}


# --- what the templates say -------------------------------------------------------------------------


def _places(column: FieldColumn, templates: Templates) -> Iterator[Place]:
    for template in templates:
        for field in column.fields:
            for position, node in enumerate(template.fields.get(field, ()), 1):
                if column.node in (None, position):
                    yield Place(template.template_id, node, position)


def _constraints(places: Sequence[Place]) -> Iterator[CObject]:
    for place in places:
        constraint = place.node.constraint
        if constraint.rm_type_name == "ISM_TRANSITION":
            yield constraint
        else:
            yield from alternatives(constraint)


def _kind(column: FieldColumn, constraints: Sequence[CObject]) -> Kind:
    if column.form is not None:
        return _FORMS[column.form]
    first = constraints[0]
    if first.rm_type_name == "DV_TEXT" and _is_listed(first):
        return Kind.CHOICE
    return Kind.CODE if first.rm_type_name == "ISM_TRANSITION" else _KINDS[first.rm_type_name]


def _is_listed(constraint: CObject) -> bool:
    allowed = primitive(constraint, "value")
    return isinstance(allowed, CString) and bool(allowed.values) and not allowed.list_open


def _privacy(column: FieldColumn, kind: Kind, constraints: Sequence[CObject]) -> Privacy:
    if column.restricted:
        return Privacy.RESTRICTED
    if column.names_a_person or kind is Kind.IDENTIFIER:
        return Privacy.IDENTIFIER
    may_be_text = any(each.rm_type_name == "DV_TEXT" and not _is_listed(each) for each in constraints)
    is_free = kind is Kind.TEXT or (kind is Kind.WRITTEN and may_be_text)
    return Privacy.TEXT if is_free else Privacy.OPEN


def _unit(kind: Kind, constraints: Sequence[CObject]) -> str:
    if kind is Kind.QUANTITY:
        items = (item for each in constraints if isinstance(each, CDvQuantity) for item in each.items)
        return next((item.units for item in items), "")
    return {Kind.PERCENT: "%", Kind.DAYS: "d"}.get(kind, "")


def _codes(places: Sequence[Place]) -> Iterator[Code]:
    """All codes in the order of the templates, each once; nothing if a node admits any code."""
    found: dict[str | int, Code] = {}
    for place in places:
        of_node = list(_codes_of(place.node))
        if not of_node:
            return
        found.update({code.value: code for code in of_node if code.value not in found})
    yield from found.values()


def _codes_of(node: Node) -> Iterator[Code]:
    norwegian, english = Rubrics(node.root, "nb"), Rubrics(node.root, "en")
    if node.constraint.rm_type_name == "ISM_TRANSITION":
        step = node.constraint.node_id
        yield Code(step, norwegian.name(step), english.name(step))
        return
    for constraint in alternatives(node.constraint):
        limit = code_constraint(constraint)
        allowed = primitive(constraint, "value")
        if isinstance(limit, CCodePhrase):
            system = limit.terminology_id or "local"
            for code in limit.codes:
                yield Code(code, norwegian.of(system, code) or code, english.of(system, code) or code)
        elif isinstance(constraint, CDvOrdinal):
            for item in constraint.items:
                texts = (
                    each.of(item.terminology_id, item.code) or item.code for each in (norwegian, english)
                )
                yield Code(int(item.value), *texts)
        elif isinstance(allowed, CString) and _is_listed(constraint):
            yield from (Code(text, text, text) for text in allowed.values)


def _answers(codes: Sequence[Code]) -> dict[str, str]:
    """Code -> yes, no, unknown, unsure; empty unless every code is one of these, and some are."""
    words = {str(code.value): ANSWERS.get(code.en.lower()) for code in codes}
    answers = {value: word for value, word in words.items() if word is not None}
    return answers if len(answers) == len(codes) > 1 else {}


def _answer_codes(answers: Mapping[str, str]) -> tuple[Code, ...]:
    used = set(answers.values())
    texts = (*ANSWER_TEXTS, ("unsure", "usikker", "unsure"))
    return tuple(Code(*each) for each in texts if each[0] in used)
