"""One connector's entries, of the files in the bucket; what was read is remembered, so that it need not be again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from python.registry.generation import registries
from python.registry.generation.checking import checked_entry, checked_metadata, checked_spec
from python.registry.generation.entries import REGISTRIES, EntryError, Facts, Image, Registry, entry, image
from python.registry.generation.gates import compatible
from python.registry.generation.listing import (
    COPIES,
    DEPENDENCIES,
    ICON,
    METADATA,
    METRICS,
    SPECS,
    advertised,
    misnamed,
    versions_of,
)
from python.registry.generation.reading import Context, Files
from python.registry.generation.registries import Entries
from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.store import NotFoundError

__all__ = ["Built", "build"]


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A connector as registries have it: an entry by registry, none where each of them leaves it out.

    `images` are the names of their images. `written` are the files beside its versions, by path. `secrets` are names of
    properties. `warnings` are sentences.
    """

    kind: registries.Kind
    definition: str
    images: Mapping[Registry, str]
    latest: str
    candidate: str | None
    entries: Mapping[Registry, msgspec.Raw]
    written: Mapping[str, msgspec.Raw]
    secrets: tuple[str, ...]
    warnings: tuple[str, ...]


class _Maker:
    """Makes the entries of the version whose metadata is at `path`. Raises EntryError where that is not valid."""

    def __init__(self, context: Context, files: Files, path: str) -> None:
        data, version = files.get(path), context.listing.files.get(path)
        assert data is not None and version is not None  # noqa: S101, PT018 -- the listing has it
        self._context = context
        self._files = files
        self.data = checked_metadata(data, path)
        self._source = {
            "metadata_etag": files.sha256[path],
            "metadata_file_path": path,
            "metadata_bucket_name": context.store.bucket,
            "metadata_last_modified": version.updated.isoformat(),
            "registry_entry_generated_at": context.now.isoformat(),
        }
        self._specs: dict[str, msgspec.Raw | None] = {}
        self.secrets: set[str] = set()

    def entries(self, metrics: Mapping[Any, Any] | None = None) -> dict[Registry, dict[str, Any]]:
        """Return an entry for each registry that has this version; `metrics` are those of its connector."""
        images = {registry: image(self.data, registry) for registry in REGISTRIES}
        return {registry: self._entry(registry, found, metrics) for registry, found in images.items() if found}

    def _entry(self, registry: Registry, named: Image, metrics: Mapping[Any, Any] | None) -> dict[str, Any]:
        facts = Facts(
            spec=self._spec(registry, named),
            source=self._source,
            icon_url=self._icon_url(),
            cdk_version=_cdk_version(self._files, named),
            metrics=metrics,
        )
        return entry(self.data, registry, facts)

    def _spec(self, registry: Registry, named: Image) -> msgspec.Raw:
        names = ["spec.cloud.json", "spec.json"] if registry == "cloud" else ["spec.json"]
        paths = [f"{of}{named.repository}/{named.tag}/{name}" for name in names for of in (METADATA, SPECS)]
        for path in paths:
            if path not in self._specs:
                self._specs[path] = self._read_spec(path)
            found = self._specs[path]
            if found is not None:
                return found
        wanted = ", ".join(paths)
        raise EntryError(f"there is no spec of {named.repository}:{named.tag} for {registry}: want one of {wanted}")

    def _read_spec(self, path: str) -> msgspec.Raw | None:
        data = self._files.get(path)
        if data is None:
            return None
        spec = checked_spec(data, path)
        self.secrets.update(registries.secret_names(spec))
        return msgspec.Raw(msgspec.json.format(data, indent=-1))  # not encoded anew: no number changes

    def _icon_url(self) -> str | None:
        repository = self.data["dockerRepository"]
        tag = self.data["dockerImageTag"]
        places = [f"{METADATA}{repository}/{folder}/{ICON}" for folder in ("latest", tag)]
        there = [path for path in places if self._files.has(path)]
        return f"{self._context.base_url}/{there[0]}" if there and self._context.base_url else None


