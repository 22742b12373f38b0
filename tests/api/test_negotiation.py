"""Media types, Prefer, ETag and If-Match as clients write them."""

from __future__ import annotations

import pytest

from api.http_errors import MalformedRequest, NotAcceptable, UnsupportedMediaType
from api.languages import preferred_language
from api.negotiation import (
    JSON,
    WEB_TEMPLATE,
    XML,
    Preference,
    accepted,
    etag,
    if_match,
    preference,
    require_content_type,
    required_if_match,
)
from tests.api.bare_requests import request_with

UID = "8849182c-82ad-4088-a07f-48ead4180515::no.helsekort.cdr::2"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", XML),
        ("*/*", XML),
        ("application/xml", XML),
        ("application/openehr.wt+json", WEB_TEMPLATE),
        ("application/xml;q=0.2, application/openehr.wt+json", WEB_TEMPLATE),
        ("application/*;q=0.5, text/html", XML),
        ("application/xml;q=0, */*", WEB_TEMPLATE),
        ("APPLICATION/OPENEHR.WT+JSON ; q=0.9", WEB_TEMPLATE),
    ],
)
def test_accept_chooses_the_heaviest_that_is_offered(accept: str, chosen: str) -> None:
    assert accepted(request_with(accept=accept), XML, WEB_TEMPLATE) == chosen


@pytest.mark.parametrize(
    "accept", ["application/xml", "text/*", "application/json;q=0", "application/json;q=0, */*;q=0"]
)
def test_what_is_not_offered_is_refused_by_name(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json"):
        accepted(request_with(accept=accept), JSON)


def test_an_unreadable_weight_is_refused() -> None:
    with pytest.raises(MalformedRequest, match="weight"):
        accepted(request_with(accept="text/html;q=much"), JSON)


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"']
)
def test_json_is_read(content_type: str) -> None:
    require_content_type(request_with(content_type=content_type), JSON)


@pytest.mark.parametrize("content_type", [XML, "text/xml; charset=iso-8859-1"])
def test_xml_is_read(content_type: str) -> None:
    require_content_type(request_with(content_type=content_type), XML)


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"content_type": "application/xml"}, "application/xml"),
        ({"content_type": "application/openehr.wt.flat+json"}, "flat"),
        ({"content_type": "application/x-www-form-urlencoded"}, "urlencoded"),
        ({"content_type": "application/json; charset=iso-8859-1"}, "iso-8859-1"),
        ({"content_type": JSON, "content_encoding": "gzip"}, "gzip"),
        ({}, "no Content-Type"),
    ],
)
def test_other_bodies_are_refused_by_name(headers: dict[str, str], named: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=named):
        require_content_type(request_with(**headers), JSON)


@pytest.mark.parametrize(
    ("prefer", "wanted"),
    [
        ("return=minimal", Preference.MINIMAL),
        ("return=representation, resolve_refs", Preference.REPRESENTATION),
        ("resolve_refs; return=identifier", Preference.IDENTIFIER),
        ('RETURN="Representation"', Preference.REPRESENTATION),
        ("return=everything", None),
        ("respond-async", None),
    ],
)
def test_prefer(prefer: str, wanted: Preference | None) -> None:
    assert preference(request_with(prefer=prefer)) is wanted


def test_no_prefer_asks_for_nothing() -> None:
    assert preference(request_with()) is None


@pytest.mark.parametrize("text", [UID, f'"{UID}"', f'W/"{UID}"', f' "{UID}" '])
def test_if_match_is_read_with_and_without_quotes(text: str) -> None:
    assert required_if_match(request_with(if_match=text)) == UID


def test_our_own_etag_is_a_valid_if_match() -> None:
    assert if_match(request_with(if_match=etag(UID))) == UID


@pytest.mark.parametrize("text", ["*", '""', f'"{UID}", "{UID}"'])
def test_if_match_is_one_uid(text: str) -> None:
    with pytest.raises(MalformedRequest, match="If-Match"):
        if_match(request_with(if_match=text))


def test_a_missing_if_match_is_named() -> None:
    assert if_match(request_with()) is None
    with pytest.raises(MalformedRequest) as caught:
        required_if_match(request_with())
    assert caught.value.code == "header.if_match_missing"


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("", "en"),
        ("nb", "nb"),
        ("nn-NO, en;q=0.5", "nb"),
        ("en;q=0.5, no", "nb"),
        ("de, fr", "en"),
        ("nb;q=0.1, en-GB;q=0.2", "en"),
        ("nb;q=so", "en"),
    ],
)
def test_language(accept_language: str, language: str) -> None:
    assert preferred_language(request_with(accept_language=accept_language)) == language
