from __future__ import annotations

import pytest

from python.builder.server.settings import Settings, checked, from_environment, is_loopback
from python.protocol.errors import HeadwaterError


def test_variables_mean_what_they_mean_to_airbyte() -> None:
    environment = {
        "CDK_PYTHON": "/cdk/bin/python",
        "CDK_ENTRYPOINT": "/cdk/main.py",
        "CDK_VERSION": "7.39.1",
        "PATH_TO_CONNECTORS": "/connectors",
        "AIRBYTE_ENABLE_UNSAFE_CODE": "True",
        "AB_JWT_SIGNATURE_SECRET": "x" * 32,
        "HEADWATER_BUILDER_PORT": "9000",
    }

    assert from_environment(environment) == Settings(
        cdk_python="/cdk/bin/python",
        cdk_entrypoint="/cdk/main.py",
        cdk_version="7.39.1",
        connectors="/connectors",
        allow_custom_code=True,
        jwt_secret="x" * 32,
        port=9000,
    )


def test_nothing_said_is_a_server_for_this_machine_alone() -> None:
    settings = checked(from_environment({"CDK_PYTHON": "", "AIRBYTE_ENABLE_UNSAFE_CODE": "1"}))

    assert (settings.host, settings.port, settings.cdk_python) == ("127.0.0.1", 8080, None)
    assert not settings.allow_custom_code


@pytest.mark.parametrize("port", ["eighty", "-1", "٨٠", "1.5"])
def test_a_port_is_a_number(port: str) -> None:
    with pytest.raises(HeadwaterError, match="HEADWATER_BUILDER_PORT"):
        from_environment({"HEADWATER_BUILDER_PORT": port})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "builder.example"])  # noqa: S104 -- nothing is bound
def test_beyond_loopback_a_token_is_demanded(host: str) -> None:
    with pytest.raises(HeadwaterError, match="HEADWATER_BUILDER_TOKEN"):
        checked(Settings(host=host))

    assert checked(Settings(host=host, token="x" * 16)).is_guarded
    assert checked(Settings(host=host, jwt_secret="x" * 16)).is_guarded


def test_a_short_token_is_refused_without_being_told() -> None:
    with pytest.raises(HeadwaterError, match="16 or more") as caught:
        checked(Settings(token="hunter2"))

    assert "hunter2" not in str(caught.value)


def test_a_project_must_name_a_cdk_that_there_is() -> None:
    with pytest.raises(HeadwaterError, match="no CDK is called old: there are default, new"):
        checked(Settings(cdks={"new": "/new"}, projects={"p": "old"}))


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_is_one_of_tcp(port: int) -> None:
    with pytest.raises(HeadwaterError, match="want a number"):
        checked(Settings(port=port))


@pytest.mark.parametrize(
    ("host", "said"), [("localhost", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False)]
)
def test_loopback_is_told_by_address(host: str, said: bool) -> None:
    assert is_loopback(host) is said


def test_no_other_cdk_is_called_as_the_built_in_one() -> None:
    with pytest.raises(HeadwaterError, match="--cdk default=… is taken"):
        checked(Settings(cdks={"default": "/new"}))


@pytest.mark.parametrize("deadline", [0, -1, 600.5, 5000, float("nan")])
def test_a_deadline_that_no_request_may_have_is_no_default(deadline: float) -> None:
    with pytest.raises(HeadwaterError, match="want seconds above 0, 600 at most"):
        checked(Settings(deadline_seconds=deadline))

    assert checked(Settings(deadline_seconds=600)).deadline_seconds == 600
