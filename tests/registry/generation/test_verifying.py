"""Whether what is published is what was published: sums, signatures, and the copies at the fixed paths."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from python.registry.generation.applying import generate
from python.registry.generation.comparing import differences
from python.registry.generation.publication import sign_current
from python.registry.generation.signing import KeyFileError, signer
from python.registry.generation.snapshots import current, path_in
from python.registry.generation.verifying import faults
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put, spec


def keys() -> tuple[bytes, bytes]:
    private = Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8
    secret = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    return secret, private.public_key().public_bytes(serialization.Encoding.PEM, public)


def published(sign_key: bytes | None = None) -> tuple[MemoryStore, str]:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    generate(store, lambda: NOW, sign=signer(sign_key) if sign_key else None)
    seen = current(store)
    assert seen is not None
    return store, seen.pointer.snapshot


def test_a_signed_snapshot_is_whole() -> None:
    secret, public = keys()
    store, _ = published(secret)

    assert list(faults(store, public_key=public)) == []


@pytest.mark.parametrize("name", ["oss_registry.json", "inputs.json"])
def test_a_changed_file_is_told(name: str) -> None:
    store, snapshot = published()
    store.put(path_in(snapshot, name), b"{}")

    assert [fault.split(":")[0] for fault in faults(store)] == [f"registries/snapshots/{snapshot}/{name} was changed"]


def test_a_changed_copy_is_told_and_mended_by_the_next_run() -> None:
    store, snapshot = published()
    store.put("registries/v0/cloud_registry.json", b"{}")
    store.delete("registries/v0/oss_registry.json")

    told = list(faults(store))
    generated(store)

    assert ["v0/oss_registry.json is missing" in told[0], f"is not that of snapshot {snapshot}" in told[1]] == [
        True,
        True,
    ]
    assert list(faults(store)) == []


def test_another_key_and_no_signature_are_told() -> None:
    secret, _ = keys()
    _, other = keys()
    signed, snapshot = published(secret)
    unsigned, name = published()

    assert list(faults(signed, public_key=other)) == [
        f"snapshot {snapshot}: its signature is not by this key, or not of this manifest"
    ]
    assert list(faults(unsigned, public_key=other)) == [f"snapshot {name} is not signed"]


def test_a_manifest_that_was_changed_with_its_file_is_not_what_the_pointer_names() -> None:
    store, snapshot = published()
    store.put(path_in(snapshot, "manifest.json"), store.get(path_in(snapshot, "manifest.json")).data + b" ")

    assert "is not what registries/current.json names" in next(iter(faults(store)))


def test_nothing_published_and_no_such_snapshot_are_told() -> None:
    assert list(faults(MemoryStore())) == ["nothing was ever published here"]
    assert "there is no snapshot x" in next(iter(faults(published()[0], "x")))


def test_a_key_of_another_kind_is_refused() -> None:
    other = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(KeyFileError, match="of another kind"):
        signer(other)
    with pytest.raises(KeyFileError, match="cannot be read"):
        signer(b"nonsense")


def test_two_snapshots_differ_by_what_came_went_and_changed_and_whom_it_breaks() -> None:
    store, first = published()
    put(store, "b")
    required = spec()
    required["connectionSpecification"]["required"] = ["token"]
    put(store, "a", "1.1.0", required)
    second = generated(store, allow_breaking=True).snapshot

    found = list(differences(store, first, second))
    back = list(differences(store, second, first))

    assert [(each.repository, each.what, each.old, each.new) for each in found] == [
        ("airbyte/source-a", "changed", "1.0.0", "1.1.0"),
        ("airbyte/source-b", "added", None, "1.0.0"),
    ]
    assert "breaks configs of 1.0.0" in (found[0].why or "")
    assert [(each.repository, each.what, each.why) for each in back] == [
        ("airbyte/source-a", "changed", None),
        ("airbyte/source-b", "removed", None),
    ]


def test_what_is_published_without_a_signature_is_signed_by_the_next_run_that_has_a_key() -> None:
    secret, public = keys()
    store, snapshot = published()

    generate(store, lambda: NOW, sign=signer(secret))

    assert list(faults(store, public_key=public)) == []
    seen = current(store)
    assert seen is not None
    assert seen.pointer.snapshot == snapshot
    assert not sign_current(store, seen, signer(secret))
