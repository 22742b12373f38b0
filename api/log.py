"""Logging: one JSON object a line in production, readable lines in dev.

Nothing of a patient goes into the log: no bodies, no paths with identifiers, no query strings, no text of an
unforeseen exception (it may quote data), only its class and the places in our code.
"""

from __future__ import annotations

import logging
import sys
import traceback

import structlog

FRAMES_LOGGED = 10


def configure_logging(*, as_json: bool, level: str = "INFO") -> None:
    """Send our own and the HTTP server's log lines to standard error."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # These write addresses and headers, or say again what we have said ourselves.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "pymongo", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_without_traceback)


def code_places(error: BaseException) -> list[str]:
    """The innermost frames that an exception came through, without any of its values."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def _without_traceback(record: logging.LogRecord) -> bool:
    """The HTTP server logs a failed start as a traceback; whoever failed has logged the reason already."""
    return not str(record.msg).startswith("Traceback")
