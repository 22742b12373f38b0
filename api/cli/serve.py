"""``helsekort serve``: one server process, until it is told to end."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from rich.console import Console
from rich.panel import Panel

from api.app import create_app
from api.cli.http_protocol import BoundedHttpProtocol
from api.log import configure_logging
from cdr.settings import Mode, Settings

EXIT_CANNOT_LISTEN = 1
EXIT_BAD_SETTINGS = 2
EXIT_CANNOT_START = 3
GRACE_SECONDS = 10

console = Console(stderr=True)


def serve(
    mode: Annotated[
        Mode | None,
        typer.Option(help="dev: loopback, REST open without a token. production: needs an issuer."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on (default 8080); 0 takes a free one."),
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option(
            help="Address of the OpenID issuer whose tokens are taken. 'builtin' (dev only) starts one in "
            "this server: access is then enforced as in production; see 'helsekort token'."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder of the private database (default var/data).")
    ] = None,
) -> None:
    """Start the server; Ctrl-C or SIGTERM ends it cleanly.

    What is not given here is read from the environment (HELSEKORT_MODE, HELSEKORT_MONGODB_URI, ...); without
    any mode the server takes production, and production refuses to start without an issuer.
    """
    settings = _settings_or_exit(mode=mode, host=host, port=port, data=data, issuer=issuer)
    listener = _listener_or_exit(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    configure_logging(as_json=not settings.is_dev, level=settings.log_level)
    address = _address(listener)
    if settings.is_dev:
        console.print(Panel(_warning(settings, address), style="bold red"))
    sys.exit(_run(settings, listener, address))


def _warning(settings: Settings, address: str) -> str:
    if settings.enforces_access:
        return f"DEV MODE: anybody on this machine can log in as anybody at {address}. Synthetic data only."
    return f"DEV MODE: the REST API at {address} is open without a token. Synthetic data only."


def _settings_or_exit(**options: Any) -> Settings:
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        for fault in error.errors():
            name = "_".join(map(str, fault["loc"])).upper()
            reason = str(fault["msg"]).removeprefix("Value error, ")
            print(f"helsekort serve: {f'HELSEKORT_{name}: ' if name else ''}{reason}", file=sys.stderr)
        sys.exit(EXIT_BAD_SETTINGS)


def _listener_or_exit(settings: Settings) -> socket.socket:
    """A listening socket, taken before anything is started that would have to be stopped again."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        return socket.create_server((str(address[0]), int(address[1])), family=family, backlog=2048)
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        reason = f"cannot listen on {place}: {error.strerror}; choose another --port or --host"
        print(f"helsekort serve: {reason}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_LISTEN)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(settings: Settings, listener: socket.socket, address: str) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=BoundedHttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _AnnouncingServer(app, config, address)
    # After its shutdown uvicorn raises the signal again for whoever handled it before: nobody needs to.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _already_handled)
    server.run(sockets=[listener])
    return 0 if server.started else EXIT_CANNOT_START


class _AnnouncingServer(uvicorn.Server):
    """Says where it listens, once it does."""

    def __init__(self, app: FastAPI, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._app = app
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            console.print(f"Ready: {self._address}   API documentation: {self._address}/docs")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.closing = True  # feeds have no end of their own
        await super().shutdown(sockets)


def _already_handled(_signal: int, _frame: object) -> None:
    """The server has ended because of this signal."""
