from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pytest

from python.shell import logs
from python.shim_common import tokens
from python.shim_common.tokens import Giver, Masked, masking


class Login:
    """As an authenticator of a library: it keeps a token, and gives an answer with another."""

    def __init__(self) -> None:
        self.access_token = ""
        self.access_token_name = "the name of it"

    def ask(self) -> dict[str, Any]:
        self.access_token = "kept-0123456789"
        return {"data": {"refresh_token": "given-0123456789"}, "token_type": "Bearer of it", "short_token": "abc"}


@pytest.fixture
def protected(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    found: list[set[str]] = []

    def protect(secrets: Iterable[str]) -> None:
        found.append(set(secrets))

    monkeypatch.setattr(logs, "protect", protect)
    return found


@pytest.fixture
def giver(monkeypatch: pytest.MonkeyPatch) -> Giver:
    library = ModuleType("library_of_tokens")
    vars(library)["Login"] = Login
    monkeypatch.setitem(sys.modules, "library_of_tokens", library)
    return Giver("library_of_tokens", "Login", ("ask", "missing"))


def test_what_is_named_a_token_is_masked_as_soon_as_it_is_there(giver: Giver, protected: list[set[str]]) -> None:
    with masking([giver], Masked()):
        Login().ask()
        Login().ask()

    assert protected == [{"kept-0123456789"}, {"given-0123456789"}]


def test_methods_are_the_library_s_own_again_afterwards(giver: Giver, protected: list[set[str]]) -> None:
    before = Login.ask

    with masking([giver, Giver("no_such_module", "Login", ("ask",))], Masked()):
        assert Login.ask is not before

    assert Login.ask is before
    assert protected == []


def test_so_many_tokens_are_masked_and_no_more(protected: list[set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "TOKENS_MAX", 3)
    masked = Masked()

    for number in range(5):
        masked.add([f"token-number-{number}"])

    assert len(protected) == 3
