"""Requests and responses of the library requests, as JSON and back: what `recording` keeps and answers.

It runs inside of the interpreter that has airbyte-cdk: standard library and requests, Python 3.9.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import io
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from . import matching

__all__ = ["Send", "answer", "error_kept", "patch", "request_kept", "response_kept", "written"]

Send = Callable[[], Any]
"""Makes the request at hand, and returns its response."""

_BODY_BYTES_MAX = 64 * 1024 * 1024  # what is recorded is read by people, and held in memory
_WINDOW_BITS = {"gzip": 31, "deflate": 15}
_GZIP_MAGIC = b"\x1f\x8b"


def patch(undo: contextlib.ExitStack, exchanged: Callable[[Send, Any], Any]) -> None:
    """Let `exchanged(send, request)` give the response to every request, until `undo` is left.

    Adapters are patched, not sessions: redirects, cookies and hooks are then still made by requests, and every version
    of requests and of requests-cache comes by here.
    """
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 -- the CDK's own, imported with it

    original = HTTPAdapter.send

    def send(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as HTTPAdapter.send
        return exchanged(lambda: original(adapter, request, *args, **kwargs), request)

    HTTPAdapter.send = send  # type: ignore[assignment, method-assign] # patched, and taken back below
    undo.callback(setattr, HTTPAdapter, "send", original)


def request_kept(request: Any, masker: Any) -> dict[str, Any]:  # noqa: ANN401 -- of requests; a Masker or None
    """Return `request` as JSON, masked where there is a masker. A body that is a stream is not read."""
    body = request.body
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    kept = {"method": request.method, "url": request.url, "headers": _pairs_kept(request.headers.items())}
    return _masked({**kept, **_body_kept(data, None)}, masker)


def response_kept(response: Any, masker: Any) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401 -- of requests; a Masker
    """Return `response` as it came, and as JSON, masked. Its body has been read, and can be read again."""
    raw = response.raw
    data = raw.read(_BODY_BYTES_MAX + 1, decode_content=False)
    if len(data) > _BODY_BYTES_MAX:
        raise ValueError(f"{response.url}: an answer of more than {_BODY_BYTES_MAX >> 20} MiB is not recorded.")
    kept = {"status": response.status_code, "reason": response.reason, "headers": _pairs_kept(raw.headers.items())}
    packed = (raw.headers.get("Content-Encoding") or "").strip().lower() or None
    again = _raw(response.request, response.status_code, response.reason, raw.headers, data)
    again._original_response = getattr(raw, "_original_response", None)  # noqa: SLF001 -- cookies are read from it
    return _built(response.connection, response.request, again), _masked({**kept, **_body_kept(data, packed)}, masker)


def error_kept(error: Exception, masker: Any) -> dict[str, str]:  # noqa: ANN401 -- a Masker
    """Return why no answer came, as JSON."""
    return {"type": type(error).__name__, "message": masker.text(str(error))}


def written(kept: Mapping[str, Any]) -> str:
    """Return a kept request in the form that requests are compared in."""
    return matching.written(kept["method"], kept["url"], kept.get("body") or kept.get("body_base64"))


def answer(request: Any, exchange: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- of requests
    """Return the response that was kept, or raise the error that was."""
    import requests  # noqa: PLC0415 -- the CDK's own, imported with it

    if "error" in exchange:
        kind = getattr(requests.exceptions, exchange["error"]["type"], requests.exceptions.ConnectionError)
        raise kind(exchange["error"]["message"], request=request)
    kept = exchange["response"]
    data = _body_data(kept)
    headers: list[tuple[str, str]] = []
    message = http.client.HTTPMessage()
    for name, values in kept["headers"].items():
        for value in values if isinstance(values, list) else [values]:
            shown = str(len(data)) if name.lower() == "content-length" and request.method != "HEAD" else value
            headers.append((name, shown))
            message.add_header(name, shown)
    raw = _raw(request, kept["status"], kept.get("reason"), headers, data)
    raw._original_response = _Original(message)  # noqa: SLF001 -- requests reads cookies from it
    return _built(requests.adapters.HTTPAdapter(), request, raw)


class _Original:
    """What requests and urllib3 ask of the standard library's response."""

    def __init__(self, message: http.client.HTTPMessage) -> None:
        self.msg = message

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _raw(request: Any, status: int, reason: str | None, headers: Any, data: bytes) -> Any:  # noqa: ANN401 -- of requests
    from urllib3 import HTTPResponse  # noqa: PLC0415 -- see answer

    return HTTPResponse(
        body=io.BytesIO(data),
        headers=headers,
        status=status,
        reason=reason,
        request_method=request.method,
        preload_content=False,
        decode_content=False,
    )


def _built(adapter: Any, request: Any, raw: Any) -> Any:  # noqa: ANN401 -- of requests
    return adapter.build_response(request, raw)


def _pairs_kept(pairs: Any) -> dict[str, Any]:  # noqa: ANN401 -- pairs of texts or bytes
    kept: dict[str, Any] = {}
    for name, value in pairs:
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        kept[str(name)] = (
            [*([kept[name]] if isinstance(kept[name], str) else kept[name]), text] if name in kept else text
        )
    return kept


def _body_kept(data: bytes, packed: str | None) -> dict[str, Any]:
    """Return a body as text where it is text, unpacked where that is known to give it."""
    if not data:
        return {"body": None}
    packed = packed or ("gzip" if data.startswith(_GZIP_MAGIC) else None)
    if packed in _WINDOW_BITS:
        with contextlib.suppress(zlib.error, UnicodeDecodeError):
            unpacking = zlib.decompressobj(_WINDOW_BITS[packed])
            plain = unpacking.decompress(data, _BODY_BYTES_MAX)
            if unpacking.eof:
                return {"body": plain.decode(), "packed": packed}
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(data).decode()}


def _body_data(kept: Mapping[str, Any]) -> bytes:
    if kept.get("body_base64"):
        return base64.b64decode(kept["body_base64"])
    data = (kept.get("body") or "").encode()
    pack = {"gzip": lambda: gzip.compress(data, mtime=0), "deflate": lambda: zlib.compress(data)}.get(
        kept.get("packed", "")
    )
    return data if pack is None else pack()


def _masked(kept: dict[str, Any], masker: Any) -> dict[str, Any]:  # noqa: ANN401 -- a Masker or None
    """Return `kept` masked: a body of JSON stays JSON, also where a number is a secret."""
    if masker is None:
        return kept
    body = kept.get("body")
    masked: dict[str, Any] = masker.mask(kept)
    if body and masked["body"] != body:
        with contextlib.suppress(ValueError):
            masked["body"] = json.dumps(masker.mask(json.loads(body)), ensure_ascii=False)
    if "body_base64" in kept:
        bytes_text = base64.b64decode(kept["body_base64"]).decode("latin-1")
        masked["body_base64"] = base64.b64encode(masker.text(bytes_text).encode("latin-1")).decode()
    return masked
