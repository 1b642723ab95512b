"""Which recorded request a request is: the same but for secrets, order of parameters, and what time it is.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
import urllib.parse
from collections.abc import Sequence

from .masking import MASK

__all__ = ["difference", "distance", "nearest", "written"]

_DRIFT_SECONDS_MAX = 36 * 3600  # a day that is rounded to, and a time zone
_EPOCHS = (1_000_000_000, 2_000_000_000)  # 2001 to 2033: other numbers are no moments
_ZONE = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
_HOUR = r"[0-9]{2}(?::|%3A)[0-9]{2}(?:(?::|%3A)[0-9]{2})?"
_MOMENT = (
    rf"(?<![0-9A-Za-z])(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:(?:T|%20|\+| ){_HOUR}(?:\.[0-9]+)?{_ZONE}?)?"
    r"|1[0-9]{9}(?:[0-9]{3})?)(?![0-9A-Za-z])"
)
_DATED = re.compile(rf"(?P<day>[0-9-]{{10}})(?:(?:T|%20|\+| )(?P<hour>{_HOUR})(?:\.[0-9]+)?(?P<zone>{_ZONE})?)?")


def written(method: str, url: str, body: str | None) -> str:
    """Return a request in one form: method and address, a parameter of the query a line, then the body.

    Parameters stand in the order of their names, keys of JSON and of forms too; headers do not count, since tokens,
    versions and dates stand there.
    """
    parts = urllib.parse.urlsplit(url)
    query = _pairs(parts.query)
    address = urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    return "\n".join([f"{method.upper()} {address}", *query, "", *_body_lines(body or "")])


def _pairs(text: str) -> list[str]:
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
    return [f"{name}={value}" for name, value in sorted(pairs, key=lambda pair: pair[0])]


def _body_lines(body: str) -> list[str]:
    try:
        return json.dumps(json.loads(body), indent=0, sort_keys=True, ensure_ascii=False).splitlines()
    except ValueError:
        looks_like_a_form = "=" in body and not re.search(r"[\s<{]", body)
        return _pairs(body) if looks_like_a_form else body.splitlines()


def distance(asked: str, recorded: str, later: dt.timedelta) -> float | None:
    """Return the seconds by which `asked` is off `recorded`, both as `written`, or None where it is another request.

    A masked value stands for any. A moment may differ where it is as far from now as the recorded one was from then:
    `later` is the time between. Requests that end at the present moment are found so.
    """
    moments = list(re.finditer(_MOMENT, recorded))
    gaps = [0, *(end for match in moments for end in match.span()), len(recorded)]
    literals = [_pattern(recorded[start:end]) for start, end in zip(gaps[::2], gaps[1::2])]  # noqa: B905 -- Python 3.9
    found = re.fullmatch(f"({_MOMENT})".join(literals), asked)
    if found is None:
        return None
    off = 0.0
    for match, text in zip(moments, found.groups()):  # noqa: B905 -- Python 3.9
        seconds = _seconds_off(match[0], text, later)
        if seconds is None:
            return None
        off += seconds
    return off


def _pattern(literal: str) -> str:
    return r"[^\n]*?".join(re.escape(part) for part in literal.split(MASK))


def _seconds_off(recorded: str, asked: str, later: dt.timedelta) -> float | None:
    if recorded == asked:
        return 0.0
    then, now = _moment(recorded), _moment(asked)
    if then is None or now is None or len(recorded) != len(asked):
        return None
    off = abs((now - then - later).total_seconds())
    return off if off <= _DRIFT_SECONDS_MAX else None


def _moment(text: str) -> dt.datetime | None:
    if text.isdigit():
        seconds = int(text[:10])
        return dt.datetime.fromtimestamp(seconds, dt.timezone.utc) if _EPOCHS[0] <= seconds < _EPOCHS[1] else None
    match = _DATED.fullmatch(text)
    if match is None:
        return None
    hour = (match["hour"] or "00:00").replace("%3A", ":")
    zone = (match["zone"] or "Z").replace("Z", "+00:00")
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return dt.datetime.fromisoformat(f"{match['day']}T{hour}{zone}")
    except ValueError:
        return None


def nearest(asked: str, recorded: Sequence[str]) -> str | None:
    """Return the one of `recorded` that is most like `asked`."""
    matcher = difflib.SequenceMatcher(b=asked, autojunk=False)
    best, best_ratio = None, -1.0
    for each in recorded:
        matcher.set_seq1(each)
        if matcher.real_quick_ratio() > best_ratio and matcher.ratio() > best_ratio:
            best, best_ratio = each, matcher.ratio()
    return best


def difference(asked: str, recorded: str) -> str:
    """Say in which lines two requests differ: `page=3, where page=2 was recorded`."""
    ours, theirs = asked.splitlines(), recorded.splitlines()
    here = [line for line in ours if line and line not in theirs]
    there = [line for line in theirs if line and line not in ours]
    return f"{', '.join(here) or 'nothing'}, where {', '.join(there) or 'nothing'} was recorded"
