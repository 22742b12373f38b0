"""What a route needs of its surroundings: the context of the request, with who is calling."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.http_errors import Unauthenticated
from cdr.context import Actor, Ctx
from cdr.platform import Platform

DEV_ACTOR = Actor(id="dev", name="Utvikler", role="developer", organisation="dev")


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
    return platform.context(DEV_ACTOR)


Context = Annotated[Ctx, Depends(request_context)]
