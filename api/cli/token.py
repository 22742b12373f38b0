"""``helsekort token``: be somebody at a development server with the built-in issuer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import httpx
import orjson
import typer
from rich.console import Console
from rich.table import Table

from api.tokens import DPoPAuth, HeldToken, TokenClient, proof
from cdr.identity.builtin import client_key_file
from cdr.identity.key_files import signing_key
from cdr.identity.registry import Client, Person, builtin_registry

token_commands = typer.Typer(
    no_args_is_help=True,
    help="Tokens of the built-in issuer, for trying things out: be a midwife, a citizen, an analyst.",
)
console = Console()

Who = Annotated[
    str, typer.Argument(help="A person ('kvinnen', 'jordmor') or a client without one ('fagsystem').")
]
As = Annotated[
    str, typer.Option("--as", help="A person, or a client without one; see 'helsekort token people'.")
]
Through = Annotated[
    str | None, typer.Option("--client", help="The client to log in through; default: the first that fits.")
]
Server = Annotated[str, typer.Option(help="Address of the server.")]
Data = Annotated[Path, typer.Option(help="Data folder of the server: the keys of the clients lie there.")]
ADDRESS = "http://127.0.0.1:8080"
FOLDER = Path("var/data")


@token_commands.command("people")
def people() -> None:
    """Show whom one can be, and through which clients."""
    registry = builtin_registry()
    table = Table("person", "name", "HPR", "roles", "scopes", "clients")
    for person in registry.people.values():
        clients = [client.id for client in registry.clients.values() if person.may_use(client)]
        shown = (person.id, person.name, person.hpr, " ".join(person.roles), " ".join(person.scopes))
        table.add_row(*shown, " ".join(clients))
    console.print(table)


@token_commands.command("get")
def get(who: Who, client: Through = None, server: Server = ADDRESS, data: Data = FOLDER) -> None:
    """Print an access token. It is bound to a key that ends with this command: to use one, see 'call'."""
    print(held(who, client, server, data).access_token)


@token_commands.command("headers")
def headers(
    method: Annotated[str, typer.Argument(help="GET, POST, ...")],
    path: Annotated[str, typer.Argument(help="Path at the server, such as /openehr/v1/ehr/...")],
    who: As,
    client: Through = None,
    server: Server = ADDRESS,
    data: Data = FOLDER,
) -> None:
    """Print the two headers of one request, for curl: curl -H "$(...)" takes them line by line with -H @-."""
    token = held(who, client, server, data)
    print(f"Authorization: DPoP {token.access_token}")
    print(f"DPoP: {proof(token.key, method.upper(), server + path, token.access_token)}")


@token_commands.command("call")
def call(
    method: Annotated[str, typer.Argument(help="GET, POST, ...")],
    path: Annotated[str, typer.Argument(help="Path at the server, such as /openehr/v1/ehr/...")],
    who: As,
    body: Annotated[Path | None, typer.Option(exists=True, help="File to send, JSON.")] = None,
    basis: Annotated[
        str | None, typer.Option(help="UNNTAK, SAMTYKKE, FORHOYET_SAMTYKKE or AKUTT.", show_default=False)
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why AKUTT.")] = None,
    role: Annotated[str | None, typer.Option(help="LE, JO, SP: where the person has several.")] = None,
    client: Through = None,
    server: Server = ADDRESS,
    data: Data = FOLDER,
) -> None:
    """Send one request as somebody, and print status and answer; exit status 1 unless it is 2xx."""
    stated = _stated(basis, reason, role)
    content = None
    if body is not None:
        content, stated["Content-Type"] = body.read_bytes(), "application/json"
    auth = DPoPAuth(held(who, client, server, data))
    answer = httpx.request(
        method.upper(), server + path, headers=stated, content=content, auth=auth, timeout=60
    )
    print(f"{answer.status_code} {answer.reason_phrase}", file=sys.stderr)
    console.print_json(answer.text) if _is_json(answer) else print(answer.text)
    raise typer.Exit(0 if answer.is_success else 1)


def _stated(basis: str | None, reason: str | None, role: str | None) -> dict[str, str]:
    """The headers that say why one asks and in which role."""
    stated = {"nhn-source-system": "helsekort token"}
    if basis:
        stated["nhn-access-basis"] = basis
    if reason:
        stated["helsekort-access-reason"] = quote(reason)
    if role:
        code = {"system": "urn:oid:2.16.578.1.12.4.1.1.9060", "code": role}
        stated["nhn-user-role"] = quote(orjson.dumps(code).decode())
    return stated


def _is_json(answer: httpx.Response) -> bool:
    return "json" in answer.headers.get("content-type", "") and bool(answer.content)


def held(who: str, through: str | None, server: str, data: Path) -> HeldToken:
    """A token for a person, or for a client without one. Ends the command if there is nobody of the name."""
    registry = builtin_registry()
    person = registry.people.get(who)
    fitting = [one for one in registry.clients.values() if (person.may_use(one) if person else one.id == who)]
    client = next((one for one in fitting if through in (None, one.id)), None)
    if client is None:
        known = ", ".join([*registry.people, *registry.clients])
        raise typer.BadParameter(f"nobody of this name, or not through this client; known are {known}")
    return _asked(client, person, server, data)


def _asked(client: Client, person: Person | None, server: str, data: Path) -> HeldToken:
    file = client_key_file(data / "issuer", client.id)
    if not file.exists():
        text = f"{file} is not there: give --data of a server that runs with --mode dev --issuer builtin"
        raise typer.BadParameter(text)
    issuer = f"{server}/issuer/{client.profile.value}"
    with httpx.Client(timeout=10) as http:
        tokens = TokenClient(issuer, client.id, signing_key(file), http)
        if person is None:
            return tokens.for_system(" ".join(client.scopes))
        return tokens.log_in(person.id, " ".join(scope for scope in client.scopes if scope in person.scopes))
