"""What a connector's snapshots leave out and how much they keep: `[tool.headwater.snapshot]` of its pyproject.toml."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping

import msgspec
import tomllib

from python.importing.snapshots import Json
from python.protocol.errors import HeadwaterError

__all__ = ["LINES", "SECONDS", "Settings", "SettingsError", "settings_of"]

LINES = 50
"""Lines of documents that are kept, and beyond them the first document of each collection that has none among them."""


SECONDS = 120.0
"""How long a capture may go on: those that follow a source do not end by themselves."""


class SettingsError(HeadwaterError):
    """A connector's settings cannot be read. Whoever wrote its pyproject.toml must act."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """How snapshots of a connector are taken and compared.

    `source` is the Flow spec to run, relative to the connector's folder; a spec of several captures makes a run of
    each. `config` is a merge patch of their configs: what they are run with where less data will do.

    `redact` are names of fields, or the ends of paths to them (`address.city`), whose values are not kept, beside those
    that never are; `keep` are exceptions, in the same form. A `*` in a name stands for any text, and such a name for
    values alone, not for objects and lists. `replace` maps regular expressions to what stands in the place of text
    that matches.

    Of the documents the first `lines` are kept, or with `each` so many of each collection. With `tolerant`, members of
    documents that the snapshot lacks are no difference. A capture that does not end by itself is asked to after
    `seconds`.
    """

    source: str = "test.flow.yaml"
    config: Mapping[str, Json] = {}
    redact: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    replace: Mapping[str, str] = {}
    lines: int = LINES
    each: int | None = None
    tolerant: bool = False
    seconds: float = SECONDS


def settings_of(folder: pathlib.Path) -> Settings:
    """Return the settings in `folder`, the defaults where it has none. Raises SettingsError, which names the member."""
    path = folder / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        table = project.get("tool", {}).get("headwater", {}).get("snapshot", {})
        settings = msgspec.convert(table, Settings)
        for expression in settings.replace:
            re.compile(expression)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except (msgspec.ValidationError, AttributeError) as error:
        raise SettingsError(f"{path}, [tool.headwater.snapshot]: {error}") from None
    except re.error as error:
        raise SettingsError(
            f"{path}, [tool.headwater.snapshot] replace: {error.pattern!r} is no regular expression: {error}"
        ) from None
    return settings
