"""Signed heads, published outside the database: what they reveal that the chains alone do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from cdr.audit import AuditBatch, Head, batch_line, chain_faults, read_batch
from cdr.audit_heads import UntrustedHeads, publish_heads, read_folder, read_heads, sign_heads
from cdr.context import Ctx
from cdr.ehrs import create_ehr, get_ehr
from cdr.head_publishing import publish_now
from cdr.identity.key_files import seal_key
from tests.cdr.test_audit import chain, entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_key() -> OKPKey:
    key = OKPKey.generate_key("Ed25519", private=True)
    key.ensure_kid()
    return key


def head_of(batch: AuditBatch) -> Head:
    return Head(batch.chain, batch.sequence, batch.digest)


def test_a_chain_that_was_cut_off_shows_only_by_a_published_head() -> None:
    batches = chain("a", 5)
    assert chain_faults(batches[:3]) == []
    assert chain_faults(batches[:3], [head_of(batches[4])]) != []
    assert chain_faults(batches, [head_of(batches[4]), head_of(batches[2])]) == []


def test_a_chain_that_was_written_anew_shows_only_by_a_published_head() -> None:
    batches = chain("a", 2)
    forged = AuditBatch.sealed("a", 1, batches[0].digest, {}, [replace(entry("1"), actor="eve")])
    assert chain_faults([batches[0], forged]) == []
    (fault,) = chain_faults([batches[0], forged], [head_of(batches[1])])
    assert "published" in fault


def test_heads_are_read_back_as_they_were_signed() -> None:
    key, heads = a_key(), [Head("a", 4, "ff"), Head("b", 0, "00")]
    found = read_heads(sign_heads(heads, key, system="no.helsekort.cdr", at=NOON), [a_key(), key])
    assert found.heads == tuple(heads)
    assert (found.system, found.at) == ("no.helsekort.cdr", "2026-03-01T12:00:00.000Z")


@pytest.mark.parametrize("damage", ["other key", "changed", "rubbish", "empty"])
def test_heads_that_cannot_be_trusted(damage: str, tmp_path: Path) -> None:
    key = a_key()
    file = publish_heads([Head("a", 4, "ff")], key, tmp_path, system="s", at=NOON)
    text = file.read_text()
    other = sign_heads([Head("a", 3, "ee")], key, system="s", at=NOON)
    texts = {
        "other key": text,
        "changed": ".".join([*text.split(".")[:1], other.split(".")[1], text.split(".")[2]]),
        "rubbish": "x",
        "empty": "",
    }
    with pytest.raises(UntrustedHeads):
        read_heads(texts[damage], [a_key()] if damage == "other key" else [key])
    file.write_text(texts[damage])
    found, faults = read_folder(tmp_path, [key])
    assert (len(found), len(faults)) == ((1, 0) if damage == "other key" else (0, 1))


def test_the_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "key.jwk"
    key = seal_key(file)
    assert file.stat().st_mode & 0o077 == 0
    assert seal_key(file).thumbprint() == key.thumbprint()


@pytest.mark.anyio
async def test_what_a_server_published_holds_and_a_cut_shows(ctx: Ctx, tmp_path: Path) -> None:
    settings = ctx.settings.model_copy(update={"data": tmp_path})
    for _ in range(3):
        await get_ehr(ctx, (await create_ehr(ctx)).ehr_id)
    await publish_now(ctx.store, settings)
    (found,), faults = read_folder(settings.audit_heads_folder, [seal_key(settings.audit_key_file)])
    assert faults == []
    assert len(found.heads) == 2  # one chain of commits, one of reads
    assert (await ctx.store.check_audit(found.heads)).faults == ()
    audit = ctx.store._database.audit
    for head in found.heads:
        await audit.delete_one({"c": head.chain, "s": head.sequence})
    assert await ctx.store.audit_faults() == [], "the chains alone do not tell that their ends are missing"
    assert len((await ctx.store.check_audit(found.heads)).faults) == 2


@pytest.mark.anyio
async def test_an_exported_batch_is_the_batch(ctx: Ctx) -> None:
    await get_ehr(replace(ctx, reason="bevisstløs"), (await create_ehr(ctx)).ehr_id)
    batches = [batch async for batch in ctx.store.audit_batches()]
    again = [read_batch(batch_line(batch)) for batch in batches]
    assert again == batches
    assert chain_faults(again) == []
    with pytest.raises(ValueError, match="batch"):
        read_batch(b'{"chain": "a"}')
