"""``helsekort template compile``: template sources become operational templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.report import (
    Format,
    FormatOption,
    JsonOption,
    LanguageOption,
    end_with,
    output,
    report_findings,
)
from api.cli.sources import (
    LibraryOption,
    findings_of,
    is_source,
    name_of,
    nested_beside,
    repository_with,
    source_of,
)
from api.cli.template_lint import Places, template_paths
from archetypes.errors import HelsekortError
from archetypes.findings import Finding
from templates.compile import compile_template
from templates.operational import OperationalTemplate
from templates.opt import write_opt


def compile_templates(
    places: Places = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Folder for the OPT files; without it nothing is written."),
    ] = None,
    library: LibraryOption = None,
    form: FormatOption = Format.TEXT,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Compile template sources (.oet) with their archetypes to operational templates (OPT 1.4).

    Those that do not compile are reported, and nothing is written for them. Exit status 1 if there is one.
    """
    form = Format.JSON if as_json else form
    repository = repository_with(library)
    findings: list[Finding] = []
    paths = [path for path in template_paths(places or ()) if is_source(path)]
    for path in paths:
        try:
            compiled = compile_template(source_of(path), repository, nested_beside(path))
        except (HelsekortError, RecursionError) as error:
            findings.extend(findings_of(error, name_of(path)))
            continue
        _finish(compiled, path, to, silent=form is not Format.TEXT)
    report_findings(findings, len(paths), form, language)
    end_with(findings)


def _finish(compiled: OperationalTemplate, path: Path, to: Path | None, *, silent: bool) -> None:
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        (to / f"{path.stem}.opt").write_bytes(write_opt(compiled))
    if not silent:
        nodes = sum(1 for _ in compiled.nodes())
        output().print(
            f"{compiled.template_id}: {nodes} nodes, hash {compiled.content_hash[:12]}", markup=False
        )
