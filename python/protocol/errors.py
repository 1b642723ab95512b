"""What can go wrong with values, sorted by who must act.

Every error is one sentence for a person. None of them needs a traceback: what only our own code can break is an
`assert` elsewhere.
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "ConnectorError",
    "DocumentError",
    "HeadwaterError",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
]


class HeadwaterError(Exception):
    """Base of every error that is told to a person as one sentence."""


class ConnectorError(HeadwaterError):
    """The connector cannot go on, for a reason its user can act on: credentials, permissions, a source that is gone."""


class ConfigError(ConnectorError):
    """A configuration value is not usable. Its user must act.

    `at` is a JSON pointer into the configuration, `got` the value that came (a `str` is shown quoted), `want` what
    would have been right, in words.
    """

    def __init__(self, *, at: str, got: object, want: str) -> None:
        super().__init__(f"config {at or '/'}: got {_shown(got)}, want {want}")
        self.at = at
        self.got = got
        self.want = want


class DocumentError(HeadwaterError):
    """A value cannot be written as JSON without loss. Whoever made the value must act.

    `at` is the JSON pointer of the value inside its document.
    """

    def __init__(self, *, at: str, problem: str) -> None:
        super().__init__(f"{at or '/'}: {problem}")
        self.at = at
        self.problem = problem


class ProtocolError(HeadwaterError):
    """A message is not legal. `rule` is its number in the conformance rules (protocol reference, section 13), or 0."""

    def __init__(self, sentence: str, *, rule: int = 0) -> None:
        super().__init__(f"{sentence} (rule {rule})" if rule else sentence)
        self.rule = rule


class LocalProtocolError(ProtocolError):
    """We were about to break the protocol: the code on this end must change."""


class RemoteProtocolError(ProtocolError):
    """The other end broke the protocol: the code on the other end must change."""


_SHOWN_CHARACTERS_MAX = 200  # enough to recognise a value, short enough for one line of log


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[:_SHOWN_CHARACTERS_MAX] + "…"
