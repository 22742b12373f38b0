"""Templates and what is made from them (ITS-REST Definition)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from api.client.formats import Format, JsonObject, read
from api.client.operation import REST, Operation

_PATH = f"{REST}/definition/template/adl1.4"


def list_all() -> Operation[list[JsonObject]]:
    """The published templates: ``template_id``, ``concept``, ``created_timestamp`` and more."""
    return Operation(method="GET", path=_PATH, read=lambda answer: _json(answer.content), repeatable=True)


def web_template(template_id: str) -> Operation[JsonObject]:
    """The web template, whose ids make the FLAT paths. Refused: NotFound."""
    return Operation(
        method="GET",
        path=_place(template_id),
        headers={"Accept": "application/openehr.wt+json"},
        read=lambda answer: _json(answer.content),
        repeatable=True,
    )


def json_schema(template_id: str) -> Operation[JsonObject]:
    """A JSON Schema (2020-12) of canonical compositions of the template. Refused: NotFound."""
    return Operation(
        method="GET",
        path=_place(template_id),
        headers={"Accept": "application/schema+json"},
        read=lambda answer: _json(answer.content),
        repeatable=True,
    )


def example(template_id: str, form: Format = Format.JSON) -> Operation[JsonObject | str]:
    """A valid composition of the template to begin with. Refused: NotFound."""
    return Operation(
        method="GET",
        path=f"{_place(template_id)}/example",
        headers={"Accept": form},
        read=read,
        repeatable=True,
    )


def publish(opt: bytes) -> Operation[None]:
    """Publish an operational template (OPT 1.4 XML). Refused: Conflict (the id is in use), Invalid."""
    return Operation(
        method="POST",
        path=_PATH,
        headers={"Content-Type": "application/xml", "Prefer": "return=minimal"},
        content=opt,
        read=lambda answer: None,
    )


def _place(template_id: str) -> str:
    return f"{_PATH}/{quote(template_id, safe='')}"


def _json(content: bytes) -> Any:
    return orjson.loads(content)
