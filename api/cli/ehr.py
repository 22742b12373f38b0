"""``helsekort ehr``: a whole EHR to a file and into a server; two EHRs of one woman joined and split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.console import Console
from rich.markup import escape

from api.cli.remote import LOCAL, SECONDS, As, ServerAddress, TokenFile, caller, download
from api.client.errors import NoAnswer, refusal

ehr_commands = typer.Typer(
    help="Take a whole EHR with its history to another repository; join two EHRs of one woman.",
    no_args_is_help=True,
)
NDJSON = "application/x-ndjson"
LINE_END = b"\n"
PATH = "/bulk/v1/ehrs"
ADMIN = "/openehr/v1/admin/ehr"
console = Console(highlight=False)


@ehr_commands.command("export")
def export_ehr(
    ehr_id: Annotated[str, typer.Argument(help="Id of the EHR.", metavar="EHR_ID")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="File to write.", metavar="FILE")],
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
) -> None:
    """Write every version of everything in an EHR to a file that another repository can import.

    The file holds all that is known of a woman: keep it as you keep her record, and delete it afterwards.
    """
    with httpx.Client(base_url=server, auth=caller(server, token, who), timeout=SECONDS) as http:
        download(http, "GET", f"{PATH}/{ehr_id}", out, {"Accept": NDJSON})
    console.print(f"{out.read_bytes().count(LINE_END) - 2} versions in {out}")


@ehr_commands.command("import")
def import_ehr(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An export.", metavar="FILE")],
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
) -> None:
    """Store an exported EHR under the id that it had, all or nothing; its original audits are kept."""
    auth, content = caller(server, token, who), file.read_bytes()
    answer = _send(server, auth, "POST", PATH, content=content, headers={"Content-Type": NDJSON})
    console.print(answer.headers["Location"])


Kept = Annotated[str, typer.Argument(help="Id of the EHR that stays.", metavar="EHR_ID")]


@ehr_commands.command("join")
def join_ehrs(
    ehr_id: Kept,
    joined_id: Annotated[str, typer.Argument(help="Id of the EHR that becomes part of it.", metavar="OTHER")],
    reason: Annotated[str, typer.Option("--reason", help="Why both are of one woman; kept in the audit.")],
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
) -> None:
    """Make another EHR of the same woman part of an EHR, with every version; the stricter restrictions hold.

    Whoever uses the other id afterwards is told the one that stays. `helsekort ehr split` undoes it.
    """
    asked = {"ehr_id": joined_id, "reason": reason}
    auth = caller(server, token, who)
    _show_joins(ehr_id, _send(server, auth, "POST", f"{ADMIN}/{quote(ehr_id)}/joins", json=asked))


@ehr_commands.command("split")
def split_ehrs(
    ehr_id: Kept,
    joined_id: Annotated[str, typer.Argument(help="Id of the EHR to split off again.", metavar="OTHER")],
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
) -> None:
    """Give a joined EHR all its versions back, and what was added to its objects since.

    New objects and the stricter restrictions stay where they are.
    """
    path = f"{ADMIN}/{quote(ehr_id)}/joins/{quote(joined_id)}"
    _show_joins(ehr_id, _send(server, caller(server, token, who), "DELETE", path))


@ehr_commands.command("joins")
def show_joins(
    ehr_id: Kept,
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
    who: As = None,
) -> None:
    """List the EHRs that are part of an EHR: since when, by whom and why."""
    path = f"{ADMIN}/{quote(ehr_id)}/joins"
    _show_joins(ehr_id, _send(server, caller(server, token, who), "GET", path))


def _send(server: str, auth: httpx.Auth | None, method: str, path: str, **content: Any) -> httpx.Response:
    """The answer. Raises Refused, NoAnswer."""
    with httpx.Client(base_url=server, auth=auth, timeout=SECONDS) as http:
        try:
            answer = http.request(method, path, **content)
        except httpx.TransportError as error:
            raise NoAnswer(f"{method} {path}", 1, str(error)) from error
    if not answer.is_success:
        raise refusal(answer)
    return answer


def _show_joins(ehr_id: str, answer: httpx.Response) -> None:
    joins: list[dict[str, str]] = answer.json()
    if not joins:
        console.print(f"no EHR is part of {ehr_id}")
    for join in joins:
        said = (
            f"{join['ehr_id']} is part of {ehr_id} since {join['since']}, by {join['by']}: {join['reason']}"
        )
        console.print(escape(said), soft_wrap=True)
