"""A version as the headers of an answer tell of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from api.client.errors import ClientError, version_in


@dataclass(frozen=True, slots=True)
class Stored:
    """A version that is stored; ``uid`` is ``object_id::system_id::version``, times are UTC."""

    uid: str
    committed: datetime | None = None

    @property
    def object_id(self) -> str:
        """The id of the versioned object, the same in all its versions."""
        return self.uid.partition("::")[0]

    @property
    def version(self) -> int:
        """The number of the version, from 1."""
        return int(self.uid.rpartition("::")[2])


def stored(response: httpx.Response) -> Stored:
    """The version that ``ETag`` and ``Last-Modified`` name."""
    uid = version_in(response, "ETag")
    if uid is None:
        raise ClientError(f"{response.request.method} {response.request.url.path}: no ETag in the answer")
    modified = response.headers.get("Last-Modified")
    return Stored(uid, None if modified is None else parsedate_to_datetime(modified))


def new_key() -> str:
    """An Idempotency-Key of one creation, so that it can be sent again without being carried out twice."""
    return uuid.uuid4().hex
