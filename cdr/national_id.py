"""National ids in data: real ones stay out of development, synthetic ones out of production."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archetypes.findings import Finding
from archetypes.norwegian_ids import NationalId, classify
from cdr.errors import RefusedIdentifier
from cdr.versions import JsonObject

ELEVEN_DIGITS = re.compile(rb'"\s*\d{6}\s?\d{5}\s*"')


def check_identifiers(data: JsonObject, payload: bytes, *, dev: bool) -> None:
    """Refuse identifiers in canonical data that this server must not hold.

    ``payload`` is the JSON of ``data``. Raises RefusedIdentifier.
    """
    if not ELEVEN_DIGITS.search(payload):
        return
    forbidden = NationalId.REAL if dev else NationalId.SYNTHETIC
    findings = [
        Finding("identifier.refused", path, found=forbidden.value)
        for path, text in _identifiers(data, "")
        if classify(text) is forbidden
    ]
    if findings:
        raise RefusedIdentifier(_reason(forbidden), findings)


def check_identifier(text: str, path: str, *, dev: bool) -> None:
    """Refuse one identifier that this server must not hold. Raises RefusedIdentifier."""
    forbidden = NationalId.REAL if dev else NationalId.SYNTHETIC
    if classify(text) is forbidden:
        finding = Finding("identifier.refused", path, found=forbidden.value)
        raise RefusedIdentifier(_reason(forbidden), [finding])


def _reason(forbidden: NationalId) -> str:
    if forbidden is NationalId.REAL:
        return "this is a development server: it takes no national ids that could be a real person's"
    return "this is a production server: it takes no synthetic national ids"


def _identifiers(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts that identify somebody: DV_IDENTIFIER.id and the ids of references to parties."""
    if isinstance(node, list):
        for index, member in enumerate(node):
            yield from _identifiers(member, f"{path}[{index}]")
    elif isinstance(node, dict):
        for key, value in node.items():
            here = f"{path}/{key}"
            if key == "id" and isinstance(value, str):
                yield here, value
            elif key == "external_ref" and isinstance(value, dict):
                yield from _reference_id(value, here)
            else:
                yield from _identifiers(value, here)


def _reference_id(reference: JsonObject, path: str) -> Iterator[tuple[str, str]]:
    identifier = reference.get("id")
    value = identifier.get("value") if isinstance(identifier, dict) else None
    if isinstance(value, str):
        yield f"{path}/id/value", value
