from __future__ import annotations

import json
from pathlib import Path

import pytest

from python.protocol.errors import ConnectorError
from python.protocol.log import Log
from python.runner import images
from python.runner.endpoints import ImageEndpoint
from python.runner.problems import CatalogError, Where

WHERE = Where(Path("flow.yaml"), 3)
CAPTURE = {"FLOW_RUNTIME_PROTOCOL": "capture"}
JSON = {"FLOW_RUNTIME_CODEC": "json"}


def endpoint(image: str) -> ImageEndpoint:
    return ImageEndpoint(image=image, config={}, config_where=WHERE, where=WHERE)


def engine(folder: Path, image: object, pulled: str = "exit 1", name: str = "docker") -> str:
    """An engine that has an image with this config, or gets it by what `pulled` does."""
    path = folder / name
    kept = folder / "image"
    if image is not None:
        kept.write_text(json.dumps(image))
    pulled = pulled.replace("KEPT", str(kept))
    missing = "echo 'Error: No such image: x' >&2; exit 1"
    inspect = f"[ -e {kept} ] && exec cat {kept}; {missing}"
    path.write_text(f'#!/bin/sh\ncase "$*" in\n*inspect*) {inspect};;\n*pull*) {pulled};;\nesac\n')
    path.chmod(0o755)
    return str(path)


def config(labels: dict[str, str] | None, env: list[str] | None = None) -> list[object]:
    return [{"Config": {"Labels": labels, "Env": env}}]


def refused(program: str, image: str = "example/x:v1", kind: str = "capture") -> str:
    with pytest.raises((CatalogError, ConnectorError)) as refusal:
        images.check(program, endpoint(image), kind, lambda _log: None)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("labels", "env"),
    [({**CAPTURE, **JSON}, None), (CAPTURE, ["FLOW_RUNTIME_CODEC=json"]), ({**CAPTURE, **JSON}, ["A"])],
)
def test_the_codec_is_a_label_or_a_variable(tmp_path: Path, labels: dict[str, str], env: list[str] | None) -> None:
    images.check(engine(tmp_path, config(labels, env)), endpoint("example/x:v1"), "capture", print)


def test_buildah_is_asked_in_its_own_way(tmp_path: Path) -> None:
    program = engine(
        tmp_path, {"OCIv1": {"config": {"Labels": {"FLOW_RUNTIME_PROTOCOL": "derive", **JSON}}}}, name="buildah"
    )

    images.check(program, endpoint("example/x:local"), "derivation", print)


def test_an_image_of_another_protocol_is_refused_where_it_is_named(tmp_path: Path) -> None:
    assert refused(engine(tmp_path, config({**CAPTURE, **JSON})), kind="materialization") == (
        "flow.yaml:3: the image example/x:v1 has the label FLOW_RUNTIME_PROTOCOL=capture; that of a materialization "
        "has materialize"
    )


def test_an_image_without_labels_is_refused(tmp_path: Path) -> None:
    assert "has no label FLOW_RUNTIME_PROTOCOL; that of a capture has capture" in refused(
        engine(tmp_path, config(None))
    )


def test_an_image_that_speaks_protobuf_is_refused(tmp_path: Path) -> None:
    assert refused(engine(tmp_path, config(CAPTURE, ["FLOW_RUNTIME_CODEC=proto"]))) == (
        "flow.yaml:3: the image example/x:v1 speaks protobuf, for it has no label FLOW_RUNTIME_CODEC=json; only JSON "
        "lines are spoken here"
    )


def test_a_local_image_that_is_not_here_says_how_it_is_built(tmp_path: Path) -> None:
    program = engine(tmp_path, None)

    assert refused(program, "ghcr.io/estuary/source-x:local") == (
        f"{program} has no image ghcr.io/estuary/source-x:local; build it: ./build-local.sh source-x"
    )


def test_an_image_that_is_not_here_is_pulled_and_said_to_be(tmp_path: Path) -> None:
    told: list[Log] = []
    program = engine(tmp_path, None, f"echo '{json.dumps(config({**CAPTURE, **JSON}))}' > KEPT")
    images.check(program, endpoint("example/x:v1"), "capture", told.append)

    assert [log.message for log in told] == [f"{program} pulls the image example/x:v1"]


@pytest.mark.parametrize(
    "words",
    ["Error response from daemon: No such image: x:v1", "Error: x: image not known", "Error: x: no such image"],
)
def test_each_engine_s_words_for_an_image_that_is_not_here_are_known(tmp_path: Path, words: str) -> None:
    program = engine(tmp_path, None)
    script = Path(program)
    script.write_text(script.read_text().replace("Error: No such image: x", words))

    assert images.inspected(program, "x:v1") is None


@pytest.mark.parametrize("image", ["x:local", "x:v1"])
def test_an_engine_that_cannot_look_at_an_image_says_why_in_its_own_words(tmp_path: Path, image: str) -> None:
    program = engine(tmp_path, None)
    script = Path(program)
    script.write_text(script.read_text().replace("Error: No such image: x", "permission denied: the docker socket"))

    assert refused(program, image) == (
        f"{program} cannot say what the image {image} is: permission denied: the docker socket"
    )


@pytest.mark.parametrize("answer", ["[]", "none", {"OCIv1": []}, [1]])
def test_an_engine_that_answers_nonsense_is_one_sentence(tmp_path: Path, answer: object) -> None:
    assert "says of the image example/x:v1 what no engine says" in refused(engine(tmp_path, answer))


def test_an_image_that_cannot_be_pulled_is_one_sentence(tmp_path: Path) -> None:
    program = engine(tmp_path, None, "echo 'manifest unknown' >&2; exit 1")

    assert refused(program) == f"{program} cannot pull the image example/x:v1: manifest unknown"
