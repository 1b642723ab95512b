from __future__ import annotations

import importlib.metadata
import socket

import pytest

from python.importing.licences import LicenceError, check_file, checked_licence
from tests.importing.repositories import MIT

APACHE_HEADER = """
   Licensed under the Apache License, Version 2.0 (the "License");
   you may not use this file except in compliance with the License.
"""
BSD = """Redistribution and use in source and binary forms, with or without modification, are permitted provided that
the following conditions are met: 1. Redistributions of source code must retain the above copyright notice"""
NAMES = "\n3. Neither the name of the copyright holder nor the names of its contributors may be used"
ADVERTISING = "\n3. All advertising materials mentioning features or use of this software must display"
ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies."""
AGPL = "GNU AFFERO GENERAL PUBLIC LICENSE\n   Version 3, 19 November 2007\n"
ELASTIC = "Elastic License 2.0\n\n## Acceptance\n"
MPL = """Mozilla Public License Version 2.0
1.4. "Covered Software" means Source Code Form ...
1.12. "Secondary License" means either the GNU General Public License, Version 2.0, the
GNU Lesser General Public License, Version 2.1, the GNU Affero General Public License, Version 3.0"""


@pytest.mark.parametrize(
    ("claimed", "canonical"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("apache-2.0", "Apache-2.0"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("MIT and ISC", "MIT AND ISC"),
        ("MIT OR GPL-3.0-only", "MIT OR GPL-3.0-only"),
        ("BSD-2-Clause-FreeBSD", "BSD-2-Clause-FreeBSD"),
    ],
)
def test_a_licence_that_lets_us_import_is_written_as_spdx_does(claimed: str, canonical: str) -> None:
    assert checked_licence(claimed) == canonical


@pytest.mark.parametrize(
    ("claimed", "sentence"),
    [
        ("MTI", "'MTI' is no SPDX identifier"),
        ("", "'' is no SPDX identifier"),
        ("MIT License", "no SPDX identifier"),
        ("ELv2", "do you mean Elastic-2.0"),
        ("BSL-1.1", "do you mean BUSL-1.1"),
        ("AGPL-3.0-or-later", "AGPL-3.0-or-later: whoever runs it as a service"),
        ("AGPL-3.0", "AGPL-3.0: whoever runs it as a service"),
        ("SSPL-1.0", "whoever runs it as a service"),
        ("GPL-3.0", "must come under it"),
        ("LGPL-2.1-or-later", "must come under it"),
        ("BUSL-1.1", "forbids use in production"),
        ("Elastic-2.0", "forbids to offer the software as a service"),
        ("CC-BY-NC-4.0", "none whose text can be checked; those are 0BSD, Apache-2.0"),
        ("LicenseRef-Mine", "none whose text can be checked"),
        ("Apache-2.0 WITH LLVM-exception", "none whose text can be checked"),
        ("MIT AND GPL-3.0-only", "must come under it"),
        ("MIT AND (ISC OR Apache-2.0)", "without parentheses"),
    ],
)
def test_any_other_licence_is_refused_with_the_reason(claimed: str, sentence: str) -> None:
    with pytest.raises(LicenceError, match=sentence):
        checked_licence(claimed)


def test_no_network_is_asked_for_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old script let any licence pass where it could not download the list."""
    monkeypatch.setattr(socket, "socket", None)

    assert checked_licence("MIT") == "MIT"
    with pytest.raises(LicenceError):
        checked_licence("ANYTHING-GOES-1.0")


@pytest.mark.parametrize(
    ("licence", "text"),
    [
        ("MIT", MIT),
        ("MIT", "# MIT License\n\n" + MIT.replace("\n", "\r\n").replace(" ", "  ")),
        ("MIT", MIT.replace("permission notice shall", "permission notice (including the next paragraph) shall")),
        ("MIT-0", MIT.replace("The above copyright notice and this\npermission notice", "Nothing")),
        ("Apache-2.0", APACHE_HEADER),
        ("BSD-2-Clause", BSD),
        ("BSD-2-Clause-FreeBSD", BSD),
        ("BSD-3-Clause", BSD + NAMES),
        ("ISC", ISC),
        ("0BSD", ISC.partition(", provided")[0]),
        ("MPL-2.0", MPL),
        ("MIT OR Apache-2.0", APACHE_HEADER),
        ("MIT OR GPL-3.0-only", MIT),
        ("MIT AND BSD-3-Clause", MIT + BSD + NAMES),
        ("MIT", "[tool.poetry]\nname = 'x'\nlicense = \"MIT\"\n"),
        ("MIT", "data:\n  connectorType: source\n  license: MIT\n  name: X\n"),
        ("MIT", '{\n  "license": "MIT",\n}'),
        ("Apache-2.0", "# SPDX-License-Identifier: Apache-2.0\n"),
    ],
)
def test_a_file_that_has_the_text_or_declares_it_shows_the_licence(licence: str, text: str) -> None:
    check_file(licence, text, "LICENSE")


@pytest.mark.parametrize(
    ("licence", "text", "sentence"),
    [
        ("MIT", "", "looks like no licence that we know"),
        ("MIT", "Copyright (c) 2023 Airbyte, Inc., all rights reserved.", "looks like no licence that we know"),
        ("MIT", "This is MIT, trust me", "looks like no licence that we know"),
        ("MIT", APACHE_HEADER, "does not look like MIT: it looks like Apache-2.0"),
        ("MIT", MIT + "The Software shall be used for Good, not Evil.", "looks like no licence"),
        ("BSD-2-Clause", BSD + NAMES, "it looks like BSD-3-Clause"),
        ("BSD-3-Clause", BSD + NAMES + ADVERTISING, "looks like no licence"),
        ("MIT AND ISC", MIT, "does not look like MIT AND ISC: it looks like MIT"),
        ("MIT", AGPL, "is not .only. MIT: it has 'gnu affero"),
        ("MIT", MIT + AGPL, "is not .only. MIT"),
        ("MIT", MIT + '\n"Commons Clause" License Condition v1.0', "commons clause"),
        ("MIT", "data:\n  license: ELv2\n", "forbids to offer"),
        ("Apache-2.0", ELASTIC, "forbids to offer"),
        ("MIT OR GPL-3.0-only", "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007", "looks like no licence"),
    ],
)
def test_a_file_that_does_not_show_the_licence_is_refused(licence: str, text: str, sentence: str) -> None:
    with pytest.raises(LicenceError, match=f"LICENSE .*{sentence}"):
        check_file(licence, text, "LICENSE")


@pytest.mark.parametrize(
    ("package", "licence"),
    [("pytest", "MIT"), ("msgspec", "BSD-3-Clause"), ("hypothesis", "MPL-2.0"), ("coverage", "Apache-2.0")],
)
def test_the_licence_that_a_package_carries_is_known(package: str, licence: str) -> None:
    files = importlib.metadata.files(package) or []
    text = next(path for path in files if path.name.startswith("LICENSE")).read_text()

    check_file(licence, text, "LICENSE")
