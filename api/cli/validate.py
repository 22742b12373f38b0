"""``helsekort validate``: the findings that the server would answer with, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.cli.template import library_template
from archetypes.findings import Finding, Severity
from archetypes.rm.canonical_json import read_canonical
from cdr.versions import JsonObject, text_at
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from validators.composition import validate_composition
from validators.messages import finding_text

console = Console(highlight=False, soft_wrap=True)

JsonFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A composition as canonical JSON.", metavar="FILE")
]


def validate(
    file: JsonFile,
    template: Annotated[str | None, typer.Option(help="Id of a template of our library.")] = None,
    opt: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Operational template to check against (OPT 1.4)."),
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the texts: nb or en.")] = "en",
    incomplete: Annotated[bool, typer.Option(help="Check a draft: what is missing is no fault.")] = False,
) -> None:
    """Check a composition against a template and print every finding.

    Without --template and --opt it is the library's template that the composition names. Exit status 1 when
    there is an error among the findings.
    """
    if template and opt:
        raise typer.BadParameter("give --template or --opt, not both")
    composition = read_canonical(file.read_bytes())
    operational = read_opt(opt.read_bytes()) if opt else library_template(template or _named_in(composition))
    findings = validate_composition(operational, composition, complete=not incomplete)
    for finding in findings:
        _print_finding(finding, language)
    _print_summary(operational, findings)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


def _named_in(composition: JsonObject) -> str:
    template_id = text_at(composition, "archetype_details", "template_id", "value")
    if template_id is None:
        raise typer.BadParameter("the composition names no template; give --template or --opt")
    return template_id


def _print_finding(finding: Finding, language: str) -> None:
    console.print(
        f"{finding.severity} {finding.code}", style="red" if finding.severity == "error" else "yellow"
    )
    console.print(f"  at       {finding.path or '/'}", markup=False)
    for label, value in (("expected", finding.expected), ("found", finding.found)):
        if value:
            console.print(f"  {label:8} {value}", markup=False)
    console.print(f"  {finding_text(finding, language)}", markup=False)


def _print_summary(operational: OperationalTemplate, findings: list[Finding]) -> None:
    verdict = f"{len(findings)} findings" if findings else "no findings"
    console.print(f"{operational.template_id}: {verdict}", markup=False)
