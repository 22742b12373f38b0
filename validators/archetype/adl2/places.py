"""Which places of an ADL 2 archetype are its own."""

from __future__ import annotations

from collections.abc import Iterator

from validators.archetype.subject import Place, Subject


def own_places(subject: Subject) -> Iterator[Place]:
    """All places but those inside a reference to another archetype, whose codes are of that one."""
    inside = tuple(f"{each}/" for each in subject.paths_of_roots)
    return (place for place in subject.places if not (inside and place.path.startswith(inside)))
