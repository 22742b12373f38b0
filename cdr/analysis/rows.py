"""Rows of the card's tables from the compositions of one EHR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdr.analysis.cells import NO_PLACE, calendar_date, cell, instant
from cdr.analysis.columns import (
    CardColumn,
    CardTemplate,
    Place,
    Templates,
    card_column,
    field_columns,
    key_columns,
)
from cdr.analysis.definitions import Grain, Pick, TableDefinition
from templates.field_reading import FieldValue, read_fields

PREGNANCY, CONTACT_TYPE, HEIGHT = "HK0.1", "HK0.6", "HK14.1"
Cells = list[Any]


@dataclass(frozen=True, slots=True)
class Document:
    """A composition of the card with its values by field.

    ``is_contact``: it is about a contact, and not kept for the record as a whole.
    """

    contact_id: str
    composition: Mapping[str, Any]
    template_id: str
    is_contact: bool
    values: Mapping[str, Sequence[FieldValue]]

    @property
    def start(self) -> str:
        """When it took place, as written; empty where it says nothing."""
        return str(self.at("context", "start_time", "value") or "")

    @property
    def order(self) -> tuple[str, str]:
        """Sorts documents by time."""
        return instant(self.start) or self.start, self.contact_id

    @property
    def pregnancy_id(self) -> str | None:
        """The pregnancy that it belongs to."""
        found = self.values.get(PREGNANCY, ())
        identifier = found[0].value.get("id") if found else None
        return identifier if isinstance(identifier, str) else None

    def at(self, *steps: str | int) -> Any:
        """What stands at a place of the composition; None if nothing does."""
        return _at(self.composition, steps)


class Documents:
    """Reads compositions under the templates of the card."""

    def __init__(self, templates: Templates) -> None:
        self._contacts = frozenset(each.template_id for each in templates if CONTACT_TYPE in each.fields)
        self._templates = {each.template_id: each.compiled for each in templates}

    def read(self, uid: str, composition: Mapping[str, Any]) -> Document | None:
        """Find the values of all fields; None for a composition under another template."""
        template_id = str(_at(composition, ("archetype_details", "template_id", "value")))
        template = self._templates.get(template_id)
        if template is None:
            return None
        by_field: dict[str, list[FieldValue]] = {}
        for value in read_fields(template, composition):
            by_field.setdefault(value.field, []).append(value)
        is_contact = template_id in self._contacts
        return Document(uid.partition("::")[0], composition, template_id, is_contact, by_field)


@dataclass(frozen=True, slots=True)
class CardTable:
    """A table with the columns that the templates give it; ``left_out`` counts values without place."""

    definition: TableDefinition
    keys: tuple[CardColumn, ...]
    fields: tuple[CardColumn, ...]
    results: tuple[CardColumn, ...]
    left_out: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, definition: TableDefinition, templates: Templates) -> CardTable:
        """The table as ``templates`` fill it."""
        results = (card_column(each, templates) for each in definition.results)
        return cls(
            definition,
            key_columns(definition.grain),
            field_columns(definition, templates),
            tuple(each for each in results if each is not None),
        )

    @property
    def columns(self) -> tuple[CardColumn, ...]:
        """Keys first."""
        return self.keys + self.fields

    def reads(self, template: CardTemplate) -> bool:
        """Can a document of this template add to a row? All others need not be read."""
        match self.definition.grain:
            case Grain.WOMAN | Grain.PREGNANCY:
                return True
            case Grain.CONTACT:
                needed = frozenset({CONTACT_TYPE})
            case Grain.SF:
                needed = frozenset({HEIGHT})
            case Grain.TEST:
                needed = _fields_of(self.results)
            case Grain.FETUS | Grain.EARLIER:
                needed = _fields_of(self.fields)
        return not needed.isdisjoint(template.fields)

    def result_places(self) -> tuple[Place, ...]:
        """Where the results of the table of tests come from."""
        return tuple(place for result in self.results for place in result.places)

    def rows(self, ehr_id: str, documents: Iterable[Document]) -> Iterator[Cells]:
        """The rows of one EHR, in time order."""
        ordered = sorted(documents, key=lambda document: document.order)
        match self.definition.grain:
            case Grain.WOMAN:
                yield from self._woman(ehr_id, ordered)
            case Grain.PREGNANCY:
                yield from self._pregnancies(ehr_id, ordered)
            case Grain.CONTACT:
                yield from (self._contact(ehr_id, each) for each in ordered if each.is_contact)
            case Grain.FETUS:
                yield from (row for each in ordered if each.is_contact for row in self._fetuses(ehr_id, each))
            case Grain.TEST:
                yield from (row for each in ordered if each.is_contact for row in self._tests(ehr_id, each))
            case Grain.SF:
                yield from (row for each in ordered if each.is_contact for row in self._heights(ehr_id, each))
            case Grain.EARLIER:
                yield from (row for each in ordered for row in self._earlier(ehr_id, each))

    # -- several documents in one row ------------------------------------------------------------

    def _woman(self, ehr_id: str, documents: list[Document]) -> Iterator[Cells]:
        if documents:
            pregnancies = {each.pregnancy_id for each in documents} - {None}
            yield [ehr_id, len(pregnancies), *_counted(documents), *self._merged(documents)]

    def _pregnancies(self, ehr_id: str, documents: list[Document]) -> Iterator[Cells]:
        of_one = [each for each in documents if each.pregnancy_id is not None]
        begun = dict.fromkeys(each.pregnancy_id for each in of_one)
        for pregnancy_id in begun:
            mine = [each for each in of_one if each.pregnancy_id == pregnancy_id]
            yield [ehr_id, pregnancy_id, *_counted(mine), *self._merged(mine)]

    def _merged(self, documents: Sequence[Document]) -> Iterator[Any]:
        for column in self.fields:
            found = [each for document in documents for each in self._cells(column, document)]
            yield _picked(column, found)

    # -- rows of one document ---------------------------------------------------------------------

    def _contact(self, ehr_id: str, document: Document) -> Cells:
        context = (
            instant(document.start),
            document.template_id,
            document.at("context", "health_care_facility", "name"),
            document.at("composer", "name"),
            document.at("context", "participations", 0, "function", "defining_code", "code_string"),
        )
        return [*_of_contact(ehr_id, document), *context, *self._merged((document,))]

    def _fetuses(self, ehr_id: str, document: Document) -> Iterator[Cells]:
        ours = _fields_of(self.fields)
        instances = {value.instance for name in ours for value in document.values.get(name, ())}
        for instance in sorted(instances):
            cells = [
                _picked(column, list(self._cells(column, document, instance=instance)))
                for column in self.fields
            ]
            yield [*_of_contact(ehr_id, document), instance, *cells]

    def _tests(self, ehr_id: str, document: Document) -> Iterator[Cells]:
        for result in self.results:
            assert result.field is not None  # results are fields
            found = [each for name in result.field.fields for each in document.values.get(name, ())]
            # Where fields share a node, as haemoglobin early and late do, the value counts once.
            for value in {each.path: each for each in found}.values():
                beside = [
                    _picked(column, list(self._cells(column, document, entry=_entry(value))))
                    for column in self.fields
                ]
                yield [*_of_contact(ehr_id, document), result.name, *self._result(result, value), *beside]

    def _result(self, column: CardColumn, value: FieldValue) -> Cells:
        """Number, unit, code and the text of the code."""
        found = self._held(column, value)
        if found is None or column.unit:
            return [found, column.unit or None, None, None]
        return [None, None, found, next((code.en for code in column.codes if code.value == found), None)]

    def _heights(self, ehr_id: str, document: Document) -> Iterator[Cells]:
        for value in document.values.get(HEIGHT, ()):
            time = document.at(*_event(value), "time", "value")
            measured = calendar_date(time) or calendar_date(document.start)
            yield [*_of_contact(ehr_id, document), measured, *self._merged((document,))]

    def _earlier(self, ehr_id: str, document: Document) -> Iterator[Cells]:
        ours = _fields_of(self.fields)
        entries = (_entry(value) for name in ours for value in document.values.get(name, ()))
        for entry in sorted(set(entries)):
            cells = [
                _picked(column, list(self._cells(column, document, entry=entry))) for column in self.fields
            ]
            yield [ehr_id, document.contact_id, *cells]

    # -- cells ------------------------------------------------------------------------------------

    def _cells(
        self, column: CardColumn, document: Document, *, instance: int | None = None, entry: str | None = None
    ) -> Iterator[Any]:
        """The cells that a document has for a column; of one instance or entry only."""
        spec = column.field
        assert spec is not None  # columns of fields only
        for name in spec.fields:
            for value in document.values.get(name, ()):
                if value.node.path not in column.paths or instance not in (None, value.instance):
                    continue
                if entry is not None and _entry(value) != entry:
                    continue
                if spec.beside is None or _stands_beside(value, spec.beside, document):
                    held = self._held(column, value)
                    if held is not None:
                        yield held

    def _held(self, column: CardColumn, value: FieldValue) -> Any:
        found = cell(column, value.value)
        if found is NO_PLACE:
            self.left_out[column.name] += 1
            return None
        return found


def _fields_of(columns: Iterable[CardColumn]) -> frozenset[str]:
    """The fields of the card that columns show."""
    return frozenset(name for column in columns if column.field for name in column.field.fields)


def _of_contact(ehr_id: str, document: Document) -> Cells:
    return [ehr_id, document.pregnancy_id, document.contact_id, calendar_date(document.start)]


def _counted(documents: Sequence[Document]) -> Cells:
    """How many contacts, and the dates of the first and the last."""
    dates = [date for each in documents if each.is_contact and (date := calendar_date(each.start))]
    contacts = sum(each.is_contact for each in documents)
    return [contacts, min(dates, default=None), max(dates, default=None)]


def _picked(column: CardColumn, found: list[Any]) -> Any:
    if not found:
        return None
    match column.field.pick if column.field else Pick.LAST:
        case Pick.FIRST:
            return found[0]
        case Pick.ALL:
            return "; ".join(dict.fromkeys(map(str, found)))
        case _:
            return found[-1]


def _stands_beside(value: FieldValue, beside: tuple[str, str], document: Document) -> bool:
    name, wanted = beside
    here = value.path.rpartition("/items[")[0]
    return any(
        each.text == wanted and each.path.rpartition("/items[")[0] == here
        for each in document.values.get(name, ())
    )


def _entry(value: FieldValue) -> str:
    """The path of the entry that holds the value."""
    return value.path.partition("/data")[0]


def _event(value: FieldValue) -> list[str | int]:
    """The steps to the event that holds the value."""
    steps: list[str | int] = []
    for part in value.path.split("/")[1:]:
        name, _, index = part.partition("[")
        steps += [name, int(index[:-1])] if index else [name]
        if name == "events":
            break
    return steps


def _at(value: Any, steps: Iterable[str | int]) -> Any:
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
