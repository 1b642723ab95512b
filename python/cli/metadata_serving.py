"""What `metadata_service` does: asks the library, prints what came of it, and returns an exit status."""

from __future__ import annotations

import datetime as dt
import functools
import getpass
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
import msgspec

from python.importing import report
from python.protocol.errors import HeadwaterError
from python.registry.metadata import images, upgrading
from python.registry.metadata.findings import Finding, errors, told
from python.registry.metadata.validators import VALIDATORS
from python.registry.service import differing, promoting, uploading, yanking
from python.registry.service.layout import At
from python.registry.service.packaging import PackageError, Sources, package, read_metadata
from python.registry.service.uploading import Outcome, Rules
from python.registry.service.writing import ImmutableError
from python.registry.store import ConflictError, PathError, Store, StoreError, open_store

__all__ = ["diff", "promote", "rollback", "unyank", "upgrade", "upload", "validate", "yank"]

_DONE, _INVALID, _, _CONFLICT, _BREAKING, _NOTHING, _UNREACHABLE = range(7)

_OUTCOMES = {
    Outcome.UPLOADED: _DONE,
    Outcome.THERE: _NOTHING,
    Outcome.INVALID: _INVALID,
    Outcome.BREAKING: _BREAKING,
}
_STATUSES: tuple[tuple[type[HeadwaterError], int], ...] = (
    (ConflictError, _CONFLICT),
    (ImmutableError, _CONFLICT),
    (promoting.BreakingError, _BREAKING),
    (PathError, _INVALID),
    (StoreError, _UNREACHABLE),
    (HeadwaterError, _INVALID),
)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def _status(work: Callable[[], int]) -> int:
    """Return what `work` returns; errors of ours become one sentence and the status that its help names."""
    try:
        return work()
    except HeadwaterError as error:
        click.echo(f"metadata_service: {error}", err=True)
        return next(status for kind, status in _STATUSES if isinstance(error, kind))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141


def validate(*, files: tuple[pathlib.Path, ...], as_json: bool, **options: Any) -> int:  # noqa: ANN401 -- click's
    """Print what is wrong with each of `files`; the status tells whether any of it is an error."""
    rules = _rules(check_images=options["check_images"])
    return max(_status(functools.partial(_validated, file, rules, options, as_json=as_json)) for file in files)


def _validated(file: pathlib.Path, rules: Rules, options: Mapping[str, Any], *, as_json: bool) -> int:
    sources = Sources(metadata=file, docs=options["docs"], lenient=options["lenient"])
    try:
        _, findings = uploading.checked(sources, rules)
    except PackageError as error:
        if not as_json:
            raise
        findings = (Finding(rule="file", pointer="", message=str(error), fix="Give it."),)
    wrong = errors(findings)
    if as_json:
        click.echo(msgspec.json.encode({"file": str(file), "valid": not wrong, "findings": findings}))
        return _INVALID if wrong else _DONE
    _tell(file, findings)
    count = "1 error" if len(wrong) == 1 else f"{len(wrong)} errors"
    click.echo(f"{file}: {count}" if wrong else f"{file}: valid", err=bool(wrong))
    return _INVALID if wrong else _DONE


def _tell(file: pathlib.Path, findings: tuple[Finding, ...]) -> None:
    if findings:
        click.echo(told(str(file / "metadata.yaml" if file.is_dir() else file), findings), err=True)


def _rules(*, check_images: bool) -> Rules:
    more = (images.validator(images.Images()),) if check_images else ()
    return Rules(validators=(*VALIDATORS, *more))


def upload(*, file: pathlib.Path, places: tuple[str, ...], account: pathlib.Path | None, **options: Any) -> int:  # noqa: ANN401 -- click's
    """Upload a version, and print what came of it."""

    def work() -> int:
        docs, address = _places(places)
        sources = Sources(metadata=file, docs=docs, prerelease=options["prerelease"], lenient=options["lenient"])
        store = _store(address, account)
        done = uploading.upload(store, sources, _rules(check_images=options["check_images"]), _now)
        if options["as_json"]:
            said = {"outcome": done.outcome.value, "version": str(done.at or ""), "findings": done.findings}
            click.echo(msgspec.json.encode(said))
            return _OUTCOMES[done.outcome]
        _tell(file, done.findings)
        click.echo(f"{done.at or file}: {_sentences(store)[done.outcome]}")
        return _OUTCOMES[done.outcome]

    return _status(work)


def _sentences(store: Store) -> Mapping[Outcome, str]:
    return {
        Outcome.UPLOADED: f"uploaded to {store.address}",
        Outcome.THERE: f"is in {store.address} already, with these files",
        Outcome.INVALID: "not uploaded: mend what is told above",
        Outcome.BREAKING: "not uploaded: it breaks what users have, and does not tell",
    }


