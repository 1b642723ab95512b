"""A connector's folder as a zip, for those who have no folder to put it in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence

from python.builder.export.drafting import drafted
from python.builder.export.order import Order
from python.builder.export.recordings import recorded_files
from python.builder.export.reporting import report
from python.builder.manifests.importing import Note

__all__ = ["REPORT", "zipped"]

REPORT = "export.json"
"""The file beside the connector's folder that says what could not be done, as `report` has it."""

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say: equal orders give equal bytes


def zipped(order: Order, notes: Sequence[Note] = ()) -> bytes:
    """Return a zip with the folder of the connector that is ordered, and REPORT beside it, with the import's `notes`.

    Nothing is left behind on disk. `order.ask` starts the connector, components.py included, in a process of its own
    without a network; a server that allows no custom code says no to that, or orders without components. It has to be
    called on the main thread of a process then. Raises HeadwaterError, with a sentence for whoever ordered, where the
    name or the manifest is none.
    """
    draft = drafted(order)
    texts = {**draft.laid.begun, **draft.laid.written}
    files = {name: text.encode() for name, text in texts.items()} | recorded_files(order)
    told = json.dumps(report(draft, notes), indent=1, ensure_ascii=False, default=str) + "\n"
    held: Mapping[str, bytes] = {
        **{f"{order.name}/{name}": content for name, content in files.items()},
        REPORT: told.encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(held):
            about = zipfile.ZipInfo(name, _MOMENT)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            archive.writestr(about, held[name])
    return buffer.getvalue()
