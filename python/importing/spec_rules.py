"""The rules of what a connector says of itself beside its two schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.importing.rule import Hit, Level, Rule, Whom
from python.protocol.pointer import MISSING

__all__ = ["SPEC_RULES", "SpecPair"]


class SpecPair(msgspec.Struct, frozen=True):
    """The answers to `spec` of two versions."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]


_OAUTH_CONSTANT = frozenset({"provider"})
_TOLD_ELSEWHERE = frozenset(
    {"protocol", "configSchema", "resourceConfigSchema", "documentationUrl", "oauth2", "resourcePathPointers"}
)


def _protocol(pair: SpecPair) -> Iterator[Hit]:
    yield from _members(pair.old, pair.new, ("protocol",))


def _pointers(pair: SpecPair) -> Iterator[Hit]:
    yield from _members(pair.old, pair.new, ("resourcePathPointers",))


def _documentation(pair: SpecPair) -> Iterator[Hit]:
    yield from _members(pair.old, pair.new, ("documentationUrl",))


def _oauth_added(pair: SpecPair) -> Iterator[Hit]:
    if not pair.old.get("oauth2") and pair.new.get("oauth2"):
        yield Hit(("oauth2",), new=pair.new["oauth2"].get("provider"))


def _oauth_removed(pair: SpecPair) -> Iterator[Hit]:
    if pair.old.get("oauth2") and not pair.new.get("oauth2"):
        yield Hit(("oauth2",), old=pair.old["oauth2"].get("provider"))


def _oauth_provider(pair: SpecPair) -> Iterator[Hit]:
    for hit in _oauth(pair):
        if hit.at[-1] in _OAUTH_CONSTANT:
            yield hit


def _oauth_changed(pair: SpecPair) -> Iterator[Hit]:
    for hit in _oauth(pair):
        if hit.at[-1] not in _OAUTH_CONSTANT:
            yield hit


def _oauth(pair: SpecPair) -> Iterator[Hit]:
    old, new = pair.old.get("oauth2"), pair.new.get("oauth2")
    if old and new:
        names = tuple(sorted({*old, *new}))
        yield from (hit._replace(at=("oauth2", *hit.at)) for hit in _members(old, new, names))


def _others(pair: SpecPair) -> Iterator[Hit]:
    yield from _members(pair.old, pair.new, tuple(sorted({*pair.old, *pair.new} - _TOLD_ELSEWHERE)))


def _members(old: Mapping[str, Any], new: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Hit]:
    """Yield each of the members `names` that differs; an empty one is as good as none."""
    for name in names:
        if (old.get(name) or None) != (new.get(name) or None):
            yield Hit((name,), old.get(name, MISSING), new.get(name, MISSING))


_PATCH, _MINOR, _MAJOR = Level

SPEC_RULES: tuple[Rule[SpecPair], ...] = (
    Rule("protocol-changed", _MAJOR, (Whom.RUNNING,), "the runtime speaks one version of the protocol", _protocol),
    Rule(
        "path-pointers-changed",
        _MAJOR,
        (Whom.RUNNING, Whom.STATE),
        "bindings are told apart, and their state is kept, by what these point to",
        _pointers,
    ),
    Rule("documentation-changed", _PATCH, (Whom.NEW,), "the documentation is elsewhere", _documentation),
    Rule("oauth-added", _MINOR, (Whom.NEW,), "users can sign in with a click", _oauth_added),
    Rule("oauth-removed", _MAJOR, (Whom.CONFIG,), "users cannot sign in as they did", _oauth_removed),
    Rule("oauth-provider-changed", _MAJOR, (Whom.CONFIG,), "users must sign in anew", _oauth_provider),
    Rule("oauth-changed", _MINOR, (Whom.CONFIG,), "the next sign-in goes another way", _oauth_changed),
    Rule("member-changed", _MINOR, (Whom.NEW,), "it says something else of itself", _others),
)
"""Of the answer to `spec`; a difference's rule has `spec-` before the name here."""
