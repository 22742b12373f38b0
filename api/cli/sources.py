"""Archetypes and templates as users name them: by the id of our library, or by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from archetypes.aom.archetype import Archetype, ArtefactKind
from archetypes.errors import AdlSyntaxError, HelsekortError
from archetypes.findings import Finding
from archetypes.importing import error_finding, read_archetype
from archetypes.library_files import fault
from archetypes.repository import ArchetypeRepository, archetype_files, library
from archetypes.time_limit import time_limit
from templates.compile import compile_template
from templates.errors import TemplateError
from templates.nesting import Lookup, lookup_in
from templates.oet import read_oet
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.repository import library_sources, library_templates
from templates.source import Template

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        exists=True,
        file_okay=False,
        help="Folder with archetypes that count before those of our library.",
    ),
]

TemplateName = Annotated[
    str,
    typer.Argument(
        help="Id of a template of our library, such as helsekort_kontroll.v0, or an .oet or .opt file.",
        metavar="ID|FILE",
    ),
]

OUR_ARCHETYPES = Path(__file__).parents[2] / "archetypes" / "library"


def repository_with(folder: Path | None) -> ArchetypeRepository:
    """Our library, or one in which the archetypes of ``folder`` take precedence."""
    if folder is None:
        return library()
    return overlay(archetype_files(folder))


def overlay(files: dict[str, Path]) -> ArchetypeRepository:
    """Our library with other files for some ids, or for new ones."""
    return ArchetypeRepository(archetype_files(OUR_ARCHETYPES) | files)


def name_of(path: Path) -> str:
    """How a file is named in answers: from the working folder if it lies below, as code hosts want it."""
    here = Path.cwd()
    resolved = path.absolute()
    return resolved.relative_to(here).as_posix() if resolved.is_relative_to(here) else str(path)


def size_of(*names: str) -> int:
    """Bytes of the files among what users named: what may take how long depends on it."""
    return sum(Path(name).stat().st_size for name in names if Path(name).is_file())


def files_below(places: Iterable[Path], suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files themselves, and those of folders with one of the suffixes."""
    for place in places:
        if place.is_dir():
            yield from sorted(path for path in place.rglob("*") if path.suffix.lower() in suffixes)
        else:
            yield place


def findings_of(error: HelsekortError | RecursionError, name: str) -> list[Finding]:
    """An error as findings, each with its place."""
    if isinstance(error, TemplateError):
        return list(error.findings)
    if isinstance(error, RecursionError):
        return [fault("adl.syntax", name, found="nested too deeply")]
    return [error_finding(error, error.source if isinstance(error, AdlSyntaxError) else name)]


# --- archetypes ---------------------------------------------------------------------------------------


def archetype_of(text: str) -> Archetype:
    """An archetype by id or file. Raises AdlSyntaxError, TimeLimitExceeded, typer.BadParameter."""
    path = Path(text)
    if path.is_file():
        return read_archetype(path.read_bytes(), text)
    if text in library().ids():
        return library().get(text)
    raise typer.BadParameter(f"{text} is neither a file nor an archetype of the library (see archetype list)")


def flat_archetype_of(text: str, folder: Path | None = None) -> Archetype:
    """An archetype with all that it inherits; parents of ADL 2 lie beside the file or in ``folder``.

    Raises what archetype_of does, UnknownArchetype, CannotFlatten, MalformedPath.
    """
    archetype = archetype_of(text)
    if not archetype.is_adl2:
        return archetype
    with time_limit(size_of(text)):
        return _beside(text, folder).flattened(archetype)


def operational_template_of(text: str, folder: Path | None = None) -> Archetype:
    """The operational template of a template of ADL 2. Raises what flat_archetype_of does."""
    archetype = archetype_of(text)
    if archetype.kind is not ArtefactKind.TEMPLATE:
        raise typer.BadParameter(f"{text} is not a template of ADL 2")
    with time_limit(size_of(text)):
        return _beside(text, folder).operational_template(archetype)


def _beside(text: str, folder: Path | None) -> ArchetypeRepository:
    return ArchetypeRepository.from_folder(folder or Path(text).parent)


# --- templates ----------------------------------------------------------------------------------------


def is_source(path: Path) -> bool:
    """Is it a template source (OET) rather than an operational template?"""
    return path.suffix.lower() == ".oet"


def source_of(path: Path) -> Template:
    """A template source. Raises UnreadableTemplate, TimeLimitExceeded."""
    content = path.read_bytes()
    with time_limit(len(content)):
        return read_oet(content, name_of(path))


def nested_beside(path: Path) -> Lookup:
    """Finds the templates that a source names among the files beside it, then in our library."""
    ours = lookup_in(library_sources().values())

    @cache
    def beside() -> Lookup:
        # Only a template that nests others has its neighbours read.
        return lookup_in(_readable(each for each in path.parent.glob("*.oet") if each != path))

    return lambda name: beside()(name) or ours(name)


def nested_among(folder: Path) -> Lookup:
    """Finds nested templates anywhere below a folder (not in a zip file), then in our library."""
    ours = lookup_in(library_sources().values())

    @cache
    def below() -> Lookup:
        return lookup_in(_readable(folder.rglob("*.oet") if folder.is_dir() else ()))

    return lambda name: below()(name) or ours(name)


def _readable(paths: Iterable[Path]) -> Iterator[Template]:
    """Those that can be read; the others are told of when they are looked at themselves."""
    for path in sorted(paths):
        with suppress(HelsekortError, OSError):
            yield source_of(path)


def template_of(text: str, repository: ArchetypeRepository) -> OperationalTemplate:
    """A template by id or file (.oet is compiled, anything else is read as OPT).

    Raises TemplateError, AdlSyntaxError, TimeLimitExceeded, typer.BadParameter.
    """
    path = Path(text)
    if path.is_file():
        if is_source(path):
            return compile_template(source_of(path), repository, nested_beside(path))
        content = path.read_bytes()
        with time_limit(len(content)):
            return read_opt(content, text)
    _known(text)
    if repository is library():
        return library_templates()[text]
    return compile_template(library_sources()[text], repository, lookup_in(library_sources().values()))


def template_source(text: str) -> Template:
    """The source of a template by id or file.

    Raises UnreadableTemplate, TimeLimitExceeded, typer.BadParameter: an operational template has none.
    """
    path = Path(text)
    if path.is_file():
        if not is_source(path):
            raise typer.BadParameter(f"{text} is no template source (.oet): what is compiled has lost it")
        return source_of(path)
    _known(text)
    return library_sources()[text]


def _known(text: str) -> None:
    if text not in library_sources():
        known = ", ".join(sorted(library_sources()))
        raise typer.BadParameter(f"{text} is neither a file nor a template of the library; known: {known}")
