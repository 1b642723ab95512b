"""What must hold of a connector's metadata besides its form: a table of rules, each asked of every file.

Those of VALIDATORS need nothing but the file and what is beside it. `images.validator` makes one that asks for images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
import semver

from python.registry.metadata.findings import Finding, Severity
from python.registry.metadata.models import ConnectorMetadata
from python.registry.metadata.numbering import Kind, kind_of, number

__all__ = ["VALIDATORS", "Subject", "Validator", "validated"]

_COUNTED = re.compile(r"-rc(\d+)$")
_TAG = re.compile(r"[^:\s]+:[^:\s]+")
_BASE_IMAGE = re.compile(r"[^\s@:]+(?::\d+/[^\s@:]+)?:[^\s@:]+@sha256:[0-9a-f]{64}")
_DECLARATIVE = "airbyte/source-declarative-manifest"  # its versions are those of the CDK
_BREAKING_MAJOR_MIN = 2  # 1.0.0 may be the first version of all; what it breaks is seen at upload
_PYPI_LANGUAGES = {"language:python", "language:low-code"}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule is asked about: what the file says, and the names of the files that go with it, None if not known.

    `is_prerelease` tells that it is to be uploaded under a tag for trying it out.
    """

    metadata: ConnectorMetadata
    files: frozenset[str] | None = None
    is_prerelease: bool = False

    @property
    def data(self) -> Any:  # noqa: ANN401 -- JSON
        """What the file says below `data`, by Airbyte's names."""
        return self.metadata.as_json()["data"]


class Validator(msgspec.Struct, frozen=True):
    """A rule: its `name` is what findings call it, `title` what it wants.

    `needs` are the members of `data` without which it would tell what is not so.
    """

    name: str
    title: str
    check: Callable[[Subject], Iterator[Finding]]
    needs: tuple[str, ...] = ()


def validated(
    subject: Subject, validators: Sequence[Validator] | None = None, doubtful: Container[str] = ()
) -> Iterator[Finding]:
    """Yield what `validators`, VALIDATORS if not given, find; each with the name of its rule.

    Those that need a member that is `doubtful` are not asked.
    """
    for each in VALIDATORS if validators is None else validators:
        if any(name in doubtful for name in each.needs):
            continue
        for finding in each.check(subject):
            yield msgspec.structs.replace(finding, rule=each.name)


_Found: TypeAlias = Iterator[Finding]


