"""Path codes: 48 bits, as 8 characters, that name a place within an archetype wherever it is used.

The code of an archetype's root is a hash of its id without minor and patch version; the code of a place is a
hash of the code above it and of one segment (``/data[at0001]``, ``/value``, ``/items[<archetype>]``). So a
code can be continued without knowing the path that led to it. Names and positions take no part.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b

_MINOR = re.compile(r"(\.v\d+)(?:\.\d+)+$", re.ASCII)
_BYTES = 6


def stem(archetype_id: str) -> str:
    """``x.v2`` of ``x.v2.0.4``; other forms of version (``x.v2-rc.1``) as they are."""
    return _MINOR.sub(r"\1", archetype_id)


@lru_cache(maxsize=65536)
def chain(above: str, segment: str) -> str:
    """The code of the place that ``segment`` leads to from the place of code ``above``."""
    digest = blake2b(f"{above}{segment}".encode(), digest_size=_BYTES).digest()
    return urlsafe_b64encode(digest).decode()


@lru_cache(maxsize=4096)
def root_code(archetype_id: str) -> str:
    """The code of the root of an archetype."""
    return chain("", stem(archetype_id))


def slot_segment(attribute: str, node_id: str | None = None) -> str:
    """One segment; ``node_id`` is an at-code, an id-code or the id of an archetype that fills a slot."""
    return f"/{attribute}" if node_id is None else f"/{attribute}[{stem(node_id)}]"
