"""Whether a bucket has changed, told from names and times alone: what a sensor asks every half minute."""

from __future__ import annotations

import hashlib

from python.registry.generation.listing import DEPENDENCIES, METADATA, METRICS, READ, SPECS
from python.registry.generation.plans import RULES, Options
from python.registry.generation.snapshots import FIXED, POINTER
from python.registry.store import Store

__all__ = ["mark_of"]


def mark_of(store: Store, options: Options | None = None) -> str:
    """Return a word that is another one whenever registries may become others, or readers get others.

    That is where a file is another one that they are made of, or the rules are, or the place of the bucket. It is the
    same again when all of them are as they were, so it marks a state and not a moment. Entries that generation itself
    writes beside versions do not count.
    """
    digest = hashlib.sha256(f"{RULES}\0{options.base_url if options else None}\n".encode())
    whole = (SPECS, DEPENDENCIES, METRICS, POINTER, f"{FIXED}/")
    for prefix, names in ((METADATA, READ), *((each, None) for each in whole)):
        for version in store.list(prefix, names):
            digest.update(f"{version.path}\0{version.generation}\n".encode())
    return digest.hexdigest()
