"""``python -m bench.rest_fuzz``: schemathesis over the OpenAPI description of a server started for it.

It asks every operation with generated parameters, headers and bodies, valid and broken, and finds every 500,
every status and media type that the description does not have, and answers that are not as described.
``--examples`` is the length (3 in the gate, 100 by default); ``--seed`` repeats a run. What the operations
need is made first: an EHR with documents in it, whose ids stand in for generated ones in half of the runs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

import httpx

from api.cli.server_process import running_server
from tests.api.visits import TEMPLATE, visit
from tests.cdr.small_template import status
from tests.cdr.updates import contribution, folder, update

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
QUERY = "no.helsekort::fuzz"


def main() -> int:
    """Run, and return the exit status of schemathesis (0: nothing was found)."""
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="helsekort-fuzz-") as folder_name,
        running_server(Path(folder_name) / "data") as server,
    ):
        worst = 0
        for known in (True, False):
            ids = _made(f"{server.base_url}/openehr/v1") if known else {}
            where = Path(folder_name) / ("known" if known else "unknown")
            worst = max(worst, _run(where, f"{server.base_url}/openapi.json", ids, arguments))
        return worst


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=100, help="most requests of one kind (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of what is generated (default 1)")
    parser.add_argument("--phases", default="examples,coverage,fuzzing", help="of schemathesis")
    return parser.parse_args()


def _made(base: str) -> Mapping[str, str]:
    """Something of every kind, and the ids that lead to it, by parameter."""
    with httpx.Client(base_url=base, timeout=60) as client:
        ehr_id = _uid(client.post("/ehr", json=status("fuzzed")))
        composition = _uid(client.post(f"/ehr/{ehr_id}/composition", json=visit()))
        of_ehr_status = _uid(client.get(f"/ehr/{ehr_id}/ehr_status"))
        client.post(f"/ehr/{ehr_id}/directory", json=folder("root", folder("2026"))).raise_for_status()
        committed = client.post(f"/ehr/{ehr_id}/contribution", json=contribution(update("249", visit())))
        text = {"q": "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c"}
        client.put(f"/definition/query/{QUERY}/1.0.0", json=text).raise_for_status()
    return {
        "path.ehr_id": ehr_id,
        "path.uid_based_id": composition,
        "path.versioned_object_uid": composition.partition("::")[0],
        "path.contribution_uid": _uid(committed),
        "path.template_id": TEMPLATE,
        "path.qualified_query_name": QUERY,
        "path.tagged": "composition",
        "header.If-Match": of_ehr_status,
        "query.subject_id": "fuzzed",
        "query.subject_namespace": "demo",
    }


def _uid(response: httpx.Response) -> str:
    return response.raise_for_status().headers["ETag"].removeprefix('W/"').removesuffix('"')


def _run(where: Path, description: str, ids: Mapping[str, str], arguments: argparse.Namespace) -> int:
    where.mkdir()
    configuration = where / "schemathesis.toml"
    configuration.write_text(_configuration(ids), "utf-8")
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(configuration),
        "run", description, "--phases", arguments.phases, "--checks", CHECKS, "--no-color",
        "--max-examples", str(arguments.examples), "--seed", str(arguments.seed), "--continue-on-failure",
        # It would empty the server under the feet of the others; its own tests erase.
        "--exclude-path", "/openehr/v1/admin/ehr/all",
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "bench.rest_fuzz_hooks", "PYTHONPATH": str(Path(__file__).parents[1])}
    environment = {**os.environ, **hooks}  # noqa: TID251 - what a child process inherits
    return subprocess.run(command, cwd=where, env=environment, check=False).returncode


def _configuration(ids: Mapping[str, str]) -> str:
    """501 and 503 are errors where they are not described, which another check sees."""
    lines = ["[checks.not_a_server_error]", 'expected-statuses = ["2xx", "3xx", "4xx", "501", "503"]']
    # A body in every 201: the description cannot say that it comes only when it is preferred.
    always = {"header.Prefer": "return=representation"}
    lines += ["[parameters]", *(f'"{name}" = "{value}"' for name, value in (always | ids).items())]
    # Nothing that the others look for is erased.
    lines += ["[[operations]]", 'include-path-regex = "^/openehr/v1/admin"', "[operations.parameters]"]
    lines += [f'"path.ehr_id" = "{uuid.uuid4()}"']
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
