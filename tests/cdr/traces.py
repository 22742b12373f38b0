"""Looks for a text in the files of a database: plainly, and inside every zstd frame."""

from __future__ import annotations

import mmap
from pathlib import Path

import zstandard

# Blocks of a database are compressed by default, which would blind a search of its files.
UNCOMPRESSED = (
    *("--wiredTigerCollectionBlockCompressor", "none"),
    *("--wiredTigerJournalCompressor", "none"),
)
ZSTD = b"\x28\xb5\x2f\xfd"
LONGEST = 1 << 20  # of a payload, unpacked


def files_with(folder: Path, text: str) -> set[str]:
    """Names of the files below ``folder`` that hold the text."""
    found = set()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size and _holds(path, text.encode()):
            found.add(path.relative_to(folder).as_posix())
    return found


def holds(content: bytes, text: str) -> bool:
    """Is the text in these bytes, or in what is packed in them?"""
    return text.encode() in content or _packed(content, text.encode())


def _holds(path: Path, text: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text) >= 0 or _packed(content, text)


def _packed(content: bytes | mmap.mmap, text: bytes) -> bool:
    place = content.find(ZSTD)
    while place >= 0:
        unpacker = zstandard.ZstdDecompressor().decompressobj()
        try:
            if text in unpacker.decompress(content[place : place + LONGEST]):
                return True
        except zstandard.ZstdError:
            pass  # four bytes that look like the beginning of a frame
        place = content.find(ZSTD, place + 1)
    return False
