"""The feed and the webhooks over real HTTP, and a server that ends although somebody follows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
from starlette.testclient import TestClient

from api.cli.server_process import ServerProcess, running_server, start_server
from api.client import Client, compositions, ehrs, events
from tests.api.answers import assert_error
from tests.api.visits import TEMPLATE, visit

EVENTS = "/events/v1/events"
WEBHOOKS = "/events/v1/webhooks"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("events")) as running:
        yield running


@pytest.mark.slow
def test_a_follower_is_told_as_it_happens(server: ServerProcess) -> None:
    with Client(server.base_url) as cdr:
        begin = cdr.send(events.page()).cursor
        told: list[events.Event] = []
        enough = threading.Event()

        def follow() -> None:
            with Client(server.base_url) as follower:
                for event in follower.stream(events.follow(begin, template=[TEMPLATE])):
                    told.append(event)
                    if len(told) == 3:
                        enough.set()
                        return

        thread = threading.Thread(target=follow)
        thread.start()
        ehr = cdr.send(ehrs.create())
        stored = [cdr.send(compositions.create(ehr.ehr_id, visit())) for _ in range(2)]
        assert enough.wait(10)
        thread.join()
        assert [(event.type, event.uid) for event in told[1:]] == [
            ("composition.created", one.uid) for one in stored
        ]
        assert [event.uid for event in cdr.send(events.page(told[1].cursor)).events] == [stored[1].uid]


@pytest.mark.slow
def test_nothing_is_lost_over_a_restart_and_followers_do_not_keep_a_server_alive(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = tmp_path_factory.mktemp("restart")
    first = start_server(data)
    with Client(first.base_url) as cdr:
        begin = cdr.send(events.page()).cursor
        ehr = cdr.send(ehrs.create())
    with httpx.stream("GET", first.base_url + EVENTS, headers={"Accept": "text/event-stream"}) as following:
        next(following.iter_lines())
        assert first.stop() == 0  # it waits a while for the server to end by itself
    with running_server(data) as second, Client(second.base_url) as cdr:
        stored = cdr.send(compositions.create(ehr.ehr_id, visit()))
        page = cdr.send(events.page(begin, ehr_id=ehr.ehr_id, wait=5))
        page_types = [event.type for event in page.events]
        assert page_types == ["ehr.created", "composition.created"]
        assert page.events[1].uid == stored.uid


@pytest.mark.parametrize(
    ("params", "headers", "code"),
    [
        ({"after": "x"}, {}, "events.cursor_malformed"),
        ({}, {"Last-Event-ID": "8" * 60}, "events.cursor_malformed"),
        ({"after": "A" * 40}, {"Last-Event-ID": "B" * 40}, "header.malformed"),
        ({"since": "yesterday"}, {}, "parameter.malformed"),
        ({"type": "composition.read"}, {}, "parameter.malformed"),
        ({"wait": "31"}, {}, "parameter.malformed"),
    ],
)
def test_bad_requests(client: TestClient, params: dict[str, str], headers: dict[str, str], code: str) -> None:
    assert_error(client.get(EVENTS, params=params, headers=headers), 400, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "webhook.malformed"),
        ({"url": 1}, "webhook.malformed"),
        ({"url": "https://example.org/", "types": "composition.created"}, "webhook.malformed"),
        ({"url": "https://example.org/", "types": ["composition.read"]}, "webhook.malformed"),
        ({"url": "https://example.org/", "secret": "x"}, "webhook.malformed"),
        ({"url": "http://example.org/"}, "webhook.address"),
    ],
)
def test_bad_webhooks(client: TestClient, body: dict[str, object], code: str) -> None:
    assert_error(client.post(WEBHOOKS, json=body), 400, code)


def test_a_webhook_from_its_creation_to_its_end(client: TestClient) -> None:
    made = client.post(WEBHOOKS, json={"url": "https://example.org/hook", "types": ["ehr.erased"]})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret.startswith("whsec_")
    (listed,) = [each for each in client.get(WEBHOOKS).json() if each["id"] == made.json()["id"]]
    assert (listed["types"], listed["delivered"], listed["stopped"]) == (["ehr.erased"], 0, None)
    assert secret not in client.get(WEBHOOKS).text
    assert client.delete(f"{WEBHOOKS}/{listed['id']}").status_code == 204
    assert_error(client.delete(f"{WEBHOOKS}/{listed['id']}"), 404, "webhook.unknown")
