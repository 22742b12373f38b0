"""What the tree promises to whoever looks into it: telling names, files of a readable size."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

import validators

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("archetypes", "templates", "validators", "cdr", "api")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_MODULE = 600
LONGEST_FUNCTION = 60
NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "handler",
    "misc",
    "base",
}


def test_the_package_validators_is_ours() -> None:
    # A package of this name is published too; with both installed Python may take the other.
    assert Path(str(validators.__file__)).is_relative_to(ROOT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_named_described_and_of_readable_size(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert path.stem not in NAMES_THAT_SAY_NOTHING
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert not text.strip() or ast.get_docstring(tree), "say in a sentence what the module is for"
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= LONGEST_FUNCTION] == []


def test_committed_files_name_no_place_of_one_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing is committed here")
    listed = subprocess.run(
        ["git", "grep", "-lE", f"{ROOT.parent}/|/home/[a-z]+/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.stdout.splitlines() in ([], ["tests/test_architecture.py"])
