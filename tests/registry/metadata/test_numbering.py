from __future__ import annotations

import pytest

from python.registry.metadata.numbering import Kind, kind_of, number

ORDERED = ["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.10.0"]


def test_versions_are_in_the_order_of_semantic_versioning() -> None:
    assert sorted(set(ORDERED), key=number) == ORDERED


@pytest.mark.parametrize("tag", ["1.2", "v1.2.3", "1.2.3.4", "latest", "", "01.2.3", "3.2.3-preview.0204848"])
def test_what_is_no_version_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="not valid SemVer"):
        number(tag)


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("1.0.0", Kind.RELEASE),
        ("1.0.0-rc.1", Kind.CANDIDATE),
        ("1.0.0-rc1", Kind.CANDIDATE),
        ("1.0.0-rc", Kind.CANDIDATE),
        ("3.2.3-preview.820ce48", Kind.PRERELEASE),
        ("3.2.3-preview.8204848", Kind.PRERELEASE),
        ("1.0.0-rcx", Kind.PRERELEASE),
        ("1.0.0-dev.rc.1", Kind.PRERELEASE),
    ],
)
def test_a_version_tells_what_it_is_for(tag: str, kind: Kind) -> None:
    assert kind_of(tag) is kind
