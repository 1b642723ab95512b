"""What of a connector is code that its manifest brings along, and runs as soon as the connector is started."""

from __future__ import annotations

from python.builder.engine.custom_code import custom_components
from python.builder.manifests.linting import opened

__all__ = ["custom_code_in"]


def custom_code_in(text: str, components: str | None) -> str:
    """Return what it is, for a sentence: its file, or the first place in the manifest; empty where there is none.

    Raises DocumentError for a `text` that is no manifest.
    """
    if components is not None:
        return "components.py"
    place = min(custom_components(opened(text).value), default="")
    return f"a custom component at {place}" if place else ""
