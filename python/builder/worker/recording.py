"""Keeping the exchanges of a read in a folder, with secrets redacted, and answering the same read from there.

A folder has `recording.json` (when it began, and whether it was finished) and one file for each exchange, in order:
`0001.json` with `request` and `response`, or with `error` where no answer came. Text stays text, unpacked; what is no
text is base64. Files are 0600 and complete from the moment that they have their name. Decision 0131.

It runs inside of the interpreter that has airbyte-cdk: standard library and requests, Python 3.9.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from . import exchanges, matching

__all__ = ["RecordingError", "record", "replay"]

_ABOUT = "recording.json"
_FORMAT = 1


class RecordingError(Exception):
    """A folder is no recording, or has no answer. None of requests' errors: nobody should try again."""


class _Masks(Protocol):
    def mask(self, value: Any) -> Any: ...  # noqa: ANN401 -- any JSON value
    def text(self, text: str) -> str: ...


def record(folder: str, masker: _Masks) -> contextlib.ExitStack:
    """From now on every exchange that requests makes is kept in `folder`, as `masker` leaves it.

    An earlier recording there is replaced; a folder with anything else in it is refused. Leaving the result, a context
    manager, or closing it, takes this back and marks the recording as finished: one that was killed stays unfinished,
    with every exchange until then.
    """
    undo = contextlib.ExitStack()
    recorder = _Recorder(Path(folder), masker)
    undo.callback(recorder.finish)
    exchanges.patch(undo, recorder.exchanged)
    return undo


def replay(folder: str, masker: _Masks | None = None, now: dt.datetime | None = None) -> contextlib.ExitStack:
    """From now on every request that requests makes is answered from `folder` and the folders in it; none goes out.

    A request is found whatever the order of its parameters, and whatever its secrets are; a moment in it may be as far
    from `now` as it was from the time of recording. Asked again, the next of equal requests answers, and the last one
    from then on. What was not recorded raises `RecordingError`, with the request and the nearest one that was.
    """
    undo = contextlib.ExitStack()
    replayer = _Replayer(Path(folder), masker, now or dt.datetime.now(dt.timezone.utc))
    exchanges.patch(undo, replayer.answered)
    return undo


class _Recorder:
    def __init__(self, folder: Path, masker: _Masks) -> None:
        self._folder, self._masker = folder, masker
        self._count, self._numbers = 0, threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._held = _claimed(folder)
        except OSError as error:
            raise RecordingError(f"{folder}: nothing can be recorded there: {error.strerror}.") from error
        for stale in _exchange_files(folder):
            stale.unlink()
        self._began = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        self._tell(finished=False)

    def exchanged(self, send: exchanges.Send, request: Any) -> Any:  # noqa: ANN401 -- of requests
        kept = {"request": exchanges.request_kept(request, self._masker)}
        try:
            response = send()
        except OSError as error:  # what requests raises where no answer comes
            self._keep({**kept, "error": exchanges.error_kept(error, self._masker)})
            raise
        response, answer = exchanges.response_kept(response, self._masker)
        self._keep({**kept, "response": answer})
        return response

    def finish(self) -> None:
        self._tell(finished=True)
        os.close(self._held)

    def _keep(self, exchange: Mapping[str, Any]) -> None:
        with self._numbers:
            self._count += 1
            _write(self._folder / f"{self._count:04}.json", exchange)

    def _tell(self, *, finished: bool) -> None:
        about = {"recording": _FORMAT, "began": self._began, "finished": finished, "exchanges": self._count}
        _write(self._folder / _ABOUT, about)


class _Replayer:
    def __init__(self, folder: Path, masker: _Masks | None, now: dt.datetime) -> None:
        self._folder, self._masker = folder, masker
        self._answers: dict[str, list[Mapping[str, Any]]] = {}
        self._later: dict[str, dt.timedelta] = {}
        self._files: dict[str, str] = {}
        self._unfinished = False
        self._asked: dict[str, int] = {}
        for about in sorted(folder.rglob(_ABOUT)):
            self._read(about, now)
        if not self._files:
            raise RecordingError(f"{folder}: there is no recording here, no {_ABOUT} with exchanges beside it.")

    def _read(self, about: Path, now: dt.datetime) -> None:
        try:
            known = json.loads(about.read_text("utf-8"))
            later = now - dt.datetime.fromisoformat(known["began"])
            self._unfinished |= not known["finished"]
        except (ValueError, KeyError, TypeError) as error:
            raise RecordingError(f"{about}: does not tell of a recording: {error}. Record again.") from error
        for path in _exchange_files(about.parent):
            exchange = _exchange(path)
            written = exchanges.written(exchange["request"])
            self._answers.setdefault(written, []).append(exchange)
            self._later[written] = later
            self._files.setdefault(written, str(path.relative_to(self._folder)))

    def answered(self, _: exchanges.Send, request: Any) -> Any:  # noqa: ANN401 -- of requests
        asked = exchanges.written(exchanges.request_kept(request, self._masker))
        found = asked if asked in self._answers else self._closest(asked)
        if found is None:
            raise RecordingError(self._refusal(asked, f"{request.method} {request.url}"))
        answers, before = self._answers[found], self._asked.get(found, 0)
        self._asked[found] = before + 1
        return exchanges.answer(request, answers[min(before, len(answers) - 1)])

    def _closest(self, asked: str) -> str | None:
        distances = {each: matching.distance(asked, each, self._later[each]) for each in self._answers}
        close = {each: seconds for each, seconds in distances.items() if seconds is not None}
        return min(close, key=lambda each: (self._asked.get(each, 0) > 0, close[each]), default=None)

    def _refusal(self, asked: str, request: str) -> str:
        shown = request if self._masker is None else self._masker.text(request)
        near = matching.nearest(asked, list(self._answers))
        unfinished = " The recording was not finished." if self._unfinished else ""
        if near is None:
            return f"{shown} was not recorded in {self._folder}, and nothing else was.{unfinished}"
        return (
            f"{shown} was not recorded in {self._folder}. The nearest is {near.splitlines()[0]} in {self._files[near]}:"
            f" here it is {matching.difference(asked, near)}.{unfinished} Record again."
        )


def _claimed(folder: Path) -> int:
    """Return a descriptor that holds the recording's place, until it is closed or this process ends."""
    about = folder / _ABOUT
    if not about.exists() and any(folder.iterdir()):
        raise RecordingError(f"{folder}: has files, and no {_ABOUT}: it is no recording. Choose another folder.")
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise RecordingError(f"{folder}: another read is recorded there at this moment.") from error
    return held


def _exchange_files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.glob("*.json") if path.stem.isdigit())


def _exchange(path: Path) -> Mapping[str, Any]:
    try:
        exchange: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        request, kept = exchange["request"], {"response", "error"} & set(exchange)
        if not kept or not {"method", "url"} <= set(request):
            raise RecordingError(f"{path}: is no exchange: it needs a request with method and url, and a response.")
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path}: is no exchange: {error}.") from error
    return exchange


def _write(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.unfinished")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=2)
        file.write("\n")
    temporary.replace(path)
