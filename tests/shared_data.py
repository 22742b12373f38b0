"""Where the shared corpora lie, which are no part of this project; tests over them skip without them."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared corpora do not lie beside this checkout"
)
