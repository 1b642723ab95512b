"""State keys and key ranges: how Flow names a binding's state and splits a task over shards."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

__all__ = ["KEY_END_MAX", "encode_state_key", "key_hash"]

KEY_END_MAX = 0xFFFF_FFFF
"""Key hashes are 32 bits wide; the full range ends, inclusively, here."""

_KEPT = frozenset("-_+.=")


def encode_state_key(resource_path: Iterable[str], backfill: int) -> str:
    """Return the state key of a binding: its path joined by `/`, percent-encoded, and `.v{backfill}` unless it is 0.

    Letters, digits and `-_+.=` are kept (protocol reference, section 6). A raised backfill counter so gives a key
    with no stored state, which is the signal to start over.

    >>> encode_state_key(["a", "cdc", "table+baz"], 3)
    'a%2Fcdc%2Ftable+baz.v3'
    """
    path = "/".join(resource_path)
    encoded = "".join(
        char if char in _KEPT or char.isalnum() else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path
    )
    return f"{encoded}.v{backfill}" if backfill else encoded


def key_hash(unit: str) -> int:
    """Return the 32-bit hash which places a unit of work (a stream, a partition) in the key range of one shard.

    The hash is CRC-32 followed by a multiplicative finaliser, so that short names spread over the whole range. It is
    part of the contract: changing it would move units between the shards of a running task.
    """
    mixed = zlib.crc32(unit.encode())
    mixed = ((mixed ^ (mixed >> 16)) * 0x85EB_CA6B) & KEY_END_MAX
    mixed = ((mixed ^ (mixed >> 13)) * 0xC2B2_AE35) & KEY_END_MAX
    return mixed ^ (mixed >> 16)
