"""What is wrong with the interpolations of a manifest: syntax, names that are none, and ways into the config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from python.builder.manifests.cdk import Cdk
from python.builder.manifests.config_keys import ConfigKeys
from python.builder.manifests.documents import At
from python.builder.manifests.expressions import (
    BUILTIN_FILTERS,
    BUILTIN_GLOBALS,
    BUILTIN_TESTS,
    Chain,
    Expression,
    is_interpolated,
    parsed,
    texts,
)
from python.builder.manifests.findings import Finding, Severity, did_you_mean, finding, nearest, shown
from python.builder.worker.masking import MASK
from python.builder.worker.secret_values import is_secret_name

__all__ = ["Interpolations"]

_CONDITIONS = frozenset({"condition", "stop_condition", "predicate"})
_TRUTHS = frozenset({"", "true", "false"})
_GONE = {"stream_state": "stream_interval"}  # variables of older CDKs, and what took their place
_CONFIG_PATHS = ("_config_path", "configs_pointer", "authenticator_selection_path")  # fields that name ways into it

_Found = Iterator[tuple[Finding, str]]


class Interpolations:
    """The interpolations of one manifest, held against a CDK and a specification (None: not known).

    `has_code` says that custom components read the config, too.
    """

    def __init__(
        self, manifest: Mapping[str, Any], cdk: Cdk, keys: ConfigKeys | None, *, has_code: bool = False
    ) -> None:
        self._manifest = manifest
        self._cdk = cdk
        self._keys = keys
        self._used: set[str] = set()
        self._is_all_used = has_code  # which may use anything

    def found(self) -> _Found:
        """Yield what is wrong, with a word to point at; then the names of the specification that nothing uses."""
        for at, text in texts(self._manifest):
            if any(at[-1].endswith(path) or path in at for path in _CONFIG_PATHS) or _is_below_path(at):
                self._used.add(text)
            if is_interpolated(text):
                yield from self._of_text(at, text)
            elif at[-1] in _CONDITIONS and text.strip().lower() not in _TRUTHS:
                message = f"`{at[-1]}` is the text {shown(text)}, which is always true; want {{{{ {text.strip()} }}}}"
                yield finding("not-interpolated", at, message, severity=Severity.WARNING, got=text), ""
        yield from self._unused()

    def _of_text(self, at: At, text: str) -> _Found:
        expression = parsed(text)
        if expression.problem:
            line = f" (line {expression.line} of the text)" if expression.line > 1 else ""
            self._is_all_used = True  # for all that is known
            told = MASK if any(is_secret_name(name) for name in at) else text  # it may be the secret itself
            yield finding("interpolation-syntax", at, f"{shown(told)}: {expression.problem}{line}", got=told), ""
            return
        self._is_all_used |= "config" in expression.bare
        yield from self._names(at, expression)
        for chain in expression.chains:
            if chain.root == "config":
                self._used.add(chain.keys[0])
                yield from self._config(at, chain)

    def _names(self, at: At, expression: Expression) -> _Found:
        macros = self._cdk.macros | BUILTIN_GLOBALS
        kinds: tuple[tuple[str, frozenset[str], frozenset[str], frozenset[str]], ...] = (
            ("variable", expression.variables - expression.called, self._cdk.variables, macros),
            ("macro", expression.called, self._cdk.macros, macros | self._cdk.variables),
            ("filter", expression.filters, self._cdk.filters | BUILTIN_FILTERS, frozenset()),
            ("test", expression.tests, BUILTIN_TESTS, frozenset()),
        )
        for kind, used, known, allowed in kinds:
            for name in sorted(used - known - allowed):
                hint = f"; want {_GONE[name]}" if name in _GONE else did_you_mean(name, known)
                message = f"airbyte-cdk {self._cdk.version} has no {kind} `{name}`{hint}"
                near = _GONE.get(name) or nearest(name, known)
                yield finding(f"unknown-{kind}", at, message, got=name, want=tuple(sorted(known)), nearest=near), name

    def _config(self, at: At, chain: Chain) -> _Found:
        if self._keys is None or chain.keys[0].startswith("__"):
            return
        miss = self._keys.miss(chain.keys)
        if miss is None:
            return
        way = ".".join(("config", *chain.keys[: miss.step]))
        key = chain.keys[miss.step]
        severity = Severity.WARNING if chain.is_lenient else Severity.ERROR
        if miss.kind:
            rule, message = "flat-config", f"`{way}` is of the type {miss.kind} in the spec, and has no member `{key}`"
        else:
            rule = "unknown-config-key"
            message = f"the spec has no `{way}.{key}`{did_you_mean(key, miss.known)}"
        near = nearest(key, miss.known)
        yield finding(rule, at, message, severity=severity, got=key, want=miss.known, nearest=near), key

    def _unused(self) -> _Found:
        if self._keys is None or self._is_all_used:
            return
        used = self._used | set(_words(self._manifest.get("spec")))
        for name in self._keys.names:
            if name not in used:
                message = f"the spec asks for `{name}`, and nothing in the manifest uses it"
                at = ("spec", "connection_specification", "properties", name)
                yield finding("unused-config-key", at, message, severity=Severity.WARNING, got=name), ""


def _words(spec: object) -> Iterator[str]:
    """Yield the texts of a specification that are not of the inputs themselves: its rules name inputs, too."""
    waiting = [spec]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting.extend(value for name, value in each.items() if name != "connection_specification")
        elif isinstance(each, list):
            waiting.extend(each)


def _is_below_path(at: At) -> bool:
    """Whether a text is one of a list that names a way: an item of `…_path`."""
    return len(at) > 1 and at[-1].isdecimal() and at[-2].endswith(("_path", "pointer", "path"))
