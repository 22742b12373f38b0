"""A short run of schemathesis over the OpenAPI description; ``python -m bench.rest_fuzz`` is the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_every_operation_answers_as_described() -> None:
    command = [sys.executable, "-m", "bench.rest_fuzz", "--examples", "1", "--phases", "examples,fuzzing"]
    ran = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