def _places(places: tuple[str, ...]) -> tuple[pathlib.Path | None, str]:
    """Return the docs, if given, and the bucket."""
    bucket = os.environ.get("METADATA_BUCKET")
    given = places or ((bucket,) if bucket else ())
    if not 1 <= len(given) <= 2:  # noqa: PLR2004 -- a bucket, with docs before it or not
        raise click.UsageError("want METADATA [DOCS] BUCKET, or METADATA_BUCKET set")
    return (pathlib.Path(given[0]) if given[1:] else None), given[-1]


def _store(address: str, account: pathlib.Path | None = None) -> Store:
    environment = dict(os.environ)
    if account is not None:
        try:
            environment["GCS_CREDENTIALS"] = account.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PackageError(f"{account}: {getattr(error, 'strerror', None) or error}; want a key file") from None
    return open_store(address, environment)


def promote(*, repository: str, version: str, bucket: str, account: pathlib.Path | None) -> int:
    """Make a candidate a release, and print which."""

    def work() -> int:
        done = promoting.promote(_store(bucket, account), At(repository, version), _now)
        if done.findings:
            click.echo(told(str(done.at), done.findings), err=True)
        if done.is_new:
            click.echo(f"{done.at}: released; push its image under the tag {done.at.version}, if it is not there")
            return _DONE
        click.echo(f"{done.at}: is released already")
        return _NOTHING

    return _status(work)


def rollback(*, repository: str, version: str, bucket: str, reason: str, account: pathlib.Path | None) -> int:
    """Take back a candidate."""
    return _taken_back(yanking.rollback, At(repository, version), (bucket, account), reason)


def yank(*, repository: str, version: str, bucket: str, reason: str, account: pathlib.Path | None) -> int:
    """Take back a version."""
    return _taken_back(yanking.yank, At(repository, version), (bucket, account), reason)


def _taken_back(
    take: Callable[[Store, At, yanking.Yank], bool], at: At, place: tuple[str, pathlib.Path | None], reason: str
) -> int:
    def work() -> int:
        if not reason.strip():
            raise click.UsageError("--reason is empty: it is kept with the version, for those who wonder")
        was_there = take(_store(*place), at, yanking.Yank(reason=reason, by=_user(), at=_now()))
        click.echo(f"{at}: taken back" if was_there else f"{at}: was taken back already")
        return _DONE if was_there else _NOTHING

    return _status(work)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container's user has no name


def unyank(*, repository: str, version: str, bucket: str, account: pathlib.Path | None) -> int:
    """Have a version again."""

    def work() -> int:
        was_yanked = yanking.unyank(_store(bucket, account), At(repository, version))
        click.echo(f"{At(repository, version)}: {'there again' if was_yanked else 'was not taken back'}")
        return _DONE if was_yanked else _NOTHING

    return _status(work)


def diff(*, old: str, new: str, bucket: str, account: pathlib.Path | None, as_json: bool) -> int:
    """Print what differs between two versions, or files."""

    def work() -> int:
        store = _store(bucket, account)
        changes, comparison = differing.between(_side(store, old), _side(store, new))
        if as_json:
            click.echo(msgspec.json.encode({"metadata": changes, "compatibility": msgspec.Raw(_json(comparison))}))
        else:
            click.echo("\n".join(_lines(changes)))
            click.echo(report.as_table(comparison))
        return _DONE

    return _status(work)


def _json(comparison: Any) -> bytes:  # noqa: ANN401 -- a Comparison
    return report.as_json(comparison).encode()


def _lines(changes: tuple[differing.Change, ...]) -> Iterator[str]:
    if not changes:
        yield "metadata: nothing differs"
    for each in changes:
        yield f"{each.pointer}: {_shown(each.old)} → {_shown(each.new)}"


def _shown(value: Any) -> str:  # noqa: ANN401 -- JSON
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _side(store: Store, name: str) -> differing.Side:
    path = pathlib.Path(name)
    repository, _, version = name.rpartition(":")
    if not path.exists() and repository:
        return differing.stored(store, At(repository, version))
    made = package(Sources(metadata=path))
    metadata = made.checked.metadata
    if metadata is None:
        raise PackageError(told(name, errors(made.checked.findings)))
    return differing.Side(name=name, files=made.files)


def upgrade(*, files: tuple[pathlib.Path, ...]) -> int:
    """Write each of `files` in today's form, if it is not."""
    statuses = {_status(functools.partial(_upgraded, file)) for file in files}
    return next(each for each in (_INVALID, _DONE, _NOTHING) if each in statuses)


def _upgraded(file: pathlib.Path) -> int:
    path = file / "metadata.yaml" if file.is_dir() else file
    old = read_metadata(path)
    new = upgrading.upgraded(old, str(path))
    if new == old:
        click.echo(f"{path}: is of today's form")
        return _NOTHING
    try:
        _replace(path, new)
    except OSError as error:
        raise PackageError(f"{path}: cannot be written: {error.strerror}") from None
    click.echo(f"{path}: upgraded")
    return _DONE


def _replace(path: pathlib.Path, data: bytes) -> None:
    """The file at `path`, or the one that a link there leads to, holds `data`; it is never there by half."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_bytes(data)
        shutil.copymode(target, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
