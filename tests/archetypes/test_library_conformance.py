"""Our editions of public archetypes keep their promise: what they allow, the originals allow."""

from __future__ import annotations

from functools import cache

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.adl.printer import print_adl
from archetypes.aom.archetype import Archetype
from archetypes.aom.conformance import conformance_findings
from archetypes.errors import UnknownArchetype
from archetypes.repository import ArchetypeRepository, library
from tests.shared_data import SHARED, needs_shared

PUBLIC = SHARED / "testdata" / "archetypes" / "adl14"


@cache
def _libraries() -> tuple[ArchetypeRepository, ...]:
    return tuple(ArchetypeRepository.from_folder(PUBLIC / name) for name in ("int", "no-library"))


def _originals(archetype_id: str) -> list[Archetype]:
    found = []
    for public in _libraries():
        try:
            found.append(public.get(archetype_id))
        except UnknownArchetype:
            continue
    return found


def _editions() -> list[str]:
    """The ids of those that say which public archetype they are an edition of."""
    own = library()
    return [each for each in own.ids() if "based_on" in own.get(each).description.get("other_details", {})]


def test_most_of_the_library_are_editions_of_public_archetypes() -> None:
    assert len(_editions()) == 74


@needs_shared
@pytest.mark.parametrize("archetype_id", _editions())
def test_an_edition_conforms_to_one_of_the_published_ones(archetype_id: str) -> None:
    edition = library().get(archetype_id)
    originals = _originals(archetype_id)
    assert originals, "no public archetype of this id"
    assert min((conformance_findings(edition, original) for original in originals), key=len) == []


@pytest.mark.parametrize("archetype_id", library().ids())
def test_every_archetype_reads_back_as_it_was_printed(archetype_id: str) -> None:
    archetype = library().get(archetype_id)
    assert parse_adl(print_adl(archetype)) == archetype
