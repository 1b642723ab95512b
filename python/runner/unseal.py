"""Opens configs that sops has sealed (Flow protocol, section 8.5). What is decrypted stays in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from python.protocol import document
from python.protocol.errors import DocumentError
from python.runner.problems import CatalogError, Where

__all__ = ["unseal"]

_SOPS_SECONDS_MAX = 60.0  # sops may ask a key service far away, but never the user: its stdin is the config
_STDIN = "/dev/stdin"


def unseal(config: object, where: Where, secrets: Mapping[str, str] | None = None) -> object:
    """Return `config`, which stands at `where`, in the clear: as it is, or decrypted by `sops`.

    A config is sealed where it is an object with a `sops` stanza, which goes; the stanza's `encrypted_suffix` is
    stripped from keys at any depth. `secrets` are the task's references to secrets of Flow's control plane, which a
    laptop does not have. Raises CatalogError.
    """
    sealed = isinstance(config, dict) and isinstance(config.get("sops"), dict)
    if secrets:
        also = "; it also has `sops`, and only one of the two may be used" if sealed else ""
        sentence = (
            f"refers to secrets of Flow's control plane ({', '.join(secrets)}), which is not reachable here{also}; "
            "write the values, or seal them with sops"
        )
        raise CatalogError.at(where, sentence)
    if not isinstance(config, dict) or not sealed:
        return config
    suffix = config["sops"].get("encrypted_suffix")
    opened = _decrypted(config, where)
    opened.pop("sops", None)
    return _without_suffix(opened, suffix, where) if isinstance(suffix, str) and suffix else opened


def _decrypted(config: dict[str, object], where: Where) -> dict[str, object]:
    command = ["sops", "--decrypt", "--input-type", "json", "--output-type", "json", _STDIN]
    try:
        done = subprocess.run(
            command, input=document.encode(config), capture_output=True, check=False, timeout=_SOPS_SECONDS_MAX
        )
    except OSError as error:
        missing = "is not on PATH; install it from getsops.io"
        reason = missing if isinstance(error, FileNotFoundError) else f"cannot be started: {error.strerror}"
        sentence = f"is sealed with sops, but the program `sops` {reason}"
        raise CatalogError.at(where, sentence) from None
    except subprocess.TimeoutExpired:
        sentence = f"is sealed with sops, which gave no answer within {_SOPS_SECONDS_MAX:.0f} seconds"
        raise CatalogError.at(where, sentence) from None
    if done.returncode:
        reason = " ".join(done.stderr.decode(errors="replace").split()) or f"exit status {done.returncode}"
        raise CatalogError.at(where, f"is sealed, and sops cannot open it: {reason}")
    try:
        opened = document.decode(done.stdout)
    except DocumentError:
        opened = None
    if not isinstance(opened, dict):
        raise CatalogError.at(where, "is sealed, and sops answered with something other than a JSON object")
    return opened


def _without_suffix(value: object, suffix: str, where: Where) -> object:
    """Return `value` with `suffix` taken off the keys of all its objects."""
    if isinstance(value, list):
        return [_without_suffix(item, suffix, where) for item in value]
    if not isinstance(value, dict):
        return value
    names = [key.removesuffix(suffix) for key in value]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CatalogError.at(where, f"has both {twice!r} and {twice + suffix!r}; keep the sealed one")
    return dict(zip(names, (_without_suffix(item, suffix, where) for item in value.values()), strict=True))
