"""``make bench``: ingest, read, update and query figures of a server, as a table.

    make bench                                            a server of its own
    make bench ARGS="--base-url http://host/openehr/v1"   a running one in development mode; it is emptied
    make bench ARGS="--driver FILE"                       another load driver that speaks openEHR REST

Figures of one run are to be compared with each other; machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.cli.server_process import running_server
from bench.client import Answer, Client, Figures, measure
from bench.visits import SEED, Visit, ehr_ids, visits

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
MINIMAL = {**JSON, "Prefer": "return=minimal"}
QUERY_RUNS = 20


def main() -> None:
    """Read the arguments and measure."""
    arguments = _arguments()
    if arguments.base_url:
        _measure(arguments, arguments.base_url)
        return
    with (
        tempfile.TemporaryDirectory(prefix="helsekort-bench-") as folder,
        running_server(Path(folder)) as server,
    ):
        _measure(arguments, f"{server.base_url}/openehr/v1", server.process.pid, folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base-url", help="the part before /ehr of a running server")
    parser.add_argument("--records", type=int, default=200, help="women (default 200)")
    parser.add_argument("--visits", type=int, default=10, help="visits a woman (default 10)")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    parser.add_argument("--driver", type=Path, help="load driver to run instead; arguments after -- go to it")
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(arguments: argparse.Namespace, base_url: str, pid: int | None = None, data: str = "") -> None:
    if arguments.driver:
        _run_driver(arguments, base_url, pid, data)
        return
    console = Console(width=None if sys.stdout.isatty() else 120)
    Client(base_url).request("DELETE", "/admin/ehr/all")
    figures = list(_steps(base_url, arguments.records, arguments.visits, console))
    console.print(_table(figures))
    if arguments.out:
        arguments.out.write_text(json.dumps([_as_json(figure) for figure in figures], indent=1))


def _run_driver(arguments: argparse.Namespace, base_url: str, pid: int | None, data: str) -> None:
    """A driver keeps its state and figures in files; the table that it leaves is printed."""
    with tempfile.TemporaryDirectory() as folder:
        files = ["--state", f"{folder}/state.json", "--out", f"{folder}/figures.json"]
        about = ["--pids", str(pid), "--data-dir", data] if pid else []
        command = [sys.executable, str(arguments.driver), "--base-url", base_url, *files, *about]
        subprocess.run([*command, *arguments.rest], check=True)
        sys.stdout.write((Path(folder) / "figures.md").read_text("utf-8"))


def _steps(base_url: str, records: int, each: int, console: Console) -> Iterator[Figures]:
    console.print(f"Making {records * each} visits ...")
    bodies = list(visits(records, each))
    yield measure("create EHR", base_url, 1, ehr_ids(records), _create)
    uids: dict[Visit, str] = {}
    third = len(bodies) // 3
    for clients, part in ((1, bodies[:third]), (4, bodies[third : 2 * third]), (8, bodies[2 * third :])):
        yield _progress(console, measure("ingest", base_url, clients, part, _ingest(uids)))
    chance = random.Random(SEED)
    for clients in (1, 4, 8):
        chosen = chance.choices(list(uids), k=600 * min(clients, 4))
        yield _progress(console, measure("get latest", base_url, clients, chosen, _get(uids)))
    changed = list(zip(uids, visits(records, each, revision=1), strict=False))
    half = len(changed) // 4
    yield _progress(console, measure("update", base_url, 1, changed[:half], _update(uids)))
    yield _progress(console, measure("update", base_url, 4, changed[half : 2 * half], _update(uids)))
    for name, texts in _queries(records).items():
        yield _progress(console, measure(f"aql {name}", base_url, 1, texts, _ask))


def _progress(console: Console, figures: Figures) -> Figures:
    console.print(f"  {figures.name}, {figures.clients} client(s): {figures.per_second():.0f}/s")
    return figures


def _create(client: Client, ehr_id: str) -> Answer:
    return client.request("PUT", f"/ehr/{ehr_id}", None, MINIMAL)


def _ingest(uids: dict[Visit, str]) -> Callable[[Client, Visit], Answer]:
    def send(client: Client, visit: Visit) -> Answer:
        answer = client.request("POST", f"/ehr/{visit.ehr_id}/composition", visit.body, MINIMAL)
        if answer.status < 400:
            uids[visit] = _uid(answer)
        return answer

    return send


def _get(uids: dict[Visit, str]) -> Callable[[Client, Visit], Answer]:
    def read(client: Client, visit: Visit) -> Answer:
        return client.request(
            "GET", f"/ehr/{visit.ehr_id}/composition/{uids[visit].split('::')[0]}", None, JSON
        )

    return read


def _update(uids: dict[Visit, str]) -> Callable[[Client, tuple[Visit, Visit]], Answer]:
    def change(client: Client, task: tuple[Visit, Visit]) -> Answer:
        old, new = task
        path = f"/ehr/{old.ehr_id}/composition/{uids[old].split('::')[0]}"
        return client.request("PUT", path, new.body, {**MINIMAL, "If-Match": f'"{uids[old]}"'})

    return change


def _ask(client: Client, aql: str) -> Answer:
    return client.request("POST", "/query/aql", json.dumps({"q": aql}).encode(), JSON)


def _uid(answer: Answer) -> str:
    return answer.headers["etag"].removeprefix("W/").strip('"')


def _queries(records: int) -> dict[str, list[str]]:
    """Every query of queries.toml as often as it runs, each time for other records."""
    table = tomllib.loads((Path(__file__).parent / "queries.toml").read_text("utf-8"))
    chance = random.Random(SEED)
    ids = ehr_ids(records)

    def text(form: str) -> str:
        some = ", ".join(f"'{ehr_id}'" for ehr_id in chance.choices(ids, k=20))
        return form.format(**table["paths"], ehr=chance.choice(ids), ehrs=some)

    return {name: [text(form) for _ in range(QUERY_RUNS)] for name, form in table["queries"].items()}


def _table(figures: list[Figures]) -> Table:
    table = Table("What", "Clients", "Done", "per second", "p50 ms", "p95 ms", "Failed")
    for figure in figures:
        table.add_row(
            figure.name,
            str(figure.clients),
            str(len(figure.latencies)),
            f"{figure.per_second():.1f}",
            f"{figure.percentile_ms(50):.1f}",
            f"{figure.percentile_ms(95):.1f}",
            "; ".join(f"{count} x {reason}" for reason, count in figure.failures.items()),
        )
    return table


def _as_json(figure: Figures) -> dict[str, object]:
    return {
        "name": figure.name,
        "clients": figure.clients,
        "done": len(figure.latencies),
        "per_second": round(figure.per_second(), 1),
        "p50_ms": round(figure.percentile_ms(50), 2),
        "p95_ms": round(figure.percentile_ms(95), 2),
        "failed": figure.failures,
    }


if __name__ == "__main__":
    main()
