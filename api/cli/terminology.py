"""``helsekort terminology``: load releases of code lists, see what they change, settle what is queued."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from api.cli.database_access import (
    DatabaseOption,
    DataOption,
    ModeOption,
    command_line_actor,
    database_settings,
    progress_bar,
)
from api.cli.report import FAULTY, JsonOption, LanguageOption, output, print_json
from api.cli.terminology_report import impact_json, print_checks, print_impact, print_lists
from api.cli.words import Language, say
from archetypes.errors import HelsekortError
from cdr.code_checks import list_code_checks, recheck_codes
from cdr.code_list_impact import CodeListImpact, code_list_impact
from cdr.code_lists import get_code_list, import_code_list, list_code_lists
from cdr.context import Ctx
from cdr.platform import open_platform
from cdr.terminology import Release, ValueSetRelease, canonical, read_code_list, read_code_system_csv

Answer = TypeVar("Answer")

terminology_commands = typer.Typer(
    help="Code systems and value sets: load releases, see what they change, check what is queued.",
    epilog="Exit status: 0 fine, 1 something is wrong with a list or with data, 2 used wrongly.",
    no_args_is_help=True,
)

Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        help="Releases: FHIR R4 CodeSystem or ValueSet (.json), or a code list (.csv); a folder stands for "
        "its files.",
        metavar="FILE...",
    ),
]
UrlOption = Annotated[
    str | None, typer.Option(help="Of a .csv: the list's URI, such as urn:oid:2.16.578.1.12.4.1.1.8534.")
]
VersionOption = Annotated[str | None, typer.Option(help="Of a .csv: the version of the release.")]
FromOption = Annotated[
    datetime | None,
    typer.Option("--valid-from", formats=["%Y-%m-%d"], help="Of a .csv: the first day it is valid."),
]
ProvisionalOption = Annotated[
    bool, typer.Option("--provisional", help="Of a .csv: this is not the real list yet.")
]
NoCountOption = Annotated[
    bool, typer.Option("--no-count", help="Do not read stored data to count retired codes.")
]
AllVersionsOption = Annotated[
    bool, typer.Option("--all-versions", help="Count versions that were replaced, too.")
]


@terminology_commands.command("import")
def import_releases(
    files: Files,
    url: UrlOption = None,
    version: VersionOption = None,
    valid_from: FromOption = None,
    provisional: ProvisionalOption = False,
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    no_count: NoCountOption = False,
    all_versions: AllVersionsOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Load releases of code lists; a running server uses them within seconds.

    Shows what each changes against the one before it in time, which templates are bound to it, and how many
    stored values use each code that it retires. All files are read before any is stored.
    """
    releases = _releases(files, url, version, valid_from, provisional)

    async def run(ctx: Ctx) -> list[tuple[CodeListImpact, bool]]:
        done = []
        for release in releases:
            found = await _impact(ctx, release, not no_count, all_versions, as_json, language)
            done.append((found, await import_code_list(ctx, release)))
        return done

    results = _with_database(run, mongodb_uri=mongodb_uri, data=data, mode=mode)
    if as_json:
        print_json([impact_json(found) | {"imported": new} for found, new in results])
        return
    for found, new in results:
        print_impact(found, language)
        output().print(say("list_imported" if new else "list_known", language, name=found.release))


