"""The connection to MongoDB."""

from __future__ import annotations


class Store:
    """The collections of one database."""

    async def ping(self) -> None:
        """Return if the database answers and takes writes. Raises StoreUnavailable."""
        raise NotImplementedError
