"""An order held against what can be exported, and made a connector's files."""

from __future__ import annotations

import msgspec

from python.builder.export.facts import Facts, facts_of
from python.builder.export.layouts import Kept, Laid, laid
from python.builder.export.manifest_text import published
from python.builder.export.order import ExportError, Order, checked_name
from python.builder.export.revising import Before, Revision, revised
from python.builder.manifests.documents import VALUES_MAX, Document, DocumentError
from python.builder.manifests.linting import opened, read

__all__ = ["Draft", "drafted", "facts_in"]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A connector that is ready to be put in place: its files, what the manifest says, and its version."""

    laid: Laid
    facts: Facts
    revision: Revision


def drafted(order: Order, before: Before | None = None, kept: Kept | None = None) -> Draft:
    """Return the connector that is ordered; `before` is what stands in its place, and `kept` texts of that.

    Starts the connector, if that is ordered. Raises HeadwaterError for a name or a manifest that is none.
    """
    checked_name(order.name)
    document = _document(order)
    order = msgspec.structs.replace(order, text=published(document))
    facts = facts_in(order)
    if not facts.streams:
        raise ExportError("the manifest has no streams: there is nothing to capture, and nothing to export")
    texts = (order.text, order.components or "")
    revision = revised(facts, texts, order.date, before)
    return Draft(laid=laid(order, facts, revision, kept or Kept()), facts=facts, revision=revision)


def facts_in(order: Order) -> Facts:
    """Return what the manifest of `order` says. Raises ExportError where it is none."""
    reading = read(_document(order), order.cdk)
    if reading.whole.size > VALUES_MAX:
        raise ExportError(f"the manifest has more than {VALUES_MAX:,} values with its references followed")
    return facts_of(reading)


def _document(order: Order) -> Document:
    try:
        return opened(order.text)
    except DocumentError as error:
        raise ExportError(f"the manifest cannot be read: {error}") from None