def _wrong(at: str, message: str, fix: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(rule="", pointer=at, message=message, fix=fix, severity=severity)


def _semantic(subject: Subject) -> _Found:
    data = subject.data
    tags = {"/data/dockerImageTag": data["dockerImageTag"]}
    for registry, settings in data.get("registryOverrides", {}).items():
        if "dockerImageTag" in settings:
            tags[f"/data/registryOverrides/{registry}/dockerImageTag"] = settings["dockerImageTag"]
    for at, tag in tags.items():
        if _number(tag) is None:
            fix = "Write one, as 1.4.0, 2.0.0-rc.1 or 1.4.1-preview.g820ce48."
            yield _wrong(at, f"{tag} is no semantic version", fix)


def _candidate_form(subject: Subject) -> _Found:
    tag = subject.metadata.data.docker_image_tag
    counted = _COUNTED.search(tag)
    if counted and _number(tag) is not None:
        fix = f"Write {tag[: counted.start()]}-rc.{counted[1]}, which counts."
        yield _wrong(
            "/data/dockerImageTag", f"{tag} is a word to versions: rc10 comes before rc9", fix, Severity.WARNING
        )


def _key_and_value(subject: Subject) -> _Found:
    for index, tag in enumerate(subject.metadata.data.tags):
        if not _TAG.fullmatch(tag):
            yield _wrong(f"/data/tags/{index}", f"{tag!r} is no key:value", "Write one, as cdk:low-code.")


def _language(subject: Subject) -> _Found:
    if not any(tag.startswith("language:") for tag in subject.metadata.data.tags):
        yield _wrong("/data/tags", "no tag says its language", "Add one, as language:python or language:manifest-only.")


def _breaking_entry(subject: Subject) -> _Found:
    data = subject.metadata.data
    tag = data.docker_image_tag
    told = (data.releases and data.releases.breaking_changes) or {}
    found = _number(tag)
    if found is None or found.prerelease or found.major < _BREAKING_MAJOR_MIN or data.docker_repository == _DECLARATIVE:
        return
    if _is_major(found) and tag not in told:
        at = "/data/releases/breakingChanges" if told else "/data/releases" if data.releases else "/data"
        entry = f"releases.breakingChanges.{tag} with an upgradeDeadline and a message"
        yield _wrong(at, f"{tag} is a major version, and nothing tells what breaks", f"Write {entry}.")


def _is_major(found: semver.Version) -> bool:
    return bool(found.major) and (found.minor, found.patch) == (0, 0)


def _number(tag: str) -> semver.Version | None:
    try:
        return number(tag)
    except ValueError:
        return None  # `semantic-version` tells of it


def _breaking_future(subject: Subject) -> _Found:
    data = subject.metadata.data
    current = _number(data.docker_image_tag)
    for version in (data.releases and data.releases.breaking_changes) or {}:
        if current is not None and number(version) > current.finalize_version():
            yield _wrong(
                f"/data/releases/breakingChanges/{version}",
                f"{version} is later than the version itself, {data.docker_image_tag}",
                "Raise dockerImageTag, or name the version in which it breaks.",
            )


def _documented(subject: Subject) -> _Found:
    if subject.files is not None and "doc.md" not in subject.files:
        yield _wrong(
            "/data/documentationUrl",
            "there is no page that describes it",
            "Give one with --docs, or write README.md beside metadata.yaml.",
        )


def _icon(subject: Subject) -> _Found:
    if subject.files is not None and "icon.svg" not in subject.files:
        yield _wrong("/data", "there is no icon", "Put icon.svg beside metadata.yaml.", Severity.WARNING)


def _base_image(subject: Subject) -> _Found:
    options = subject.metadata.data.connector_build_options
    image = options.base_image if options else None
    if image is not None and not _BASE_IMAGE.fullmatch(image):
        at = "/data/connectorBuildOptions/baseImage"
        yield _wrong(at, f"{image!r} may be another image tomorrow", "Write image:tag@sha256:digest.")


def _pypi(subject: Subject) -> _Found:
    data = subject.metadata.data
    pypi = data.remote_registries.pypi if data.remote_registries else None
    if pypi and pypi.enabled and not _PYPI_LANGUAGES & set(data.tags):
        at = "/data/remoteRegistries/pypi/enabled"
        wanted = " or ".join(sorted(_PYPI_LANGUAGES))
        yield _wrong(at, "no tag says that it is written in Python", f"Add the tag {wanted}, or write false.")


def _rollout(subject: Subject) -> _Found:
    data = subject.metadata.data
    tag = data.docker_image_tag
    found = _number(tag)
    if found is None or subject.is_prerelease:
        return
    rollout = data.releases.rollout_configuration if data.releases else None
    flagged = bool(rollout and rollout.enable_progressive_rollout)
    is_candidate = kind_of(tag) is Kind.CANDIDATE
    at = "/data/releases/rolloutConfiguration/enableProgressiveRollout"
    if is_candidate and _is_major(found):
        yield _wrong(
            "/data/dockerImageTag", f"{tag} is a candidate for a major version", "Release what breaks at once."
        )
    if is_candidate and not flagged:
        yield _wrong(at, f"{tag} is a candidate, and nothing rolls it out", "Write enableProgressiveRollout: true.")
    if flagged and kind_of(tag) is Kind.RELEASE:
        yield _wrong(
            at, f"{tag} is a release, and is to be rolled out as a candidate", "Write false, or a tag with -rc.1."
        )


def _rollout_order(subject: Subject) -> _Found:
    data = subject.metadata.data
    rollout = data.releases.rollout_configuration if data.releases else None
    if rollout and rollout.max_percentage is not None and (rollout.initial_percentage or 0) > rollout.max_percentage:
        at = "/data/releases/rolloutConfiguration/initialPercentage"
        sentence = f"{rollout.initial_percentage} is more than maxPercentage, {rollout.max_percentage}"
        yield _wrong(at, sentence, "Begin with less.")


def _pinned(subject: Subject) -> _Found:
    """Tell of a registry that keeps giving another version: forgotten, it hides each new release."""
    data = subject.data
    tag = data["dockerImageTag"]
    if _number(tag) is None or kind_of(tag) is not Kind.RELEASE:
        return  # a candidate is kept from a registry so
    repository = data["dockerRepository"]
    for registry, settings in data.get("registryOverrides", {}).items():
        pin = settings.get("dockerImageTag", tag)
        is_its_own = settings.get("dockerRepository", repository) == repository
        if is_its_own and pin != tag and _number(pin) is not None:
            at = f"/data/registryOverrides/{registry}/dockerImageTag"
            sentence = f"{registry} is pinned to {pin}, so it does not get {tag}"
            yield _wrong(at, sentence, "Leave it out, unless it is meant.", Severity.WARNING)


def _old_form(subject: Subject) -> _Found:
    if subject.metadata.data.registries is not None:
        yield _wrong(
            "/data/registries",
            "registries is the old name of registryOverrides",
            "Run `metadata_service upgrade`, or rename it.",
            Severity.WARNING,
        )


VALIDATORS = (
    Validator("semantic-version", "versions are semantic", _semantic),
    Validator("candidate-form", "candidates are counted by a number", _candidate_form),
    Validator("tag-form", "tags are key:value", _key_and_value),
    Validator("language-tag", "a tag says the language", _language, ("tags",)),
    Validator("breaking-change-entry", "a major version tells what breaks", _breaking_entry, ("releases",)),
    Validator(
        "breaking-change-order",
        "what breaks, breaks in this version or in one before it",
        _breaking_future,
        ("dockerImageTag",),
    ),
    Validator("documentation", "a page describes it", _documented, ("documentationUrl",)),
    Validator("icon", "it has an icon", _icon),
    Validator("base-image-form", "the base image is named by its digest", _base_image),
    Validator("pypi-language", "only what is written in Python is on Python's index", _pypi, ("tags",)),
    Validator("rollout", "candidates, and only they, are rolled out", _rollout, ("dockerImageTag", "releases")),
    Validator("rollout-percentages", "a rollout begins with no more than it ends with", _rollout_order),
    Validator("pin", "registries get the version", _pinned, ("dockerImageTag",)),
    Validator("old-form", "registries are named as they are today", _old_form),
)
