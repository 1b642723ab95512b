"""What an image says of itself: its labels, by which Flow knows what it speaks (protocol reference, section 8.1)."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

from python.protocol.errors import ConnectorError
from python.protocol.log import Log
from python.runner.endpoints import ImageEndpoint
from python.runner.problems import CatalogError

__all__ = ["check"]

_PROTOCOLS = {"capture": "capture", "derivation": "derive", "materialization": "materialize"}  # by kind of task


def check(engine: str, endpoint: ImageEndpoint, kind: str, on_log: Callable[[Log], None]) -> None:
    """`engine` has the image of `endpoint`, which speaks the protocol of a task of this `kind` in JSON lines.

    An image that is not here is pulled, but for the tag `local`, which is of images that were built here. Raises
    ConnectorError where it is not to be had, CatalogError where its labels say that it speaks something else.
    """
    image = endpoint.image
    config = _config(engine, image)
    if config is None:
        _pull(engine, image, on_log)
        config = _config(engine, image) or {}
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


def _config(engine: str, image: str) -> dict[str, Any] | None:
    """Return what `engine` knows of the image, or None where it does not have it."""
    buildah = _is_buildah(engine)
    asked = ["inspect", "--type", "image", image] if buildah else ["image", "inspect", image]
    try:
        done = subprocess.run(
            [engine, *asked], capture_output=True, text=True, check=False, timeout=_ANSWER_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConnectorError(f"{engine} cannot be asked for the image {image}: {error}") from None
    if done.returncode:
        return None
    told = json.loads(done.stdout)
    config: dict[str, Any] = told["OCIv1"]["config"] if buildah else told[0]["Config"]
    return config


def _pull(engine: str, image: str, on_log: Callable[[Log], None]) -> None:
    name, _, tag = image.rpartition("/")[2].partition(":")
    if tag == "local":
        raise ConnectorError(f"{engine} has no image {image}; build it: ./build-local.sh {name}")
    on_log(Log(level="info", message=f"{engine} pulls the image {image}"))
    done = subprocess.run([engine, "pull", "--quiet", image], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ConnectorError(f"{engine} cannot pull the image {image}: {reason}")


def _is_buildah(engine: str) -> bool:
    return pathlib.Path(engine).name == "buildah"
