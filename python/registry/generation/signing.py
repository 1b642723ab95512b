"""Signatures of manifests by Ed25519: who has the public key can tell that a registry is ours, and whole."""

from __future__ import annotations

import base64

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from python.protocol.errors import HeadwaterError
from python.registry.generation.publication import Sign

__all__ = ["KeyFileError", "check", "signer"]


class KeyFileError(HeadwaterError):
    """A key cannot be used. Whoever gave it must act."""


class _Signature(msgspec.Struct, frozen=True):
    """What stands beside a manifest: the raw public key and the signature, both in base64."""

    public_key: str
    signature: str


def signer(pem: bytes) -> Sign:
    """Return what signs with the private key in `pem`, as `openssl genpkey -algorithm ed25519` writes it."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"the signing key cannot be read: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError("the signing key is of another kind: want one of `openssl genpkey -algorithm ed25519`")
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    public = base64.b64encode(raw).decode()

    def sign(data: bytes) -> bytes:
        return msgspec.json.encode(_Signature(public, base64.b64encode(key.sign(data)).decode())) + b"\n"

    return sign


def check(manifest: bytes, signature: bytes, pem: bytes) -> str | None:
    """Return why `signature` is not one of `manifest` by the public key in `pem`; None where it is."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as error:
        raise KeyFileError(f"the public key cannot be read: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError("the public key is of another kind: want one of `openssl pkey -pubout` for Ed25519")
    try:
        said = msgspec.json.decode(signature, type=_Signature)
        key.verify(base64.b64decode(said.signature, validate=True), manifest)
    except (InvalidSignature, ValueError):
        return "its signature is not by this key, or not of this manifest"
    return None
