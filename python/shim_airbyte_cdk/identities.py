"""Which streams a source means: it names one by namespace and name, and may leave the namespace out."""

from __future__ import annotations

from collections.abc import Iterable

from python.shim_airbyte_cdk.models import mapping

__all__ = ["Identity", "Known", "ambiguity", "identity_of", "told"]

Identity = tuple["str | None", str]
"""A stream's namespace, None where it has none, and its name."""


class Known:
    """The streams of a sync. No generation of airbyte-cdk sets a namespace on records and errors, whatever streams say.

    >>> known = Known([("shop", "users"), ("shop", "orders"), ("web", "orders")])
    >>> known.meant((None, "users"))
    (('shop', 'users'),)
    >>> known.meant((None, "orders"))
    (('shop', 'orders'), ('web', 'orders'))
    """

    def __init__(self, identities: Iterable[Identity]) -> None:
        self._meant: dict[Identity, tuple[Identity, ...]] = {}
        known = tuple(identities)
        for identity in known:
            unnamed = (None, identity[1])
            self._meant[unnamed] = (*self._meant.get(unnamed, ()), identity)
        self._meant.update({identity: (identity,) for identity in known})

    def meant(self, identity: Identity) -> tuple[Identity, ...]:
        """Return the stream of this identity, or those that may be meant where it leaves the namespace out."""
        return self._meant.get(identity, ())


def identity_of(descriptor: object) -> Identity:
    """Return what a StreamDescriptor names; an empty namespace is none."""
    found = mapping(descriptor)
    namespace = found.get("namespace")
    return (str(namespace) if namespace else None, str(found.get("name")))


def told(identity: Identity) -> str:
    """Return a stream's name for people."""
    return ".".join(filter(None, identity))


def ambiguity(meant: Iterable[Identity]) -> str:
    """Return why none of these streams, which have one name, can be captured."""
    return (
        f"the source names no namespace, so that {' and '.join(map(told, meant))} cannot be told apart; "
        "disable the bindings of all but one of them"
    )
