"""How ``helsekort terminology`` shows its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from api.cli.report import output, print_json
from api.cli.words import Language, say
from cdr.code_checks import CodeCheck
from cdr.code_list_impact import CodeListImpact
from cdr.code_lists import CodeLists
from cdr.terminology import PROVISIONAL
from validators.messages import LANGUAGES, finding_text

SHOWN = 30  # codes of one kind of change in the text form; --json has all


def impact_json(found: CodeListImpact) -> dict[str, Any]:
    """Everything of an impact."""
    return asdict(found)


def print_impact(found: CodeListImpact, language: Language) -> None:
    """Changes, bound templates, uses of retired codes."""
    console = output()
    changes = found.changes
    before = found.before or say("nothing", language)
    console.print(f"[bold]{escape(found.release)}[/bold] ({say('was', language)}: {escape(before)})")
    _print_some("added", [f"{c.code} {c.display}" for c in changes.added], language)
    _print_some(
        "retired",
        [f"{r.coding.code} {r.coding.display} -> {r.successor or '-'}" for r in changes.retired],
        language,
    )
    for name, changed in (("renamed", changes.renamed), ("moved", changes.moved)):
        _print_some(
            name, [f"{c.coding.code} {c.before or '-'} -> {c.after or '-'}" for c in changed], language
        )
    _print_some(
        "bound",
        [f"{b.template_id} {b.path}{' ' + ', '.join(b.retired) if b.retired else ''}" for b in found.bound],
        language,
    )
    if found.retired:
        console.print(_uses(found, language))
    console.print(say("counted", language, checked=found.checked, codes=len(found.retired)))


def _print_some(kind: str, lines: list[str], language: Language) -> None:
    if not lines:
        return
    console = output()
    console.print(f"{say(kind, language)}: {len(lines)}")
    for line in lines[:SHOWN]:
        console.print(f"  {escape(line)}")
    if len(lines) > SHOWN:
        console.print("  " + say("more", language, count=len(lines) - SHOWN))


def _uses(found: CodeListImpact, language: Language) -> Table:
    names = ("code", "display", "successor", "values", "documents", "of_them_later", "templates")
    table = Table(*(say(name, language) for name in names))
    for use in found.retired:
        coding = use.code.coding
        templates = ", ".join(f"{name}: {count}" for name, count in use.by_template.items())
        counts = (str(use.values), str(use.compositions), str(use.later))
        table.add_row(*map(escape, (coding.code, coding.display, use.code.successor, *counts, templates)))
    return table


def print_lists(lists: CodeLists, language: Language) -> None:
    """A table of releases, and the provisional lists."""
    console = output()
    names = ("kind", "list", "version", "valid_from", "valid_until", "codes", "provisional")
    table = Table(*(say(name, language) for name in names))
    for each in lists.releases:
        until = "" if each.valid_until is None else each.valid_until.isoformat()
        mark = say("provisional", language) if each.provisional else ""
        about = (each.kind, each.url, each.version, each.valid_from.isoformat(), until, str(each.codes), mark)
        table.add_row(*map(escape, about))
    console.print(table)
    for url in lists.provisional:
        console.print(
            f"[yellow]{say('is_provisional', language, name=PROVISIONAL.get(url, url), url=url)}[/]"
        )


def print_checks(found: Mapping[str, Any], language: Language, *, as_json: bool) -> None:
    """What was asked about, what waits, and every finding."""
    checks: Iterable[CodeCheck] = found["checks"]
    if as_json:
        print_json(dict(found) | {"checks": [_check_json(check) for check in checks]})
        return
    console = output()
    waiting = 0
    for check in checks:
        waiting += check.findings is None
        for finding in check.findings or ():
            text = escape(finding_text(finding, language))
            console.print(
                f"[red]{check.uid}[/red] {check.ehr_id} [dim]{escape(finding.path)}[/dim]\n    {text}"
            )
    if "confirmed" in found:
        console.print(say("rechecked", language, confirmed=found["confirmed"], gone=found["gone"]))
    wrong = sum(bool(check.findings) for check in checks)
    console.print(say("waiting_checks", language, waiting=waiting, wrong=wrong))


def _check_json(check: CodeCheck) -> dict[str, Any]:
    findings = [
        {
            "code": finding.code,
            "severity": finding.severity.value,
            "path": finding.path,
            "expected": finding.expected,
            "found": finding.found,
            "texts": {name: finding_text(finding, name) for name in LANGUAGES},
        }
        for finding in check.findings or ()
    ]
    return {
        "uid": check.uid,
        "ehr_id": check.ehr_id,
        "committed": check.committed,
        "state": "waiting" if check.findings is None else "wrong",
        "findings": findings,
    }
