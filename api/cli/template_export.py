"""``helsekort template export``: a template in the forms that other tools read."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from api.cli.sources import LibraryOption, TemplateName, repository_with, template_of, template_source
from templates.oet import write_oet
from templates.opt import write_opt
from templates.web_template import to_web_template


class Form(StrEnum):
    """What a template is exported as."""

    OPT = "opt"
    WEB = "web"
    OET = "oet"


def export_template(
    template: TemplateName,
    form: Annotated[
        Form,
        typer.Option(
            "--as",
            help="opt: OPT 1.4 XML; web: web template JSON; oet: the source, as template editors read it.",
        ),
    ] = Form.OPT,
    out: Annotated[Path | None, typer.Option(help="File to write; without it standard output.")] = None,
    library: LibraryOption = None,
) -> None:
    """Write a template in a form that other openEHR tools read."""
    content = _exported(template, form, library)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)


def _exported(template: str, form: Form, library: Path | None) -> bytes:
    if form is Form.OET:
        return write_oet(template_source(template))
    opt = template_of(template, repository_with(library))
    return write_opt(opt) if form is Form.OPT else orjson.dumps(to_web_template(opt))
