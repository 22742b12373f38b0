"""The example client of docs/openehr-client.md, run as it stands against a server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from templates.opt import write_opt
from templates.repository import library_templates
from tests.api.visits import TEMPLATE, visit

DOCUMENT = Path(__file__).parents[2] / "docs" / "openehr-client.md"


def example() -> str:
    """The program in the document."""
    return re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)[0]


def test_it_imports_an_http_library_and_nothing_of_ours() -> None:
    imported = set(re.findall(r"^(?:import|from) (\w+)", example(), re.MULTILINE))
    assert imported == {"json", "sys", "uuid", "pathlib", "httpx"}


@pytest.mark.slow
def test_it_works_against_this_server(server_url: str, tmp_path: Path) -> None:
    program, template, composition = (tmp_path / name for name in ("example.py", "t.opt", "c.json"))
    program.write_text(example(), "utf-8")
    template.write_bytes(write_opt(library_templates()[TEMPLATE]))
    composition.write_text(json.dumps(visit()), "utf-8")
    arguments = [sys.executable, str(program), f"{server_url}/openehr/v1", str(template), str(composition)]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "stored, updated, found and deleted" in ran.stdout
