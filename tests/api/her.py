"""A woman and her card over HTTP, on a server that enforces access: real tokens, real proofs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from api.card_errors import CARD_PATH
from cdr.consent_texts import text_version
from tests.identity import ADDRESS, People

WOMAN = "kvinnen"
DOCUMENT = {"document": text_version()}


@dataclass(frozen=True)
class Her:
    """One woman; ``nin`` is her national id."""

    people: People
    nin: str
    ehr_id: str = ""

    def card(self, who: str, method: str, path: str, **options: Any) -> Any:
        """A call of the card API by somebody; professionals have her in care."""
        headers = {"nhn-patient-nin": self.nin} | options.pop("headers", {})
        return self.people.send(who, method, f"{ADDRESS}{CARD_PATH}{path}", headers=headers, **options)

    def hers(self, method: str, path: str, **options: Any) -> Any:
        """A call of the card API by herself."""
        return self.people.send(WOMAN, method, f"{ADDRESS}{CARD_PATH}{path}", **options)

    def rest(self, who: str, method: str, path: str, **options: Any) -> Any:
        """A call of the openEHR API by somebody."""
        return self.people.send(who, method, path, **options)

    @property
    def client(self) -> TestClient:
        return self.people.client
