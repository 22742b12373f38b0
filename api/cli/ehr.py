"""``helsekort ehr``: a whole EHR with its history to a file, and from there into a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from api.cli.remote import LOCAL, SECONDS, ServerAddress, TokenFile, bearer, download
from api.client.errors import NoAnswer, refusal

ehr_commands = typer.Typer(
    help="Take a whole EHR with its history from one repository to another.", no_args_is_help=True
)
NDJSON = "application/x-ndjson"
LINE_END = b"\n"
PATH = "/bulk/v1/ehrs"
console = Console(highlight=False)


@ehr_commands.command("export")
def export_ehr(
    ehr_id: Annotated[str, typer.Argument(help="Id of the EHR.", metavar="EHR_ID")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="File to write.", metavar="FILE")],
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
) -> None:
    """Write every version of everything in an EHR to a file that another repository can import.

    The file holds all that is known of a woman: keep it as you keep her record, and delete it afterwards.
    """
    with httpx.Client(base_url=server, auth=bearer(token), timeout=SECONDS) as http:
        download(http, "GET", f"{PATH}/{ehr_id}", out, {"Accept": NDJSON})
    console.print(f"{out.read_bytes().count(LINE_END) - 2} versions in {out}")


@ehr_commands.command("import")
def import_ehr(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An export.", metavar="FILE")],
    server: ServerAddress = LOCAL,
    token: TokenFile = None,
) -> None:
    """Store an exported EHR under the id that it had, all or nothing; its original audits are kept."""
    with httpx.Client(base_url=server, auth=bearer(token), timeout=SECONDS) as http:
        try:
            answer = http.post(PATH, content=file.read_bytes(), headers={"Content-Type": NDJSON})
        except httpx.TransportError as error:
            raise NoAnswer(f"POST {PATH}", 1, str(error)) from error
    if not answer.is_success:
        raise refusal(answer)
    console.print(answer.headers["Location"])
