"""materialize-postgres, whose process is stopped with SIGSTOP once, before it is given its second commit to start.

The command is `held.py FOLDER materialize-postgres`. The stopped process and what it was told last outlive the runner:
its number is in FOLDER/held then, what it logs in FOLDER/held.log, and its exit status at last in FOLDER/held.status.
Every process that begins after that is materialize-postgres as it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

COMMITS = 2


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    command = ["python", "-m", name]
    if (folder / "held").exists():
        os.execvp(command[0], command)  # noqa: S606 -- no shell is wanted
    with (folder / "held.log").open("ab") as log:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    assert child.stdin
    assert child.stdout
    answers = threading.Thread(target=_relay, args=(child.stdout,))
    answers.start()
    held = _tell(child, child.stdin, folder)
    answers.join()
    status = child.wait()
    if held:
        (folder / "status.new").write_text(str(status))
        (folder / "status.new").replace(folder / "held.status")
    sys.exit(status)


def _tell(child: subprocess.Popen[bytes], stdin: IO[bytes], folder: Path) -> bool:
    """Pass requests on; return whether the child was stopped on the way."""
    commits, held = 0, False
    with contextlib.suppress(BrokenPipeError), stdin:
        for line in sys.stdin.buffer:
            commits += line.startswith(b'{"startCommit"')
            if commits == COMMITS and not held:
                child.send_signal(signal.SIGSTOP)
                (folder / "held.new").write_text(str(child.pid))
                (folder / "held.new").replace(folder / "held")
                held = True
            stdin.write(line)
            stdin.flush()
    return held


def _relay(answers: IO[bytes]) -> None:
    """Pass answers on, as long as there is somebody to hear them."""
    heard = True
    for line in answers:
        if heard:
            try:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                heard = False
    if not heard:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main()
