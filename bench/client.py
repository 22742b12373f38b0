"""A thin HTTP client for measuring: one kept-alive connection a thread, bodies made beforehand."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

Task = TypeVar("Task")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)


class Client:
    """One connection to the server at ``base_url`` (the part before ``/ehr``)."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._prefix = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=120)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request and read the whole answer."""
        self._connection.request(method, self._prefix + path, body, headers or {})
        response = self._connection.getresponse()
        content = response.read()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content)


@dataclass(slots=True)
class Figures:
    """Latencies in seconds of what succeeded, and what did not."""

    name: str
    clients: int
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    def per_second(self) -> float:
        """Successful requests per second of wall time."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        """The latency in milliseconds that ``percent`` of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def measure(
    name: str, base_url: str, clients: int, tasks: Sequence[Task], run: Callable[[Client, Task], Answer]
) -> Figures:
    """Work off ``tasks`` with so many parallel clients; an answer of 400 or more counts as a failure."""
    figures = Figures(name, clients)
    lock = threading.Lock()
    queue = iter(tasks)

    def work() -> None:
        client = Client(base_url)
        while True:
            with lock:
                task = next(queue, None)
            if task is None:
                return
            _time_one(figures, lock, lambda chosen=task: run(client, chosen))

    started = time.perf_counter()
    _run_threads(work, clients)
    figures.seconds = time.perf_counter() - started
    return figures


def _time_one(figures: Figures, lock: threading.Lock, call: Callable[[], Answer]) -> None:
    started = time.perf_counter()
    answer = call()
    elapsed = time.perf_counter() - started
    with lock:
        if answer.status < 400:
            figures.latencies.append(elapsed)
        else:
            reason = f"{answer.status} {answer.body[:120].decode('utf-8', 'replace')}"
            figures.failures[reason] = figures.failures.get(reason, 0) + 1


def _run_threads(work: Callable[[], None], count: int) -> None:
    threads: Iterable[threading.Thread] = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