def build(context: Context, repository: str, files: Files, before: Entries) -> Built | None:
    """Return what registries have of a connector; None where it has no version to advertise. Raises EntryError.

    An entry that says what the one `before` said is that one, with the times at which that was made.
    """
    chosen = advertised(context.listing.connectors[repository])
    if chosen.latest is None:
        return None
    maker = _Maker(context, files, _metadata_path(repository, chosen.latest))
    metrics = context.metrics.get(maker.data["definitionId"].lower()) if files.has(METRICS) else None
    entries = maker.entries(metrics)
    others, warnings = _others(context, repository, files, chosen.latest)
    candidate = _rolled_out(others, chosen.latest)
    why = None if context.allow_breaking or candidate is None else _breaks(others[candidate], entries, before)
    if why:
        warnings, candidate = [*warnings, f"release candidate {candidate} is not rolled out: {why}"], None
    if candidate:
        for registry, made in others[candidate].entries.items():
            if registry in entries:
                entries[registry].setdefault("releases", {})["releaseCandidates"] = {candidate: made}
    raws = {registry: _kept(_encoded(made), before.get(registry)) for registry, made in entries.items()}
    for raw in raws.values():
        checked_entry(raw, maker.data["connectorType"])
    written = _beside(maker, raws, "latest")
    for tag, other in others.items():
        for at, raw in _beside(other.maker, other.raws, "release_candidate" if tag == candidate else None).items():
            if at not in written and not _is_there(context, at, raw):  # of several of one image, the latest counts
                written[at] = raw
    secrets = maker.secrets | (others[candidate].maker.secrets if candidate else set())
    return Built(
        kind=maker.data["connectorType"],
        definition=maker.data["definitionId"],
        images={registry: made["dockerRepository"] for registry, made in entries.items()},
        latest=chosen.latest,
        candidate=candidate,
        entries=raws,
        written=written,
        secrets=tuple(sorted(secrets)),
        warnings=(*warnings, *_pinned(maker.data)),
    )


class _Other(NamedTuple):
    """A version that is not the latest: its entries as values and as JSON."""

    maker: _Maker
    entries: Mapping[Registry, dict[str, Any]]
    raws: Entries


def _others(context: Context, repository: str, files: Files, latest: str) -> tuple[dict[str, _Other], list[str]]:
    """Return all versions but the latest, and a sentence for each that no entry can be made of.

    None of them must hold up the version that everybody has.
    """
    own = context.listing.connectors[repository]
    others = dict[str, _Other]()
    warnings = [f"{tag} is no semantic version, as 1.4.0 is: nothing is made of it" for tag in misnamed(own)]
    for tag in versions_of(own):
        if tag == latest:
            continue
        try:
            maker = _Maker(context, files, _metadata_path(repository, tag))
            entries = maker.entries()
            others[tag] = _Other(maker, entries, {registry: _encoded(made) for registry, made in entries.items()})
        except EntryError as error:
            warnings.append(f"version {tag} has no entry of its own: {error}")
    return others, warnings


def _rolled_out(others: Mapping[str, _Other], latest: str) -> str | None:
    """Return the newest release candidate above `latest`, if it is rolled out. One that is broken does not count."""
    candidates = [tag for tag in others if kind_of(tag) is Kind.CANDIDATE and number(tag) > number(latest)]
    newest = max(candidates, key=number, default=None)
    if newest is None:
        return None
    rollout = (others[newest].maker.data.get("releases") or {}).get("rolloutConfiguration") or {}
    return newest if rollout.get("enableProgressiveRollout") is True else None


def _breaks(candidate: _Other, latest: Mapping[Registry, dict[str, Any]], before: Entries) -> str | None:
    """Return why a candidate must not be given to users of the `latest`, None of one that was let through before."""
    tag = candidate.maker.data["dockerImageTag"]
    for raw in before.values():
        if tag in msgspec.json.decode(raw, type=_Published).releases.candidates:
            return None
    return compatible({registry: _encoded(made) for registry, made in latest.items()}, candidate.raws)


