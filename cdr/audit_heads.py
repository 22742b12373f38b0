"""The heads of the audit chains as signed texts, to be kept where who changes the database does not reach.

With a head from outside, :class:`cdr.audit.ChainCheck` tells when the end of a chain was cut off, or a
whole chain was written anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from archetypes.errors import HelsekortError
from cdr.audit import Head
from cdr.versions import iso

ALGORITHM = "Ed25519"
SUFFIX = ".jws"


class UntrustedHeads(HelsekortError):
    """A file of heads that cannot be read, or that no trusted key signed."""

    code = "audit.untrusted_heads"


@dataclass(frozen=True, slots=True)
class PublishedHeads:
    """What one file says: the ends of all chains of a system at a time."""

    system: str
    at: str
    heads: tuple[Head, ...]


def sign_heads(heads: Iterable[Head], key: OKPKey, *, system: str, at: datetime) -> str:
    """JWS compact (RFC 7515, EdDSA as in RFC 9864) over the heads."""
    chains = [{"chain": head.chain, "sequence": head.sequence, "digest": head.digest} for head in heads]
    payload = orjson.dumps({"system": system, "at": iso(at), "chains": chains})
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "audit-heads"}
    return jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM])


def read_heads(text: str, keys: Sequence[OKPKey]) -> PublishedHeads:
    """The heads in a signed text. Raises UntrustedHeads."""
    try:
        key_id = jws.extract_compact(text.encode()).protected.get("kid")
        key = next((key for key in keys if key.kid == key_id), None)
        if key is None:
            raise UntrustedHeads("signed by a key that is not among the trusted ones")
        body = orjson.loads(jws.deserialize_compact(text, key, algorithms=[ALGORITHM]).payload or b"")
        chains = [Head(one["chain"], one["sequence"], one["digest"]) for one in body["chains"]]
        return PublishedHeads(body["system"], body["at"], tuple(chains))
    except (JoseError, ValueError, KeyError, TypeError) as fault:
        raise UntrustedHeads("no signed heads, or changed ones") from fault


def publish_heads(heads: Iterable[Head], key: OKPKey, folder: Path, *, system: str, at: datetime) -> Path:
    """Write the heads into a new file of the folder, whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{at:%Y%m%dT%H%M%S%f}Z-{key.kid}"
    part, file = folder / f"{name}.part", folder / f"{name}{SUFFIX}"
    part.write_text(sign_heads(heads, key, system=system, at=at), encoding="ascii")
    part.replace(file)
    public = folder / f"{key.kid}.jwk"
    if not public.exists():
        public.write_bytes(orjson.dumps(key.as_dict(private=False)))
    return file


def read_folder(folder: Path, keys: Sequence[OKPKey]) -> tuple[list[PublishedHeads], list[str]]:
    """What a folder holds, oldest first, and what is wrong with its files. Raises OSError."""
    found, faults = [], []
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append(read_heads(file.read_text(encoding="ascii"), keys))
        except (UntrustedHeads, UnicodeDecodeError) as fault:
            faults.append(f"{file.name}: {fault}")
    return found, faults
