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


_FRAME2 = """archetype (adl_version=2.0.6; rm_release=1.1.0)
    {archetype_id}
{parent}
language
    original_language = <[ISO_639-1::en]>

description
    lifecycle_state = <"unmanaged">

definition
{definition}

terminology
{terminology}
"""


def adl2(
    definition: str,
    *,
    archetype_id: str = "openEHR-EHR-CLUSTER.test.v1.0.0",
    parent: str = "",
    terminology: str = "    term_definitions = <>",
) -> str:
    """ADL 2 text of an archetype."""
    specialises = f"\nspecialize\n    {parent}\n" if parent else ""
    return _FRAME2.format(
        archetype_id=archetype_id, parent=specialises, definition=definition, terminology=terminology
    )


def adl2_of_value(value: str) -> str:
    """ADL 2 text of a cluster with one element whose value is constrained by ``value``."""
    element = f"ELEMENT[id2] matches {{ value matches {{\n{value}\n}} }}"
    return adl2(f"CLUSTER[id1] matches {{ items matches {{ {element} }} }}")


def small_adl2(archetype_id: str, kind: str = "operational_template") -> str:
    """ADL 2 text of a cluster with one element, whole in itself."""
    text = adl2(
        "CLUSTER[id1] matches { items matches { ELEMENT[id2] occurrences matches {0..1} } }",
        archetype_id=archetype_id,
        terminology='term_definitions = <["en"] = <'
        '["id1"] = <text = <"Box"> description = <"A box.">> '
        '["id2"] = <text = <"Lid"> description = <"A lid.">>>>',
    )
    return text.replace("archetype (", f"{kind} (", 1)
