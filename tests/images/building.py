"""Images built for real: by buildah, on a Debian made by debootstrap, from a copy of what is built."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from python.runner.yaml_file import read_source

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / ".cache" / "images"
SUITE = "bookworm"
PACKAGES = "ca-certificates,python3,python3-venv"
BASE = f"localhost/debian-python:{SUITE}"
SCRATCH_BYTES_MIN = 8 * 1024**3  # twice what the most of these tests hold at a time
# What making an image of a connector takes; everything else of the repository must not matter.
COPIED = ("build-local.sh", ".dockerignore", "pyproject.toml", "LICENSE", "python")


class Builder(NamedTuple):
    """A copy of the repository with the connectors that are wanted, and the environment in which they are built."""

    checkout: Path
    env: Mapping[str, str]

    def build(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run build-local.sh to its end."""
        return subprocess.run(
            [str(self.checkout / "build-local.sh"), *arguments],
            env={**self.env, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def buildah(self, *arguments: str) -> str:
        """Return what buildah prints."""
        done = subprocess.run(["buildah", *arguments], env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def names(self) -> set[str]:
        """Return the names of all images but the base."""
        listed = self.buildah("images", "--format", "{{.Name}}:{{.Tag}}").split()
        return {name for name in listed if not name.startswith(("<none>", "localhost/"))}

    @contextlib.contextmanager
    def files(self, image: str) -> Iterator[Path]:
        """Within, the folder is the root of the image's files."""
        container = self.buildah("from", image)
        try:
            yield Path(self.buildah("mount", container))
        finally:
            self.buildah("rm", container)

    def spec(self, connector: str, image: str, **config: object) -> Path:
        """Return the connector's spec, with `image` in place of its local command."""

        def packed(value: Any) -> Any:
            if isinstance(value, list):
                return [packed(each) for each in value]
            if not isinstance(value, dict):
                return value
            if "local" in value:
                return {"connector": {"image": image, "config": {**value["local"]["config"], **config}}}
            return {key: packed(each) for key, each in value.items()}

        path = self.checkout / connector / "test.flow.yaml"
        written = path.with_name("image.flow.yaml")
        written.write_text(json.dumps(packed(read_source(path).value)), encoding="utf-8")
        return written


@contextlib.contextmanager
def builder(driver: str, *connectors: str, root: Path | None = None) -> Iterator[Builder]:
    """Within, images are built and kept by the storage driver `driver`, in `root` or a folder of their own."""
    checked = subprocess.run(
        [str(ROOT / ".ci" / "install-tools"), "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    folder = Path(tempfile.mkdtemp(prefix="headwater-images-", dir=scratch()))
    storage = root or folder
    conf = folder / "storage.conf"
    conf.write_text(
        f'[storage]\ndriver = "{driver}"\ngraphroot = "{storage}/graph"\nrunroot = "{storage}/run"\n', encoding="utf-8"
    )
    (CACHE / "tmp").mkdir(parents=True, exist_ok=True)
    own = {
        "CONTAINERS_STORAGE_CONF": str(conf),
        "BUILDAH_ISOLATION": "chroot",
        "DOCKER_CLI": "buildah",
        "BASE_IMAGE": BASE,
        "TMPDIR": str(CACHE / "tmp"),  # buildah keeps the caches of builds there
    }
    made = Builder(_checkout(folder / "checkout", connectors), {**os.environ, **own})
    try:
        container = made.buildah("from", "scratch")
        made.buildah("add", "--quiet", container, str(base()), "/")
        made.buildah("commit", "--quiet", "--rm", container, BASE)
        yield made
    finally:
        made.buildah("rm", "--all")
        made.buildah("rmi", "--all", "--force")
        shutil.rmtree(folder)


def scratch() -> Path:
    """Return where many small files are made and removed: in memory, where there is room for all that tests build."""
    memory = Path("/dev/shm")  # noqa: S108 # the folder made in it has a name of its own
    room = shutil.disk_usage(memory).free if memory.is_dir() else 0
    return memory if room >= SCRATCH_BYTES_MIN else Path(tempfile.gettempdir())


def driver() -> str:
    """Return `overlay` where it works here, or else `vfs`, which copies every layer as a whole."""
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        storage = ["--storage-driver", "overlay", "--root", f"{folder}/graph", "--runroot", f"{folder}/run"]
        done = subprocess.run(["buildah", *storage, "info"], capture_output=True, check=False)
        subprocess.run(["umount", f"{folder}/graph/overlay"], capture_output=True, check=False)
    return "vfs" if done.returncode else "overlay"


def base() -> Path:
    """Return an archive of a small Debian with its Python, made once and kept in .cache."""
    archive = CACHE / f"{SUITE}-{PACKAGES}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _bootstrap(archive)
    return archive


def as_root() -> tuple[str, ...]:
    """Return what a command begins with that root alone may run."""
    return () if os.getuid() == 0 else ("sudo", "-n")


def _bootstrap(archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        root = Path(folder) / "root"
        made = [*as_root(), "debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)]
        done = subprocess.run(made, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"debootstrap failed: {done.stdout[-2000:]}{done.stderr}"
        left_out = [f"--exclude=./{path}" for path in ("dev/*", "var/cache/apt/*", "var/lib/apt/lists/*")]
        partial = archive.with_suffix(".new")
        subprocess.run([*as_root(), "tar", "--create", "--file", partial, "-C", root, *left_out, "."], check=True)
        partial.rename(archive)
        subprocess.run([*as_root(), "rm", "-rf", root], check=True)


def _checkout(folder: Path, connectors: tuple[str, ...]) -> Path:
    folder.mkdir()
    ignored = shutil.ignore_patterns(".venv", "__pycache__", "snapshots")
    for name in (*COPIED, *connectors):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A copy"]):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    return folder
