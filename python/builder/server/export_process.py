"""The process that exports: an `Ask` as JSON on stdin, the zip on stdout, or a sentence on stderr."""

from __future__ import annotations

import datetime as dt
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from python.builder.export.custom import custom_code_in
from python.builder.export.order import Form, Order
from python.builder.export.zipping import zipped
from python.builder.manifests.cdk import Cdk, installed
from python.builder.manifests.findings import Severity, as_table
from python.builder.manifests.gathering import Gathered
from python.builder.manifests.importing import imported
from python.builder.manifests.linting import lint
from python.builder.server.processes import SENTENCE
from python.protocol.errors import HeadwaterError

__all__ = ["Ask", "exported", "main"]

_NAME = "manifest.yaml"
_MEMORY_BYTES_MAX = 4 * 1024 * 1024 * 1024  # of address space: the connector that is started has its own
_CPU_SECONDS_MAX = 120


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What to export. `cdk` is the interpreter whose CDK the connector is to run with; None is ours."""

    text: str
    name: str
    form: str
    cdk: str | None = None
    components: str | None = None
    config: Mapping[str, Any] = {}
    recording: str | None = None
    allow_custom_code: bool = False
    lint: bool = True


def exported(ask: Ask) -> bytes:
    """Return the zip. Raises HeadwaterError, with a sentence, where there is none.

    A connector that would run custom code is started only where that is allowed; its bindings are left open otherwise.
    """
    cdk = installed(ask.cdk)
    taken = imported(Gathered(path=_NAME, text=ask.text, components=ask.components), cdk)
    if ask.lint:
        _refuse_errors(taken.text, cdk)
    custom = custom_code_in(taken.text, taken.components)
    order = Order(
        text=taken.text,
        name=ask.name,
        cdk=cdk,
        date=dt.datetime.now(dt.timezone.utc).date().isoformat(),
        form=Form(ask.form),
        components=taken.components,
        config=ask.config,
        recording=Path(ask.recording) if ask.recording else None,
        ask=ask.allow_custom_code or not custom,
        unasked=f"it has {custom}, and this server runs no custom code",
    )
    return zipped(order, taken.notes)


def _refuse_errors(text: str, cdk: Cdk) -> None:
    errors = [each for each in lint(text, cdk) if each.severity is Severity.ERROR]
    if errors:
        raise HeadwaterError(as_table(_NAME, errors))


def main() -> int:
    """Export what stdin asks for; return the status of the process."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS_MAX, _CPU_SECONDS_MAX))
    try:
        made = exported(msgspec.json.decode(sys.stdin.buffer.read(), type=Ask))
    except HeadwaterError as error:
        sys.stderr.write(str(error))
        return SENTENCE
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
