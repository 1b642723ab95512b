"""Whether a licence lets us import, and whether a file says that it is the one.

The identifiers are SPDX's, as the `packaging` library carries them. The texts are told by phrases that each copy of
them has, whatever its line breaks, punctuation and names; decision 0091 says why these licences and no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from python.protocol.errors import HeadwaterError

__all__ = ["LicenceError", "check_file", "checked_licence"]


class LicenceError(HeadwaterError):
    """The licence does not let us import, or is not what it is said to be. Whoever imports must look at it."""


class _Text(NamedTuple):
    """A text: it has each phrase of `all_of`, and none of `none_of`."""

    licence: str
    all_of: tuple[str, ...]
    none_of: tuple[str, ...] = ()


_BSD = "redistribution and use in source and binary forms with or without modification are permitted provided that"
_NAMES = "neither the name"
_ADVERTISING = "all advertising materials mentioning features"
_MIT = "permission is hereby granted free of charge to any person obtaining a copy of this software"
_MIT_NOTICE = "the above copyright notice and this permission notice"
_ISC = "permission to use copy modify and or distribute this software for any purpose with or without fee is hereby"
_ISC_NOTICE = "provided that the above copyright notice and this permission notice appear in all copies"

_PERMITTED = (
    _Text("MIT", (_MIT, _MIT_NOTICE, "the software is provided as is"), ("shall be used for good not evil",)),
    _Text("MIT-0", (_MIT, "the software is provided as is"), (_MIT_NOTICE,)),
    _Text("Apache-2.0", ("apache license version 2 0 january 2004", "grant of copyright license", "grant of patent")),
    _Text(
        "Apache-2.0",
        ("licensed under the apache license version 2 0", "you may not use this file except in compliance with the"),
    ),
    _Text("BSD-2-Clause", (_BSD,), (_NAMES, _ADVERTISING)),
    _Text("BSD-3-Clause", (_BSD, _NAMES), (_ADVERTISING,)),
    _Text("ISC", (_ISC, _ISC_NOTICE)),
    _Text("0BSD", (_ISC,), (_ISC_NOTICE,)),
    _Text("MPL-2.0", ("mozilla public license version 2 0", "covered software")),
    _Text("BSL-1.0", ("boost software license version 1 0",)),
    _Text("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    _Text("CC0-1.0", ("cc0 1 0 universal",)),
    _Text("PSF-2.0", ("python software foundation license version 2",)),
)

_COPYLEFT = "whatever is made of it must come under it, and a connector's image is"
_NETWORK = "whoever runs it as a service must publish their source"
_NO_SERVICE = "it forbids to offer the software as a service, which a connector that others run is"


class _Refusal(NamedTuple):
    """Licences whose identifiers match `licence`, whose texts have `phrase`: not to be imported, because `why`."""

    licence: re.Pattern[str]
    phrase: str
    why: str


_NAMELESS = re.compile(r"(?!)")  # a restriction that is added to any licence
_REFUSED = (
    _Refusal(re.compile(r"AGPL-.*"), "gnu affero general public license version 3 19 november 2007", _NETWORK),
    _Refusal(re.compile(r"AGPL-.*"), "under the terms of the gnu affero general public license", _NETWORK),
    _Refusal(re.compile(r"SSPL-.*"), "server side public license", _NETWORK),
    _Refusal(re.compile(r"LGPL-3.*"), "gnu lesser general public license version 3 29 june 2007", _COPYLEFT),
    _Refusal(re.compile(r"LGPL-.*"), "gnu lesser general public license version 2 1 february 1999", _COPYLEFT),
    _Refusal(re.compile(r"GPL-3.*"), "gnu general public license version 3 29 june 2007", _COPYLEFT),
    _Refusal(re.compile(r"GPL-.*"), "gnu general public license version 2 june 1991", _COPYLEFT),
    _Refusal(re.compile(r"BUSL-.*"), "business source license 1 1", "it forbids use in production for years"),
    _Refusal(re.compile(r"Elastic-.*"), "elastic license", _NO_SERVICE),
    _Refusal(re.compile(r"Commons-Clause"), "commons clause license condition", _NO_SERVICE),
    _Refusal(re.compile(r"PolyForm-.*"), "polyform", "it forbids use for money, or in competition"),
    _Refusal(re.compile(r"FSL-.*"), "functional source license", "it forbids use in competition for years"),
    _Refusal(re.compile(r"Hippocratic-.*"), "hippocratic license", "it says what the software may be used for"),
    _Refusal(_NAMELESS, "competing use", "it forbids use in competition"),
    _Refusal(_NAMELESS, "non commercial", "it forbids use for money"),
    _Refusal(_NAMELESS, "noncommercial", "it forbids use for money"),
)

_DECLARED = re.compile(
    r"""^[\s#/*;-]*["']?(?:spdx-license-identifier|license)["']?"""
    r"""[ \t]*[:=][ \t]*["']?([A-Za-z0-9.+() -]+?)["']?[ \t]*,?\r?$""",
    re.IGNORECASE | re.MULTILINE,
)
_SHORT_NAMES = {"elv2": "Elastic-2.0", "bsl-1.1": "BUSL-1.1", "bsl": "BUSL-1.1", "apache 2.0": "Apache-2.0"}
_OLD_NAMES = {"BSD-2-Clause-FreeBSD": "BSD-2-Clause", "BSD-2-Clause-NetBSD": "BSD-2-Clause"}


