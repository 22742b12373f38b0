"""Templates in templates: how the sources are found that items name, and where each part ends up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from archetypes.errors import MalformedPath
from archetypes.paths import PathSegment, RmPath
from templates.source import Item, Template

# A source by its id or name; None if it is not known.
Lookup = Callable[[str], Template | None]

# More is no template that somebody wrote: each level may double the size.
MAX_NESTED = 1000
MAX_DEPTH = 20


def no_nested(name: str) -> Template | None:
    """The lookup that knows no template."""
    return None


def lookup_in(templates: Iterable[Template]) -> Lookup:
    """Finds templates by their id and by their name."""
    known: dict[str, Template] = {}
    for template in templates:
        known.update({template.id: template, template.name: template})
    return known.get


@dataclass(frozen=True, slots=True)
class Place:
    """An item and where its archetype stands; ``template`` is the source whose root it is, if it is one."""

    segments: tuple[PathSegment, ...]
    item: Item
    template: Template | None = None


def places(template: Template, nested: Lookup) -> Iterator[Place]:
    """Every item of a source and of those nested in it, without what is unknown, cyclic or has no path."""
    return _of_template(template, (), nested, ())


def _of_template(
    template: Template, above: tuple[PathSegment, ...], nested: Lookup, within: tuple[str, ...]
) -> Iterator[Place]:
    if template.name not in within and len(within) <= MAX_DEPTH:
        yield Place(above, template.definition, template)
        yield from _below(template.definition, above, nested, (*within, template.name))


def _below(
    item: Item, above: tuple[PathSegment, ...], nested: Lookup, within: tuple[str, ...]
) -> Iterator[Place]:
    for part in item.items:
        inner = nested(part.template_id) if part.template_id else None
        name = part.name or (inner.definition.name if inner else None)
        try:
            *slot, last = RmPath.parse(part.path).segments
        except (MalformedPath, ValueError):
            continue
        here = (*above, *slot, PathSegment(last.attribute, part.archetype_id, name))
        if inner is not None:
            yield from _of_template(inner, here, nested, within)
        yield Place(here, part)
        yield from _below(part, here, nested, within)
