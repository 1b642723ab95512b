"""From a bucket's listing to what will be published: only connectors whose files have changed are read.

A connector that cannot be read, or must not be published, keeps the entries that it had, and is quarantined with the
reason. So no file stops the registry, or makes it smaller.
"""

from __future__ import annotations

import concurrent.futures
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.generation.building import build
from python.registry.generation.comparing import entries_by_repository
from python.registry.generation.entries import REGISTRIES, EntryError
from python.registry.generation.gates import Claim, compatible, duplicates, shrunk
from python.registry.generation.listing import COPIES, METADATA, WRITTEN, YANKED, Listing, listing_of, repository_of
from python.registry.generation.metrics import metrics_of
from python.registry.generation.plans import (
    RULES,
    Change,
    Connector,
    Inputs,
    Options,
    Plan,
    Row,
    inputs_of,
    keys_of,
)
from python.registry.generation.reading import Context, Files
from python.registry.generation.registries import Entries
from python.registry.generation.snapshots import (
    FIXED,
    POINTER,
    RECORD,
    REGISTRY_FILES,
    Current,
    SnapshotError,
    current,
    escape,
)
from python.registry.store import NotFoundError, Store, Version

__all__ = ["News", "news", "plan"]

_READERS = 8  # as many requests at once as any store answers gladly
_SHOWN_VERSIONS_MAX = 5  # enough to see what kind of names they have
_GONE = "its files are gone from the bucket: put them back, or give --allow-shrink"


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What the bucket holds now, beside what is published.

    The connectors `stale` have files that are not as they were when they were read; with any of them, those that are
    quarantined are read again, too: what they lost against may have changed. The files of those `gone` are no more.
    `is_any` tells whether a plan may have something to change.
    """

    seen: Current | None
    listing: Listing
    inputs: Inputs
    stale: tuple[str, ...]
    gone: tuple[str, ...]
    is_any: bool


def news(store: Store, options: Options | None = None) -> News:
    """Return what may have to be published now, of names and times alone. Raises SnapshotError as `plan` does."""
    chosen = options or Options()
    seen, listing = current(store), listing_of(store)
    with escape(store, seen.pointer.snapshot if seen else None):
        if seen is None and not chosen.allow_shrink and next(store.list(RECORD), None):
            raise SnapshotError(f"{POINTER} is gone, and {RECORD} says that something was published")
        inputs = inputs_of(store, seen)
    is_known = inputs.rules == RULES and inputs.base_url == chosen.base_url
    stale = [
        name
        for name, own in listing.connectors.items()
        if not is_known or name not in inputs.connectors or _is_stale(inputs.connectors[name], own, listing)
    ]
    gone = tuple(sorted(inputs.connectors.keys() - listing.connectors.keys()))
    untold = gone if chosen.allow_shrink else [name for name in gone if not inputs.connectors[name].problem]
    if stale or untold or chosen.allow_shrink or chosen.allow_breaking:
        is_wide = chosen.allow_breaking  # of candidates that break, warnings tell
        known = inputs.connectors.items()
        wrong = {
            name for name, each in known if each.problem or (is_wide and each.warnings)
        } & listing.connectors.keys()
        stale += sorted(wrong.difference(stale))
    is_any = seen is None or bool(stale) or bool(untold)
    return News(seen=seen, listing=listing, inputs=inputs, stale=tuple(stale), gone=gone, is_any=is_any)


def plan(store: Store, now: dt.datetime, options: Options | None = None) -> Plan:
    """Return what would be published now. Writes nothing. Raises SnapshotError where what is current is broken."""
    chosen = options or Options()
    found = news(store, chosen)
    if not found.is_any:
        return Plan(now=now, options=chosen, seen=found.seen, listing=found.listing, inputs=found.inputs)
    metrics = metrics_of(store, found.listing) if found.stale else {}
    context = Context(
        store=store,
        listing=found.listing,
        now=now,
        base_url=chosen.base_url,
        metrics=metrics,
        allow_breaking=chosen.allow_breaking,
    )
    return _Work(context, found.inputs, found.seen, chosen).planned(found.stale, found.gone)


class _Work:
    """What a plan starts from: what is published, what the bucket holds, and how to generate."""

    def __init__(self, context: Context, inputs: Inputs, seen: Current | None, options: Options) -> None:
        self._context = context
        self._listing = context.listing
        self._inputs = inputs
        self._seen = seen
        self._options = options
        self._before: Mapping[str, Entries] = {}
        self._written: dict[str, Mapping[str, msgspec.Raw]] = {}

    def planned(self, stale: Sequence[str], gone: Sequence[str]) -> Plan:
        """Return the plan where the connectors `stale` have changed, and the files of those `gone` are no more."""
        if self._seen:
            with escape(self._context.store, self._seen.pointer.snapshot):
                self._before = entries_by_repository(self._context.store, self._seen.manifest, self._inputs)
        rows = {name: self._row(name) for name in self._inputs.connectors if name in self._listing.connectors}
        with concurrent.futures.ThreadPoolExecutor(_READERS) as pool:
            rows |= dict(zip(stale, pool.map(self._built, stale), strict=True))
        if not self._options.allow_shrink:
            rows |= {name: self._quarantined(name, _GONE, {}) for name in gone}
        if any(self._claims_anew(rows[name]) for name in stale):
            self._part(rows)
        ordered = tuple(rows[name] for name in sorted(rows))
        counts: dict[str, int] = {registry: sum(registry in row.entries for row in ordered) for registry in REGISTRIES}
        blocked = [] if self._options.allow_shrink else shrunk(self._counts_before(), counts)
        written = {path: data for files in self._written.values() for path, data in files.items()}
        return Plan(
            now=self._context.now,
            options=self._options,
            seen=self._seen,
            listing=self._listing,
            inputs=self._inputs,
            rows=ordered,
            changes=tuple(_changes(self._inputs.connectors, self._before, rows)),
            written=written,
            deleted=tuple(self._deleted(written, [*stale, *gone], rows)),
            blocked=tuple(blocked),
        )

    def _counts_before(self) -> Mapping[str, int]:
        """Return how many entries each registry has for readers, another tool's too, where we published none."""
        if self._seen:
            return self._seen.manifest.counts
        return {registry: _counted(self._context.store, f"{FIXED}/{file}") for registry, file in REGISTRY_FILES.items()}

    def _row(self, name: str) -> Row:
        return Row(repository=name, connector=self._inputs.connectors[name], entries=self._before.get(name, {}))

    def _built(self, name: str) -> Row:
        files, before = Files(self._context, name), self._before.get(name, {})
        try:
            built = build(self._context, name, files, before)
            why = None if self._options.allow_breaking or built is None else compatible(before, built.entries)
        except EntryError as error:
            return self._quarantined(name, str(error), files.outside)
        except (HeadwaterError, OSError, MemoryError):
            raise  # the store or the machine is at fault, not this connector
        except Exception as error:  # noqa: BLE001 -- whatever else its files cause must not stop the others
            return self._quarantined(name, f"it makes us fail: {type(error).__name__}: {error}", files.outside)
        why = why or (None if self._options.allow_shrink else self._lost(name))
        if why:
            return self._quarantined(name, why, files.outside)
        if built is None:
            return Row(repository=name, connector=self._unreleased(name), entries={})
        self._written[name] = {path: data for path, data in built.written.items() if self._is_writer(name, path)}
        connector = Connector(
            kind=built.kind,
            definition=built.definition,
            latest=built.latest,
            candidate=built.candidate,
            own=self._listing.connectors[name],
            outside=files.outside,
            images=dict(built.images),
            secrets=built.secrets,
            warnings=built.warnings,
        )
        return Row(repository=name, connector=connector, entries=built.entries)

    def _lost(self, name: str) -> str | None:
        """Return why a connector must not go back to an older version, or go: nobody said that its latest should."""
        latest = self._inputs.connectors.get(name, Connector()).latest
        folder, own = f"{METADATA}{name}/{latest}", self._listing.connectors[name]
        if not self._before.get(name) or any(f"{folder}/{file}" in own for file in ("metadata.yaml", YANKED)):
            return None
        return f"{folder}/metadata.yaml is gone from the bucket: put it back, or yank {latest}, or give --allow-shrink"

    def _unreleased(self, name: str) -> Connector:
        """Return what is remembered of a connector that has no version for all."""
        own = self._listing.connectors[name]
        parts = [path.rsplit("/", 2)[1:] for path in own]
        yanked = {tag for tag, file in parts if file == YANKED}
        tags = sorted({tag for tag, file in parts if file == "metadata.yaml"})
        shown = [f"{tag} (yanked)" if tag in yanked else tag for tag in tags[:_SHOWN_VERSIONS_MAX]]
        more = [f"and {len(tags) - len(shown)} more"] if len(tags) > len(shown) else []
        told = f"it is in no registry, as none of its versions is a release: {', '.join([*shown, *more])}"
        return Connector(own=own, warnings=(told,))

    def _is_writer(self, name: str, path: str) -> bool:
        """Return whether the connector `name` writes the entry at `path`.

        What an override names has its entry beside its own versions, unless it is a connector with metadata of its own.
        """
        repository = repository_of(path)
        return repository == name or repository not in self._listing.connectors

    def _claims_anew(self, row: Row) -> bool:
        """Return whether a connector claims another identity or image than it has: only then it can be a duplicate."""
        known = self._inputs.connectors.get(row.repository, Connector())
        return (known.definition, known.images) != (row.connector.definition, row.connector.images)

    def _part(self, rows: dict[str, Row]) -> None:
        """No two of `rows` have the same identity or image: who must not have it is quarantined."""
        parted = set[str]()
        while losers := {name: why for name, why in duplicates(self._claims(rows)).items() if name not in parted}:
            parted |= losers.keys()
            rows |= {name: self._quarantined(name, why, rows[name].connector.outside) for name, why in losers.items()}

    def _claims(self, rows: Mapping[str, Row]) -> Iterator[Claim]:
        for name, row in rows.items():
            before = keys_of(self._inputs.connectors.get(name, Connector()), self._before.get(name, {}))
            yield Claim(repository=name, wanted=keys_of(row.connector, row.entries), published=before)

    def _quarantined(self, name: str, why: str, outside: Mapping[str, str | None]) -> Row:
        """Return the row of a connector as it was, with the reason. `outside` is what was asked for to know it."""
        self._written.pop(name, None)
        known = self._inputs.connectors.get(name, Connector())
        own = self._listing.connectors.get(name, {})
        connector = msgspec.structs.replace(known, problem=why, own=own, outside=dict(outside))
        return Row(repository=name, connector=connector, entries=self._before.get(name, {}))

    def _deleted(self, written: Iterable[str], names: Sequence[str], rows: Mapping[str, Row]) -> Iterator[str]:
        """Yield the entries beside `latest` and `release_candidate` of registries that leave these out now."""
        for name in names:
            is_quarantined = name in rows and rows[name].connector.problem
            for path in () if is_quarantined else self._listing.connectors.get(name, {}):
                folder, file = path.rsplit("/", 2)[1:]
                if file in WRITTEN and folder in COPIES and path not in written:
                    yield path


