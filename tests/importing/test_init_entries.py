from __future__ import annotations

from pathlib import Path

import pytest

from python.importing.scaffold.entries import Entry, Found, MissingModuleError, chosen, main_of
from python.protocol.errors import HeadwaterError

SOURCE = Entry("source_x", "SourceX", ())
TAP = Entry("tap_x.tap", "TapX", ("catalog", "config", "state"))


def found(*classes: Entry, commands: tuple[str, ...] = (), **failed: str) -> Found:
    return Found(dict.fromkeys(commands, "tap_x:main"), classes, failed, ["tap_x"])


def command(folder: Path, told: str) -> Path:
    """An environment whose one command says `told` when it is asked for help."""
    path = folder / ".venv" / "bin" / "tap-x"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{told}'\n")
    path.chmod(0o755)
    return folder


def test_the_one_class_is_chosen() -> None:
    assert chosen(found(SOURCE, commands=("a", "b")), "airbyte", "x", None) == SOURCE


def test_several_classes_are_told_and_one_has_to_be_chosen() -> None:
    with pytest.raises(HeadwaterError, match=r"several classes to wrap: source_x:SourceX, tap_x\.tap:TapX; choose"):
        chosen(found(SOURCE, TAP), "airbyte", "x", None)


def test_a_tap_without_a_class_is_its_command() -> None:
    assert chosen(found(commands=("tap-x",)), "singer", "tap-x", None) == "tap-x"
    assert chosen(found(commands=("tap-x", "tap-y")), "singer", "tap-x", "tap-y") == "tap-y"


@pytest.mark.parametrize("wanted", [None, "tap-z"])
def test_of_several_commands_one_has_to_be_chosen(wanted: str | None) -> None:
    with pytest.raises(HeadwaterError, match="tap-x has these commands: tap-x, tap-y; choose one with --entry"):
        chosen(found(commands=("tap-x", "tap-y")), "singer", "tap-x", wanted)


def test_what_has_no_source_says_where_was_looked_and_what_was_missing() -> None:
    with pytest.raises(HeadwaterError, match=r"x has no Airbyte source \(looked into tap_x; no CDK\); name its class"):
        chosen(found(commands=("tap-x",), airbyte_cdk="no CDK"), "airbyte", "x", None)


def test_a_module_that_every_setuptools_had_is_a_known_remedy() -> None:
    with pytest.raises(MissingModuleError) as caught:
        chosen(found(commands=("tap-x",), pkg_resources="not installed"), "singer", "tap-x", None)

    assert caught.value.requirement == "setuptools<81"


def test_a_source_that_takes_its_state_when_it_is_made_is_made_anew(tmp_path: Path) -> None:
    partly = Entry("source_x", "SourceX", ("config",))

    assert "CaptureShim(delegate=SourceX(), oauth2=None).main()" in main_of("airbyte", SOURCE, tmp_path)
    assert "delegate=lambda _catalog, config, _state: SourceX(config=config)" in main_of("airbyte", partly, tmp_path)


def test_a_tap_is_wrapped_by_its_class(tmp_path: Path) -> None:
    assert main_of("singer", TAP, tmp_path) == (
        "from tap_x.tap import TapX\n\nfrom python import shim_singer_sdk\n\nshim_singer_sdk.CaptureShim(TapX).main()\n"
    )


@pytest.mark.parametrize(
    ("told", "call"),
    [
        ("-h, --catalog FILE, -p, --properties FILE", 'ExecutableShim(["tap-x"]).main()'),
        ("--properties FILE", 'ExecutableShim(["tap-x"], catalog_option="--properties").main()'),
    ],
)
def test_a_command_is_asked_how_it_takes_its_catalog(told: str, call: str, tmp_path: Path) -> None:
    assert call in main_of("singer", "tap-x", command(tmp_path, told))


@pytest.mark.parametrize("told", ["usage: pip", None])
def test_a_command_that_is_no_tap_is_refused(told: str | None, tmp_path: Path) -> None:
    with pytest.raises(HeadwaterError, match=r"tap-x is no Singer tap|tap-x --help cannot be run"):
        main_of("singer", "tap-x", command(tmp_path, told) if told else tmp_path)
