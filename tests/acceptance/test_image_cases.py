"""Rules of images, with a container engine that is a script: it inspects as docker does, and runs a connector."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from python.acceptance import suite
from python.acceptance.opening import opened
from python.acceptance.subject import Subject
from python.acceptance.verdicts import FAILED, NOT_APPLICABLE, PASSED
from tests.acceptance.subjects import DEFECTS, NAME, QUICK, TOKEN

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "Entrypoint": ["connector"],
    "Labels": {"FLOW_RUNTIME_PROTOCOL": "capture", "FLOW_RUNTIME_CODEC": "json", "dev.estuary.port-public.80": "true"},
    "ExposedPorts": {"80/tcp": {}},
}
IMAGE: dict[str, Any] = {"Os": "linux", "Architecture": "amd64", "Config": CONFIG}


def verdicts(folder: Path, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *rules: int) -> list[str]:
    subject = of_image(folder, image, monkeypatch)
    return [suite.checked(subject, case).verdict for case in suite.CASES if case.rule in rules]


def of_image(folder: Path, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Subject:
    engine, spec = folder / "docker", folder / "test.flow.yaml"
    described = json.dumps(json.dumps([image]))
    run = [sys.executable, "-E", "-s", "-S", str(DEFECTS / "capture.py"), "none", str(folder / "left")]
    engine.write_text(
        f"#!{sys.executable} -S\nimport os, sys\n"
        f"if sys.argv[1] == 'image':\n    print({described})\n"
        f"elif sys.argv[1] == 'rm':\n    print(*sys.argv[2:], file=open({str(folder / 'removed')!r}, 'a'))\n"
        f"else:\n    os.execv({run[0]!r}, {run!r})\n"
    )
    engine.chmod(0o755)
    monkeypatch.setenv("DOCKER_CLI", str(engine))
    endpoint = {"connector": {"image": "other:v0", "config": {"credentials": {"token": TOKEN}}}}
    spec.write_text(json.dumps({"captures": {NAME: {"endpoint": endpoint, "bindings": []}}}))
    return opened("acme/source-x:v1", source=str(spec), limits=QUICK)


def test_an_image_as_flow_wants_it_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdicts(tmp_path, IMAGE, monkeypatch, 17, 87, 88, 89) == [PASSED] * 4


@pytest.mark.parametrize(
    ("rule", "image"),
    [
        (87, {"Config": {**CONFIG, "Labels": {}}}),
        (87, {"Config": {**CONFIG, "Labels": {"FLOW_RUNTIME_PROTOCOL": "capture"}}}),
        (88, {"Architecture": "arm64"}),
        (88, {"Config": {**CONFIG, "Entrypoint": None}}),
        (89, {"Config": {**CONFIG, "ExposedPorts": {"80/udp": {}}}}),
        (89, {"Config": {**CONFIG, "Labels": {**CONFIG["Labels"], "dev.estuary.port-public.80": "yes"}}}),
    ],
)
def test_one_that_is_not_fails(
    rule: int, image: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdicts(tmp_path, {**IMAGE, **image}, monkeypatch, rule) == [FAILED]


def test_the_codec_may_be_said_in_the_environment_and_ports_may_be_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {"FLOW_RUNTIME_PROTOCOL": "capture"}
    image = {**IMAGE, "Config": {**CONFIG, "Labels": labels, "Env": ["FLOW_RUNTIME_CODEC=json"]}}

    assert verdicts(tmp_path, image, monkeypatch, 87, 89) == [PASSED, NOT_APPLICABLE]


def test_a_container_is_removed_once_where_its_client_is_killed_and_not_where_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = of_image(tmp_path, IMAGE, monkeypatch)
    ended = subject.talk(subject.spec_request)
    assert (ended.status, (tmp_path / "removed").exists()) == (0, False)

    with subject.dialogue() as dialogue:
        dialogue.send(subject.spec_request)
        dialogue.until("spec")
        dialogue.stop(signal.SIGKILL)
    (removed,) = (tmp_path / "removed").read_text().splitlines()
    assert re.fullmatch("--force headwater-[0-9a-f]{12}-[0-9]+", removed)