def checked_licence(claimed: str) -> str:
    """Return `claimed` as SPDX writes it: one identifier, or several with AND and OR.

    Raises LicenceError where SPDX knows no such licence, or where it does not let us import.

    >>> checked_licence("mit or apache-2.0")
    'MIT OR Apache-2.0'
    """
    expression = _canonical(claimed)
    if expression is None:
        meant = _SHORT_NAMES.get(claimed.lower())
        hint = f"do you mean {meant}?" if meant else "its list of identifiers is at spdx.org/licenses"
        raise LicenceError(f"licence {claimed!r} is no SPDX identifier or expression: {hint}")
    if set("()") & set(expression):
        raise LicenceError(f"licence {expression}: write it without parentheses, the licences that we use with AND")
    problems = [list(_problems(each)) for each in _alternatives(expression)]
    if all(problems):
        raise LicenceError(f"licence {expression} does not let us import: {problems[0][0]}")
    return expression


def check_file(expression: str, text: str, where: str) -> None:
    """Return where `text`, which stood at `where`, shows the licence `expression`: for each OR, one side at least.

    It shows a licence that it contains, or that it declares, as `license: MIT` of a manifest does. Raises LicenceError
    where it does not, or where it has a licence, too, which does not let us import.
    """
    plain, declared = _plain(text), _declared(text)
    alternatives = [each for each in _alternatives(expression) if not any(_problems(each))]
    named = {each for alternative in _alternatives(expression) for each in alternative}
    for other in _REFUSED:
        if (other.phrase in plain or any(map(other.licence.fullmatch, declared))) and not any(
            map(other.licence.fullmatch, named)
        ):
            raise LicenceError(
                f"{where} is not (only) {expression}: it has {other.phrase!r}, and we cannot import that: {other.why}"
            )
    if "all rights reserved" in plain:
        declared = set()  # what a line declares is taken back
    shown = declared | {each.licence for each in _PERMITTED if _matches(each, plain)}
    if not any(shown.issuperset(alternative) for alternative in alternatives):
        found = f"it looks like {' and '.join(sorted(shown))}" if shown else "it looks like no licence that we know"
        raise LicenceError(f"{where} does not look like {expression}: {found}")


def _alternatives(expression: str) -> Iterator[list[str]]:
    """Yield the licences that hold together, for each choice that the expression leaves.

    >>> list(_alternatives("MIT AND ISC OR Apache-2.0"))
    [['MIT', 'ISC'], ['Apache-2.0']]
    """
    yield from ([_OLD_NAMES.get(each, each) for each in part.split(" AND ")] for part in expression.split(" OR "))


def _problems(licences: list[str]) -> Iterator[str]:
    known = {each.licence for each in _PERMITTED}
    for licence in licences:
        refused = next((each for each in _REFUSED if each.licence.fullmatch(licence)), None)
        if refused is not None:
            yield f"{licence}: {refused.why}"
        elif licence not in known:
            yield f"{licence} is none whose text can be checked; those are {', '.join(sorted(known))}"


def _canonical(expression: str) -> str | None:
    try:
        return canonicalize_license_expression(expression)
    except InvalidLicenseExpression:
        return None


def _declared(text: str) -> set[str]:
    """Return the licences that lines such as `license: MIT` name."""
    names = (match[1].strip() for match in _DECLARED.finditer(text))
    canonical = (_canonical(_SHORT_NAMES.get(name.lower(), name)) for name in names)
    return {_OLD_NAMES.get(each, each) for each in canonical if each}


def _matches(row: _Text, plain: str) -> bool:
    return all(each in plain for each in row.all_of) and not any(each in plain for each in row.none_of)


def _plain(text: str) -> str:
    """Return the words of `text`, in small letters, with one space between.

    >>> _plain("Apache License,  Version 2.0")
    'apache license version 2 0'
    """
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
