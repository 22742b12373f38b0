"""A Python client for programmers of EHR systems: typed, sync and async, over nothing but HTTP.

What can be asked is a value, made by a function of ``ehrs``, ``compositions``, ``contributions``,
``templates`` or ``queries``; a client sends it. So both colours have every operation, and the same one::

    with Client("http://127.0.0.1:8080") as cdr:
        ehr = cdr.send(ehrs.create())
        visit = compositions.create(ehr.ehr_id, flat, Format.FLAT, template_id="helsekort_kontroll.v0")
        stored = cdr.send(visit)

    async with AsyncClient("http://127.0.0.1:8080") as cdr:
        ehr = await cdr.send(ehrs.create())

It imports nothing of the server, so it can be taken out and shipped alone.
"""

from api.client import bulk, compositions, contributions, ehrs, events, queries, templates
from api.client.clients import AsyncClient, Client
from api.client.errors import (
    AccessDenied,
    ClientError,
    Conflict,
    Fault,
    Invalid,
    NoAnswer,
    NotFound,
    NotSupported,
    Refused,
    Stale,
)
from api.client.formats import Format
from api.client.operation import Operation, Stream
from api.client.rows import Rows

__all__ = [
    "AccessDenied",
    "AsyncClient",
    "Client",
    "ClientError",
    "Conflict",
    "Fault",
    "Format",
    "Invalid",
    "NoAnswer",
    "NotFound",
    "NotSupported",
    "Operation",
    "Refused",
    "Rows",
    "Stale",
    "Stream",
    "bulk",
    "compositions",
    "contributions",
    "ehrs",
    "events",
    "queries",
    "templates",
]
