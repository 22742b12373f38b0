"""The table of the public corpora: what fails is named, and has a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.corpora import CORPORA, Reason, Row, judge, page, read_reasons
from bench.corpus_steps import Failure
from templates.opt import write_opt
from templates.repository import library_templates
from tests.shared_data import SHARED, needs_shared

TESTDATA = SHARED / "testdata"


def test_a_failure_without_a_reason_is_counted_and_named() -> None:
    row = Row("some files", files=3, taken={"read": 1})
    row.failures = [
        ("a/one.adl", Failure("read", "adl.syntax", "line 3")),
        ("b/two.adl", Failure("valid", "VX", "")),
    ]
    text, missing = page([row], [Reason("a/*", "read", "", "it is old")])
    assert missing == 1
    assert "| some files | 3 | 1 | – | – | – | – | – |" in text
    assert "Not read (1): it is old" in text
    assert "Not valid (1): **no reason is known**\n\n- `b/two.adl`" in text


@pytest.mark.parametrize(
    ("reason", "explains"),
    [
        (Reason("*", "", "", "all"), True),
        (Reason("x/*.opt", "read", "", "this step"), True),
        (Reason("x/*.opt", "valid", "", "another step"), False),
        (Reason("*", "", "VX", "another code"), False),
        (Reason("y/*", "", "", "another file"), False),
    ],
)
def test_a_reason_explains_its_files_step_and_code(reason: Reason, explains: bool) -> None:
    assert reason.explains("x/a.opt", Failure("read", "template.xml", "")) is explains


def test_a_folder_of_our_own_templates_takes_every_step(tmp_path: Path) -> None:
    folder = tmp_path / "opt"
    folder.mkdir()
    for template_id, opt in library_templates().items():
        (folder / f"{template_id}.opt").write_bytes(write_opt(opt))
    (folder / "broken.opt").write_bytes(b"<template>")
    (row,) = judge(tmp_path, [("ours", "opt", ".opt", "opt")])
    ours = len(library_templates())
    assert row.files == ours + 1
    assert set(row.taken.values()) == {ours}
    assert [(name, failure.step) for name, failure in row.failures] == [("opt/broken.opt", "read")]


@needs_shared
@pytest.mark.slow
def test_every_failure_in_the_corpora_has_a_reason() -> None:
    text, missing = page(judge(TESTDATA, CORPORA), read_reasons())
    assert missing == 0, [line for line in text.splitlines() if "no reason" in line]
