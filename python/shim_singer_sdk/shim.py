"""`CaptureShim`: an unchanged tap of the Singer SDK as a Flow capture."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from python import capture
from python.capture import Captured, Checkpoint, ConnectorError, DiscoveredBinding
from python.protocol.errors import HeadwaterError
from python.shell import logs
from python.shim_singer_sdk import catalog, taps
from python.shim_singer_sdk.emitting import STATE_SECONDS_MIN
from python.shim_singer_sdk.reading import Reading
from python.shim_singer_sdk.states import TaskState
from python.shim_singer_sdk.tap_capture import TapCapture
from python.shim_singer_sdk.taps import Delegate

__all__ = ["CaptureShim"]

_logger = logging.getLogger(__name__)


class CaptureShim(TapCapture):
    """A capture that reads from a tap of the Singer SDK, 0.33 or later, in this process.

    `delegate_factory` is the tap class, or a function `(config, catalog, state) -> Tap`, called anew for each request.
    `config_schema` is the endpoint config's, which a tap class has itself. `documentation_url` is where to read
    more.

    A sync is read to its end, once; Flow's runtime starts the next one. Child streams are captured if they are bound,
    whether their parents are or not.
    """

    state_seconds_min: ClassVar[float] = STATE_SECONDS_MIN

    def __init__(
        self,
        delegate_factory: Delegate,
        config_schema: Mapping[str, Any] | None = None,
        *,
        documentation_url: str = "",
    ) -> None:
        if config_schema is None and not isinstance(delegate_factory, type):
            raise TypeError("delegate_factory is no tap class: pass CaptureShim a config_schema, too")
        self._delegate = delegate_factory
        self._given_schema = config_schema
        self._documentation_url = documentation_url

    def discover(self, config: dict[str, Any]) -> Iterable[DiscoveredBinding]:
        """Return a binding for each of the tap's streams, children included."""
        with _asking("the tap cannot tell its streams"):
            entries = taps.discover(self._delegate, config)
        return tuple(catalog.bindings_of(entries))

    def validate(self, request: capture.Validate[dict[str, Any], dict[str, Any]]) -> None:
        """Return where a record of each stream can be read; raise ConfigError or ConnectorError where not."""
        self._check_resources(request.resources)
        with _asking("the tap cannot be read with this config"):
            taps.check(self._delegate, request.config, request.resources)

    def open(
        self, request: capture.Open[dict[str, Any], dict[str, Any], dict[str, Any]]
    ) -> Iterator[Captured | Checkpoint]:
        """Read the streams of this shard's key range once, each from where its bookmark says."""
        owned = self._owned(request)
        if not owned:
            return
        state = TaskState(request.state, owned)
        logs.status(f"Capture started: {len(owned)} streams")
        messages = taps.read(self._delegate, request.config, catalog.catalog_of(owned), state, self.state_seconds_min)
        yield from Reading(owned, state).run(messages)

    def _documentation(self) -> str:
        return self._documentation_url

    def _settings(self) -> Mapping[str, Any]:
        return self._given_schema or taps.config_schema_of(self._delegate)


@contextlib.contextmanager
def _asking(what: str) -> Iterator[None]:
    """Within, what a tap raises becomes one sentence for its user; its traceback is logged at debug."""
    try:
        yield
    except HeadwaterError:
        raise
    except Exception as error:
        _logger.debug("%s", what, exc_info=error)
        raise ConnectorError(f"{what}: {taps.reason(error)}") from error
