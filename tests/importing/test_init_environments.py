from __future__ import annotations

from pathlib import Path

import pytest

from python.importing.scaffold.environments import wheel
from python.protocol.errors import HeadwaterError

# As uv 0.13 tells of a build.
TOLD = """\
Building wheel...
Traceback (most recent call last):
  File "<string>", line 1, in <module>
RuntimeError: FOO is not set
error: Failed to build `source-x`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)

hint: Build failures usually indicate a problem with the package or the build environment
"""


def test_a_build_of_upstream_s_that_fails_is_told_with_its_own_reason(tmp_path: Path) -> None:
    uv = tmp_path / ".venv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text("#!/bin/sh\nfor word; do [ $word != --quiet ] || exit 2; done\ncat told >&2\nexit 2\n")
    uv.chmod(0o755)
    (tmp_path / "told").write_text(TOLD)
    (tmp_path / "source-x").mkdir()

    with pytest.raises(HeadwaterError, match=r"package that is in source-x: RuntimeError: FOO is not set$"):
        wheel(tmp_path / "source-x", tmp_path)