def _counted(store: Store, path: str) -> int:
    """Return how many entries the registry at `path` has; none where there is none that can be read."""
    try:
        found = msgspec.json.decode(store.get(path).data, type=dict[str, list[msgspec.Raw]])
    except (NotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    return sum(map(len, found.values()))


def _is_stale(connector: Connector, own: Mapping[str, str], listing: Listing) -> bool:
    """Return whether a connector must be read again: a file it depends on changed, or one that was written for it."""
    return connector.own != own or any(
        generation != _generation(listing.files.get(path)) for path, generation in connector.outside.items()
    )


def _generation(version: Version | None) -> str | None:
    return version.generation if version else None


def _changes(old: Mapping[str, Connector], before: Mapping[str, Entries], rows: Mapping[str, Row]) -> Iterator[Change]:
    """Yield what would be different from what is published, by repository."""
    for name in sorted(old.keys() | rows.keys()):
        was, row = old.get(name, Connector()), rows.get(name)
        now = row.connector if row else Connector()
        had, has = before.get(name, {}), row.entries if row else {}
        if now.problem != was.problem:
            what = "quarantined" if now.problem else "recovered"
        elif had.keys() != has.keys() or any(had[registry] is not raw for registry, raw in has.items()):
            what = "changed" if had and has else "added" if has else "removed"
        elif now.warnings != was.warnings:
            what = "noted"
        else:
            continue
        why = now.problem if what != "noted" else "; ".join(now.warnings) or "nothing to look at any more"
        yield Change(repository=name, what=what, old=was.latest, new=now.latest, why=why)
