"""Code lists: import, list and read releases of code systems and value sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cdr.access import Action
from cdr.audit import Outcome
from cdr.code_list_registry import CodeListRegistry
from cdr.doors import Call, reading, writing
from cdr.errors import CodeListExists, UnknownCodeList
from cdr.store.code_list_documents import LoadedRelease
from cdr.terminology import PROVISIONAL, Release, canonical

__all__ = ["CodeLists", "LoadedRelease", "get_code_list", "import_code_list", "list_code_lists"]


@dataclass(frozen=True, slots=True)
class CodeLists:
    """All loaded releases, and the lists that are provisional: their real content is not loaded yet."""

    releases: tuple[LoadedRelease, ...]
    provisional: tuple[str, ...]


@writing(Action.IMPORT_CODE_LIST)
async def import_code_list(call: Call, release: Release) -> bool:
    """Store a release, which then never changes; False if it is there already.

    Raises CodeListExists if that version has other content, TooLarge.
    """
    name = canonical(release)
    await call.record([call.entry(Outcome.GRANTED, what=name[:200])])
    if await call.ctx.store.code_lists.add(release, call.ctx.clock()):
        if isinstance(call.ctx.terminology, CodeListRegistry):
            await call.ctx.terminology.refresh()
        return True
    (known,) = await call.ctx.store.code_lists.load([name])
    if known != release:
        raise CodeListExists(name)
    return False


@reading(Action.READ_CODE_LIST)
async def list_code_lists(call: Call) -> CodeLists:
    """All releases by list and beginning, and which lists are provisional today."""
    releases = tuple(await call.ctx.store.code_lists.listed())
    return CodeLists(releases, provisional_lists(releases, call.ctx.clock().date()))


@reading(Action.READ_CODE_LIST)
async def get_code_list(
    call: Call, url: str, *, version: str | None = None, day: date | None = None
) -> Release:
    """A release by version, or the one that is valid on a day (today without one). Raises UnknownCodeList."""
    listed = [each for each in await call.ctx.store.code_lists.listed() if each.url == url]
    if version is not None:
        fitting = [each for each in listed if each.version == version]
    else:
        fitting = valid_on(listed, day or call.ctx.clock().date())
    if not fitting:
        raise UnknownCodeList(url if version is None else f"{url}|{version}")
    (release,) = await call.ctx.store.code_lists.load([f"{url}|{fitting[-1].version}"])
    return release


def provisional_lists(releases: Sequence[LoadedRelease], day: date) -> tuple[str, ...]:
    """URLs of the lists whose release of the day is provisional, or that we know to be missing."""
    urls = dict.fromkeys([*PROVISIONAL, *(each.url for each in releases)])
    found = []
    for url in urls:
        valid = valid_on([each for each in releases if each.url == url], day)
        if valid[-1].provisional if valid else url in PROVISIONAL:
            found.append(url)
    return tuple(found)


def valid_on(releases: Sequence[LoadedRelease], day: date) -> list[LoadedRelease]:
    """Of releases of one list in time order, those that have begun; none if the newest has ended."""
    begun = [each for each in releases if each.valid_from <= day]
    ended = bool(begun) and begun[-1].valid_until is not None and begun[-1].valid_until <= day
    return [] if ended else begun
