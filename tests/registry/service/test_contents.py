from __future__ import annotations

import pytest

from python.registry.service.contents import problems


@pytest.mark.parametrize(
    ("name", "data", "rule"),
    [
        ("doc.md", b"\xff", "page"),
        ("doc.inapp.md", b"a\0b", "page"),
        ("icon.svg", b"<svg><script/></svg>", "icon-safe"),
        ("spec.json", b"{", "description"),
        ("spec.cloud.json", b"{}", "description"),
        ("spec.json", b'{"connectionSpecification":' + b"[" * 100_000, "description"),
        ("catalog.json", b"{}", "description"),
        ("dependencies.json", b"[]", "description"),
        ("dependencies.json", b'{"dependencies": [{"version": "1"}]}', "description"),
        ("manifest.yaml", b"a: [", "manifest"),
        ("manifest.yaml", b"- a", "manifest"),
        ("manifest.yaml", b"", "manifest"),
        ("manifest.yaml", b"[" * 100_000, "manifest"),
        ("manifest.yaml", b"a: \xff", "manifest"),
    ],
)
def test_what_nobody_could_read_afterwards_is_told(name: str, data: bytes, rule: str) -> None:
    (finding,) = problems({name: data})

    assert finding.rule == rule
    assert finding.message.startswith(f"{name} ")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("doc.md", "# Wetter für alle\n".encode()),
        ("spec.cloud.json", b'{"connectionSpecification": {}}'),
        ("catalog.json", b'{"streams": []}'),
        ("dependencies.json", b'{"dependencies": [{"package_name": "airbyte-cdk", "version": "6.0.0", "more": 1}]}'),
        ("manifest.yaml", b"# a manifest\nversion: 6.0.0\na: &a [1]\nb: *a\n"),
        ("components.zip", b"anything"),
    ],
)
def test_what_is_right_is_not_told_of(name: str, data: bytes) -> None:
    assert list(problems({name: data})) == []
