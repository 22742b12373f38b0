"""Archetypes come out of a folder by id; slots take whom their patterns name."""

from __future__ import annotations

from pathlib import Path

import pytest

from archetypes.aom.constraints import ArchetypeSlot
from archetypes.errors import AdlSyntaxError, UnknownArchetype
from archetypes.repository import ArchetypeRepository, admits, library
from tests.archetypes.adl_texts import adl

ID = "openEHR-EHR-CLUSTER.test.v1"
TEXT = adl("CLUSTER[at0000] matches {*}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / f"{ID}.adl").write_text(TEXT, encoding="utf-8")
    return tmp_path


def test_an_archetype_is_found_by_its_id_in_any_folder(folder: Path) -> None:
    repository = ArchetypeRepository.from_folder(folder)
    assert repository.ids() == (ID,)
    archetype = repository.get(ID)
    assert archetype.archetype_id == ID
    assert repository.get(ID) is archetype


def test_an_unknown_id_is_named(folder: Path) -> None:
    with pytest.raises(UnknownArchetype) as caught:
        ArchetypeRepository.from_folder(folder).get("openEHR-EHR-CLUSTER.other.v1")
    assert caught.value.archetype_id == "openEHR-EHR-CLUSTER.other.v1"


def test_files_are_read_when_asked_for(folder: Path) -> None:
    (folder / "openEHR-EHR-CLUSTER.broken.v1.adl").write_text("broken", encoding="utf-8")
    repository = ArchetypeRepository.from_folder(folder)
    assert len(repository.ids()) == 2
    with pytest.raises(AdlSyntaxError):
        repository.get("openEHR-EHR-CLUSTER.broken.v1")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("openEHR-EHR-CLUSTER.other.v1", TEXT.encode(), f"holds {ID}"),
        (ID, TEXT.encode() + b"\n-- \xe5", "not UTF-8"),
    ],
)
def test_files_that_cannot_be_trusted_are_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / f"{name}.adl").write_bytes(content)
    with pytest.raises(AdlSyntaxError, match=message):
        ArchetypeRepository.from_folder(tmp_path).get(name)


def test_the_library_comes_with_the_package() -> None:
    assert library().get("openEHR-EHR-OBSERVATION.blood_pressure.v2").concept == "at0000"


DEVICE = "openEHR-EHR-CLUSTER.device.v1"
SPECIAL = "openEHR-EHR-CLUSTER.device-pump.v1"
MEDIA = "openEHR-EHR-CLUSTER.media_file.v1"
DEVICE_PATTERN = r"openEHR-EHR-CLUSTER\.device\.v1"
FAMILY_PATTERN = r"openEHR-EHR-CLUSTER\.device(-[a-zA-Z0-9_]+)*\.v1"


@pytest.mark.parametrize(
    ("includes", "excludes", "admitted"),
    [
        ((), (), {DEVICE, SPECIAL, MEDIA}),
        ((".*",), (), {DEVICE, SPECIAL, MEDIA}),
        ((DEVICE_PATTERN,), (), {DEVICE}),
        ((DEVICE_PATTERN,), (".*",), {DEVICE}),
        ((FAMILY_PATTERN,), (".*",), {DEVICE, SPECIAL}),
        ((rf"{DEVICE_PATTERN}|openEHR-EHR-CLUSTER\.media_file\.v1",), (), {DEVICE, MEDIA}),
        ((DEVICE_PATTERN, r"openEHR-EHR-CLUSTER\.media_file\.v1"), (), {DEVICE, MEDIA}),
        ((), (".*",), set()),
        ((), (FAMILY_PATTERN,), {MEDIA}),
        ((".*",), (DEVICE_PATTERN,), {SPECIAL, MEDIA}),
        (("device",), (), set()),  # a pattern matches the whole id
        (("(",), (), set()),
    ],
)
def test_whom_a_slot_takes(includes: tuple[str, ...], excludes: tuple[str, ...], admitted: set[str]) -> None:
    slot = ArchetypeSlot(rm_type_name="CLUSTER", includes=includes, excludes=excludes)
    assert {each for each in (DEVICE, SPECIAL, MEDIA) if admits(slot, each)} == admitted


def test_an_id_of_absurd_length_costs_nothing() -> None:
    slot = ArchetypeSlot(rm_type_name="CLUSTER", includes=("(a+)+b",))
    assert not admits(slot, "a" * 100_000)
