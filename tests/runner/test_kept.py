import json
from pathlib import Path
from typing import Any

import msgspec

from python.protocol.flow import CaptureSpec
from python.runner.catalog import CaptureTask, ImageEndpoint, LocalEndpoint
from python.runner.kept import kept, spec_in, text_of, version_of
from python.runner.problems import Where

HERE = Where(Path("test.flow.yaml"))
SEALED = {"token_sops": "ENC[x]", "sops": {"mac": "y"}}


def config_kept(endpoint: Any) -> Any:
    task = CaptureTask(name="a/x", endpoint=endpoint, bindings=(), where=HERE)
    spec = CaptureSpec(name="a/x", config=msgspec.Raw(b'{"token":"sesame"}'))
    return json.loads(bytes(kept(spec, task).config))


def local(config: Any) -> LocalEndpoint:
    return LocalEndpoint(command=("python", "x.py"), config=config, config_where=HERE, where=HERE)


def test_an_endpoint_is_kept_with_the_digest_of_its_config() -> None:
    found = config_kept(local({"token": "sesame"}))

    assert found["command"] == ["python", "x.py"]
    assert list(found["config"]) == ["sha256"]
    assert "sesame" not in json.dumps(found)


def test_a_sealed_config_is_kept_as_it_is() -> None:
    image = ImageEndpoint(image="x:v1", config=SEALED, config_where=HERE, where=HERE)

    assert config_kept(image) == {"image": "x:v1", "config": SEALED}


def test_what_is_kept_comes_back_and_its_version_changes_with_it() -> None:
    first, second = text_of(CaptureSpec(name="a")), text_of(CaptureSpec(name="b"))

    assert spec_in(first, CaptureSpec) == CaptureSpec(name="a")
    assert spec_in("", CaptureSpec) is None
    assert version_of(first) != version_of(second)
    assert version_of("") == ""
