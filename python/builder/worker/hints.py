"""What the CDK keeps to itself when a test read comes back with nothing, or with the wrong thing.

Each rule is a function from a read to sentences, in one table; it looks at what came, and at what the manifest asked
for. A rule that cannot tell says nothing.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

import collections
import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from . import answers, manifest_paths

__all__ = ["of"]

_SAME_PAGES_MIN = 2
_PAGE_RECORDS_MIN = 2
_NEXT = re.compile(r"^(next|has_?more|next_?(page|cursor|token|link|url|uri)\w*|more|cursor)$", re.IGNORECASE)
_SHOWN_MAX = 20
_CLASS_ALONE = re.compile(r"unexpected error occurred.*: (\w+)$", re.IGNORECASE)
_CONTEXT = "Context:"  # behind it stands the whole config, in some versions


def of(
    result: Mapping[str, Any], manifest: Mapping[str, Any], stream: str, mask: Callable[[str], str] = str
) -> list[dict[str, str]]:
    """Return log entries, `level` and `message`, for what is odd in `result`, a test read's. Mask them.

    `mask` masks a text of which a hint shows the beginning: a secret of several words could be cut in two.

    `manifest` may be as it was written, with references. Equal results give equal hints, in the order of the table.
    """
    read = _read_of(result, manifest, stream)._replace(mask=mask)
    return [{"level": "WARN", "message": sentence} for rule in _RULES for sentence in rule(read)]


class _Read(NamedTuple):
    slices: Sequence[Sequence[answers.Page]]
    pages: Sequence[answers.Page]
    records: Sequence[Mapping[str, Any]]
    definition: manifest_paths.Stream
    limited: bool
    logs: Sequence[Mapping[str, Any]]
    mask: Callable[[str], str] = str


def _read_of(result: Mapping[str, Any], manifest: Mapping[str, Any], stream: str) -> _Read:
    slices = [[answers.page(page) for page in each.get("pages") or ()] for each in result.get("slices") or ()]
    pages = [page for each in slices for page in each]
    records = [record for page in pages for record in page.records if isinstance(record, Mapping)]
    definition = manifest_paths.stream_of(manifest, stream)
    return _Read(slices, pages, records, definition, bool(result.get("test_read_limit_reached")), _logs(result))


def _logs(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [log for log in result.get("logs") or () if isinstance(log, Mapping)]


def _hidden_errors(read: _Read) -> Iterator[str]:
    """Errors of which the CDK tells no more than the class: `An unexpected error occurred in stream x: ValueError`."""
    for log in read.logs:
        message, internal = str(log.get("message") or ""), str(log.get("internal_message") or "")
        named = _CLASS_ALONE.search(message)
        reason = next(iter(internal.partition(_CONTEXT)[0].splitlines()), "")
        if log.get("level") in ("ERROR", "FATAL") and named and reason and reason not in message:
            yield f"{named[1]}: {reason.strip()}"


def _nothing_was_asked(read: _Read) -> Iterator[str]:
    if not read.slices and read.definition.has_partitions:
        yield (
            "No slice was read: the partition router gave none. A parent stream without records, or an empty list of"
            " values, leaves nothing to ask for."
        )


def _another_format(read: _Read) -> Iterator[str]:
    """Answers that are no JSON where the decoder wants it: HTML, XML, lines of JSON, a packed file."""
    if read.definition.decoder != "JsonDecoder":
        return
    wrong = [(page, page.kind) for page in read.pages if not page.records and page.is_answer and page.kind != "JSON"]
    for page, kind in wrong[:1]:
        yield (
            f"{_count(wrong, read.pages)} not JSON but {kind}, so no records were found: {page.shown(read.mask)}"
            f" {answers.ADVICE.get(kind, '')}".rstrip()
        )


def _field_path(read: _Read) -> Iterator[str]:
    """A field path that leads nowhere: how far it led, and which keys were there."""
    path = read.definition.field_path
    if not path:
        return
    empty = [
        page
        for page in read.pages
        if not page.records and page.is_answer and page.kind == "JSON" and page.json is not None
    ]
    missed = [(page, _where_missed(page.json, path)) for page in empty]
    told = [(page, where) for page, where in missed if where is not None]
    for page, where in told[:1]:
        lists = _places(answers.lists_in(page.json))
        instead = f" Lists of records are at {lists}." if lists else ""
        yield f"{_count(told, read.pages)} without what the field path {_path(path)} names: {where}{instead}"


def _where_missed(value: object, path: Sequence[str]) -> str | None:
    """Say where `path` leaves `value`, or return None where it leads to something."""
    for depth, name in enumerate(path):
        before = f"at {_path(path[:depth])}" if depth else "at the root"
        if name == "*":
            return None  # whatever is there matches; what is below it may differ from one to the next
        if isinstance(value, list) and not name.isdigit():
            return f"{before} there is a list, which has no {name!r}; use '*' for each of its items."
        if not isinstance(value, Mapping):
            return f"{before} there is {answers.kind_of(value)}, which has no {name!r}."
        if name not in value:
            near = difflib.get_close_matches(name, [str(key) for key in value], n=1, cutoff=0.6)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            return f"{before} there is no {name!r}; there are {_names(value)}.{meant}"
        value = value[name]
    if value is None or isinstance(value, (str, int, float)):
        return f"at {_path(path)} there is {answers.kind_of(value)}, where a list or an object was wanted."
    return None


def _nothing_at_the_path(read: _Read) -> Iterator[str]:
    """No records, where the answers have lists elsewhere; or all were filtered out."""
    path = read.definition.field_path
    if path is None or read.records:
        return
    for page in [page for page in read.pages if page.is_answer and page.kind == "JSON"][:1]:
        found = answers.at(page.json, path)
        if found and read.definition.record_filter:
            count = len(found) if isinstance(found, list) else 1
            yield (
                f"The answer has {count} records at {_path(path)}, and the record filter lets none through:"
                f" {read.definition.record_filter}"
            )
        elif found == [] and _places(answers.lists_in(page.json)):
            yield (f"The list at {_path(path)} is empty; lists that are not: {_places(answers.lists_in(page.json))}.")


def _whole_answer_as_a_record(read: _Read) -> Iterator[str]:
    """One record a page, which holds a list: the path ends above the records."""
    single = [page.records[0] for page in read.pages if len(page.records) == 1]
    if not single or len(single) != len([page for page in read.pages if page.records]):
        return
    inside = [place for place in answers.lists_in(single[0], depth_max=2) if place.size >= _PAGE_RECORDS_MIN]
    if len(inside) == 1 and inside[0].path:
        path = [*(read.definition.field_path or ()), *inside[0].path]
        yield (
            f"Each answer gives one record, and that holds a list of {inside[0].size} objects at"
            f" {_path(inside[0].path)}. If those are the records, the field path is {_path(path)}."
        )


def _pages_repeat(read: _Read) -> Iterator[str]:
    """Pagination that does not move: the same records again, or the same request."""
    for pages in read.slices:
        for first, second in zip(pages, pages[1:]):  # noqa: B905, RUF007 -- Python 3.9
            if first.records and first.records == second.records:
                again = " The request was the same, too" if first.asked == second.asked else " The requests differ"
                yield (
                    f"Page {pages.index(first) + 1} and the one after it have the same {len(first.records)} records:"
                    f" the pagination does not move.{again}: {second.shown(read.mask)}"
                )
                return


def _no_pagination(read: _Read) -> Iterator[str]:
    """An answer that tells of more, where the manifest has no paginator."""
    if read.definition.has_paginator or not read.records:
        return
    for page in read.pages[:1]:
        for path, value in answers.scalars_in(page.json):
            if _NEXT.match(path[-1]) and value not in (None, False, "", 0):
                yield f"The answer tells of more at {_path(path)}, and the stream has no paginator."
                return


def _keys(read: _Read) -> Iterator[str]:
    """A primary key that records lack or share, a cursor field that they lack."""
    for what, fields in (("primary key", read.definition.primary_key), ("cursor field", read.definition.cursor_field)):
        for field in fields:
            lacking = [record for record in read.records if answers.at(record, field) is None]
            if lacking:
                yield (
                    f"{len(lacking)} of {len(read.records)} records have no {what} {_path(field)};"
                    f" the first of them has {_names(lacking[0])}."
                )
    keys = [json.dumps([answers.at(each, field) for field in read.definition.primary_key]) for each in read.records]
    common, count = collections.Counter(keys).most_common(1)[0] if keys and read.definition.primary_key else ("", 1)
    repeated = {json.dumps(page.records, sort_keys=True) for page in read.pages if page.records}
    if count > 1 and "null" not in common and len(repeated) == len([page for page in read.pages if page.records]):
        yield f"{count} records share the primary key {common}: it does not tell records apart."


def _limit(read: _Read) -> Iterator[str]:
    if read.limited:
        yield (
            f"A limit of this test read was reached after {len(read.records)} records in {len(read.pages)} pages of"
            f" {len(read.slices)} slices; there may be more."
        )


_RULES: tuple[Callable[[_Read], Iterator[str]], ...] = (
    _hidden_errors,
    _nothing_was_asked,
    _another_format,
    _field_path,
    _nothing_at_the_path,
    _whole_answer_as_a_record,
    _pages_repeat,
    _no_pagination,
    _keys,
    _limit,
)


def _count(some: Sequence[object], every: Sequence[object]) -> str:
    return "The answer is" if len(every) == 1 else f"{len(some)} of {len(every)} answers are"


def _path(path: Sequence[str]) -> str:
    return "[" + ", ".join(path) + "]"


def _names(value: Mapping[str, Any]) -> str:
    names = [repr(str(name)) for name in value]
    more = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    return (", ".join(names[:_SHOWN_MAX]) or "no keys at all") + more


def _places(places: Sequence[answers.Place]) -> str:
    return ", ".join(f"{_path(place.path)} ({place.size})" for place in places[:3])
