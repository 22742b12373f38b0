"""Templates in templates, and what stands beside the constraints: annotations, defaults, hints for forms."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest

from archetypes.aom.constraints import CArchetypeRoot, CObject, Interval
from archetypes.findings import Severity
from archetypes.repository import ArchetypeRepository
from templates.compile import compile_template, template_findings
from templates.errors import InvalidTemplate
from templates.example import example_composition
from templates.nesting import lookup_in
from templates.oet import read_oet
from templates.operational import OperationalTemplate
from templates.opt import read_opt, write_opt
from templates.source import Template
from templates.web_template import to_web_template
from tests.templates.sources import CLUSTER, COMPOSITION, OBSERVATION, constraint, oet, repository
from validators.composition import validate_composition

TREE = "/data[at0001]/events[at0002]/data[at0003]"
SLOT = f"{TREE}/items[at0010]"
PART = f"/content[{OBSERVATION},'Måling']"
NOTE = "<items><item><key>k</key><value>{}</value></item></items>"


@pytest.fixture(scope="module")
def archetypes(tmp_path_factory: pytest.TempPathFactory) -> ArchetypeRepository:
    return repository(tmp_path_factory.mktemp("archetypes"))


def source(name: str, data: bytes) -> Template:
    return replace(read_oet(data, f"{name}.oet"), id=f"id-of-{name}", name=name)


def rule(path: str, inner: str = "", **attributes: object) -> str:
    stated = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Rule path="{path}"{stated}>{inner}</Rule>'


# The inner template hides one node, limits another, and fills the slot once.
INNER = source(
    "inner.v0",
    oet(
        rule(f"{TREE}/items[at0004]", max=0) + rule(f"{TREE}/items[at0008]", max=3),
        items=f'<Items xsi:type="CLUSTER" archetype_id="{CLUSTER}" path="{SLOT}" name="Detalj" max="1">'
        + rule("/items[at0001]", max=5, default="frisk")
        + "</Items>",
        annotations=f'<annotations path="[{OBSERVATION}]{TREE}/items[at0007]">{NOTE.format("inner")}'
        "</annotations>",
    ),
)


def outer(inner: str = "", template_id: str = "id-of-inner.v0", **parts: str) -> bytes:
    content = (
        f'<Content xsi:type="OBSERVATION" archetype_id="{OBSERVATION}" template_id="{template_id}" '
        f'path="/content" name="Måling" min="1" max="1">{inner}</Content>'
    )
    return oet(items=content, root=COMPOSITION, **parts)


def compiled(data: bytes, archetypes: ArchetypeRepository) -> OperationalTemplate:
    return compile_template(source("outer.v0", data), archetypes, lookup_in([INNER]))


def nodes(template: OperationalTemplate) -> dict[str, CObject]:
    return {node.path: node.constraint for node in template.nodes()}


def test_nested_template_is_compiled_in_its_place(archetypes: ArchetypeRepository) -> None:
    template = compiled(outer(), archetypes)
    found = nodes(template)
    part = found[PART]
    assert isinstance(part, CArchetypeRoot)
    assert (part.template_id, part.occurrences) == ("inner.v0", Interval(1, 1))
    assert f"{PART}{TREE}/items[at0004]" not in found
    assert found[f"{PART}{TREE}/items[at0008]"].occurrences == Interval(0, 3)
    assert found[f"{PART}{TREE}/items[{CLUSTER},'Detalj']"].occurrences == Interval(0, 1)


def test_nested_template_is_found_by_id_and_by_name(archetypes: ArchetypeRepository) -> None:
    by_id, by_name = (compiled(outer(template_id=i), archetypes) for i in ("id-of-inner.v0", "inner.v0"))
    assert by_id == by_name


def test_rules_of_the_outer_template_come_on_top(archetypes: ArchetypeRepository) -> None:
    narrower = (
        rule(f"{TREE}/items[at0008]", max=2)
        + f'<Items xsi:type="CLUSTER" archetype_id="{CLUSTER}" path="{SLOT}" min="1">'
        + rule("/items[at0001]", max=1)
        + "</Items>"
    )
    found = nodes(compiled(outer(narrower), archetypes))
    detail = f"{PART}{TREE}/items[{CLUSTER},'Detalj']"
    assert found[f"{PART}{TREE}/items[at0008]"].occurrences == Interval(0, 2)
    assert found[detail].occurrences == Interval(1, 1)
    assert found[f"{detail}/items[at0001]"].occurrences == Interval(1, 1)


def test_the_name_is_that_of_the_outer_template_or_else_of_the_inner(archetypes: ArchetypeRepository) -> None:
    named = replace(INNER, definition=replace(INNER.definition, name="Prøve"))
    unnamed = outer().replace(b'name="M\xc3\xa5ling" ', b"")
    for data, name in ((outer(), "Måling"), (unnamed, "Prøve")):
        template = compile_template(source("outer.v0", data), archetypes, lookup_in([named]))
        assert f"/content[{OBSERVATION},'{name}']" in nodes(template)
        assert {path.partition("]")[0] for path in template.annotations} == {
            f"/content[{OBSERVATION},'{name}'"
        }


def test_outer_template_may_not_widen_or_reopen(archetypes: ArchetypeRepository) -> None:
    for wider, code in (
        (rule(f"{TREE}/items[at0008]", max=4), "template.occurrences_widened"),
        (rule(f"{TREE}/items[at0099]", max=1), "template.unknown_path"),
    ):
        with pytest.raises(InvalidTemplate) as caught:
            compiled(outer(wider), archetypes)
        assert code in {finding.code for finding in caught.value.findings}


def test_notes_and_defaults_of_the_nested_template_come_along(archetypes: ArchetypeRepository) -> None:
    own = f'<annotations path="[{COMPOSITION}]{PART}{TREE}">{NOTE.format("outer")}</annotations>'
    template = compiled(outer(annotations=own.replace(",'Måling'", " and name/value='Måling'")), archetypes)
    assert {path: dict(items) for path, items in template.annotations.items()} == {
        f"{PART}{TREE}/items[at0007]": {"k": "inner"},
        f"{PART}{TREE}": {"k": "outer"},
    }
    assert template.defaults == {
        f"{PART}{TREE}/items[{CLUSTER},'Detalj']/items[at0001]/value": {"_type": "DV_TEXT", "value": "frisk"}
    }


def test_compiled_nesting_is_written_read_and_filled(archetypes: ArchetypeRepository) -> None:
    template = compiled(outer(), archetypes)
    assert read_opt(write_opt(template)) == template
    made = example_composition(template)
    assert [f for f in validate_composition(template, made) if f.severity is Severity.ERROR] == []


# --- what cannot be nested ----------------------------------------------------------------------------


def codes(template: Template, archetypes: ArchetypeRepository, *others: Template) -> list[str]:
    return [
        finding.code for finding in template_findings(template, archetypes, lookup_in([template, *others]))
    ]


def test_what_is_not_there_or_another_is_refused(archetypes: ArchetypeRepository) -> None:
    assert codes(source("a", outer(template_id="nobody")), archetypes) == ["template.unknown_template"]
    cluster = source("c", oet(root=CLUSTER))
    assert codes(source("a", outer(template_id="c")), archetypes, cluster) == ["template.other_archetype"]


def nesting(name: str, *inner: str) -> Template:
    """A cluster that holds templates of clusters; whether its slots allow them is another matter."""
    items = "".join(
        f'<Items xsi:type="CLUSTER" archetype_id="{CLUSTER}" template_id="{each}" path="/items" name="{i}"/>'
        for i, each in enumerate(inner)
    )
    return source(name, oet(items=items, root=CLUSTER))


def test_a_cycle_is_told_with_its_way(archetypes: ArchetypeRepository) -> None:
    one, two = nesting("one", "two"), nesting("two", "one")
    findings = template_findings(one, archetypes, lookup_in([one, two]))
    cycle = next(finding for finding in findings if finding.code == "template.cyclic")
    assert cycle.found == "one > two > one"
    assert cycle.span is not None and cycle.span.file == "two.oet"


def test_nesting_ends(archetypes: ArchetypeRepository) -> None:
    # Each of the forty levels holds the next one twice: a million million clusters.
    bomb = [nesting(f"t{level}", f"t{level + 1}", f"t{level + 1}") for level in range(40)]
    started = process_time()
    assert "template.too_many_nested" in codes(bomb[0], archetypes, *bomb[1:], nesting("t40"))
    assert process_time() - started < 10


# --- defaults and hints -------------------------------------------------------------------------------

DEFAULTS = [
    ("at0004", "local::at0005", {"_type": "DV_CODED_TEXT", "value": "Yes", "code": "at0005"}),
    ("at0004", "by hand", {"_type": "DV_TEXT", "value": "by hand"}),
    ("at0007", "12 cm", {"_type": "DV_QUANTITY", "magnitude": 12.0, "units": "cm"}),
    ("at0008", "7", {"_type": "DV_COUNT", "magnitude": 7}),
    ("at0009", "P2W", {"_type": "DV_DURATION", "value": "P2W"}),
    ("at0008", "7/100", None),
    ("at0007", "12 km", None),
    ("at0008", "11", None),
]


@pytest.mark.parametrize(("code", "default", "expected"), DEFAULTS)
def test_default(
    archetypes: ArchetypeRepository, code: str, default: str, expected: dict[str, object] | None
) -> None:
    template = source("a", oet(rule(f"{TREE}/items[{code}]", default=default)))
    found = dict(compile_template(template, archetypes).defaults)
    value = dict(found.get(f"{TREE}/items[{code}]/value", {}))
    if "defining_code" in value:
        value["code"] = value.pop("defining_code")["code_string"]
    assert value == (expected or {})
    told = [finding.code for finding in template_findings(template, archetypes)]
    assert told == ([] if expected else ["template.default_unfit"])


def test_default_of_a_clone_and_of_a_code_from_outside(archetypes: ArchetypeRepository) -> None:
    code = constraint("text", "<includedValues>SNOMED-CT::1::Ja</includedValues>")
    rules = (
        rule(f"{TREE}/items[at0008]", name="A", clone="true", default="1", max=1)
        + rule(f"{TREE}/items[at0008]", name="B", clone="true", default="2", max=1)
        + rule("/protocol[at0012]/items[at0013]", code, default="SNOMED-CT::1::Ja")
    )
    template = compile_template(source("a", oet(rules)), archetypes)
    values = {path.rpartition("/items")[2]: value for path, value in template.defaults.items()}
    assert values["[at0008,'A']/value"]["magnitude"] == 1
    assert values["[at0008,'B']/value"]["magnitude"] == 2
    assert values["[at0013]/value"]["defining_code"]["code_string"] == "1"
    assert read_opt(write_opt(template)) == template


def viewed(path: str) -> Template:
    hint = f'<constraints path="[{OBSERVATION}]{path}"><items id="pass_through"><value>true</value></items>'
    view = f"<view>{hint}</constraints></view></template>"
    return source("a", oet().replace(b"</template>", view.encode()))


def test_hints_for_forms_are_kept(archetypes: ArchetypeRepository) -> None:
    template = compile_template(viewed(TREE), archetypes)
    assert {path: dict(items) for path, items in template.view.items()} == {TREE: {"pass_through": "true"}}
    assert read_opt(write_opt(template)) == template
    assert codes(viewed("/data[at0099]"), archetypes) == ["template.hint_without_node"]


def test_a_hint_may_be_on_what_only_the_model_has(archetypes: ArchetypeRepository) -> None:
    template = compile_template(viewed(f"{TREE}/items[at0007]/null_flavour"), archetypes)
    assert set(template.view) == {f"{TREE}/items[at0007]/null_flavour"}
    assert read_opt(write_opt(template)) == template


def test_names_are_those_of_the_template(archetypes: ArchetypeRepository) -> None:
    """Renamed nodes and limited names, as FLAT clients see them."""
    limited = (
        "<nameConstraint><includedValues>Venstre</includedValues><includedValues>Høyre</includedValues>"
        "</nameConstraint>"
    )
    rules = rule(f"{TREE}/items[at0007]", name="Nivå") + rule(f"{TREE}/items[at0008]", limited)
    tree = to_web_template(compile_template(source("a", oet(rules)), archetypes))["tree"]
    shown = str(tree)
    assert "'id': 'nivå'" in shown and "'id': 'venstre'" in shown and "'id': 'høyre'" in shown
