"""The files of a public library, from a folder or a zip file that a stranger made.

Nothing is written, and nothing outside the source is read. What should not be there (a path that leads
out, a link, a file that grows without bounds) is a finding, and the other files are read all the same.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from archetypes.findings import Finding, SourceSpan

MAX_FILES = 20_000
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_TOTAL_BYTES = 512 * 1024 * 1024
MAX_RATIO = 200  # text files are packed to a tenth; a bomb to a thousandth
SMALL = 64 * 1024  # of short files the ratio says nothing


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """One file; ``name`` is its path inside the source, with slashes."""

    name: str
    content: bytes


def library_files(source: Path, suffixes: Sequence[str]) -> Iterator[LibraryFile | Finding]:
    """The files of ``source`` with one of the ``suffixes`` (``.adl``), by name; findings for what is no file.

    Codes: ``import.not_found``, ``import.zip_broken``, ``import.zip_bomb``, ``import.bad_path``,
    ``import.link``, ``import.encrypted``, ``import.too_large``, ``import.too_many_files``,
    ``import.unreadable``.
    """
    if source.is_dir():
        yield from _folder(source, suffixes)
    elif source.is_file():
        yield from _zip(source, suffixes)
    else:
        yield fault("import.not_found", str(source))


def fault(code: str, name: str, *, expected: str = "", found: str = "", line: int = 1) -> Finding:
    """A finding about a file of a library."""
    return Finding(code, "", expected, found, span=SourceSpan(name, line, 1))


# --- folders ------------------------------------------------------------------------------------------


def _folder(source: Path, suffixes: Sequence[str]) -> Iterator[LibraryFile | Finding]:
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in suffixes)
    if len(paths) > MAX_FILES:
        yield fault("import.too_many_files", source.name, expected=str(MAX_FILES), found=str(len(paths)))
        return
    for path in paths:
        yield _file(path, path.relative_to(source).as_posix())


def _file(path: Path, name: str) -> LibraryFile | Finding:
    if path.is_symlink():
        return fault("import.link", name)
    try:
        if not path.is_file():
            return fault("import.unreadable", name, found="no regular file")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            return fault("import.too_large", name, expected=str(MAX_FILE_BYTES), found=str(size))
        return LibraryFile(name, path.read_bytes())
    except OSError as error:
        return fault("import.unreadable", name, found=error.strerror or type(error).__name__)


# --- zip files ----------------------------------------------------------------------------------------


def _zip(source: Path, suffixes: Sequence[str]) -> Iterator[LibraryFile | Finding]:
    try:
        with zipfile.ZipFile(source) as archive:
            yield from _entries(archive, source.name, suffixes)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, zlib.error) as error:
        yield fault("import.zip_broken", source.name, found=str(error))


def _entries(
    archive: zipfile.ZipFile, source: str, suffixes: Sequence[str]
) -> Iterator[LibraryFile | Finding]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES:
        yield fault("import.too_many_files", source, expected=str(MAX_FILES), found=str(len(entries)))
        return
    total = 0
    for entry in sorted(entries, key=lambda each: each.filename):
        if PurePosixPath(entry.filename).suffix.lower() not in suffixes:
            continue
        found = _entry_fault(entry) or _unpacked(archive, entry)
        yield found
        if isinstance(found, LibraryFile):
            total += len(found.content)
        if total > MAX_TOTAL_BYTES:
            yield fault("import.zip_bomb", source, expected=f"{MAX_TOTAL_BYTES} bytes", found=f"{total}")
            return


def _entry_fault(entry: zipfile.ZipInfo) -> Finding | None:
    """What is wrong with an entry before it is unpacked."""
    name = entry.filename
    if not is_inside(name):
        return fault("import.bad_path", name)
    if stat.S_ISLNK(entry.external_attr >> 16):
        return fault("import.link", name)
    if entry.flag_bits & 1:
        return fault("import.encrypted", name)
    if entry.file_size > MAX_FILE_BYTES:
        return fault("import.too_large", name, expected=str(MAX_FILE_BYTES), found=str(entry.file_size))
    if entry.file_size > SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        ratio = entry.file_size // max(entry.compress_size, 1)
        return fault("import.zip_bomb", name, expected=f"{MAX_RATIO}:1", found=f"{ratio}:1")
    return None


def is_inside(name: str) -> bool:
    """True if a name in a zip file leads to a place below the folder that it is unpacked to."""
    path = PurePosixPath(name)
    return not (
        path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name or not name
    )


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> LibraryFile | Finding:
    """The content; what an entry says of its own size is not trusted."""
    try:
        with archive.open(entry) as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error) as error:
        return fault("import.zip_broken", entry.filename, found=str(error))
    if len(content) > MAX_FILE_BYTES:
        return fault("import.zip_bomb", entry.filename, expected=str(MAX_FILE_BYTES), found="more")
    return LibraryFile(entry.filename, content)
