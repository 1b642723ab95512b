"""build-local.sh with engines that only say what they were asked, and what it refuses."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent
BUILDS = """
echo "$0" "$@" >> {calls}
case "$*" in
*inspect*PROTOCOL*) echo {protocol};;
*inspect*CODEC*) echo json;;
build*)
    for word in "$@"; do case "$word" in
        id=*) cat "${{word#*src=}}" >> {secrets};;
        local=*) cd "${{word#local=}}" && find . -type f >> {staged};;
    esac; done
    {build};;
esac
"""


class Workshop(NamedTuple):
    """A repository with one connector, and a PATH on which the only engines are those that a test makes."""

    folder: Path

    def engine(self, name: str, build: str = "exit 0", protocol: str = "capture") -> None:
        paths = {"calls": self.folder / "calls", "secrets": self.folder / "secrets", "staged": self.folder / "staged"}
        self.program(name, BUILDS.format(build=build, protocol=protocol, **paths))

    def program(self, name: str, script: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder), "TMPDIR": str(self.folder / "tmp"), **env}
        return subprocess.run(
            ["/bin/bash", str(self.folder / "build-local.sh"), *arguments],
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", "-C", str(self.folder), *identity, *arguments], check=True)

    def commit(self, message: str) -> None:
        self.git("init", "--quiet")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def calls(self) -> list[str]:
        text = (self.folder / "calls").read_text() if (self.folder / "calls").exists() else ""
        return [line.removeprefix(f"{self.folder}/bin/") for line in text.splitlines()]

    def refusal(self, *arguments: str, **env: str) -> str:
        done = self.run(*arguments, **env)
        assert (done.returncode, [call for call in self.calls() if " tag " in call]) == (1, [])
        assert not list((self.folder / "tmp").iterdir())
        return done.stderr.removeprefix("build-local.sh: ").strip()


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    for folder in ("bin", "tmp", "python", "source-x"):
        (tmp_path / folder).mkdir()
    for tool in (
        "awk",
        "cat",
        "dirname",
        "find",
        "git",
        "grep",
        "mkdir",
        "mktemp",
        "paste",
        "rm",
        "sed",
        "sleep",
        "sort",
        "tail",
        "tar",
        "tee",
        "timeout",
    ):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    shutil.copy2(ROOT / "build-local.sh", tmp_path)
    (tmp_path / "python" / "Dockerfile").touch()
    (tmp_path / "pyproject.toml").write_text('license = "Apache-2.0"\n')
    (tmp_path / "source-x" / "pyproject.toml").write_text('requires-python = ">=3.10,<3.14"\n')
    (tmp_path / "source-x" / "uv.lock").touch()
    (tmp_path / "source-x" / "VERSION").write_text("v3\n")
    return Workshop(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "one connector is wanted, and perhaps a Dockerfile"),
        (("a", "b", "c"), "one connector is wanted, and perhaps a Dockerfile"),
        (("tap-x",), "'tap-x' is no connector's name: source-x, materialize-x or derive-x"),
        (("source-",), "'source-' is no connector's name"),
        (("../source-x",), "'../source-x' is no connector's name"),
        (("source-x/../y",), "'source-x/../y' cannot name an image"),
        (("source-X",), "'source-X' cannot name an image: small letters, digits, and single hyphens"),
        (("source-gone",), "there is no folder source-gone here"),
        (("source-x", "Dockerfile.gone"), "there is no Dockerfile Dockerfile.gone"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(workshop: Workshop, arguments: tuple[str, ...], sentence: str) -> None:
    assert workshop.refusal(*arguments).startswith(sentence)


def test_a_connector_without_a_lock_is_refused_with_what_to_do(workshop: Workshop) -> None:
    (workshop.folder / "source-x" / "uv.lock").unlink()

    assert workshop.refusal("source-x") == (
        "source-x/uv.lock is missing; an image gets what a connector has locked: uv lock --project source-x"
    )


def test_engines_that_do_not_work_are_passed_over(workshop: Workshop) -> None:
    workshop.program("docker", "echo 'Cannot connect to the daemon' >&2; exit 1")
    workshop.engine("buildah")

    done = workshop.run("source-x")

    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "ghcr.io/estuary/source-x:local is built, on python:3.12-slim, with buildah",
    )


def test_where_no_engine_works_each_is_told_with_its_reason(workshop: Workshop) -> None:
    workshop.program("docker", "echo 'Cannot connect to the daemon' >&2; exit 1")

    assert workshop.refusal("source-x").startswith(
        "no engine that builds images works here (docker: version: Cannot connect to the daemon; podman: not on PATH; "
        "buildah: not on PATH). Install one"
    )


def test_an_engine_that_is_named_is_used_and_no_other(workshop: Workshop) -> None:
    workshop.engine("docker")
    workshop.engine("podman")

    assert workshop.run("source-x", DOCKER_CLI="podman").returncode == 0
    assert {call.split()[0] for call in workshop.calls()} == {"podman"}


def test_docker_builds_with_buildx(workshop: Workshop) -> None:
    workshop.engine("docker")
    workshop.run("source-x")
    build = next(call for call in workshop.calls() if " --file " in call)

    assert build.startswith(
        "docker buildx build --load --file python/Dockerfile --tag ghcr.io/estuary/source-x:building-"
    )
    assert "--platform linux/amd64 --build-arg BASE_IMAGE=python:3.12-slim --build-arg CONNECTOR_NAME=source-x" in build
    assert "--label org.opencontainers.image.licenses=Apache-2.0 --label org.opencontainers.image.version=v3" in build


def test_the_name_is_given_to_what_was_built_and_the_name_of_the_build_is_taken_away(workshop: Workshop) -> None:
    workshop.engine("podman")
    workshop.run("./source-x/", REGISTRY="registry.example/me")
    *_, tag, last = workshop.calls()
    pending = last.split()[-1]

    assert tag == f"podman tag {pending} registry.example/me/source-x:local"
    assert last == f"podman rmi {pending}"


@pytest.mark.parametrize(
    ("python", "base"),
    [(">=3.10,<3.12", "3.11"), (">=3.13", "3.13"), (">=3.11, <3.14", "3.12"), (">=3.10,<3.11", "3.10")],
)
def test_the_base_has_a_python_that_the_connector_takes(workshop: Workshop, python: str, base: str) -> None:
    (workshop.folder / "source-x" / "pyproject.toml").write_text(f'requires-python = "{python}"\n')
    workshop.engine("podman")

    assert f", on python:{base}-slim, " in workshop.run("source-x").stdout


def test_a_python_of_which_no_base_is_known_is_refused(workshop: Workshop) -> None:
    (workshop.folder / "source-x" / "pyproject.toml").write_text('requires-python = "<3.8"\n')

    assert "wants Python <3.8, which is none of 3.10 to 3.14" in workshop.refusal("source-x")


def test_the_connectors_own_dockerfile_wins_where_none_is_named(workshop: Workshop) -> None:
    (workshop.folder / "source-x" / "Dockerfile").touch()
    workshop.engine("podman")
    workshop.run("source-x")
    workshop.run("source-x", "python/Dockerfile")

    assert [call.split()[4] for call in workshop.calls() if " --file " in call] == [
        "source-x/Dockerfile",
        "python/Dockerfile",
    ]


def test_an_image_without_flows_labels_gets_no_name(workshop: Workshop) -> None:
    workshop.engine("podman", protocol="")

    assert workshop.refusal("source-x") == (
        "python/Dockerfile gives the label FLOW_RUNTIME_PROTOCOL the value '', and Flow wants capture. "
        "ghcr.io/estuary/source-x:local is as it was"
    )
    assert workshop.calls()[-1].startswith("podman rmi ")


@pytest.mark.parametrize(
    ("printed", "advice"),
    [
        ("write /x: no space left on device", "The disk is full"),
        ("invalid peer certificate: UnknownIssuer", "The index's certificate is not trusted"),
        ("dns error: failed to lookup address", "The index, or the base image's registry, was not reached"),
        ("error running container: from /usr/bin/crun", "buildah cannot start containers here"),
        ("Hash mismatch for `msgspec`", "The index has another file than uv.lock names"),
    ],
)
def test_a_build_that_fails_gives_no_name_and_some_advice(workshop: Workshop, printed: str, advice: str) -> None:
    workshop.engine("podman", f"echo '{printed}' >&2; exit 125")
    refusal = workshop.refusal("source-x")

    assert refusal.startswith(f"podman did not build source-x. {advice}")
    assert refusal.endswith("ghcr.io/estuary/source-x:local is as it was")


def test_the_machines_settings_are_secrets_of_the_build_and_nothing_else(workshop: Workshop) -> None:
    certificates = workshop.folder / "ca.pem"
    certificates.write_text("a certificate\n")
    workshop.engine("podman")
    done = workshop.run(
        "source-x", PIP_INDEX_URL="http://u:it's@i.example/simple", https_proxy="p:1", PIP_CERT=str(certificates)
    )
    quoted = "http://u:it'\\''s@i.example/simple"

    assert done.returncode == 0
    assert (workshop.folder / "secrets").read_text().splitlines() == [
        f"export UV_DEFAULT_INDEX='{quoted}'",
        f"export PIP_INDEX_URL='{quoted}'",
        "export SSL_CERT_FILE='/run/secrets/certificates'",
        "export PIP_CERT='/run/secrets/certificates'",
        "export https_proxy='p:1'",
        "a certificate",
    ]
    assert not any("i.example" in call or "p:1" in call for call in workshop.calls())


def test_certificates_that_are_not_there_are_refused(workshop: Workshop) -> None:
    assert workshop.refusal("source-x", SSL_CERT_FILE="/gone.pem").endswith("cannot be read: /gone.pem")


@pytest.mark.parametrize("name", ["source-x", "materialize-x", "derive-x"])
def test_the_kind_and_the_usage_rate_follow_from_the_name(workshop: Workshop, name: str) -> None:
    (workshop.folder / "source-x").rename(workshop.folder / name)
    kind, rate = {"s": ("capture", "1.0"), "m": ("materialize", "1.0"), "d": ("derive", "0.0")}[name[0]]
    workshop.engine("podman", protocol=kind)

    assert workshop.run(name).returncode == 0
    assert any(f"CONNECTOR_TYPE={kind} --build-arg USAGE_RATE={rate}" in call for call in workshop.calls())


def lock(workshop: Workshop, *sources: str) -> None:
    text = "".join(f"[[package]]\nsource = {{ {source} }}\n\n" for source in sources)
    (workshop.folder / "source-x" / "uv.lock").write_text(text)


def test_local_packages_are_given_to_the_build_without_what_no_image_has(workshop: Workshop) -> None:
    shutil.copy2(ROOT / ".dockerignore", workshop.folder)
    lock(
        workshop,
        'virtual = "."',
        'editable = "../"',
        'editable = "../up stream/tap-y"',
        'directory = "inner"',
        'path = "../z.whl"',
    )
    kept = ("pyproject.toml", "tap_y/__init__.py", "tap_y/schemas/a.json")
    package = workshop.folder / "up stream" / "tap-y"
    for name in (*kept, ".env", "secrets/a", ".venv/b", "tests/c"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    (workshop.folder / "source-x" / "inner").mkdir()
    (workshop.folder / "z.whl").touch()
    workshop.engine("podman")

    assert workshop.run("source-x").returncode == 0
    assert sorted((workshop.folder / "staged").read_text().splitlines()) == [
        *(f"./up stream/tap-y/{name}" for name in kept),
        "./z.whl",
    ]


def test_without_local_packages_there_is_no_further_context(workshop: Workshop) -> None:
    lock(workshop, 'virtual = "."', 'editable = "../"')
    workshop.engine("podman")
    workshop.run("source-x")

    assert not any("--build-context" in call for call in workshop.calls())


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("../gone", "names the local package ../gone, and nothing is there"),
        ("../..", "names the local package ../.., which is outside of this repository: pull it in"),
    ],
)
def test_a_local_package_that_no_image_could_have_is_refused(workshop: Workshop, path: str, sentence: str) -> None:
    lock(workshop, f'editable = "{path}"')
    workshop.engine("podman")

    assert workshop.refusal("source-x").startswith(f"source-x/uv.lock {sentence}")


def test_a_local_package_s_licence_stands_beside_ours(workshop: Workshop) -> None:
    lock(workshop, 'editable = "../upstream"')
    (workshop.folder / "upstream").mkdir()
    workshop.commit("upstream\n\nImport Path: upstream/\nLicense Type: MIT\n")
    workshop.engine("podman")
    workshop.run("source-x")

    assert any("image.licenses=Apache-2.0 AND MIT " in call for call in workshop.calls())


def test_a_usage_rate_is_a_number(workshop: Workshop) -> None:
    assert workshop.refusal("source-x", USAGE_RATE="much") == "USAGE_RATE=much is no number such as 1.0"


def test_an_imported_connectors_licence_stands_beside_ours(workshop: Workshop) -> None:
    workshop.commit("upstream\n\nImport Path: source-x/source_x\nLicense Type: MIT\n")
    workshop.engine("podman")
    workshop.run("source-x")
    build = next(call for call in workshop.calls() if " --file " in call)

    assert "--label org.opencontainers.image.licenses=Apache-2.0 AND MIT " in build
    assert "--label org.opencontainers.image.revision=" in build


@pytest.mark.parametrize(
    ("remote", "source"),
    [
        ("https://me:secret@git.example/x.git", "https://git.example/x.git"),
        ("https://me:p@ss@git.example/x.git", "https://git.example/x.git"),
        ("https://git.example/@team//a@b.git", "https://git.example/@team//a@b.git"),
        ("https://git.example/x.git?access_token=tok", "https://git.example/x.git"),
        ("https://me:se?ret@git.example/x.git#tok", "https://git.example/x.git"),
        ("ftp://me:secret@git.example/x.git", "ftp://git.example/x.git"),
        ("ssh://git:secret@git.example/x.git", "ssh://git.example/x.git"),
        ("git:secret@git.example:x.git", "git@git.example:x.git"),
        ("git@git.example:x@y.git", "git@git.example:x@y.git"),
    ],
)
def test_the_source_of_an_image_is_told_without_credentials(workshop: Workshop, remote: str, source: str) -> None:
    workshop.commit("first")
    workshop.git("remote", "add", "origin", remote)
    workshop.engine("podman")
    workshop.run("source-x")
    build = next(call for call in workshop.calls() if " --file " in call)

    assert f"--label org.opencontainers.image.source={source} " in build


def test_help_says_what_can_be_set(workshop: Workshop) -> None:
    told = workshop.run("--help")

    assert (told.returncode, told.stderr) == (0, "")
    assert all(name in told.stdout for name in ("REGISTRY", "BASE_IMAGE", "USAGE_RATE", "PLATFORM", "DOCKER_CLI"))
