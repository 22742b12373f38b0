"""``python -m bench.repeats``: requests that are sent again are carried out once, whatever dies in between.

Compositions are posted, each three times with one ``Idempotency-Key``. Many answers are dropped: the
connection is cut as soon as the request is sent. Meanwhile the server is killed at random and started
again. At the end there is one composition for each key, and every answer that arrived named that one.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson
from rich.progress import Progress

from api.cli.server_process import ServerDidNotStart, ServerProcess, free_port, start_server
from tests.api.visits import visit

REPEATS = 3
PATIENCE = 600.0  # seconds for one answer, a restart included


@dataclass
class Storm:
    """Requests, what was answered to each, and what was done to the server meanwhile."""

    data: Path
    port: int
    dice: random.Random
    server: ServerProcess
    answers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    answered: int = 0
    dropped: int = 0
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def post(self, ehr_id: str, key: str, body: bytes) -> None:
        """One request, until it is answered; some are dropped once before."""
        address = f"http://127.0.0.1:{self.port}/openehr/v1/ehr/{ehr_id}/composition"
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        deadline = time.monotonic() + PATIENCE
        drop = self.dice.random() < 0.3
        while True:
            try:
                with httpx.Client(timeout=httpx.Timeout(20, read=0.005 if drop else 20)) as client:
                    answer = client.post(address, content=body, headers=headers)
            except httpx.TransportError:
                with self.lock:
                    self.dropped += drop
                drop = False
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
                continue
            if answer.status_code == httpx.codes.CREATED:
                with self.lock:
                    self.answers[key].add(answer.headers["ETag"])
                    self.answered += 1
                return
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                raise AssertionError(f"{answer.status_code} {answer.text[:300]}")

    def kill(self, at: list[int]) -> None:
        """SIGKILL and start again, each time that so many requests were answered."""
        for answered in at:
            while self.answered < answered:
                if self.ended.wait(0.01):
                    return
            self.server.process.kill()
            self.server.process.wait()
            self.kills += 1
            self.server = self._started()

    def _started(self) -> ServerProcess:
        """A server again, however long a busy machine takes."""
        while True:
            try:
                return start_server(self.data, self.port)
            except ServerDidNotStart as error:
                print(error, file=sys.stderr)


def main() -> int:
    """Run the storm and say what came of it; 1 if something was stored twice, or not."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="helsekort-repeats-") as folder:
        port = free_port()
        storm = Storm(Path(folder), port, random.Random(arguments.seed), start_server(Path(folder), port))
        try:
            return _run(storm, arguments)
        finally:
            storm.ended.set()
            storm.server.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1000, help="compositions (default 1000)")
    parser.add_argument("--kills", type=int, default=8, help="deaths of the server (default 8)")
    parser.add_argument("--clients", type=int, default=8, help="at once (default 8)")
    parser.add_argument("--seed", type=int, default=1, help="of drops and deaths (default 1)")
    return parser.parse_args()


def _run(storm: Storm, arguments: argparse.Namespace) -> int:
    base = f"http://127.0.0.1:{storm.port}/openehr/v1"
    ehr_id = httpx.post(f"{base}/ehr").raise_for_status().headers["Location"].rpartition("/")[2]
    bodies = [orjson.dumps(visit(100 + number)) for number in range(60)]
    jobs = [(str(uuid.uuid4()), bodies[number % 60]) for number in range(arguments.posts)] * REPEATS
    storm.dice.shuffle(jobs)
    deaths = sorted(storm.dice.sample(range(len(jobs) * 9 // 10), arguments.kills))
    killer = threading.Thread(target=storm.kill, args=(deaths,))
    killer.start()
    with Progress(transient=True) as progress, ThreadPoolExecutor(arguments.clients) as clients:
        task = progress.add_task("posting", total=len(jobs))
        for _ in clients.map(lambda job: storm.post(ehr_id, *job), jobs):
            progress.advance(task)
    storm.ended.set()
    killer.join()
    query = {"q": "SELECT c/uid/value FROM EHR e CONTAINS COMPOSITION c"}
    found = httpx.post(f"{base}/query/aql", json=query, timeout=60).raise_for_status().json()["rows"]
    several = sum(len(named) > 1 for named in storm.answers.values())
    print(
        f"{len(jobs)} requests with {arguments.posts} keys, {storm.dropped} answers dropped, "
        f"{storm.kills} times killed: {len(found)} compositions, {several} keys with two answers"
    )
    return int(len(found) != arguments.posts or several > 0)


if __name__ == "__main__":
    sys.exit(main())
