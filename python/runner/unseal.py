"""Sealed endpoint configs: decrypted with the `sops` program, in memory alone (protocol reference, section 8.5)."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from python.runner.spec_files import Place, SpecError

__all__ = ["unsealed"]


def unsealed(config: Any, at: Place) -> Any:  # noqa: ANN401 -- JSON
    """Return `config` decrypted, where it has a `sops` stanza: without it, and without its encrypted suffix.

    Raises SpecError where `sops` is missing or refuses.
    """
    if not isinstance(config, dict) or "sops" not in config:
        return config
    suffix = (config["sops"] or {}).get("encrypted_suffix") or ""
    command = ["sops", "--decrypt", "--input-type", "json", "--output-type", "json", "/dev/stdin"]
    try:
        done = subprocess.run(command, input=json.dumps(config), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise SpecError(f"{at}: the config is encrypted, and the program `sops` is not on PATH: install it") from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise SpecError(f"{at}: the config cannot be decrypted: sops says: {reason[0]}")
    decrypted = json.loads(done.stdout)
    decrypted.pop("sops", None)
    return _stripped(decrypted, suffix)


def _stripped(value: Any, suffix: str) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, dict):
        return {key.removesuffix(suffix): _stripped(item, suffix) for key, item in value.items()}
    return [_stripped(item, suffix) for item in value] if isinstance(value, list) else value
