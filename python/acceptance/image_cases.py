"""Rules of images (87 to 89): what the image says of itself, as the container engine tells."""

from __future__ import annotations

import re

from python.acceptance.cases import Case, require
from python.acceptance.subject import Subject
from python.acceptance.transcripts import Json
from python.acceptance.verdicts import BlockedError, BrokenError, NotApplicableError
from python.runner import images
from python.runner.endpoints import ImageEndpoint
from python.runner.problems import CatalogError

__all__ = ["CASES"]

_BUILDAH = "python.runner.buildah"  # which runs images without a name of their containers that we would know
_PORT = re.compile(r"dev\.estuary\.port-(public|proto)\.(.*)")


def _image(subject: Subject) -> ImageEndpoint:
    if not isinstance(subject.endpoint, ImageEndpoint):
        raise NotApplicableError("it is no image")
    return subject.endpoint


def _described(subject: Subject) -> Json:
    """Return what the engine says of the image: `config`, `os` and `architecture`, in the names of OCI."""
    endpoint = _image(subject)
    start = subject.start()
    engine = start.containers.engine if start.containers else start.command[start.command.index(_BUILDAH) + 1]
    found = images.inspected(engine, endpoint.image)
    if found is None:
        raise BlockedError(f"it needs the image, and {engine} does not have it any more")
    return found


def _config(subject: Subject) -> Json:
    found = _described(subject).get("config")
    return found if isinstance(found, dict) else {}


def _labels(subject: Subject) -> Json:
    found = _config(subject).get("Labels")
    return found if isinstance(found, dict) else {}


def _protocol(subject: Subject) -> None:
    _image(subject)
    try:
        subject.start()
    except CatalogError as error:
        raise BrokenError(
            "the image's labels are not those of its protocol",
            got=str(error),
            want="FLOW_RUNTIME_PROTOCOL, and FLOW_RUNTIME_CODEC=json as a label or in ENV",
        ) from None


def _starts(subject: Subject) -> None:
    found, config = _described(subject), _config(subject)
    platform = (found.get("os"), found.get("architecture"))
    require(platform == ("linux", "amd64"), "the image is for another machine", got=platform, want="linux, amd64")
    command = config.get("Entrypoint") or config.get("Cmd")
    require(bool(command), "the image starts nothing", got=command, want="ENTRYPOINT or CMD")
    talk = subject.specs
    require(
        talk.kinds == ["spec", "spec"],
        "its entrypoint starts no connector",
        got=talk.reason,
        want="spec",
        transcript=talk,
    )


def _ports(subject: Subject) -> None:
    ports = {name: value for name, value in _labels(subject).items() if _PORT.fullmatch(name)}
    if not ports:
        raise NotApplicableError("it labels no ports")
    exposed = _config(subject).get("ExposedPorts")
    known = set(exposed) if isinstance(exposed, dict) else set()
    for name, value in ports.items():
        found = _PORT.fullmatch(name)
        what, number = found.groups() if found else ("", "")
        tcp = number.isdecimal() and bool(known & {f"{number}/tcp", number})
        require(tcp, f"{name} speaks of no TCP port that is exposed", got=sorted(known), want=f"EXPOSE {number}")
        require(
            what != "public" or value in ("true", "false"), f"{name} is no boolean", got=value, want="true or false"
        )


CASES = (
    Case(87, "labels of the runtime", _protocol),
    Case(88, "the entrypoint", _starts),
    Case(89, "ports", _ports),
)
"""The cases of this module."""
