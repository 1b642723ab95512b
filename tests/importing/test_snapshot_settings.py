from __future__ import annotations

from pathlib import Path

import pytest

from python.importing.snapshot_settings import LINES, Settings, SettingsError, settings_of


def of(folder: Path, text: str) -> Settings:
    (folder / "pyproject.toml").write_text(text)
    return settings_of(folder)


def test_a_folder_that_says_nothing_has_the_defaults(tmp_path: Path) -> None:
    assert settings_of(tmp_path) == Settings()
    assert of(tmp_path, "[project]\nname = 'x'\n").lines == LINES


def test_names_are_spelled_as_in_toml(tmp_path: Path) -> None:
    settings = of(tmp_path, "[tool.headwater.snapshot]\nredact = ['a']\neach = 2\ntolerant = true\nconfig = {n = 1}\n")

    assert (settings.redact, settings.each, settings.tolerant, settings.config) == (("a",), 2, True, {"n": 1})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[tool.headwater.snapshot]\nredcat = []\n", "unknown field `redcat`"),
        ("[tool.headwater.snapshot]\nlines = 'all'\n", "Expected `int`, got `str`"),
        ("[tool.headwater.snapshot]\nreplace = {'(' = 'x'}\n", "'(' is no regular expression"),
        ("[tool]\nheadwater = 3\n", "[tool.headwater.snapshot]"),
        ("[tool", "pyproject.toml cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        of(tmp_path, text)

    assert str(error.value).startswith(str(tmp_path / "pyproject.toml"))
    assert sentence in str(error.value)
