"""``helsekort validate``: the findings that the server would answer with, without a server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from api.cli.template import library_template
from archetypes.errors import HelsekortError
from archetypes.findings import Severity
from archetypes.rm.canonical_json import read_canonical
from archetypes.rm.canonical_xml import read_canonical_xml
from cdr.versions import JsonObject, text_at
from templates.operational import OperationalTemplate
from templates.opt import read_opt
from templates.web_template import to_web_template
from validators.composition.report import MAX_FINDINGS
from validators.document import validate_document
from validators.form_places import FormPlaces
from validators.shown import JsonFinding, shown

console = Console(highlight=False, soft_wrap=True)
progress_console = Console(stderr=True)

FEW = 8  # files that are not worth the start of other processes

JsonFiles = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        help="Compositions as canonical JSON or XML; a folder stands for its files.",
        metavar="FILE...",
    ),
]


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: its findings as they are shown, or why it could not be read."""

    file: str
    template_id: str = ""
    findings: tuple[JsonFinding, ...] = ()
    unreadable: str = ""

    @property
    def is_valid(self) -> bool:
        """True if the server would store it."""
        return not self.unreadable and all(f["severity"] != Severity.ERROR for f in self.findings)


@dataclass(frozen=True, slots=True)
class How:
    """What holds for all files of a run."""

    template: str | None
    opt: Path | None
    language: str
    complete: bool
    limit: int


def validate(
    files: JsonFiles,
    template: Annotated[str | None, typer.Option(help="Id of a template of our library.")] = None,
    opt: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Operational template to check against (OPT 1.4)."),
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the texts: nb or en.")] = "en",
    incomplete: Annotated[bool, typer.Option(help="Check drafts: what is missing is no fault.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most findings of one file.")] = MAX_FINDINGS,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 takes one for each core.")] = 0,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Check compositions against their templates and print every finding.

    Without --template and --opt it is the library's template that each composition names. Exit status 1 when
    there is an error among the findings, or a file that cannot be read.
    """
    if template and opt:
        raise typer.BadParameter("give --template or --opt, not both")
    how = How(template, opt, language, not incomplete, limit)
    paths = _all_files(files)
    if len(paths) == 1 and not json_lines:
        checked = [_judged(paths[0], how)]
    else:
        checked = _with_progress(paths, _check_all(paths, how, jobs or os.cpu_count() or 1))
    for one in checked:
        _print_json(one) if json_lines else _print(one, many=len(paths) > 1)
    if len(paths) > 1 and not json_lines:
        _print_summary(checked)
    if not all(one.is_valid for one in checked):
        raise typer.Exit(1)


def check_file(path: Path, how: How) -> Checked:
    """The findings of one file of many; one that is no composition is said to be so."""
    try:
        return _judged(path, how)
    except HelsekortError as error:
        return Checked(str(path), unreadable=f"{error.code}: {error}")
    except typer.BadParameter as error:
        return Checked(str(path), unreadable=error.message)


def _judged(path: Path, how: How) -> Checked:
    composition = _read(path)
    operational = _template(how, composition)
    findings = validate_document(operational, composition, complete=how.complete, limit=how.limit)
    as_shown = tuple(shown(finding, how.language, places=_places(operational)) for finding in findings)
    return Checked(str(path), operational.template_id, as_shown)


def _all_files(given: Sequence[Path]) -> list[Path]:
    """The files, each once; of folders those that end in .json or .xml."""
    found: dict[Path, None] = {}
    for path in given:
        members = sorted(path.rglob("*")) if path.is_dir() else [path]
        wanted = (m for m in members if not path.is_dir() or m.suffix in (".json", ".xml"))
        found |= dict.fromkeys(member for member in wanted if member.is_file())
    return list(found)


def _check_all(paths: Sequence[Path], how: How, jobs: int) -> Iterator[Checked]:
    """The results in the order of the files, from as many processes as are worth it."""
    if len(paths) <= FEW or jobs == 1:
        yield from (check_file(path, how) for path in paths)
        return
    with ProcessPoolExecutor(min(jobs, len(paths)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(check_file, how=how), paths, chunksize=max(1, len(paths) // (jobs * 8)))


def _with_progress(paths: Sequence[Path], results: Iterator[Checked]) -> list[Checked]:
    checked = []
    with Progress(console=progress_console, transient=True) as progress:
        task = progress.add_task("validate", total=len(paths))
        for one in results:
            checked.append(one)
            progress.advance(task)
    return checked


def _read(path: Path) -> JsonObject:
    data = path.read_bytes()
    if path.suffix == ".xml":
        return read_canonical_xml(data, "COMPOSITION")
    return read_canonical(data)


_TEMPLATES: dict[Path, OperationalTemplate] = {}


def _template(how: How, composition: JsonObject) -> OperationalTemplate:
    if how.opt is None:
        return library_template(how.template or _named_in(composition))
    # A process reads the template of its run once.
    if how.opt not in _TEMPLATES:
        _TEMPLATES[how.opt] = read_opt(how.opt.read_bytes())
    return _TEMPLATES[how.opt]


_PLACES: dict[str, FormPlaces] = {}


def _places(operational: OperationalTemplate) -> FormPlaces:
    """Where things stand in the form of a template; a process makes it once."""
    if operational.template_id not in _PLACES:
        _PLACES[operational.template_id] = FormPlaces(to_web_template(operational))
    return _PLACES[operational.template_id]


def _named_in(composition: JsonObject) -> str:
    template_id = text_at(composition, "archetype_details", "template_id", "value")
    if template_id is None:
        raise typer.BadParameter("the composition names no template; give --template or --opt")
    return template_id


def _print(checked: Checked, *, many: bool) -> None:
    if many and not checked.is_valid:
        console.print(f"{checked.file}:", style="bold", markup=False)
    if checked.unreadable:
        console.print(f"error {checked.unreadable}", style="red", markup=False)
        return
    for finding in checked.findings:
        _print_finding(finding)
    if not many:
        verdict = f"{len(checked.findings)} findings" if checked.findings else "no findings"
        console.print(f"{checked.template_id}: {verdict}", markup=False)


def _print_finding(finding: JsonFinding) -> None:
    colour = "red" if finding["severity"] == "error" else "yellow"
    console.print(f"{finding['severity']} {finding['code']}", style=colour)
    console.print(f"  {'at':8} {finding['path'] or '/'}", markup=False)
    for label, name in (("field", "label"), ("expected", "expected"), ("found", "found")):
        if finding[name]:
            console.print(f"  {label:8} {finding[name]}", markup=False)
    console.print(f"  {finding['message']}", markup=False)
    if finding["hint"]:
        console.print(f"  {finding['hint']}", markup=False, style="dim")


def _print_json(checked: Checked) -> None:
    line = {
        "file": checked.file,
        "valid": checked.is_valid,
        "templateId": checked.template_id,
        "unreadable": checked.unreadable,
        "findings": list(checked.findings),
    }
    typer.echo(orjson.dumps(line).decode())


def _print_summary(checked: Sequence[Checked]) -> None:
    valid = sum(one.is_valid for one in checked)
    unreadable = sum(bool(one.unreadable) for one in checked)
    errors = sum(f["severity"] == "error" for one in checked for f in one.findings)
    warnings = sum(f["severity"] == "warning" for one in checked for f in one.findings)
    console.print(
        f"{len(checked)} files: {valid} valid, {len(checked) - valid - unreadable} invalid, "
        f"{unreadable} unreadable; {errors} errors, {warnings} warnings",
        markup=False,
    )
