"""What an import's commit says of it: written for people, and read again by the next import and by the status."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import msgspec

from python.importing.repository import Repository

__all__ = ["ImportRecord", "LastImport", "as_message", "newest_imports", "recorded_in", "recorded_url"]

_TRAILER = "git-merge-subpath: "
_LINES = (
    ("url", "Remote Repo URL: "),
    ("ref", "Source name: "),
    ("sha", "Source Commit ID: "),
    ("prefix", "Source Repo Prefix: "),
    ("dest", "Import Path: "),
    ("licence", "License Type: "),
    ("licence_path", "License Path: "),
)
_SUBJECT = re.compile(r"(?:import|upstream): .* through (?P<remote>\S+) @ ")
_HASH = re.compile(r"[0-9a-f]{40,64}")
# Of `scheme://user:password@host`, up to the host; what follows the first slash is a path, and may have an @ itself.
_AUTHORITY = re.compile(r"(?P<scheme>[^/]+:)//(?P<user>[^/]*)@")
# What follows the address of a server; a path of this computer may have a ? itself.
_QUERY = re.compile(r"^(?P<address>[^/]+://[^?#]*)[?#].*", re.DOTALL)
# What git calls the scp form, with a password where none belongs: git takes all before the first colon for the host.
_SCP_PASSWORD = re.compile(r"^(?P<user>[^/:@]+):[^/]*@(?=[^/:]+:)")


class ImportRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was imported: folder `prefix` of the commit `sha` of the repository at `url`, into our folder `dest`.

    `remote` and `ref` are how the user named repository and commit; `licence` is an SPDX expression, and
    `licence_path` where its text stood in that commit. Prefix and dest have no slash at the end.
    """

    remote: str
    url: str
    ref: str
    sha: str
    prefix: str
    dest: str
    licence: str
    licence_path: str

    @property
    def trailer(self) -> str:
        """The line by which the next import finds this one."""
        return f"{_TRAILER}{self.sha} {self.prefix} {self.dest}"


class LastImport(msgspec.Struct, frozen=True):
    """An import that our history has: what it recorded, and `commit`, whose message says so.

    `upstream` is the commit that has nothing but upstream's files at `dest`: the second parent of `commit`, or None
    where that is gone, as after a squash, or was never there.
    """

    record: ImportRecord
    commit: str
    upstream: str | None


def as_message(record: ImportRecord, word: str = "import") -> str:
    """Return the message of a commit that makes the import `record` known."""
    shown = msgspec.structs.asdict(record) | {"prefix": f"{record.prefix}/", "dest": f"{record.dest}/"}
    lines = [f"{label}{shown[name]}" for name, label in _LINES]
    subject = f"{word}: {record.dest} through {record.remote} @ {record.ref}"
    return "\n".join([subject, *lines, "", record.trailer, ""])


def recorded_url(url: str) -> str:
    """Return `url` without the credentials that it may carry, its query among them: what is committed is public.

    Of ssh the user stays, who is the same for everybody, and without whom the address leads nowhere.

    >>> recorded_url("https://me:secret@git.example/airbyte.git")
    'https://git.example/airbyte.git'
    >>> recorded_url("https://git.example/airbyte.git?access_token=secret")
    'https://git.example/airbyte.git'
    >>> recorded_url("git@git.example:airbyte.git")
    'git@git.example:airbyte.git'
    >>> recorded_url("ssh://git:secret@git.example/airbyte.git")
    'ssh://git@git.example/airbyte.git'
    """
    found = _AUTHORITY.match(url)
    if found is None:
        return _QUERY.sub(r"\g<address>", _SCP_PASSWORD.sub(r"\g<user>@", url))
    user = found["user"].partition(":")[0] if "ssh" in found["scheme"].lower() else ""
    return _QUERY.sub(r"\g<address>", f"{found['scheme']}//{user}{'@' if user else ''}{url[found.end() :]}")


def newest_imports(ours: Repository) -> dict[str, LastImport]:
    """Return the newest import into each folder, by folder, that HEAD's history has."""
    found: dict[str, LastImport] = {}
    for commit, parents, body in _candidates(ours):
        record = recorded_in(body)
        if record is not None and record.dest not in found:
            found[record.dest] = LastImport(record, commit, _upstream(ours, record, parents))
    return found


def _candidates(ours: Repository) -> Iterator[tuple[str, list[str], str]]:
    """Yield the commits whose messages have a trailer of ours, the newest first, with their parents."""
    # --fixed-strings: a prefix may have any character, so it is compared here, and never made part of a pattern.
    told = ours.run("log", "-z", "--date-order", "--fixed-strings", f"--grep={_TRAILER}", "--format=%H%n%P%n%B", "HEAD")
    for each in os.fsdecode(told).split("\0"):
        if each:
            commit, parents, body = each.split("\n", 2)
            yield commit, parents.split(), body


def recorded_in(message: str) -> ImportRecord | None:
    """Return what the last import in `message` recorded, or None: a squash of several has the messages of all.

    A message of another making may lack any line but the trailer.
    """
    lines = [line.strip() for line in message.split("\n")]
    ends = [index for index, line in enumerate(lines) if line.startswith(_TRAILER)]
    if not ends:
        return None
    before = lines[: ends[-1]]
    values = {name: _last(before, label) for name, label in _LINES}
    sha, _, rest = lines[ends[-1]].removeprefix(_TRAILER).partition(" ")
    folders = _folders(rest, values["prefix"].rstrip("/"), values["dest"].rstrip("/"))
    if not _HASH.fullmatch(sha) or folders is None:
        return None
    subject = next((match for match in map(_SUBJECT.match, reversed(before)) if match), None)
    values |= {"remote": subject["remote"] if subject else "", "sha": sha, "prefix": folders[0], "dest": folders[1]}
    return ImportRecord(**values)


def _folders(told: str, prefix: str, dest: str) -> tuple[str, str] | None:
    """Return prefix and dest as a trailer tells them, whose lines before it say `prefix` and `dest`, or nothing.

    Without these lines, only without spaces it is clear what is which.
    """
    if prefix and dest and told == f"{prefix} {dest}":
        return prefix, dest
    parts = told.split(" ")
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None  # noqa: PLR2004 -- a pair


def _last(lines: list[str], label: str) -> str:
    return next((line.removeprefix(label) for line in reversed(lines) if line.startswith(label)), "")


def _upstream(ours: Repository, record: ImportRecord, parents: list[str]) -> str | None:
    for parent in parents[1:]:
        message = ours.asked("log", "-1", "--format=%B", parent) or ""
        if message.startswith("upstream: ") and record.trailer in message.splitlines():
            return parent
    return None
