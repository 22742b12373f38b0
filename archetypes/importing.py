"""Import of a public library of archetypes: what can be read of it, and a report on the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype, ArchetypeId
from archetypes.errors import AdlSyntaxError, HelsekortError
from archetypes.findings import Finding, Severity, SourceSpan
from archetypes.library_files import LibraryFile, fault, library_files
from archetypes.repository import SUFFIXES as SUFFIXES
from archetypes.time_limit import time_limit


@dataclass(frozen=True, slots=True)
class Imported:
    """An archetype that was read; ``target`` is where our library keeps it, ``content`` its file."""

    archetype: Archetype
    name: str
    target: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import would bring, and what stands in its way."""

    imported: tuple[Imported, ...]
    findings: tuple[Finding, ...]
    files: int


def read_library(source: Path) -> ImportReport:
    """Read all archetypes of a folder or zip file; writes nothing.

    Codes besides those of ``library_files``: ``import.encoding``, ``import.duplicate_id``,
    ``import.file_name`` (a warning), ``archetype.id``, ``adl.syntax``, ``file.time_limit``.
    """
    found = list(library_files(source, SUFFIXES))
    files = [each for each in found if isinstance(each, LibraryFile)]
    findings = [each for each in found if isinstance(each, Finding)]
    read: list[Imported] = []
    for file in files:
        result = _read(file)
        if isinstance(result, Finding):
            findings.append(result)
        else:
            read.append(result)
    unique = list(_unique(read, findings))
    return ImportReport(tuple(unique), tuple(findings), len(found))


def read_archetype(content: bytes, name: str) -> Archetype:
    """Decode and parse one file within its time.

    Raises AdlSyntaxError, TimeLimitExceeded; a text that is not UTF-8 is an AdlSyntaxError at its line.
    """
    text = _decoded(content, name)
    with time_limit(len(content)):
        return parse_adl(text, name)


def error_finding(error: HelsekortError, name: str) -> Finding:
    """An error of reading as a finding with its place."""
    if not isinstance(error, AdlSyntaxError):
        return fault(error.code, name, found=str(error))
    span = SourceSpan(name, error.line, error.column)
    return Finding(
        NotUtf8.code if isinstance(error, NotUtf8) else error.code, "", found=error.message, span=span
    )


class NotUtf8(AdlSyntaxError):
    """Bytes that are no UTF-8 text."""

    code = "import.encoding"


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        message = f"not UTF-8: byte {content[error.start]:#04x}"
        raise NotUtf8(message, source=name, line=line, column=column, excerpt="") from error


def _read(file: LibraryFile) -> Imported | Finding:
    try:
        archetype = read_archetype(file.content, file.name)
        identity = ArchetypeId.parse(archetype.archetype_id.rpartition("::")[2])
    except HelsekortError as error:
        return error_finding(error, file.name)
    except RecursionError:
        return fault("adl.syntax", file.name, found="nested too deeply")
    except ValueError as error:
        return fault("archetype.id", file.name, found=str(error))
    suffix = f".{file.name.rpartition('.')[2].lower()}"
    target = f"{identity.rm_class.lower()}/{identity}{suffix}"
    return Imported(archetype, file.name, target, file.content)


def _unique(read: Iterable[Imported], findings: list[Finding]) -> Iterator[Imported]:
    """One file for each id; a second one with the same bytes is left out, with others a fault."""
    known: dict[str, Imported] = {}
    for each in read:
        first = known.setdefault(each.target, each)
        if first is not each:
            same = first.content == each.content
            findings.append(_duplicate(each, first, Severity.WARNING if same else Severity.ERROR))
            continue
        stem = each.name.rpartition("/")[2].rpartition(".")[0]
        if stem != each.archetype.archetype_id:
            span = SourceSpan(each.name, 1, 1)
            findings.append(
                Finding(
                    "import.file_name", "", each.archetype.archetype_id, stem, "", Severity.WARNING, span=span
                )
            )
        yield each


def _duplicate(second: Imported, first: Imported, severity: Severity) -> Finding:
    span = SourceSpan(second.name, 1, 1)
    return Finding(
        "import.duplicate_id", "", first.name, second.archetype.archetype_id, severity=severity, span=span
    )
