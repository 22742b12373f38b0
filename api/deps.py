"""What a route needs of its surroundings: the context of the request, with who is calling."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Request

from api.http_errors import Unauthenticated
from cdr.context import Actor, Ctx
from cdr.errors import NotAllowed
from cdr.platform import Platform

DEV_ACTOR = Actor(id="dev", name="Utvikler", role="developer", organisation="dev")
_THIS_MACHINE = re.compile(r"(?:https?://)?(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?", re.ASCII)


def platform_of(request: Request) -> Platform:
    """What the server holds open."""
    platform: Platform = request.app.state.platform
    return platform


async def request_context(request: Request) -> Ctx:
    """The context of the request. Raises Unauthenticated in production, which reads no tokens yet.

    Async although it waits for nothing: the framework would run a plain function in a thread.
    """
    platform = platform_of(request)
    if not platform.settings.is_dev:
        raise Unauthenticated
    _require_local(request)
    return platform.context(DEV_ACTOR)


def _require_local(request: Request) -> None:
    """Without tokens, a page from elsewhere in the developer's browser could use the server through it.

    Such a page shows itself by its Origin, or by a name of its own that points to the loopback.
    Raises NotAllowed.
    """
    host = request.headers.get("host", "")
    places = (host, request.headers.get("origin", host))
    if not all(map(_THIS_MACHINE.fullmatch, places)):
        raise NotAllowed("a request from another site", "a development server answers this machine only")


Context = Annotated[Ctx, Depends(request_context)]