@terminology_commands.command("impact")
def release_impact(
    files: Files,
    url: UrlOption = None,
    version: VersionOption = None,
    valid_from: FromOption = None,
    provisional: ProvisionalOption = False,
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    no_count: NoCountOption = False,
    all_versions: AllVersionsOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Tell what importing releases would change; nothing is stored.

    Exit status 1 if stored data use a code that a release retires.
    """
    releases = _releases(files, url, version, valid_from, provisional)

    async def run(ctx: Ctx) -> list[CodeListImpact]:
        return [
            await _impact(ctx, release, not no_count, all_versions, as_json, language) for release in releases
        ]

    results = _with_database(run, mongodb_uri=mongodb_uri, data=data, mode=mode)
    if as_json:
        print_json([impact_json(found) for found in results])
    else:
        for found in results:
            print_impact(found, language)
    if any(found.retired for found in results):
        raise typer.Exit(FAULTY)


@terminology_commands.command("list")
def list_releases(
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """List the loaded releases, and the lists that are provisional until the real ones are loaded."""
    lists = _with_database(list_code_lists, mongodb_uri=mongodb_uri, data=data, mode=mode)
    if as_json:
        print_json(asdict(lists))
    else:
        print_lists(lists, language)


@terminology_commands.command("show")
def show_release(
    url: Annotated[str, typer.Argument(help="URI of the list, or URI|version.", metavar="URI")],
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The release that is valid on that day; without it today."),
    ] = None,
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, as import reads it.")] = False,
) -> None:
    """Show the codes of a release."""
    name, _, version = url.partition("|")

    async def run(ctx: Ctx) -> Release:
        return await get_code_list(
            ctx, name, version=version or None, day=day.date() if day is not None else None
        )

    release = _with_database(run, mongodb_uri=mongodb_uri, data=data, mode=mode)
    if isinstance(release, ValueSetRelease):
        _show(
            ("system", "code"), [list(pair) for pair in sorted(release.codings)], canonical(release), as_csv
        )
        return
    rows = [
        [c.code, c.display, c.parent, "yes" if c.retired else "", c.successor]
        for c in release.concepts.values()
    ]
    mark = " (provisional)" if release.provisional else ""
    columns = ("code", "display", "parent", "retired", "successor")
    _show(columns, rows, f"{canonical(release)}{mark}", as_csv)


@terminology_commands.command("recheck")
def recheck(
    only_list: Annotated[
        bool, typer.Option("--list", help="Only show what waits and what was wrong; ask nobody.")
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(help="Terminology server (default: HELSEKORT_TERMINOLOGY_SERVER).", metavar="URL"),
    ] = None,
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Ask again about codes that were accepted while the terminology server was silent.

    A running server does so by itself. What is wrong stays in the list until its composition is put right.
    Exit status 1 if something is wrong or still waits.
    """

    async def run(ctx: Ctx) -> dict[str, Any]:
        if only_list:
            return {"checks": await list_code_checks(ctx)}
        with progress_bar(say("checking", language), silent=as_json) as progress:
            done = await recheck_codes(ctx, progress=progress)
        counts = {"confirmed": done.confirmed, "gone": done.gone}
        return counts | {"checks": await list_code_checks(ctx)}

    found = _with_database(run, mongodb_uri=mongodb_uri, data=data, mode=mode, terminology_server=server)
    print_checks(found, language, as_json=as_json)
    if found["checks"]:
        raise typer.Exit(FAULTY)


def _show(columns: tuple[str, ...], rows: list[list[str]], title: str, as_csv: bool) -> None:
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows(rows)
        return
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    output().print(table)


def _with_database(use_case: Callable[[Ctx], Awaitable[Answer]], **options: Any) -> Answer:
    """What a use case answers about the database that the options or the environment name."""

    async def run() -> Answer:
        async with open_platform(database_settings(**options)) as platform:
            return await use_case(platform.context(command_line_actor(), basis="care of code lists"))

    return asyncio.run(run())


async def _impact(
    ctx: Ctx, release: Release, count: bool, all_versions: bool, silent: bool, language: Language
) -> CodeListImpact:
    with progress_bar(say("counting", language, name=canonical(release)), silent=silent) as progress:
        return await code_list_impact(ctx, release, all_versions=all_versions, count=count, progress=progress)


def _releases(
    files: list[Path], url: str | None, version: str | None, valid_from: datetime | None, provisional: bool
) -> list[Release]:
    """All releases, those of a list in the order of their validity. Raises typer.BadParameter."""
    found: list[Release] = []
    for path in (each for given in files for each in _members(given)):
        try:
            if path.suffix == ".csv":
                if not (url and version and valid_from):
                    raise typer.BadParameter(f"{path}: a .csv needs --url, --version and --valid-from")
                found.append(
                    read_code_system_csv(
                        path.read_text(encoding="utf-8-sig"),
                        system=url,
                        version=version,
                        valid_from=valid_from.date(),
                        provisional=provisional,
                    )
                )
            else:
                found.append(read_code_list(path.read_bytes()))
        except (HelsekortError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{path}: {error}") from error
    return sorted(found, key=lambda release: release.valid_from)


def _members(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob("*") if each.suffix in (".json", ".csv"))
