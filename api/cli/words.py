"""The command line's own words in both languages; texts of findings and changes lie with the validators."""

from __future__ import annotations

from typing import Literal

Language = Literal["nb", "en"]

_WORDS = {
    "error": ("feil", "error"),
    "warning": ("advarsel", "warning"),
    "patch": ("rettelse", "patch"),
    "minor": ("tillegg", "minor"),
    "major": ("brudd", "major"),
    "no_findings": ("Ingen funn i {count} filer.", "No findings in {count} files."),
    "findings": (
        "{count} filer, {errors} feil, {warnings} advarsler.",
        "{count} files, {errors} errors, {warnings} warnings.",
    ),
    "no_changes": ("Ingen endringer.", "No changes."),
    "changes": (
        "{count} endringer: {major} brudd, {minor} tillegg, {patch} rettelser. Nivå: {level}.",
        "{count} changes: {major} major, {minor} minor, {patch} patch. Level: {level}.",
    ),
    "next_version": ("Neste versjon: {new} (før {old}).", "Next version: {new} (was {old})."),
    "expected": ("ventet", "expected"),
    "found": ("funnet", "found"),
    "was": ("før", "was"),
    "checking": ("Kontrollerer", "Checking"),
    "compositions": (
        "{checked} komposisjoner kontrollert, {broken} ville ikke lenger være gyldige, "
        "{before} var det ikke fra før.",
        "{checked} compositions checked, {broken} would no longer validate, {before} did not before.",
    ),
    "queries": (
        "{count} spørringer kontrollert, {lost} ville miste en sti.",
        "{count} queries checked, {lost} would lose a path.",
    ),
    "unreadable_query": ("kan ikke leses", "cannot be read"),
    "more": ("... og {count} til", "... and {count} more"),
    "imported": (
        "{imported} av {files} filer tatt inn i {target}.",
        "{imported} of {files} files imported to {target}.",
    ),
    "not_imported": (
        "Ingenting er tatt inn: {errors} feil. Med --partial tas resten inn.",
        "Nothing was imported: {errors} errors. With --partial the rest is imported.",
    ),
    "would_import": (
        "{imported} av {files} filer kan tas inn.",
        "{imported} of {files} files can be imported.",
    ),
    "not_used": (
        "Ingen mal i biblioteket bruker arketypen.",
        "No template of the library uses the archetype.",
    ),
    "counting": ("Teller {name}", "Counting {name}"),
    "listed_illegal": ("oppført som ulovlig", "listed as illegal"),
    "nothing": ("ingenting", "nothing"),
    "added": ("nye", "added"),
    "retired": ("utgåtte -> etterfølger", "retired -> successor"),
    "renamed": ("omdøpt", "renamed"),
    "moved": ("flyttet", "moved"),
    "bound": ("bundet i maler", "bound in templates"),
    "code": ("kode", "code"),
    "display": ("tekst", "display"),
    "successor": ("etterfølger", "successor"),
    "values": ("verdier", "values"),
    "documents": ("dokumenter", "documents"),
    "of_them_later": ("i utgavens tid", "in the release's time"),
    "templates": ("maler", "templates"),
    "counted": (
        "{checked} lagrede komposisjoner lest, {codes} utgåtte koder er i bruk.",
        "{checked} stored compositions read, {codes} retired codes are in use.",
    ),
    "list_imported": ("{name} er lastet.", "{name} is loaded."),
    "list_known": ("{name} var lastet fra før.", "{name} was loaded before."),
    "kind": ("slag", "kind"),
    "list": ("kodeverk", "list"),
    "version": ("versjon", "version"),
    "valid_from": ("gyldig fra", "valid from"),
    "valid_until": ("til", "until"),
    "codes": ("koder", "codes"),
    "provisional": ("foreløpig", "provisional"),
    "is_provisional": (
        "{name} er foreløpig: det virkelige innholdet er ikke lastet ({url}).",
        "{name} is provisional: its real content is not loaded ({url}).",
    ),
    "rechecked": (
        "{confirmed} bekreftet, {gone} erstattet eller slettet imens.",
        "{confirmed} confirmed, {gone} replaced or deleted meanwhile.",
    ),
    "waiting_checks": ("{waiting} venter, {wrong} har feil.", "{waiting} waiting, {wrong} wrong."),
    "no_longer_compiles": ("kompilerer ikke lenger", "no longer compiles"),
}


def say(word: str, language: str, **values: object) -> str:
    """A word or sentence in Norwegian or, for any other language, English."""
    norwegian, english = _WORDS[word]
    return (norwegian if language == "nb" else english).format(**values)
