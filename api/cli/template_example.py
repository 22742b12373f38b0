"""``helsekort template example`` and ``helsekort template schema``: what to send for a template."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from api.cli.sources import LibraryOption, repository_with, template_of
from archetypes.rm.canonical_xml import write_canonical_xml
from templates.example import example_composition
from templates.json_schema import json_schema
from templates.operational import OperationalTemplate
from templates.simplified import to_flat, to_structured

TemplateArgument = Annotated[
    str,
    typer.Argument(
        help="Id of a template of our library, such as helsekort_kontroll.v0, or an .oet or .opt file.",
        metavar="ID|FILE",
    ),
]
OutOption = Annotated[Path | None, typer.Option(help="File to write; without it standard output.")]


class Size(StrEnum):
    """How much an example holds."""

    MINIMAL = "minimal"
    FULL = "full"


class Format(StrEnum):
    """What an example is written as."""

    JSON = "json"
    XML = "xml"
    FLAT = "flat"
    STRUCTURED = "structured"


def template_example(
    template: TemplateArgument,
    size: Annotated[
        Size, typer.Option(help="minimal: mandatory nodes alone; full: every node once.")
    ] = Size.FULL,
    seed: Annotated[int, typer.Option(min=0, help="Another number chooses other alternatives.")] = 0,
    form: Annotated[Format, typer.Option("--as", help="Format of the composition.")] = Format.JSON,
    language: Annotated[str | None, typer.Option(help="Of the texts, where the template has it.")] = None,
    out: OutOption = None,
    library: LibraryOption = None,
) -> None:
    """Write a composition that the template allows. Its values mean nothing."""
    opt = template_of(template, repository_with(library))
    made = example_composition(opt, kind=size.value, seed=seed, language=language)
    _write(_written(opt, made, form), out)


def template_schema(template: TemplateArgument, out: OutOption = None, library: LibraryOption = None) -> None:
    """Write the JSON Schema (2020-12) of the template's compositions; see docs/json-schema.md."""
    opt = template_of(template, repository_with(library))
    _write(orjson.dumps(json_schema(opt), option=orjson.OPT_INDENT_2), out)


def _written(opt: OperationalTemplate, made: dict[str, object], form: Format) -> bytes:
    if form is Format.XML:
        return write_canonical_xml(made, "COMPOSITION", "composition")
    if form is Format.FLAT:
        made = to_flat(opt, made)
    elif form is Format.STRUCTURED:
        made = to_structured(opt, made)
    return orjson.dumps(made, option=orjson.OPT_INDENT_2)


def _write(content: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(content + b"\n")
    else:
        out.write_bytes(content)
