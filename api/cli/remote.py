"""The server that a command talks to: address, token, downloads with a progress bar."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from api.cli.token import FOLDER, held
from api.client import ClientError
from api.client.errors import NoAnswer, refusal
from api.tokens import DPoPAuth

ServerAddress = Annotated[str, typer.Option("--server", help="Address of the server.", metavar="URL")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token", exists=True, dir_okay=False, help="File with the access token (Bearer)."),
]
As = Annotated[
    str | None,
    typer.Option("--as", help="Somebody of the built-in issuer, such as analytiker.", metavar="PERSON"),
]
ProjectName = Annotated[
    str | None, typer.Option("--project", help="Project whose pseudonyms and permits hold.", metavar="NAME")
]
LOCAL = "http://127.0.0.1:8080"
SECONDS = 330.0  # the longest that a server may let a query run, and a little


class Bearer(httpx.Auth):
    """Sends the token of a file."""

    def __init__(self, file: Path) -> None:
        self._token = file.read_text("utf-8").strip()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def bearer(token: Path | None) -> httpx.Auth | None:
    """What sends the token of a file, if there is one."""
    return None if token is None else Bearer(token)


def caller(server: str, token: Path | None, who: str | None) -> httpx.Auth | None:
    """What says who is calling, beside each request."""
    if who is not None:
        return DPoPAuth(held(who, None, server, FOLDER))
    return bearer(token)


def download(
    http: httpx.Client, method: str, path: str, target: Path, headers: Mapping[str, str], **content: Any
) -> httpx.Headers:
    """Write the body of an answer to ``target``, which appears only once it is whole; its headers.

    Raises Refused, NoAnswer.
    """
    part = target.with_name(target.name + ".part")
    try:
        with http.stream(method, path, headers=dict(headers), **content) as response:
            if response.is_error:
                response.read()
                raise refusal(response)
            with part.open("wb") as file, _progress() as progress:
                task = progress.add_task(target.name, total=None)
                for piece in response.iter_bytes():
                    file.write(piece)
                    progress.advance(task, len(piece))
    except httpx.TransportError as error:
        part.unlink(missing_ok=True)
        raise NoAnswer(f"{method} {path}", 1, str(error) or type(error).__name__) from error
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ClientError(f"{target} cannot be written: {error.strerror}") from error
    part.replace(target)
    return response.headers


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
