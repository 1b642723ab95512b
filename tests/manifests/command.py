"""airbyte-cdk's own command `source-declarative-manifest`, many times: imported once, and then forked for each job.

    python command.py [[ARGUMENTS, OUTPUT], ...]

Each job runs the command as its console script does, in a process of its own, and writes what it prints to its file.
The exit status is that of the first job that fails.
"""

from __future__ import annotations

import json
import os
import sys

AT_ONCE_MAX = 2  # the cores that we may count on


def start(arguments: list[str], output: str) -> None:
    from airbyte_cdk.cli.source_declarative_manifest._run import run  # where pytest looks for doctests, it must not

    if os.fork():
        return
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    sys.argv = ["source-declarative-manifest", *arguments]
    run()
    sys.exit()


def main(jobs: list[tuple[list[str], str]]) -> int:
    statuses = []
    for index, job in enumerate(jobs):
        if index >= AT_ONCE_MAX:
            statuses.append(os.wait()[1])
        start(*job)
    statuses += [os.wait()[1] for _ in jobs[-AT_ONCE_MAX:]]
    return max(map(os.waitstatus_to_exitcode, statuses))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
