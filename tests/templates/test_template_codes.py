"""Every code that a template can be refused with is explained to its author."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_is_documented_and_used() -> None:
    # Kinds of changes are named alike and explained in docs/modelling.md.
    paths = [path for path in sorted((ROOT / "templates").glob("*.py")) if path.stem != "changes"]
    sources = "\n".join(path.read_text("utf-8") for path in paths)
    used = set(re.findall(r'"((?:template|oet|archetype)\.[a-z_]+)"', sources)) - {"template.opt"}
    told = set(
        re.findall(
            r"`((?:template|oet|archetype)\.[a-z_]+)`", (ROOT / "docs/template-codes.md").read_text("utf-8")
        )
    )
    assert told == used
