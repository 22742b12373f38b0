"""Import of public libraries: what is taken, and that hostile or broken sources are findings with a place."""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from pathlib import Path

import pytest

from archetypes.errors import AdlSyntaxError
from archetypes.findings import Severity
from archetypes.importing import ImportReport, read_archetype, read_library
from archetypes.library_files import MAX_FILES, LibraryFile, is_inside, library_files
from archetypes.time_limit import TimeLimitExceeded, time_limit
from tests.archetypes.adl_texts import adl

NAME = "openEHR-EHR-CLUSTER.test.v1.adl"
GOOD = adl("CLUSTER[at0000] matches {*}").encode()
OTHER = adl("CLUSTER[at0000] matches { items matches {*} }").encode()


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return path


def codes(report: ImportReport) -> list[str]:
    assert all(finding.span is not None for finding in report.findings)
    return [finding.code for finding in report.findings]


def test_a_folder_and_a_zip_bring_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "public" / "deep"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(GOOD)
    (folder / "readme.txt").write_text("not for us")
    packed = zipped(tmp_path / "public.zip", (f"deep/{NAME}", GOOD), ("readme.txt", b"not for us"))
    for report in (read_library(tmp_path / "public"), read_library(packed)):
        assert codes(report) == []
        assert [(each.name, each.target, each.content) for each in report.imported] == [
            (f"deep/{NAME}", f"cluster/{NAME}", GOOD)
        ]
        assert report.files == 1


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"archetype\n\xe6\xf8\xe5", "import.encoding", 2),
        (GOOD.decode().encode("utf-16"), "import.encoding", 1),
        (GOOD[: len(GOOD) // 2], "adl.syntax", None),
        (b"", "adl.syntax", 1),
        (b"\0" * 100, "adl.syntax", 1),
        (b"CLUSTER[" * 5000, "adl.syntax", 1),
        (GOOD.replace(b"matches {*}", b"matches { items matches { " * 5000), "adl.syntax", None),
    ],
)
def test_what_is_no_archetype_is_a_finding_with_its_line(
    tmp_path: Path, content: bytes, code: str, line: int | None
) -> None:
    (tmp_path / NAME).write_bytes(content)
    report = read_library(tmp_path)
    assert codes(report) == [code]
    assert report.imported == ()
    span = report.findings[0].span
    assert span is not None
    assert span.file == NAME
    assert line in (None, span.line)


def test_two_archetypes_with_one_id(tmp_path: Path) -> None:
    same = zipped(tmp_path / "same.zip", (f"a/{NAME}", GOOD), (f"b/{NAME}", GOOD))
    other = zipped(tmp_path / "other.zip", (f"a/{NAME}", GOOD), (f"b/{NAME}", OTHER))
    for source, severity in ((same, Severity.WARNING), (other, Severity.ERROR)):
        report = read_library(source)
        assert [(f.code, f.severity, f.expected) for f in report.findings] == [
            ("import.duplicate_id", severity, f"a/{NAME}")
        ]
        assert len(report.imported) == 1


def test_a_file_of_another_name_is_taken_with_a_warning(tmp_path: Path) -> None:
    report = read_library(zipped(tmp_path / "x.zip", ("whatever.adl", GOOD)))
    assert [(f.code, f.severity) for f in report.findings] == [("import.file_name", Severity.WARNING)]
    assert report.imported[0].target == f"cluster/{NAME}"


@pytest.mark.parametrize(
    "name", ["../x.adl", "/etc/x.adl", "a/../../x.adl", "C:/x.adl", "..\\x.adl", "a\\b.adl", ""]
)
def test_paths_that_lead_out(name: str) -> None:
    assert not is_inside(name)


