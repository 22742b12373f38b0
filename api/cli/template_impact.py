"""``helsekort template impact``: which stored compositions and queries a changed template would break."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from api.cli.database_access import (
    DatabaseOption,
    DataOption,
    ModeOption,
    command_line_actor,
    database_settings,
    progress_bar,
)
from api.cli.report import FAULTY, JsonOption, LanguageOption, output, print_json, summary
from api.cli.sources import LibraryOption, repository_with, template_of
from api.cli.words import Language, say
from archetypes.changes import Change, overall_level
from cdr.context import Ctx
from cdr.impact import CompositionImpact, NamedQuery, QueryImpact, composition_impact, query_impact
from cdr.platform import open_platform
from cdr.settings import Settings
from cdr.stored_queries import list_queries
from templates.changes import classify_template_change
from templates.operational import OperationalTemplate
from templates.opt import read_opt

SHOWN = 50  # compositions in the text form; --json has all that are listed


def template_impact(
    new: Annotated[str, typer.Argument(help="The changed template: an .oet or .opt file.", metavar="FILE")],
    old: Annotated[
        str | None,
        typer.Option(
            help="What it is compared with: an id or file. "
            "Without it the template of the same id, as the database has it published, else of our library."
        ),
    ] = None,
    mongodb_uri: DatabaseOption = None,
    data: DataOption = None,
    mode: ModeOption = None,
    queries: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="Stored queries: an .aql file or a folder of them; more than once."),
    ] = None,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Also versions that were replaced.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = "en",
) -> None:
    """Tell what would break if a changed template were published; nothing is changed.

    With --mongodb-uri or --data the compositions and stored queries of a database are checked, with --queries
    those of files. Exit status 1 if a composition would no longer validate or a query would lose a path. The
    list names records: treat it as you treat them.
    """
    changed = template_of(new, repository_with(library))
    before = template_of(old, repository_with(None)) if old else None
    compositions = None
    asked = list(_named_queries(queries or []))
    if mongodb_uri or data:
        settings = database_settings(mongodb_uri=mongodb_uri, data=data, mode=mode)
        found = asyncio.run(_ask(settings, before, changed, all_versions, as_json, language))
        before, compositions = found.old, found.compositions
        asked.extend(found.queries)
    before = before or template_of(changed.template_id, repository_with(None))
    lost = query_impact(asked, before, changed)
    changes = classify_template_change(before, changed)
    if as_json:
        print_json(_as_json(changes, compositions, len(asked), lost))
    else:
        _print(changes, compositions, len(asked), lost, language)
    if lost or (compositions is not None and compositions.broken):
        raise typer.Exit(FAULTY)


def _named_queries(places: list[Path]) -> Iterator[NamedQuery]:
    for place in places:
        for path in sorted(place.rglob("*.aql")) if place.is_dir() else [place]:
            try:
                yield NamedQuery(str(path), path.read_text(encoding="utf-8-sig"))
            except (UnicodeDecodeError, OSError) as error:
                raise typer.BadParameter(f"{path}: {error}", param_hint="--queries") from error


# --- the database -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """What a database holds and says: the template to compare with, its compositions, its stored queries."""

    old: OperationalTemplate
    compositions: CompositionImpact
    queries: tuple[NamedQuery, ...]


async def _ask(
    settings: Settings,
    old: OperationalTemplate | None,
    new: OperationalTemplate,
    all_versions: bool,
    silent: bool,
    language: Language,
) -> _Found:
    async with open_platform(settings) as platform:
        ctx = platform.context(command_line_actor(), basis="impact of a changed template")
        before = old or await _published(ctx, new.template_id)
        with progress_bar(say("checking", language), silent=silent) as progress:
            found = await composition_impact(
                ctx,
                before,
                new,
                all_versions=all_versions,
                progress=progress,
            )
        stored = await list_queries(ctx, "")
    named = tuple(NamedQuery(f"{query.name}/{query.version}", query.text) for query in stored)
    return _Found(before, found, named)


async def _published(ctx: Ctx, template_id: str) -> OperationalTemplate:
    """What the database has published under the id, else what our library has."""
    published = await ctx.store.templates.newest(template_id)
    if published is None:
        return template_of(template_id, repository_with(None))
    return read_opt(published.source, template_id)


# --- answers ------------------------------------------------------------------------------------------


def _as_json(
    changes: list[Change], compositions: CompositionImpact | None, asked: int, lost: list[QueryImpact]
) -> dict[str, Any]:
    return {
        "level": overall_level(changes),
        "compositions": None if compositions is None else asdict(compositions),
        "queries": {"checked": asked, "lost": [asdict(query) for query in lost]},
    }


def _print(
    changes: list[Change],
    compositions: CompositionImpact | None,
    asked: int,
    lost: list[QueryImpact],
    language: Language,
) -> None:
    console = output()
    console.print(summary(changes, language), style="bold")
    if compositions is not None:
        _print_compositions(console, compositions, language)
    if asked:
        for query in lost:
            _print_query(console, query, language)
        console.print(say("queries", language, count=asked, lost=sum(bool(query.lost) for query in lost)))


def _print_compositions(console: Console, found: CompositionImpact, language: Language) -> None:
    for broken in found.listed[:SHOWN]:
        codes = escape(", ".join(broken.codes))
        console.print(f"[red]{broken.uid}[/red] {codes} [dim]{escape(broken.path)}[/dim]")
    if found.broken > SHOWN:
        console.print(say("more", language, count=found.broken - SHOWN))
    for code, count in found.by_code.items():
        console.print(f"{count:>8}  {code}", markup=False)
    console.print(
        say(
            "compositions",
            language,
            checked=found.checked,
            broken=found.broken,
            before=found.broken_before,
        )
    )


def _print_query(console: Console, query: QueryImpact, language: Language) -> None:
    name = escape(query.name)
    if query.error:
        console.print(f"[bold]{name}[/bold]: {say('unreadable_query', language)}: {escape(query.error)}")
    for path in query.lost:
        console.print(f"[bold]{name}[/bold]:{path.line}:{path.column}: [red]{escape(path.text)}[/red]")
