"""A small terminology server that answers the four FHIR R4 operations as the specification says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

SYSTEM = "http://example.org/fruit"
VALUE_SET = "http://example.org/fruit/citrus"
DISPLAYS = {"L": "Lemon", "O": "Orange", "A": "Apple", "C": "Citrus"}
PARENTS = {"L": "C", "O": "C"}
CITRUS = ("L", "O")


@dataclass
class StandIn:
    """``mode`` ok, broken (500), garbage (no JSON) or slow; ``asked`` are the paths that were asked for."""

    url: str = ""
    mode: str = "ok"
    asked: list[str] = field(default_factory=list)

    def answer(self, operation: str, said: dict[str, str]) -> tuple[int, dict[str, Any]]:
        match operation:
            case "/CodeSystem/$validate-code":
                return self._validated(said["url"] == SYSTEM, said["code"], said["code"] in DISPLAYS)
            case "/ValueSet/$validate-code":
                within = said["system"] == SYSTEM and said["code"] in CITRUS
                return self._validated(said["url"] == VALUE_SET, said["code"], within)
            case "/ValueSet/$expand" if said["url"] == VALUE_SET:
                contains = [{"system": SYSTEM, "code": c, "display": DISPLAYS[c]} for c in CITRUS]
                return 200, {"resourceType": "ValueSet", "expansion": {"contains": contains}}
            case "/CodeSystem/$lookup" if said["code"] in DISPLAYS:
                return 200, parameters(
                    name=("valueString", "Fruit"), display=("valueString", DISPLAYS[said["code"]])
                )
            case "/CodeSystem/$subsumes":
                return 200, parameters(outcome=("valueCode", outcome(said["codeA"], said["codeB"])))
        return 404, unknown()

    def _validated(self, known: bool, code: str, result: bool) -> tuple[int, dict[str, Any]]:
        if not known:
            return 404, unknown()
        if not result:
            return 200, parameters(result=("valueBoolean", False), message=("valueString", "no such code"))
        return 200, parameters(result=("valueBoolean", True), display=("valueString", DISPLAYS[code]))


def outcome(first: str, second: str) -> str:
    if first == second:
        return "equivalent"
    if PARENTS.get(second) == first:
        return "subsumes"
    return "subsumed-by" if PARENTS.get(first) == second else "not-subsumed"


def parameters(**values: tuple[str, Any]) -> dict[str, Any]:
    members = [{"name": name, kind: value} for name, (kind, value) in values.items()]
    return {"resourceType": "Parameters", "parameter": members}


def unknown() -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}


@contextmanager
def running() -> Iterator[StandIn]:
    """The server on a free port of this machine."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            stand_in.asked.append(parts.path)
            if stand_in.mode == "slow":
                time.sleep(1.0)
            said = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body = stand_in.answer(parts.path.removeprefix("/fhir"), said)
            data = b"<html>" if stand_in.mode == "garbage" else orjson.dumps(body)
            self.send_response(500 if stand_in.mode == "broken" else status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}/fhir/"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
