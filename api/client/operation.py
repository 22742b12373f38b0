"""What a client can be asked to do, as values: the request, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

T = TypeVar("T")
REST = "/openehr/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request; ``path`` is below the address of the server."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Ask, Generic[T]):
    """A request with the reader of its answer.

    ``repeatable`` says that sending it twice does the same as sending it once, so that a client may try again
    when no answer came.
    """

    read: Callable[[httpx.Response], T]
    repeatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(Ask, Generic[T]):
    """A request whose answer comes line by line; ``decoder`` makes what turns a line into a value, or None.

    A decoder is made for each answer, for it may remember the lines before.
    """

    decoder: Callable[[], Callable[[str], T | None]]
