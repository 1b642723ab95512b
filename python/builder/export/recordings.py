"""The recording of a test read, as the tests of an exported connector answer from it."""

from __future__ import annotations

from python.builder.export.flow_files import RECORDING
from python.builder.export.order import ExportError, Form, Order

__all__ = ["recorded_files"]

_TOTAL_BYTES_MAX = 64 * 1024 * 1024  # in git for ever: a test needs a few pages, not a sync


def recorded_files(order: Order) -> dict[str, bytes]:
    """Return the files of the recording by their paths in the connector's folder; none in the forms of Airbyte.

    Raises ExportError where the recording is no folder, or too large.
    """
    folder = order.recording
    if folder is None or order.form is not Form.HEADWATER or not order.ask:
        return {}
    if not folder.is_dir():
        raise ExportError(f"{folder} is no folder: want the one that a test read was recorded in")
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    total = sum(path.stat().st_size for path in paths)
    if total > _TOTAL_BYTES_MAX:
        raise ExportError(f"{folder} has {total:,} bytes, want at most {_TOTAL_BYTES_MAX:,}: record fewer pages")
    return {f"{RECORDING}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}
