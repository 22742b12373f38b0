"""Audit entries as the woman reads them: who, from where, did what, and why; in Norwegian or English."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cdr.actor import ActorKind
from cdr.audit import AuditEntry, Outcome
from cdr.versions import iso

LANGUAGES = ("nb", "en")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log; ``text`` is the whole of it as sentences, the rest its parts."""

    time: str
    who: str
    did: str
    organisation: str
    basis: str
    outcome: str
    text: str


def log_line(entry: AuditEntry, language: str) -> LogLine:
    """The entry in words; ``language`` is nb or en."""
    words = _words()[language]
    who, did = _who(entry, words), words["actions"].get(entry.action, words["other"])
    sentences = [f"{who} {did}.", words["basis"].get(entry.why, "")]
    if entry.reason:
        sentences.append(words["reason"].format(entry.reason))
    sentences.append(words.get(entry.outcome.value, ""))
    return LogLine(
        time=iso(entry.at),
        who=who,
        did=did,
        organisation=entry.organisation,
        basis=entry.why,
        outcome=entry.outcome.value,
        text=" ".join(sentence for sentence in sentences if sentence),
    )


def told_once(entries: list[AuditEntry]) -> list[AuditEntry]:
    """Without those that only say that a write, which follows, was let in."""
    done = {
        (entry.action, entry.actor, entry.event, entry.what)
        for entry in entries
        if entry.outcome is Outcome.DONE
    }
    return [
        entry
        for entry in entries
        if entry.outcome is not Outcome.GRANTED
        or (entry.action, entry.actor, entry.event, entry.what) not in done
    ]


def _who(entry: AuditEntry, words: dict[str, Any]) -> str:
    if entry.kind == ActorKind.CITIZEN:  # who was refused for being somebody else is not told by name
        return str(words["unknown" if entry.outcome is Outcome.DENIED else "herself"])
    if entry.kind == ActorKind.SERVER:
        return str(words["server"])
    role = words["roles"].get(entry.role) or words["kinds"].get(entry.kind, "")
    known = [entry.name or words["unknown"], role, words["hpr"].format(entry.hpr) if entry.hpr else ""]
    who = ", ".join(part for part in known if part)
    return who + (words["of_organisation"].format(entry.organisation) if entry.organisation else "")


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((files("cdr") / "log_words.toml").read_text("utf-8"))
