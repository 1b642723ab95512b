"""The text of a manifest that is published: without what only a builder keeps in it, and otherwise as it was."""

from __future__ import annotations

from python.builder.manifests.documents import Document, DocumentError, of_text
from python.builder.manifests.expressions import texts
from python.builder.manifests.round_trip import RoundTrip, fresh, rewrite_texts
from python.runner.spec_edit import block_text

__all__ = ["published", "with_classes_in"]

_NOTES = "metadata"  # what a builder remembers of its form; the CDK does not read it
_COMPONENTS = "components"
_ANY_CONFIG = {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}}
"""What the CDK wants of a manifest whose author did not say what its config is."""


def published(document: Document) -> str:
    """Return the text of a manifest without `metadata`, and with a `spec`. All else stays as it was written.

    The text is cut and lengthened where that leaves the values that are wanted; where it is written otherwise (in one
    line, or with anchors that others use), the document is written anew, with its comments.
    """
    wanted = {name: value for name, value in document.value.items() if name != _NOTES}
    if not wanted.get("spec"):
        wanted["spec"] = _ANY_CONFIG
    if wanted == document.value:
        return document.text
    text = _without_block(document) if _NOTES in document.value else document.text
    if "spec" not in document.value:
        text = f"{text.rstrip()}\n{block_text({'spec': _ANY_CONFIG})}"
    try:
        if of_text(text).value == wanted:
            return text
    except DocumentError:
        pass
    trip = RoundTrip(document.text)
    trip.value.pop(_NOTES, None)
    if wanted["spec"] == _ANY_CONFIG:
        trip.value["spec"] = fresh(_ANY_CONFIG)
    return trip.text()


def _without_block(document: Document) -> str:
    """Return the text without the lines of the block, but with the comments that stand before the next member."""
    lines = document.text.splitlines(keepends=True)
    starts = sorted(span.name.line for span in document.spans[id(document.value)].values())
    start = document.spans[id(document.value)][_NOTES].name.line
    end = next((line for line in starts if line > start), len(lines))
    while end > start + 1 and (lines[end - 1].startswith("#") or not lines[end - 1].strip()):
        end -= 1
    while start and not lines[start - 1].strip() and not "".join(lines[end : end + 1]).strip():
        start -= 1  # an empty line before it, and one after it, or nothing: one is enough
    return "".join([*lines[:start], *lines[end:]])


def with_classes_in(text: str, module: str) -> str:
    """Return the manifest with its own custom classes looked for in `module`, a path with dots.

    Classes of other modules stay where they are.
    """
    places = [at for at, value in texts(of_text(text).value) if at[-1] == "class_name" and _is_own(value, module)]
    if not places:
        return text
    trip = RoundTrip(text)
    rewrite_texts(trip, places, lambda name: f"{module}.{name.rpartition('.')[2]}")
    return trip.text()


def _is_own(name: str, module: str) -> bool:
    """Whether a class is one of components.py beside the manifest, and not yet named as in `module`."""
    own = name.rpartition(".")[0]
    return (own == _COMPONENTS or own.endswith(f".{_COMPONENTS}")) and own != module and not _is_of_the_cdk(own)


def _is_of_the_cdk(module: str) -> bool:
    return module.startswith("airbyte_cdk.")
