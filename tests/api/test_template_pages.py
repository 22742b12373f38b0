"""The pages on templates: every field, its FLAT path and a filled example, without script or internet."""

from __future__ import annotations

import re

import orjson
import pytest
from fastapi.testclient import TestClient
from lxml import html

from templates.example import example_composition
from templates.field_guide import field_guide
from templates.fields import field_nodes, provisional_lists
from templates.repository import library_templates
from templates.simplified import from_flat, to_flat

VISIT = "helsekort_kontroll.v0"
PAGE = f"/docs/templates/{VISIT}"


def read(client: TestClient, address: str, **headers: str) -> html.HtmlElement:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return html.document_fromstring(response.content.decode())


def test_the_index_leads_to_every_template(client: TestClient) -> None:
    page = read(client, "/docs/templates")
    links = {link.partition("?")[0] for link in page.xpath("//td/a/@href")}
    assert links == {f"/docs/templates/{template_id}" for template_id in library_templates()}
    assert read(client, "/").xpath("//a[@href='/docs/templates']")


def test_a_page_shows_every_field_of_the_card(client: TestClient) -> None:
    shown = set(" ".join(read(client, PAGE).xpath("//td/text()")).split())
    assert set(field_nodes(library_templates()[VISIT])) <= shown


@pytest.mark.parametrize(("language", "said"), [("nb", "Foreløpig"), ("en", "Provisional")])
def test_codes_that_stand_in_for_a_national_list_say_so(client: TestClient, language: str, said: str) -> None:
    notes = read(client, f"{PAGE}?language={language}").xpath("//div[@class='note']/text()")
    marked = [note for note in notes if note.startswith(said)]
    lists = provisional_lists(library_templates()[VISIT])
    assert {field for field, name in lists.items() if name == "Volven 8534"} == {"HK13.10", "HK13.11"}
    assert len(marked) == len(lists)
    assert all(any(name in note for note in marked) for name in lists.values())


def test_a_page_opens_offline_and_without_script(client: TestClient) -> None:
    page = read(client, PAGE)
    assert page.xpath("//script | //@onclick | //@src") == []
    assert all(link.startswith("/") for link in page.xpath("//@href"))


def test_labels_have_a_language_and_paths_do_not(client: TestClient) -> None:
    norwegian, english = (read(client, f"{PAGE}?language={code}") for code in ("nb", "en"))
    assert [page.get("lang") for page in (norwegian, english)] == ["nb", "en"]
    assert "Systolisk" in norwegian.text_content() and "Systolic" in english.text_content()
    assert norwegian.xpath("//td/code/text()") == english.xpath("//td/code/text()")
    assert read(client, PAGE, **{"Accept-Language": "nb-NO, en;q=0.5"}).get("lang") == "nb"
    assert english.xpath("//a[starts-with(@href, $page)]/text()", page=PAGE) == ["På norsk"]


def test_the_example_to_copy_is_the_one_that_can_be_sent(client: TestClient) -> None:
    flat, *_ = read(client, PAGE).xpath("//details/pre/code/text()")
    opt = library_templates()[VISIT]
    assert from_flat(opt, orjson.loads(str(flat))) == example_composition(opt)


@pytest.mark.parametrize("template_id", sorted(library_templates()))
def test_every_key_of_an_example_has_a_row(template_id: str) -> None:
    opt = library_templates()[template_id]
    rows = {re.sub(r":0", "", row.path) for row in field_guide(opt, "nb")}
    keys = [key for key in to_flat(opt, example_composition(opt)) if not key.startswith("ctx/")]
    for key in keys:
        path = re.sub(r":\d+", "", key).partition("|")[0]
        # What the reference model adds has no row: times, transitions, whom an entry is about.
        above = path.rpartition("/")[0]
        known = path in rows or above in rows or re.search("/_|/ism_transition|/subject/", path)
        assert known, key


def test_an_unknown_template_is_not_found(client: TestClient) -> None:
    response = client.get("/docs/templates/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "template.not_found")
