"""A connector's folder as a zip, for those who have no folder to put it in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from python.builder.export.drafting import drafted
from python.builder.export.order import Order
from python.builder.export.recordings import recorded_files

__all__ = ["zipped"]

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say: equal orders give equal bytes


def zipped(order: Order) -> bytes:
    """Return a zip with the folder of the connector that is ordered: every path begins with its name.

    Nothing is left behind on disk. `order.ask` starts the connector, components.py included, in a process of its own
    without a network; a server that allows no custom code says no to that, or orders without components. It has to be
    called on the main thread of a process then. Raises HeadwaterError, with a sentence for whoever ordered, where the
    name or the manifest is none.
    """
    draft = drafted(order)
    texts = {**draft.laid.begun, **draft.laid.written}
    files: Mapping[str, bytes] = {name: text.encode() for name, text in texts.items()} | recorded_files(order)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            about = zipfile.ZipInfo(f"{order.name}/{name}", _MOMENT)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            archive.writestr(about, files[name])
    return buffer.getvalue()
