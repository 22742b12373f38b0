"""The smallest archetype around a definition, for tests."""

from __future__ import annotations

_FRAME = """archetype (adl_version=1.4)
\topenEHR-EHR-CLUSTER.test.v1
concept
\t[at0000]
language
\toriginal_language = <[ISO_639-1::nb]>
description
{description}
definition
{definition}
ontology
{ontology}
"""


def adl(definition: str, *, ontology: str = "\tterm_definitions = <>", description: str = "") -> str:
    """ADL text of ``openEHR-EHR-CLUSTER.test.v1``."""
    return _FRAME.format(definition=definition, ontology=ontology, description=description)


def adl_of_value(value: str) -> str:
    """ADL text of a cluster with one element whose value is constrained by ``value``."""
    element = f"ELEMENT[at0001] matches {{ value matches {{\n{value}\n}} }}"
    return adl(f"CLUSTER[at0000] matches {{ items matches {{ {element} }} }}")
