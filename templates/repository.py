"""Our own template library, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from archetypes.repository import library
from templates.compile import compile_template
from templates.nesting import lookup_in
from templates.oet import read_oet
from templates.operational import OperationalTemplate
from templates.source import Template


@cache
def library_sources() -> Mapping[str, Template]:
    """The template sources that come with the product, by template id; read once."""
    folder = files("templates") / "library"
    sources = [
        read_oet(entry.read_bytes(), entry.name)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".oet")
    ]
    return MappingProxyType({source.name: source for source in sources})


@cache
def library_templates() -> Mapping[str, OperationalTemplate]:
    """The same, compiled with our archetype library, by template id; compiled once.

    Raises InvalidTemplate if one of them does not fit its archetypes.
    """
    archetypes, nested = library(), lookup_in(library_sources().values())
    return MappingProxyType(
        {name: compile_template(source, archetypes, nested) for name, source in library_sources().items()}
    )
