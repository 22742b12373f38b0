"""``helsekort template lint``: everything that is wrong or doubtful about template files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from api.cli.report import (
    Format,
    FormatOption,
    JsonOption,
    LanguageOption,
    end_with,
    is_error,
    report_findings,
)
from api.cli.sources import (
    LibraryOption,
    files_below,
    findings_of,
    is_source,
    name_of,
    nested_beside,
    repository_with,
    source_of,
)
from archetypes.errors import HelsekortError
from archetypes.findings import Finding, SourceSpan
from archetypes.repository import ArchetypeRepository
from archetypes.time_limit import time_limit
from templates.compile import compile_template, template_findings
from templates.opt import read_opt
from validators.template import lint_template

SUFFIXES = (".oet", ".opt")

Places = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files (.oet, .opt), folders or ids; without any our whole library.", metavar="[PLACE]..."
    ),
]


def lint_templates(
    places: Places = None,
    library: LibraryOption = None,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Check templates: a source (.oet) is read and compiled, an operational template (.opt) is read.

    Exit status 1 if there is an error among the findings; warnings do not count.
    """
    repository = repository_with(library)
    paths = template_paths(places or ())
    findings = [finding for path in paths for finding in findings_about(path, repository)]
    report_findings(findings, len(paths), Format.JSON if as_json else form, language)
    end_with(findings)


def template_paths(places: Sequence[str]) -> list[Path]:
    """The files that the places name; without any, those of our library. Raises typer.BadParameter."""
    ours = Path(str(files("templates") / "library"))
    found = [_place(name, ours) for name in places] or [ours]
    return list(files_below(found, SUFFIXES))


def _place(name: str, ours: Path) -> Path:
    path = Path(name)
    if not path.exists():
        path = ours / f"{path.name}.oet"
    if not path.exists():
        known = ", ".join(sorted(each.stem for each in ours.glob("*.oet")))
        raise typer.BadParameter(
            f"{name} is neither a file or folder nor a template of the library; known: {known}"
        )
    return path


def findings_about(path: Path, repository: ArchetypeRepository) -> list[Finding]:
    """All findings about one file, each with a place in it."""
    name = name_of(path)
    try:
        findings = list(_source(path, repository) if is_source(path) else _operational(path, name))
    except (HelsekortError, RecursionError) as error:
        return findings_of(error, name)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
    return [each if each.span else replace(each, span=SourceSpan(name, 1, 1)) for each in findings]


def _source(path: Path, repository: ArchetypeRepository) -> Iterator[Finding]:
    """What the compiler says of a source, and of a sound one the rules of compiled templates."""
    source = source_of(path)
    nested = nested_beside(path)
    findings = template_findings(source, repository, nested)
    yield from findings
    if not any(map(is_error, findings)):
        yield from lint_template(compile_template(source, repository, nested), repository)


def _operational(path: Path, name: str) -> Iterator[Finding]:
    content = path.read_bytes()
    with time_limit(len(content)):
        opt = read_opt(content, name)
    yield from lint_template(opt)
