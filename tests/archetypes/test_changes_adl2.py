"""Planted changes in an ADL 2 archetype, each told by the code that ADL 1.4 has for it."""

from __future__ import annotations

import pytest

from archetypes.adl.parser import parse_adl
from archetypes.aom.archetype import Archetype
from archetypes.changes import classify_archetype_change
from tests.archetypes.adl_texts import adl2

DEFINITION = """CLUSTER[id1] matches {
    items cardinality matches {1..*; unordered} matches {
        ELEMENT[id2] occurrences matches {0..1} matches {
            value matches {
                DV_QUANTITY[id3] matches {
                    property matches {[at9]}
                    [magnitude, units] matches {
                        [{|0.0..10.0|}, {"cm"}],
                        [{|0.0..4.0|}, {"[in_i]"}]
                    }
                }
                DV_ORDINAL[id4] matches {
                    [value, symbol] matches {
                        [{0}, {[at1]}],
                        [{1}, {[at2]}]
                    }
                }
                DV_CODED_TEXT[id5] matches {
                    defining_code matches {[ac1]}
                }
                DV_COUNT[id6] matches {
                    magnitude matches {|0..5|, |10..20|}
                }
                DV_PROPORTION[id7] matches {
                    [numerator, type] matches {
                        [{|>=0.0|}, {2}]
                    }
                }
            }
        }
        ELEMENT[id8] occurrences matches {0..*}
    }
}"""
TERMS = """term_definitions = <["en"] = <
    ["id1"] = <text = <"Box"> description = <"A box.">>
    ["id2"] = <text = <"Width"> description = <"Its width.">>
    ["id8"] = <text = <"Note"> description = <"A note.">>
>>
value_sets = <
    ["ac1"] = <id = <"ac1"> members = <"at1", "at2">>
>"""
CHANGES = [
    ('                        [{|0.0..10.0|}, {"cm"}],\n', "", "unit.removed"),
    ('[{|0.0..4.0|}, {"[in_i]"}]', '[{|0.0..3.0|}, {"[in_i]"}]', "range.narrowed"),
    ("[{1}, {[at2]}]", "[{1}, {[at2]}],\n[{2}, {[at3]}]", "ordinal.added"),
    ('members = <"at1", "at2">', 'members = <"at1", ...>', "code.removed"),
    ('members = <"at1", "at2">', 'members = <"at1", "at2", "at3">', "code.added"),
    ("|0..5|, |10..20|", "|0..5|", "value_set.changed"),
    ("[{|>=0.0|}, {2}]", "[{|>=1.0|}, {2}]", "value_set.changed"),
    (
        "ELEMENT[id8] occurrences matches {0..*}",
        "ELEMENT[id8] occurrences matches {1..*}",
        "occurrences.mandatory",
    ),
    ("        ELEMENT[id8] occurrences matches {0..*}\n", "", "path.removed"),
    ('<"Width">', '<"Breadth">', "name.changed"),
    ('<"Its width.">', '<"How wide.">', "description.changed"),
    ("[ac1]", "preferred [ac1]", "value_set.changed"),
]


def read(text: str) -> Archetype:
    return parse_adl(text)


@pytest.mark.parametrize(
    ("before", "after", "code"), CHANGES, ids=[f"{c[2]}-{n}" for n, c in enumerate(CHANGES)]
)
def test_a_planted_change_is_told(before: str, after: str, code: str) -> None:
    text = adl2(DEFINITION, terminology=TERMS)
    assert before in text
    changes = classify_archetype_change(read(text), read(text.replace(before, after)))
    assert code in {change.code for change in changes}


def test_nothing_changed_is_no_change() -> None:
    text = adl2(DEFINITION, terminology=TERMS)
    assert classify_archetype_change(read(text), read(text)) == []


def test_another_assertion_in_a_slot_is_told() -> None:
    slot = "allow_archetype CLUSTER[id2] matches { include domain_concept matches {/a/} }"
    text = adl2(f"CLUSTER[id1] matches {{ items matches {{ {slot} }} }}")
    (change,) = classify_archetype_change(read(text), read(text.replace("/a/", "/b/")))
    assert change.code == "value_set.changed"