class _Candidates(msgspec.Struct, frozen=True):
    candidates: dict[str, msgspec.Raw] = msgspec.field(name="releaseCandidates", default_factory=dict)


class _Published(msgspec.Struct, frozen=True):
    releases: _Candidates = _Candidates()


def _pinned(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each registry that does not get this version, but another one of the same image."""
    for registry in REGISTRIES:
        named, tag = image(data, registry), data["dockerImageTag"]
        if named and named.repository == data["dockerRepository"] and named.tag != tag:
            yield f"{registry} is pinned to {named.tag} by an override, so {tag} does not get there"


def _is_there(context: Context, path: str, raw: msgspec.Raw) -> bool:
    """Return whether the file at `path` says what `raw` does, whenever it was made: then nobody needs to write it."""
    if path not in context.listing.files or path.rsplit("/", 2)[1] in COPIES:
        return False  # copies are compared when they are written: they are what their version's entry is
    try:
        there = context.store.get(path).data
    except NotFoundError:
        return False
    return _timeless(msgspec.Raw(there)) == _timeless(raw)


def _beside(maker: _Maker, raws: Entries, folder: str | None) -> dict[str, msgspec.Raw]:
    """Return the files of a version's entries: where the image that they name has its own, and in `folder`."""
    made = dict[str, msgspec.Raw]()
    for registry, raw in raws.items():
        named = image(maker.data, registry)
        assert named is not None  # noqa: S101 -- it has an entry
        made[f"{METADATA}{named.repository}/{named.tag}/{registry}.json"] = raw
        if folder:
            made[f"{METADATA}{maker.data['dockerRepository']}/{folder}/{registry}.json"] = raw
    return made


def _metadata_path(repository: str, tag: str) -> str:
    return f"{METADATA}{repository}/{tag}/metadata.yaml"


def _encoded(made: Mapping[str, Any]) -> msgspec.Raw:
    """Return an entry as JSON. Raises EntryError for what JSON has not: YAML's names may be numbers, true or null."""
    try:
        return msgspec.Raw(msgspec.json.encode(made))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise EntryError(f"its metadata cannot be written as JSON: {error}") from None


def _kept(raw: msgspec.Raw, before: msgspec.Raw | None) -> msgspec.Raw:
    """Return `raw`, or `before` where the two differ in nothing but when the metadata was read and written."""
    if before is None or _timeless(raw) != _timeless(before):
        return raw
    return before


def _timeless(raw: msgspec.Raw) -> dict[str, Any] | None:
    """Return an entry without what tells when it was made; None for what is none of ours."""
    try:
        entry = msgspec.json.decode(raw)
        candidates = entry.get("releases", {}).get("releaseCandidates", {})
        for each in (entry, *candidates.values()):
            for name in ("metadata_last_modified", "registry_entry_generated_at"):
                each["generated"]["source_file_info"].pop(name, None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError, KeyError, TypeError):
        return None
    return dict(entry)


def _cdk_version(files: Files, named: Image) -> str | None:
    """Return the version of airbyte-cdk that an image has, as its list of dependencies says; None where it does not."""
    name = named.repository.rpartition("/")[2]
    beside = f"{METADATA}{named.repository}/{named.tag}/dependencies.json"
    for path in (beside, f"{DEPENDENCIES}{name}/{named.tag}/dependencies.json"):
        data = files.get(path)
        if data is None:
            continue
        try:
            found = msgspec.json.decode(data, type=_Dependencies).dependencies
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EntryError(f"{path} is no list of dependencies: {error}") from None
        return next((f"python:{each.version}" for each in found if each.package_name == "airbyte-cdk"), None)
    return None


class _Dependency(msgspec.Struct, frozen=True):
    package_name: str
    version: str


class _Dependencies(msgspec.Struct, frozen=True):
    dependencies: list[_Dependency]
