"""What `headwater registry …` does, beside its options."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from python.cli.registry_opening import content_of, opened, signer_of
from python.protocol.errors import HeadwaterError
from python.registry.generation import publication, verifying
from python.registry.generation.applying import BlockedError, Published, refuse_held
from python.registry.generation.applying import generate as generate_registry
from python.registry.generation.checking import checked_metadata
from python.registry.generation.comparing import differences, entries_by_repository
from python.registry.generation.entries import REGISTRIES, EntryError, Registry, overridden
from python.registry.generation.listing import METADATA
from python.registry.generation.planning import plan
from python.registry.generation.plans import Change, Options, Plan, inputs_of
from python.registry.generation.snapshots import SnapshotError, current, manifest_of, once_published, snapshot_ids
from python.registry.reports.keeping import PAGES, keep_pages, keep_reports
from python.registry.reports.report import report
from python.registry.reports.texts import as_json as json_report
from python.registry.reports.texts import as_markdown, change_sentence
from python.registry.store import Store, StoreError, open_store

__all__ = [
    "Generated",
    "differing",
    "explained",
    "generated",
    "kept",
    "listed",
    "reported",
    "resumed",
    "rolled_back",
    "unpruned",
    "verified",
]

_SHOWN_CHANGES_MAX = 50  # what a terminal shows without being scrolled far; --json and `diff` have all


class Generated(NamedTuple):
    """What to print, whether no connector is wrong, and whether one is that was not before, or all is blocked."""

    text: str
    is_well: bool
    is_worse: bool


def generated(bucket: str, how: Mapping[str, Any], *, dry_run: bool, keep: int, as_json: bool) -> Generated:
    """Return what was published, or would be."""
    store = opened(bucket)
    base_url = (how["base_url"] or "").rstrip("/")
    if base_url and not base_url.startswith(("http://", "https://")):
        raise HeadwaterError(f"--base-url {base_url} is no address: want one as https://files.example.com")
    options = Options(
        base_url=base_url or None,
        allow_shrink=how["allow_shrink"],
        allow_breaking=how["allow_breaking"],
    )
    notes = list[str]()
    if dry_run:
        planned = plan(store, _now(), options)
        done = Published(snapshot="", is_new=False, changes=planned.changes, quarantined=planned.quarantined)
        blocked = [f"{each.gate}: {each.why}" for each in planned.blocked]
        if planned.changes:
            blocked += _held(planned)
    else:
        done, blocked = generate_registry(store, _now, options, signer_of(how["sign_key"])), []
        notes = list(unpruned(store, keep))
    if as_json:
        told = {**msgspec.to_builtins(done), "blocked": blocked, "notes": notes, "dryRun": dry_run}
        text = msgspec.json.encode(told).decode()
    else:
        text = "\n".join([*_told(done, blocked, dry_run=dry_run), *notes, *_nothing(store)])
    is_worse = bool(blocked) or any(change.what == "quarantined" for change in done.changes)
    return Generated(text, not done.quarantined and not blocked, is_worse)


def unpruned(store: Store, keep: int) -> Iterator[str]:
    """Delete all but `keep` old snapshots; yield why that was not possible: what was published is, all the same."""
    try:
        publication.prune(store, _now(), keep=keep)
    except StoreError as error:
        yield f"old snapshots cannot be deleted: {error}"


def _held(planned: Plan) -> Iterator[str]:
    try:
        refuse_held(planned.seen)
    except BlockedError as error:
        yield str(error)


def _nothing(store: Store) -> Iterator[str]:
    """Yield a sentence where the bucket has nothing to make registries of: perhaps it is not the one that was meant."""
    if next(store.list(METADATA), None) is None:
        yield f"{store.address} has no connectors: want {METADATA}<dockerRepository>/<version>/metadata.yaml"


def _told(done: Published, blocked: list[str], *, dry_run: bool) -> Iterator[str]:
    yield from (change_sentence(change) for change in done.changes[:_SHOWN_CHANGES_MAX])
    if len(done.changes) > _SHOWN_CHANGES_MAX:
        yield f"and {len(done.changes) - _SHOWN_CHANGES_MAX:,} more"
    news = {change.repository for change in done.changes}
    yield from (f"{name} still quarantined: {why}" for name, why in done.quarantined.items() if name not in news)
    yield from (f"blocked by {why}" for why in blocked)
    if dry_run:
        yield f"{len(done.changes):,} changes would {'not ' * bool(blocked)}be published; nothing was written"
    elif done.is_new:
        yield f"published snapshot {done.snapshot}"
    else:
        yield f"nothing has changed: snapshot {done.snapshot} stays"


def listed(bucket: str) -> str:
    """Return a line for each snapshot."""
    store = opened(bucket)
    lines, seen = list[str](), None
    try:
        seen = current(store)
    except SnapshotError as error:
        lines.append(str(error))
    named = seen.pointer.snapshot if seen else None
    published = once_published(store)
    lines += [_line(store, each, named, published) for each in snapshot_ids(store)]
    if seen and seen.pointer.hold:
        lines.append(
            f"held by a rollback since {seen.pointer.hold.since:%Y-%m-%d %H:%M} UTC: {seen.pointer.hold.reason}"
        )
    return "\n".join(lines) or f"nothing was ever published in {store.address}"


def _line(store: Store, snapshot: str, named: str | None, published: Sequence[str]) -> str:
    try:
        counts = manifest_of(store, snapshot).counts
    except SnapshotError as error:
        return f"! {snapshot}  {error}"
    told = ", ".join(f"{count:,} {registry}" for registry, count in counts.items())
    mark, note = "*" if snapshot == named else " ", "" if snapshot in published else "  prepared, never published"
    return f"{mark} {snapshot}  {told}{note}"


def differing(bucket: str, old: str | None, new: str | None, *, as_json: bool) -> tuple[str, bool]:
    """Return what differs between two snapshots, and whether nothing does."""
    store = opened(bucket)
    newer = new or _current(store)
    older = old or manifest_of(store, newer).parent
    if older is None:
        raise SnapshotError(f"{newer} is the first snapshot: name another one to compare it with")
    found = list(differences(store, older, newer))
    if as_json:
        return msgspec.json.encode({"old": older, "new": newer, "changes": found}).decode(), not found
    lines = [f"{older} → {newer}", *(line for each in found for line in _difference(each))]
    return "\n".join([*lines, f"{len(found):,} connectors differ"]), not found


def _difference(change: Change) -> Iterator[str]:
    yield change_sentence(change) + (f" ({change.level})" if change.level else "")
    if change.why:
        yield f"  breaking: {change.why}"
    elif change.breaking:
        yield f"  breaking, and announced or taken back: {'; '.join(change.breaking)}"


def rolled_back(bucket: str, to: str | None, reason: str) -> str:
    """Return what the pointer names now."""
    back = publication.rollback(opened(bucket), _now(), to=to, reason=reason)
    return f"published snapshot {back.pointer.snapshot} again; it stays until `headwater registry resume {bucket}`"


def resumed(bucket: str) -> str:
    """Return whether a rollback held."""
    if publication.resume(opened(bucket)):
        return f"nothing is held any more; `headwater registry generate {bucket}` publishes what the bucket says"
    return "nothing was held"


def verified(bucket: str, snapshot: str | None, public_key: pathlib.Path | None) -> tuple[str, bool]:
    """Return what is wrong with a snapshot, and whether nothing is."""
    store = opened(bucket)
    found = list(verifying.faults(store, snapshot, content_of(public_key) if public_key else None))
    told = f"snapshot {snapshot or _current(store)} is whole" if not found else "\n".join(found)
    return told, not found


def explained(bucket: str, repository: str, registry: str | None) -> str:
    """Return what is published of a connector, and why; or its entry in `registry`, as JSON."""
    store = opened(bucket)
    seen = current(store)
    inputs = inputs_of(store, seen)
    if seen is None or repository not in inputs.connectors:
        named = [name for name in inputs.connectors if name.endswith(f"/{repository}")]
        hint = f": perhaps {named[0]}" if named else ""
        raise HeadwaterError(f"{repository} is no connector of {store.address} as far as generated{hint}")
    connector = inputs.connectors[repository]
    entries = {
        name: bytes(raw)
        for name, raw in entries_by_repository(store, seen.manifest, inputs).get(repository, {}).items()
    }
    if registry:
        if registry not in entries:
            raise HeadwaterError(f"{repository} is not in {registry}")
        return msgspec.json.format(entries[registry], indent=2).decode()
    lines = [f"{repository} in snapshot {seen.pointer.snapshot}", f"latest version: {connector.latest or 'none'}"]
    lines += [f"release candidate in rollout: {connector.candidate}"] if connector.candidate else []
    for name in REGISTRIES:
        lines.append(f"{name}: {_in_registry(repository, connector.latest, entries.get(name))}")
        lines += _overrides(store, repository, connector.latest, name) if name in entries else ()
    lines += [f"quarantined: {connector.problem}"] if connector.problem else []
    lines += [f"warning: {warning}" for warning in connector.warnings]
    lines += ["made of:", *(f"  {path}" for path in sorted(connector.own))]
    outside = [(path, generation) for path, generation in sorted(connector.outside.items())]
    lines += [f"  {path}{'' if generation else ' (is not there)'}" for path, generation in outside]
    return "\n".join(lines)


def _in_registry(repository: str, latest: str | None, data: bytes | None) -> str:
    if data is None:
        return "left out"
    entry = msgspec.json.decode(data)
    image = f"{entry['dockerRepository']}:{entry['dockerImageTag']}"
    told = image if image == f"{repository}:{latest}" else f"{image}, by an override of {repository}:{latest}"
    return f"{told}, generated {entry['generated']['source_file_info']['registry_entry_generated_at'][:16]}"


def _overrides(store: Store, repository: str, latest: str | None, registry: Registry) -> Iterator[str]:
    """Yield what the overrides of a registry replace, as far as the metadata can be read still."""
    path = f"{METADATA}{repository}/{latest}/metadata.yaml"
    try:
        data = checked_metadata(store.get(path).data, path)
    except (StoreError, EntryError):
        return  # why is told as the connector's problem
    for name, (old, new) in overridden(data, registry).items():
        was = "" if old is None else f", in place of {msgspec.json.encode(old).decode()}"
        yield f"  {name}: {msgspec.json.encode(new).decode()}{was}"


def reported(bucket: str, form: str, output: str | None) -> str:
    """Return a report, or where it was written."""
    store = opened(bucket)
    if form == "page":
        if output is None:
            raise HeadwaterError("a page is many files: give a folder or bucket for them with --output")
        target = open_store(output)
        return f"wrote {keep_pages(store, target):,} files; open {target.address}/index.html\n"
    told = as_markdown(report(store)) if form == "markdown" else json_report(report(store)).decode()
    if output is None:
        return told
    try:
        pathlib.Path(output).write_text(told, encoding="utf-8")
    except OSError as error:
        raise HeadwaterError(f"{output} cannot be written: {error.strerror}") from None
    return f"wrote {output}\n"


def kept(bucket: str) -> str:
    """Return where in the bucket the reports are that were written there."""
    store = opened(bucket)
    paths = keep_reports(store, report(store))
    count = keep_pages(store, store, f"{PAGES}/")
    return "".join(f"wrote {path}\n" for path in (*paths, f"{PAGES}/ ({count:,} files)"))


def _current(store: Store) -> str:
    seen = current(store)
    if seen is None:
        raise SnapshotError(f"nothing was ever published in {store.address}")
    return seen.pointer.snapshot


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
