"""What we write as OET is read back equal, lost in nothing, and as valid as what editors write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from archetypes.aom.constraints import Interval
from archetypes.findings import SourceSpan
from archetypes.rm.safe_xml import XSI_TYPE
from templates.oet import NAMESPACE, read_oet, write_oet
from templates.repository import library_sources
from templates.source import (
    Annotation,
    CountConstraint,
    DateConstraint,
    DurationConstraint,
    IntegrityCheck,
    Item,
    MultipleConstraint,
    OrdinalConstraint,
    QuantityConstraint,
    Rule,
    Template,
    TextConstraint,
    UnitRange,
    ViewHint,
)
from tests.shared_data import SHARED, needs_shared

# What editors write and the published schema does not know.
EXTENSIONS = ("annotations", "view", "integrity_checks")


def public_files() -> list[Path]:
    return sorted((SHARED / "testdata" / "templates").glob("oet_*/*.oet"))


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SHARED / "spec/its-xml/OET/Release-1.0.1/CompositionTemplate.xsd"))


def is_valid(data: bytes) -> bool:
    """By the published schema, without what editors add to it."""
    root = etree.fromstring(data)
    for element in [child for child in root if etree.QName(child).localname in EXTENSIONS]:
        root.remove(element)
    for element in root.iter():
        element.attrib.pop("concept_name", None)
    return bool(schema().validate(root))


def said(data: bytes) -> Counter[tuple[str, ...]]:
    """Every text and attribute with the names above it, whatever the order.

    A key without a value says nothing, and a key said twice no more than once; a rule on the context is
    the same below the composition.
    """
    return Counter(_said(etree.fromstring(data), ""))


# Defaults that need not be written, and what the schema wants written in any case.
SILENT = {"max": "", "min": "", "name": "", "hide_on_form": "false", "clone": "false"}


def _said(element: etree._Element, above: str) -> Iterator[tuple[str, ...]]:
    place = f"{above}/{etree.QName(element).localname}".replace("/Context/Rule", "/Rule")
    for name, value in element.attrib.items():
        if name == XSI_TYPE:
            yield place, "type", value.rpartition(":")[2]
        elif value != SILENT.get(str(name)):
            yield place, str(name), value
    text = " ".join((element.text or "").split())
    if text and "includesM" not in place:
        yield place, _number(text) if place.endswith("Magnitude") else text
    keys = set[str]()
    for child in element.iterchildren(etree.Element):
        key, value = (child.findtext(f"{{{NAMESPACE}}}{part}") for part in ("key", "value"))
        if key is None or (value and key not in keys):
            yield from _said(child, place)
        keys.add(key or "")


def _number(text: str) -> str:
    try:
        return str(float(text))
    except ValueError:
        return text


@pytest.mark.parametrize("template_id", sorted(library_sources()))
def test_our_sources_are_written_and_read_back_equal(template_id: str) -> None:
    source = library_sources()[template_id]
    assert read_oet(write_oet(source)) == source


@needs_shared
@pytest.mark.parametrize("template_id", sorted(library_sources()))
def test_our_sources_are_written_as_the_schema_wants(template_id: str) -> None:
    assert is_valid(write_oet(library_sources()[template_id])), schema().error_log


@needs_shared
def test_every_public_source_is_written_and_read_back_equal() -> None:
    assert len(public_files()) == 64
    for file in public_files():
        source = read_oet(file.read_bytes(), file.name)
        assert read_oet(write_oet(source)) == source, file.name


@needs_shared
def test_nothing_of_a_public_source_is_lost() -> None:
    for file in public_files():
        data = file.read_bytes()
        written = write_oet(read_oet(data))
        lost = said(data) - said(written)
        # Two editors hide the context of a form by an element that no other reader knows.
        lost.pop(("/template/definition/Context/hide_on_form", "true"), None)
        assert lost == {}, file.name


@needs_shared
def test_what_is_valid_stays_valid_and_more_becomes_so() -> None:
    before = {file.name for file in public_files() if is_valid(file.read_bytes())}
    after = {file.name for file in public_files() if is_valid(write_oet(read_oet(file.read_bytes())))}
    assert before <= after
    assert (len(before), len(after)) == (25, 62)


# --- any source -----------------------------------------------------------------------------------

SPAN = SourceSpan("", 1, 1)
words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)
optional = st.one_of(st.none(), words)
lists = st.lists(words, max_size=2).map(tuple)
numbers = st.one_of(st.none(), st.integers(0, 9))
flags = st.booleans()


def ranges(low: object, high: object) -> st.SearchStrategy[Interval[object]]:
    """An included flag has no meaning on a side without limit, and is True there."""
    sides = st.tuples(st.sampled_from([None, low]), st.sampled_from([None, high]), flags, flags)
    return sides.map(
        lambda s: Interval(s[0], s[1], s[0] is None or s[2], s[1] is None or s[3])  # type: ignore[type-var]
    )


def limited(low: object, high: object) -> st.SearchStrategy[Interval[object]]:
    return ranges(low, high).filter(lambda limits: limits != Interval())


texts = st.builds(
    TextConstraint,
    included=lists,
    excluded=lists,
    limit_to_list=flags,
    terminology=optional,
    query=optional,
    query_language=optional,
    look_up=flags,
)
units = st.builds(UnitRange, unit=words, magnitude=st.one_of(st.none(), limited(0.5, 2.0)), precision=numbers)
constraints = st.one_of(
    texts,
    st.builds(
        QuantityConstraint,
        included_units=lists,
        excluded_units=lists,
        unit_ranges=st.lists(units, max_size=2).map(tuple),
    ),
    st.builds(OrdinalConstraint, included=lists, excluded=lists),
    st.builds(MultipleConstraint, types=lists),
    st.builds(CountConstraint, range=ranges(0, 5)),
    st.builds(
        DurationConstraint,
        pattern=st.sampled_from([None, "PWD"]),
        range=st.one_of(st.none(), limited("P1W", "P2W")),
    ),
    st.builds(
        DateConstraint,
        range=st.builds(Interval, st.just("2020-01-01"), st.sampled_from([None, "2021-01-01"])),
    ),
)
rules = st.builds(
    Rule,
    path=st.sampled_from(["/data", "/items[at0001]", "/"]),
    span=st.just(SPAN),
    name=optional,
    minimum=numbers,
    maximum=numbers,
    clone=flags,
    default=optional,
    hide_on_form=flags,
    constraint=st.one_of(st.none(), constraints),
    name_constraint=st.one_of(st.none(), texts),
    null_flavour_constraint=st.one_of(st.none(), texts),
    event_type=optional,
    note=optional,
)


def items(types: list[str], below: st.SearchStrategy[tuple[Item, ...]]) -> st.SearchStrategy[Item]:
    return st.builds(
        Item,
        archetype_id=words,
        rm_type=st.sampled_from(types),
        span=st.just(SPAN),
        path=st.sampled_from(["/items", "/content", "/context/other_context[at0001]/items[at0002]"]),
        name=optional,
        minimum=numbers,
        maximum=numbers,
        hide_on_form=flags,
        template_id=optional,
        concept_name=optional,
        note=optional,
        subject=st.one_of(st.none(), texts),
        rules=st.lists(rules, max_size=2).map(tuple),
        items=below,
    )


leaves = items(["CLUSTER", "ELEMENT"], st.just(()))
parts = items(["SECTION", "OBSERVATION"], st.lists(leaves, max_size=2).map(tuple))
# The reader gives the parts of the context last.
placed = st.lists(parts, max_size=3).map(
    lambda found: tuple(sorted(found, key=lambda item: item.path.startswith("/context")))
)
roots = items(["COMPOSITION"], placed).map(
    lambda root: Item(
        archetype_id=root.archetype_id,
        rm_type="COMPOSITION",
        span=SPAN,
        name=root.name,
        rules=root.rules,
        items=root.items,
    )
)
dictionaries = st.dictionaries(words, words, min_size=1, max_size=2)
templates = st.builds(
    Template,
    id=words,
    name=words,
    definition=roots,
    description=st.dictionaries(
        st.sampled_from(
            [
                *("lifecycle_state", "purpose", "use", "misuse", "copyright", "keywords"),
                *("other_contributors", "original_author.name", "other_details.x"),
                *("details.other_details.y", "resource_package_uri", "original_resource_uri"),
            ]
        ),
        words,
    ),
    annotations=st.lists(
        st.builds(Annotation, path=words, items=dictionaries, span=st.just(SPAN)), max_size=2
    ).map(tuple),
    view=st.lists(st.builds(ViewHint, path=words, items=dictionaries), max_size=2).map(tuple),
    integrity_checks=st.lists(
        st.builds(IntegrityCheck, archetype_id=words, digests=dictionaries), max_size=2
    ).map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(templates)
def test_any_source_is_written_and_read_back_equal(template: Template) -> None:
    assert read_oet(write_oet(template)) == template


def test_our_namespace_is_that_of_editors() -> None:
    written = write_oet(next(iter(library_sources().values())))
    assert etree.fromstring(written).tag == f"{{{NAMESPACE}}}template"
