from __future__ import annotations

import os
import select
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from python.builder.engine.home import Home

ROOT = Path(__file__).parents[3]
SECONDS_MAX = 30
SERVER = """
import os, signal
from pathlib import Path
from python.builder.engine.home import Home
home = Home()
Path(home.path, "config.json").write_text("s3cret")
print(home.path, home._sweeper.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_is_private_until_it_is_closed() -> None:
    home = Home()
    Path(home.path, "config.json").write_text("s3cret")
    mode = stat.S_IMODE(os.stat(home.path).st_mode)  # noqa: PTH116 -- of a text
    home.close()

    assert mode == 0o700
    assert not home.exists()


def test_a_folder_that_somebody_has_removed_is_told_and_closed_all_the_same() -> None:
    home = Home()
    shutil.rmtree(home.path)

    assert not home.exists()
    home.close()


def test_a_killed_server_leaves_no_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout is not None
        path, pid = server.stdout.readline().split()
        server.wait()
    ended(int(pid))

    assert not Path(path.decode()).exists()


def ended(pid: int) -> None:
    """Return once a process that is no child of ours has ended."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([watched], [], [], SECONDS_MAX)[0]
    os.close(watched)
