"""Private keys in files that only their owner may read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import orjson
from joserfc.jwk import ECKey, OKPKey, import_key

PrivateKey = ECKey | OKPKey
K = TypeVar("K", ECKey, OKPKey)


def signing_key(file: Path) -> ECKey:
    """The P-256 key in a JWK file, which is made if it is not there. Raises OSError, ValueError."""
    return _kept(file, ECKey, lambda: ECKey.generate_key("P-256", {"use": "sig"}, private=True))


def seal_key(file: Path) -> OKPKey:
    """The Ed25519 key in a JWK file, which is made if it is not there. Raises OSError, ValueError."""
    return _kept(file, OKPKey, lambda: OKPKey.generate_key("Ed25519", {"use": "sig"}, private=True))


def private_key(file: Path) -> PrivateKey:
    """The private key in a JWK file. Raises OSError, ValueError."""
    key = import_key(orjson.loads(file.read_bytes()))
    if not isinstance(key, ECKey | OKPKey) or not key.is_private:
        raise ValueError(f"{file} holds no private key of a kind that is used here")
    return key


def save_key(file: Path, key: PrivateKey) -> None:
    """Write a key so that nobody else can read it, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_suffix(f".{os.getpid()}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:  # noqa: PTH123
        written.write(orjson.dumps(key.as_dict(private=True)))
    part.replace(file)


def _kept(file: Path, kind: type[K], make: Callable[[], K]) -> K:
    if not file.exists():
        made = make()
        made.ensure_kid()
        save_key(file, made)
    key = private_key(file)
    if not isinstance(key, kind):
        raise ValueError(f"{file} holds a key of another kind")
    key.ensure_kid()
    return key
