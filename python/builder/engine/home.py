"""The private folder of an interpreter's jobs, which goes when its server does: by a process that waits for that.

The folder holds secrets: the config of a job until its reading begins, and what the CDK caches of answers. A killed
server removes nothing, and its jobs may be killed with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["Home"]

_SWEEP = (
    "import os, shutil, sys, time\n"
    "sys.stdin.buffer.read()\n"  # until the server has gone
    "for _ in range(100):\n"  # its jobs end in the same moment, and may write meanwhile
    "    shutil.rmtree(sys.argv[1], ignore_errors=True)\n"
    "    if not os.path.lexists(sys.argv[1]):\n"
    "        break\n"
    "    time.sleep(0.1)\n"
)


class Home:
    """A new folder that only we can read. It is removed by `close`, and when this process ends, however it ends."""

    def __init__(self) -> None:
        """Make the folder. Raises OSError."""
        self.path = tempfile.mkdtemp(prefix="headwater-builder-")
        try:
            self._sweeper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _SWEEP, self.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a terminal's Ctrl-C, and what kills the server's group, are not for it
            )
        except OSError:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def exists(self) -> bool:
        """Whether the folder is still there: what cleans /tmp may remove it."""
        return Path(self.path).is_dir()

    def close(self) -> None:
        """Remove the folder."""
        self._sweeper.communicate()
        shutil.rmtree(self.path, ignore_errors=True)  # in case that somebody has killed the sweeper
