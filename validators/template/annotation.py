"""Annotations of a template: where they stand, and which fields of the card they name."""

from __future__ import annotations

from collections.abc import Iterator

from archetypes.findings import Finding
from templates.fields import CERTAINTY, FIELD, field_nodes
from validators.archetype.subject import finding
from validators.template.subject import TemplateSubject, without_names

CERTAINTIES = frozenset("ABCK")


def check_annotation_paths(subject: TemplateSubject) -> Iterator[Finding]:
    """An annotation stands at a node of the template (OPT 1.4, RESOURCE_ANNOTATION; AOM 2, VRANP).

    Names in its path may be those that the editor showed; only the node ids decide.
    """
    for path, notes in subject.opt.annotations.items():
        if path not in subject.node_paths and without_names(path) not in subject.unnamed_paths:
            yield finding("template.annotation_path", path, found=", ".join(sorted(notes)))


def check_fields_once(subject: TemplateSubject) -> Iterator[Finding]:
    """A field of the card is not annotated twice at one node, nor again below it (docs/modelling.md).

    Several nodes beside each other may share a field: they hold its parts or its repetitions.
    """
    for path, notes in subject.opt.annotations.items():
        fields = notes.get(FIELD, "").split()
        for field in dict.fromkeys(fields):
            if fields.count(field) > 1:
                yield finding("template.field_twice", path, expected=path, found=field)
    for field, nodes in field_nodes(subject.opt).items():
        paths = list(dict.fromkeys(node.path for node in nodes))
        for path in paths:
            above = next((other for other in paths if path.startswith(f"{other}/")), None)
            if above is not None:
                yield finding("template.field_twice", path, expected=above, found=field)


def check_certainties(subject: TemplateSubject) -> Iterator[Finding]:
    """A field states how certain it is: A, B, C or K (docs/modelling.md, "Adding a field")."""
    for path, notes in subject.opt.annotations.items():
        letters = notes.get(CERTAINTY, "").split()
        if FIELD in notes and (not letters or not set(letters) <= CERTAINTIES):
            yield finding("template.certainty", path, expected="A, B, C, K", found=" ".join(letters))
