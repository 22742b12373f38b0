"""What schemathesis does not know of itself: bodies of lines (NDJSON)."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """Texts as they are; what is generated otherwise, as one text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
