"""The Python client against a real server over real HTTP, in both colours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.cli.server_process import running_server
from api.client import (
    AsyncClient,
    Client,
    Conflict,
    Format,
    Invalid,
    NoAnswer,
    NotFound,
    NotSupported,
    Refused,
    Stale,
    compositions,
    contributions,
    ehrs,
    queries,
    templates,
)
from tests.api.visits import TEMPLATE, visit

SYSTOLIC = (
    "SELECT c/uid/value AS uid, o/data[at0001]/events[at0006]/data[at0003]/items[at0004]/value/magnitude "
    "AS systolic FROM EHR e CONTAINS COMPOSITION c "
    "CONTAINS OBSERVATION o[openEHR-EHR-OBSERVATION.blood_pressure.v2] ORDER BY systolic"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("client")) as server:
        yield server.base_url


@pytest.fixture
def cdr(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


@pytest.mark.slow
def test_a_composition_from_creation_to_deletion(cdr: Client) -> None:
    ehr = cdr.send(ehrs.create(("demo", "client-1")))
    assert cdr.send(ehrs.get(ehr.ehr_id)) == ehr
    assert cdr.send(ehrs.of_subject("demo", "client-1")) == ehr
    first = cdr.send(compositions.create(ehr.ehr_id, visit(112)))
    second = cdr.send(compositions.update(ehr.ehr_id, first.uid, visit(120)))
    assert (second.object_id, second.version) == (first.object_id, 2)
    assert _sent(cdr.send(compositions.get(ehr.ehr_id, first.object_id))) == visit(120)
    assert _sent(cdr.send(compositions.get(ehr.ehr_id, first.uid))) == visit(112)
    with pytest.raises(Stale) as stale:
        cdr.send(compositions.update(ehr.ehr_id, first.uid, visit(130)))
    assert stale.value.latest == second.uid
    gone = cdr.send(compositions.delete(ehr.ehr_id, second.uid))
    assert cdr.send(compositions.get(ehr.ehr_id, gone.object_id)).composition is None


@pytest.mark.slow
@pytest.mark.parametrize("form", list(Format))
def test_every_format_is_written_and_read(cdr: Client, form: Format) -> None:
    ehr = cdr.send(ehrs.create())
    example = cdr.send(templates.example(TEMPLATE, form))
    stored = cdr.send(compositions.create(ehr.ehr_id, example, form, template_id=TEMPLATE))
    found = cdr.send(compositions.get(ehr.ehr_id, stored.uid, form)).composition
    assert isinstance(found, str if form is Format.XML else dict)


@pytest.mark.slow
def test_refusals_are_errors_of_their_kind_with_findings(cdr: Client) -> None:
    ehr = cdr.send(ehrs.create(("demo", "client-2")))
    with pytest.raises(Conflict, match=r"subject\.exists"):
        cdr.send(ehrs.create(("demo", "client-2")))
    with pytest.raises(NotFound):
        cdr.send(compositions.get(ehr.ehr_id, "00000000-0000-4000-8000-000000000000"))
    with pytest.raises(Invalid) as invalid:
        cdr.send(compositions.create(ehr.ehr_id, visit(units="kPa")))
    (finding,) = [fault for fault in invalid.value.findings if fault.code == "quantity.units"]
    assert finding.path.endswith("/value/units")
    assert (finding.expected, finding.found) == ("mm[Hg]", "kPa")
    with pytest.raises(Refused, match=r"aql\.syntax") as syntax:
        cdr.send(queries.run("SELECT FROM EHR"))
    assert (syntax.value.findings[0].line, syntax.value.findings[0].column) == (1, 8)


@pytest.mark.slow
def test_rows_at_once_and_one_by_one(cdr: Client) -> None:
    ehr = cdr.send(ehrs.create())
    stored = [cdr.send(compositions.create(ehr.ehr_id, visit(systolic))) for systolic in (110, 120, 130)]
    rows = cdr.send(queries.run(SYSTOLIC, ehr_id=ehr.ehr_id))
    wanted = [{"uid": one.uid, "systolic": value} for one, value in zip(stored, (110, 120, 130), strict=True)]
    assert rows.dicts() == wanted
    assert list(cdr.stream(queries.stream(SYSTOLIC, ehr_id=ehr.ehr_id))) == wanted
    assert "plan" in cdr.send(queries.explain(SYSTOLIC))
    with pytest.raises(Refused):
        list(cdr.stream(queries.stream("SELECT FROM")))


@pytest.mark.slow
def test_async_answers_as_sync(address: str, cdr: Client) -> None:
    ehr = cdr.send(ehrs.create())
    stored = cdr.send(compositions.create(ehr.ehr_id, visit()))

    async def ask() -> tuple[Any, ...]:
        async with AsyncClient(address) as client:
            several = [
                client.send(ehrs.get(ehr.ehr_id)),
                client.send(compositions.get(ehr.ehr_id, stored.uid)),
            ]
            rows = [row async for row in client.stream(queries.stream(SYSTOLIC, ehr_id=ehr.ehr_id))]
            return *await asyncio.gather(*several), rows

    wanted = (
        ehr,
        cdr.send(compositions.get(ehr.ehr_id, stored.uid)),
        list(cdr.stream(queries.stream(SYSTOLIC, ehr_id=ehr.ehr_id))),
    )
    assert asyncio.run(ask()) == wanted


@pytest.mark.slow
def test_a_contribution_is_read_back_by_its_id(cdr: Client) -> None:
    ehr = cdr.send(ehrs.create())
    made = cdr.send(contributions.create(ehr.ehr_id, _contribution(visit())))
    assert cdr.send(contributions.get(ehr.ehr_id, made["uid"]["value"])) == made
    assert len(made["versions"]) == 1


@pytest.mark.slow
def test_a_creation_whose_answer_was_lost_is_sent_again_and_carried_out_once(address: str) -> None:
    with Client(address, transport=_LosesAnswers(2)) as cdr:
        ehr = cdr.send(ehrs.create())
        cdr.send(compositions.create(ehr.ehr_id, visit()))
        assert len(cdr.send(queries.run(SYSTOLIC, ehr_id=ehr.ehr_id))) == 1


def test_a_server_that_is_not_there_is_no_answer_after_some_tries() -> None:
    with Client("http://127.0.0.1:9") as cdr, pytest.raises(NoAnswer) as error:
        cdr.send(ehrs.get("x"))
    assert error.value.tries == 4


def test_an_update_is_not_sent_twice() -> None:
    with Client("http://127.0.0.1:9") as cdr, pytest.raises(NoAnswer) as error:
        cdr.send(compositions.update("x", "a::b::1", {}))
    assert error.value.tries == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (
            501,
            b'{"code": "aql.not_supported", "message": "m", "findings": []}',
            NotSupported,
            "aql.not_supported",
        ),
        (502, b"<html>bad gateway</html>", Refused, "http.502"),
        (404, b"[]", NotFound, "http.404"),
    ],
)
def test_an_error_of_whatever_stands_between_is_still_an_error(
    status: int, body: bytes, kind: type[Refused], code: str
) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, content=body))
    with Client("http://cdr", transport=transport) as cdr, pytest.raises(kind) as error:
        cdr.send(compositions.delete("x", "a::b::1"))
    assert (error.value.status, error.value.code) == (status, code)


class _LosesAnswers(httpx.BaseTransport):
    """Sends every request, and loses the first ``count`` answers to each kind of request."""

    def __init__(self, count: int) -> None:
        self._inner = httpx.HTTPTransport()
        self._left: dict[bytes, int] = {}
        self._count = count

    def close(self) -> None:
        self._inner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        left = self._left.get(request.url.raw_path, self._count)
        self._left[request.url.raw_path] = left - 1
        if left <= 0:
            return response
        response.close()
        raise httpx.ReadError("the answer was lost", request=request)


def _contribution(composition: dict[str, Any]) -> dict[str, Any]:
    creation = {
        "_type": "DV_CODED_TEXT",
        "value": "creation",
        "defining_code": {"terminology_id": {"value": "openehr"}, "code_string": "249"},
    }
    committer = {"_type": "PARTY_IDENTIFIED", "name": "Jordmor Kari"}
    audit = {"change_type": creation, "committer": committer}
    return {"audit": audit, "versions": [{"commit_audit": audit, "data": composition}]}


def _sent(version: compositions.Version) -> dict[str, Any]:
    """A composition without the uid that the server gave it."""
    assert isinstance(version.composition, dict)
    return {name: value for name, value in version.composition.items() if name != "uid"}
