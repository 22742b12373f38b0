"""Every code has a text in each language and a line in the docs."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

from archetypes.findings import Finding, Severity
from validators.codes import SEVERITIES
from validators.messages import LANGUAGES, finding_text

REPOSITORY = Path(__file__).parents[2]
DOCS = (REPOSITORY / "docs" / "validation-codes.md").read_text(encoding="utf-8")


def texts(language: str) -> dict[str, str]:
    source = REPOSITORY / "validators" / "messages" / f"{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_has_a_text_and_no_text_is_left_over(language: str) -> None:
    assert set(texts(language)) == set(SEVERITIES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_use_known_values(language: str) -> None:
    known = {"expected", "found", "path", "node", "name", "transition", "reason"}
    used = {
        name for text in texts(language).values() for _, name, _, _ in string.Formatter().parse(text) if name
    }
    assert used <= known


def test_both_languages_show_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    differing = [code for code in SEVERITIES if values(texts("nb")[code]) != values(texts("en")[code])]
    assert differing == []


def test_the_docs_list_each_code_with_its_severity() -> None:
    rows = re.findall(r"^\| `([A-Za-z_.]+)` \| (error|warning) \|", DOCS, re.MULTILINE)
    assert dict(rows) == {code: severity.value for code, severity in SEVERITIES.items()}
    assert len(rows) == len(SEVERITIES)


def test_a_text_with_its_values() -> None:
    finding = Finding(code="quantity.magnitude", path="/x", expected="|120..210| cm", found="250 cm")
    assert finding_text(finding, "en") == "250 cm lies outside |120..210| cm."
    assert finding_text(finding, "nb") == "250 cm ligger utenfor |120..210| cm."


def test_braces_in_the_data_are_only_data() -> None:
    finding = Finding(code="string.pattern", path="/x", expected="[0-9]{4}", found="{found.__class__}")
    assert "[0-9]{4}" in finding_text(finding, "en")
    assert "{found.__class__}" in finding_text(finding, "en")


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert (
        finding_text(Finding(code="card.x", path="/", expected="a", severity=Severity.WARNING), "nb")
        == "card.x a"
    )
