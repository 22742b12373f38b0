"""Small archetypes and templates for tests: the least that shows a rule."""

from __future__ import annotations

from pathlib import Path

from archetypes.repository import ArchetypeRepository

OBSERVATION = "openEHR-EHR-OBSERVATION.sample.v1"
CLUSTER = "openEHR-EHR-CLUSTER.detail.v1"
COMPOSITION = "openEHR-EHR-COMPOSITION.visit.v1"

_TERMS = {
    OBSERVATION: ["Sample", "History", "Any event", "Tree", "Status", "Yes", "No", "Level", "Score"],
    CLUSTER: ["Detail", "Comment"],
    COMPOSITION: ["Visit"],
}

_DEFINITIONS = {
    OBSERVATION: """
    OBSERVATION[at0000] matches {
        data matches {
            HISTORY[at0001] matches {
                events cardinality matches {1..*; unordered} matches {
                    EVENT[at0002] occurrences matches {0..*} matches {
                        data matches {
                            ITEM_TREE[at0003] matches {
                                items cardinality matches {0..*; unordered} matches {
                                    ELEMENT[at0004] occurrences matches {0..1} matches {
                                        value matches {
                                            DV_CODED_TEXT matches {
                                                defining_code matches { [local:: at0005, at0006] }
                                            }
                                            DV_TEXT matches {*}
                                        }
                                    }
                                    ELEMENT[at0007] occurrences matches {1..1} matches {
                                        value matches {
                                            C_DV_QUANTITY <
                                                property = <[openehr::122]>
                                                list = <
                                                    ["1"] = <
                                                        units = <"cm">
                                                        magnitude = <|0.0..300.0|>
                                                    >
                                                    ["2"] = < units = <"m"> >
                                                >
                                            >
                                        }
                                    }
                                    ELEMENT[at0008] occurrences matches {0..*} matches {
                                        value matches {
                                            DV_COUNT matches { magnitude matches {|0..10|} }
                                        }
                                    }
                                    ELEMENT[at0009] occurrences matches {0..1} matches {
                                        value matches {
                                            DV_DURATION matches { value matches {PWD} }
                                        }
                                    }
                                    allow_archetype CLUSTER[at0010] occurrences matches {0..2} matches {
                                        include
                                            archetype_id/value matches {/openEHR-EHR-CLUSTER\\.detail\\.v1/}
                                    }
                                }
                            }
                        }
                    }
                    EVENT[at0011] occurrences matches {0..1} matches {
                        data matches {
                            use_node ITEM_TREE /data[at0001]/events[at0002]/data[at0003]
                        }
                    }
                }
            }
        }
        protocol matches {
            ITEM_TREE[at0012] matches {
                items cardinality matches {0..*; unordered} matches {
                    ELEMENT[at0013] occurrences matches {0..1} matches {
                        value matches { DV_TEXT matches {*} }
                    }
                }
            }
        }
    }""",
    CLUSTER: """
    CLUSTER[at0000] matches {
        items cardinality matches {1..*; unordered} matches {
            ELEMENT[at0001] occurrences matches {1..*} matches { value matches { DV_TEXT matches {*} } }
        }
    }""",
    COMPOSITION: """
    COMPOSITION[at0000] matches {
        category matches {
            DV_CODED_TEXT matches { defining_code matches { [openehr::433] } }
        }
    }""",
}


def repository(folder: Path) -> ArchetypeRepository:
    """The three archetypes of this module, written to ``folder``."""
    for archetype_id, definition in _DEFINITIONS.items():
        (folder / f"{archetype_id}.adl").write_text(_adl(archetype_id, definition), encoding="utf-8")
    return ArchetypeRepository.from_folder(folder)


def _adl(archetype_id: str, definition: str) -> str:
    terms = _terms(archetype_id)
    return f"""archetype (adl_version=1.4)
    {archetype_id}

concept
    [at0000]

language
    original_language = <[ISO_639-1::en]>
    translations = <
        ["nb"] = < language = <[ISO_639-1::nb]> author = < ["name"] = <"-"> > >
    >

description
    original_author = < ["name"] = <"-"> >
    lifecycle_state = <"draft">
    details = <
        ["en"] = < language = <[ISO_639-1::en]> purpose = <"Testing."> >
    >

definition
{definition}

ontology
    term_definitions = <
        ["en"] = < items = < {terms.format("")} > >
        ["nb"] = < items = < {terms.format("norsk ")} > >
    >
"""


def _terms(archetype_id: str) -> str:
    codes = (
        [f"at{number:04}" for number in range(14)] if archetype_id == OBSERVATION else ["at0000", "at0001"]
    )
    names = dict(zip(codes, _TERMS[archetype_id], strict=False))
    return " ".join(
        f'["{code}"] = < text = <"{{0}}{names.get(code, code)}"> description = <"{code}"> >' for code in codes
    )


def oet(rules: str = "", *, items: str = "", annotations: str = "", root: str = OBSERVATION) -> bytes:
    """A template over one archetype: ``rules`` and ``items`` are XML inside its definition."""
    kind = root.split("-")[2].split(".")[0]
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<template xmlns="openEHR/v1/Template" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<id>5d3f4b0e-0000-4000-8000-000000000001</id>
<name>sample.v0</name>
<description>
  <lifecycle_state>Initial</lifecycle_state>
  <details><purpose>Testing.</purpose></details>
  <other_details><item><key>original_language</key><value>ISO_639-1::en</value></item></other_details>
</description>
{annotations}
<definition archetype_id="{root}" xsi:type="{kind}">
{rules}
{items}
</definition>
</template>""".encode()


def constraint(kind: str, inner: str, **attributes: str) -> str:
    """A ``constraint`` element of a rule."""
    stated = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<constraint xsi:type="{kind}Constraint"{stated}>{inner}</constraint>'


def limits(lower: object, upper: object) -> str:
    """minMagnitude and maxMagnitude, both included."""
    return (
        f"<maxMagnitude>{upper}</maxMagnitude><minMagnitude>{lower}</minMagnitude>"
        "<includesMaximum>true</includesMaximum><includesMinimum>true</includesMinimum>"
    )
