"""What a route needs of its surroundings: the context of the request, with who is calling."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from api.caller import access_basis, access_reason, presented, stated
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
    """The context of the request.

    Raises TokenRefused, IssuerSilent, StoreUnavailable, NotAllowed, MalformedRequest.
    """
    platform = platform_of(request)
    if platform.settings.is_dev:
        require_local(request)
    actor = await _actor(request, platform)
    return platform.context(actor, basis=access_basis(request), reason=access_reason(request))


async def _actor(request: Request, platform: Platform) -> Actor:
    """Who the token says; a development server without an issuer takes everybody for the developer."""
    if platform.recognition is not None:
        return await platform.recognition.identify(presented(request, platform.settings.public_url))
    said = stated(request)
    return replace(DEV_ACTOR, source_system=said.source_system, event_id=said.event_id)


def require_local(request: Request) -> None:
    """Without tokens, a page from elsewhere in the developer's browser could use the server through it.

    Such a page shows itself by its Origin, or by a name of its own that points to the loopback.
    Raises NotAllowed.
    """
    host = request.headers.get("host", "")
    places = (host, request.headers.get("origin", host))
    if not all(map(_THIS_MACHINE.fullmatch, places)):
        raise NotAllowed("a request from another site", "a development server answers this machine only")


Context = Annotated[Ctx, Depends(request_context)]
