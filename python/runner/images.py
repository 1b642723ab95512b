"""What an image says of itself: its labels, by which Flow knows what it speaks (protocol reference, section 8.1)."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from collections.abc import Callable
from typing import Any

from python.protocol.errors import ConnectorError
from python.protocol.log import Log
from python.runner.endpoints import ImageEndpoint
from python.runner.problems import CatalogError

__all__ = ["check", "inspected"]

_PROTOCOLS = {"capture": "capture", "derivation": "derive", "materialization": "materialize"}  # by kind of task


def check(engine: str, endpoint: ImageEndpoint, kind: str, on_log: Callable[[Log], None]) -> None:
    """`engine` has the image of `endpoint`, which speaks the protocol of a task of this `kind` in JSON lines.

    An image that is not here is pulled, but for the tag `local`, which is of images that were built here. Raises
    ConnectorError where it is not to be had, CatalogError where its labels say that it speaks something else.
    """
    image = endpoint.image
    found = inspected(engine, image)
    if found is None:
        _pull(engine, image, on_log)
        found = inspected(engine, image)
    config = (found or {}).get("config") or {}
    labels = config.get("Labels") or {}
    found, wanted = labels.get("FLOW_RUNTIME_PROTOCOL"), _PROTOCOLS[kind]
    if found != wanted:
        has = f"has the label FLOW_RUNTIME_PROTOCOL={found}" if found else "has no label FLOW_RUNTIME_PROTOCOL"
        raise CatalogError.at(endpoint.where, f"the image {image} {has}; that of a {kind} has {wanted}")
    environment = dict(each.partition("=")[::2] for each in config.get("Env") or ())
    codec = labels.get("FLOW_RUNTIME_CODEC") or environment.get("FLOW_RUNTIME_CODEC")
    if codec != "json":
        sentence = f"the image {image} speaks protobuf, for it has no label FLOW_RUNTIME_CODEC=json"
        raise CatalogError.at(endpoint.where, f"{sentence}; only JSON lines are spoken here")


_ANSWER_SECONDS_MAX = 60.0  # an engine whose daemon hangs is as good as none


_MISSING = re.compile("no such (image|object)|image not (known|found)", re.IGNORECASE)


def inspected(engine: str, image: str) -> dict[str, Any] | None:
    """Return what `engine` knows of the image, by OCI's names in lower case: `config`, `os`, `architecture`.

    None where it says that it does not have the image. Raises ConnectorError with its own words where it says anything
    else: that it cannot be reached, or asked by this user, say.
    """
    buildah = _is_buildah(engine)
    asked = ["inspect", "--type", "image", image] if buildah else ["image", "inspect", image]
    try:
        done = subprocess.run(
            [engine, *asked], capture_output=True, text=True, check=False, timeout=_ANSWER_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConnectorError(f"{engine} cannot be asked for the image {image}: {error}") from None
    if done.returncode:
        if _MISSING.search(done.stderr):
            return None
        raise ConnectorError(f"{engine} cannot say what the image {image} is: {_reason(done)}")
    try:
        told = json.loads(done.stdout)
        found: dict[str, Any] = told["OCIv1"] if buildah else told[0]
        return {name.lower(): value for name, value in found.items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        sentence = f"{engine} says of the image {image} what no engine says: {done.stdout[:_SHOWN_CHARACTERS_MAX]!r}"
        raise ConnectorError(sentence) from None


_SHOWN_CHARACTERS_MAX = 80  # of an answer that is none


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that a program wrote to stderr: the ones before are of its steps."""
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def _pull(engine: str, image: str, on_log: Callable[[Log], None]) -> None:
    name, _, tag = image.rpartition("/")[2].partition(":")
    if tag == "local":
        raise ConnectorError(f"{engine} has no image {image}; build it: ./build-local.sh {name}")
    on_log(Log(level="info", message=f"{engine} pulls the image {image}"))
    done = subprocess.run([engine, "pull", "--quiet", image], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConnectorError(f"{engine} cannot pull the image {image}: {_reason(done)}")


def _is_buildah(engine: str) -> bool:
    return pathlib.Path(engine).name == "buildah"
