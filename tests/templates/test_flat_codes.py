"""Every code of FLAT has a text in each language and a line in the docs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from archetypes.findings import Finding
from validators.messages import LANGUAGES, finding_text

REPOSITORY = Path(__file__).parents[2]
SOURCES = sorted((REPOSITORY / "templates" / "simplified").glob("*.py"))
RAISED = {
    code for path in SOURCES for code in re.findall(r'"(flat\.[a-z_.]+)"', path.read_text(encoding="utf-8"))
}
DOCS = (REPOSITORY / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_has_a_text_and_no_text_is_left_over(language: str) -> None:
    source = REPOSITORY / "validators" / "messages" / f"flat_{language}.toml"
    assert set(tomllib.loads(source.read_text(encoding="utf-8"))) == RAISED


def test_the_docs_list_each_code() -> None:
    listed = {
        code for row in re.findall(r"^\| (`flat\.[^|]+)\|", DOCS, re.MULTILINE) for code in row.split("`")
    }
    assert {code for code in listed if code.startswith("flat.")} == RAISED


def test_a_text_with_its_values() -> None:
    finding = Finding("flat.type", "a/b|magnitude", "a number", "mye")
    assert finding_text(finding, "nb") == "Ventet a number, fant mye."
    assert finding_text(finding, "en") == "Expected a number, found mye."
