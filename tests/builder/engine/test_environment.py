from __future__ import annotations

import os

from python.builder.engine.environment import of_worker

SERVERS = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "s3cret", "HTTPS_PROXY": "http://proxy", "HOME": "/root"}


def test_only_what_is_listed_is_passed_on() -> None:
    given = of_worker(SERVERS, [], allow_custom_code=False, folder="/private")

    assert given["PATH"] == "/bin"
    assert given["HTTPS_PROXY"] == "http://proxy"
    assert "s3cret" not in given.values()
    assert given["HOME"] == given["TMPDIR"] == "/private"


def test_the_cdks_own_gate_is_told_what_is_allowed() -> None:
    told = [
        of_worker({}, [], allow_custom_code=allowed, folder="/f")["AIRBYTE_ENABLE_UNSAFE_CODE"]
        for allowed in (True, False)
    ]

    assert told == ["true", "false"]


def test_connectors_are_on_the_path() -> None:
    assert of_worker({}, ["/a", "/b"], allow_custom_code=False, folder="/f")["PYTHONPATH"] == f"/a{os.pathsep}/b"


def test_no_library_starts_threads_before_a_fork() -> None:
    assert (
        of_worker({"OPENBLAS_NUM_THREADS": "8"}, [], allow_custom_code=False, folder="/f")["OPENBLAS_NUM_THREADS"]
        == "1"
    )
