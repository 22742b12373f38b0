"""Templates: publish, list, read (ITS-REST DEFINITION, ADL 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdr.context import Ctx
from cdr.templates import PublishedTemplate


async def publish_template(ctx: Ctx, source: bytes) -> PublishedTemplate:
    """Publish an operational template (OPT 1.4 XML).

    Raises TemplateExists (also for the same content), InvalidTemplate, and the reader's errors.
    """
    raise NotImplementedError


async def publish_library(ctx: Ctx) -> Sequence[PublishedTemplate]:
    """Publish the templates of our library that the server does not hold yet; returns the new ones."""
    raise NotImplementedError


async def list_templates(ctx: Ctx) -> Sequence[PublishedTemplate]:
    """The newest revision of every template, by id."""
    raise NotImplementedError


async def get_template(ctx: Ctx, template_id: str) -> PublishedTemplate:
    """The newest revision of a template. Raises TemplateNotFound."""
    raise NotImplementedError


async def get_web_template(ctx: Ctx, template_id: str) -> dict[str, Any]:
    """The web template (JSON form) of the newest revision. Raises TemplateNotFound."""
    raise NotImplementedError
