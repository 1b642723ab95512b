from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from python.protocol import document
from python.runner import unseal as module
from python.runner.problems import CatalogError, Where
from python.runner.unseal import unseal

WHERE = Where(Path("config.yaml"), 1)
SEALED = {"name": "x", "password_sops": "ENC[abc]", "sops": {"encrypted_suffix": "_sops", "mac": "m"}}


@pytest.fixture
def sops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program `sops`, with the given Python body, first on PATH; it sees `config` and `arguments`."""

    def install(body: str) -> None:
        program = tmp_path / "sops"
        head = "import json, sys, time\nconfig = json.load(open(sys.argv[-1]))\narguments = sys.argv[1:]\n"
        program.write_text(f"#!{sys.executable}\n{head}{body}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return install


@pytest.mark.parametrize("config", [{}, {"a": 1}, "text", None, {"sops": "my favourite soup"}])
def test_what_is_not_sealed_is_returned_as_it_is(config: object) -> None:
    assert unseal(config, WHERE) is config


def test_a_sealed_config_is_decrypted_and_stripped_at_any_depth(sops: Callable[[str], None]) -> None:
    sops(
        "del config['sops']\nconfig['password_sops'] = 'open'\n"
        "config['list'] = [{'key_sops': 1, 'sops_key': 2}]\nconfig['deep'] = {'a_sops': {'b_sops': 1.5}}\n"
        "print(json.dumps(config, indent='\\t'))"
    )

    assert unseal(SEALED, WHERE) == {
        "name": "x",
        "password": "open",
        "list": [{"key": 1, "sops_key": 2}],
        "deep": {"a": {"b": Decimal("1.5")}},
    }


def test_sops_is_given_json_on_stdin_and_asked_for_json(sops: Callable[[str], None]) -> None:
    sops("print(json.dumps({'arguments': arguments, 'config': config}))")

    got = unseal({**SEALED, "sops": {"mac": "m"}}, WHERE)

    assert got == {
        "arguments": ["--decrypt", "--input-type", "json", "--output-type", "json", "/dev/stdin"],
        "config": {"name": "x", "password_sops": "ENC[abc]", "sops": {"mac": "m"}},
    }


def test_without_a_suffix_keys_stay(sops: Callable[[str], None]) -> None:
    sops("print(json.dumps({'password_sops': 'open', 'sops': {}}))")

    assert unseal({**SEALED, "sops": {"mac": "m"}}, WHERE) == {"password_sops": "open"}


def test_a_missing_sops_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(
        CatalogError, match=r"config\.yaml:1: is sealed with sops, but the program `sops` is not on PATH"
    ):
        unseal(SEALED, WHERE)


def test_a_sops_that_cannot_be_started_is_a_sentence(
    sops: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sops("")
    monkeypatch.setenv("PATH", str(tmp_path))  # and no other one, which would be started then
    (tmp_path / "sops").write_text("#!/no/such/interpreter\n")

    with pytest.raises(CatalogError, match="program `sops` "):
        unseal(SEALED, WHERE)


def test_a_failing_sops_is_quoted_on_one_line(sops: Callable[[str], None]) -> None:
    sops("sys.exit('Failed to get the data key\\nrequired to decrypt')")

    with pytest.raises(CatalogError, match="sops cannot open it: Failed to get the data key required to decrypt"):
        unseal(SEALED, WHERE)


def test_a_silent_failure_names_the_exit_status(sops: Callable[[str], None]) -> None:
    sops("sys.exit(128)")

    with pytest.raises(CatalogError, match="sops cannot open it: exit status 128"):
        unseal(SEALED, WHERE)


@pytest.mark.parametrize("answer", ["not JSON", "[1]"])
def test_an_answer_that_is_no_object_is_refused_without_showing_it(sops: Callable[[str], None], answer: str) -> None:
    sops(f"print({answer!r})")

    with pytest.raises(CatalogError, match=r"something other than a JSON object$"):
        unseal(SEALED, WHERE)


def test_a_sops_that_hangs_is_given_up(sops: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SOPS_SECONDS_MAX", 0.2)
    sops("time.sleep(60)")

    with pytest.raises(CatalogError, match="gave no answer"):
        unseal(SEALED, WHERE)


def test_a_key_that_comes_sealed_and_open_is_refused(sops: Callable[[str], None]) -> None:
    sops("print(json.dumps({'a': {'password': 1, 'password_sops': 2}}))")

    with pytest.raises(CatalogError, match="has both 'password' and 'password_sops'"):
        unseal(SEALED, WHERE)


def test_secrets_of_the_control_plane_are_refused() -> None:
    with pytest.raises(CatalogError, match=r"secrets of Flow's control plane \(/password\), which is not reachable"):
        unseal({"a": 1}, WHERE, {"/password": "acmeCo/secret"})


def test_secrets_beside_sops_are_refused_as_a_mixture() -> None:
    with pytest.raises(CatalogError, match="it also has `sops`, and only one of the two may be used"):
        unseal(SEALED, WHERE, {"/password": "acmeCo/secret"})


def test_nothing_decrypted_is_written_to_disk(sops: Callable[[str], None], tmp_path: Path) -> None:
    sops("print(json.dumps({'password_sops': 'canary'}))")
    before = sorted(tmp_path.rglob("*"))

    unseal(SEALED, WHERE)

    assert sorted(tmp_path.rglob("*")) == before


def test_big_numbers_reach_sops_unharmed(sops: Callable[[str], None]) -> None:
    sops("print(json.dumps({'n': config['n']}))")

    assert document.encode(unseal({**SEALED, "n": 2**70}, WHERE)) == b'{"n":%d}' % 2**70