@pytest.mark.parametrize("name", ["x.adl", "a/b/x.adl", "a b/ø.adl", "..a/x.adl"])
def test_paths_that_stay_inside(name: str) -> None:
    assert is_inside(name)


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_hostile_entries_are_findings_and_the_rest_is_read(tmp_path: Path) -> None:
    source = zipped(
        tmp_path / "evil.zip",
        ("../../escape.adl", GOOD),
        (link("link.adl"), b"/etc/passwd"),
        ("bomb.adl", b" " * 20_000_000),
        (NAME, GOOD),
    )
    report = read_library(source)
    assert sorted(codes(report)) == ["import.bad_path", "import.link", "import.zip_bomb"]
    assert [each.name for each in report.imported] == [NAME]


def test_a_zip_that_lies_about_sizes(tmp_path: Path) -> None:
    source = zipped(tmp_path / "lie.zip", (NAME, b" " * 5_000_000))
    raw = source.read_bytes()
    for place in (raw.index(b"PK\x01\x02") + 24, 22):  # the uncompressed size, in both headers
        raw = raw[:place] + (1000).to_bytes(4, "little") + raw[place + 4 :]
    source.write_bytes(raw)
    report = read_library(source)
    assert codes(report)[0] in ("import.zip_broken", "import.zip_bomb", "adl.syntax")
    assert report.imported == ()


@pytest.mark.parametrize("damage", [b"", b"PK", b"PK\x03\x04" + b"\0" * 50, os.urandom(300)])
def test_what_is_no_zip(tmp_path: Path, damage: bytes) -> None:
    source = tmp_path / "x.zip"
    source.write_bytes(damage)
    assert codes(read_library(source)) == ["import.zip_broken"]


def test_a_cut_or_damaged_zip(tmp_path: Path) -> None:
    raw = zipped(tmp_path / "whole.zip", (NAME, GOOD)).read_bytes()
    source = tmp_path / "x.zip"
    source.write_bytes(raw[: len(raw) // 2])
    assert codes(read_library(source)) == ["import.zip_broken"]
    source.write_bytes(raw[:80] + bytes(reversed(raw[80:120])) + raw[120:])
    assert codes(read_library(source)) == ["import.zip_broken"]


def test_an_encrypted_entry(tmp_path: Path) -> None:
    raw = bytearray(zipped(tmp_path / "x.zip", (NAME, GOOD)).read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(raw)
    assert codes(read_library(tmp_path / "x.zip")) == ["import.encrypted"]


def test_too_many_files(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(MAX_FILES + 1):
            archive.writestr(f"{number}.adl", b"")
    (tmp_path / "x.zip").write_bytes(buffer.getvalue())
    assert codes(read_library(tmp_path / "x.zip")) == ["import.too_many_files"]


def test_links_in_folders_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.adl"
    secret.write_bytes(GOOD)
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / NAME).symlink_to(secret)
    assert codes(read_library(tmp_path / "library")) == ["import.link"]


def test_nothing_there(tmp_path: Path) -> None:
    assert codes(read_library(tmp_path / "nothing")) == ["import.not_found"]
    (tmp_path / "empty").mkdir()
    assert read_library(tmp_path / "empty") == ImportReport((), (), 0)


def test_files_come_by_name_and_suffix(tmp_path: Path) -> None:
    for name in ("b.adl", "a.ADL", "c.oet"):
        (tmp_path / name).write_bytes(b"x")
    assert list(library_files(tmp_path, (".adl",))) == [
        LibraryFile("a.ADL", b"x"),
        LibraryFile("b.adl", b"x"),
    ]


def test_the_time_limit_ends_a_loop() -> None:
    started = time.process_time()
    with pytest.raises(TimeLimitExceeded), time_limit(10):
        while True:
            pass
    assert 0.5 < time.process_time() - started < 3
    with time_limit(10):
        pass


def test_bytes_that_are_no_text_say_where() -> None:
    with pytest.raises(AdlSyntaxError) as raised:
        read_archetype(b"archetype\n  \xff", "x.adl")
    assert (raised.value.line, raised.value.column) == (2, 3)
