"""A method for each transform: which one it is, and what its parameter's type makes of a document."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from python.derive_requests import Transform
from python.forms import form_of
from python.protocol import document
from python.protocol.errors import ConfigError, ConnectorError

__all__ = ["Reader", "document_of", "readers", "transform"]

Method = TypeVar("Method", bound=Callable[..., Any])
_MARK = "_headwater_transform"
_lossless = msgspec.json.Decoder(float_hook=document.number)


def transform(name: str, *, read_only: bool = False) -> Callable[[Method], Method]:
    """Mark the method that reads the documents of the transform `name`, and yields those it gives.

    Its one parameter is a document: a pydantic model, a msgspec Struct or a dataclass, or `dict`, whose numbers keep
    their digits. `read_only` promises that it neither uses nor changes the state.
    """

    def marked(method: Method) -> Method:
        setattr(method, _MARK, (name, read_only))
        return method

    return marked


class Reader(msgspec.Struct, frozen=True):
    """What reads the documents of a transform. Raises ConnectorError for one that does not fit the declared type."""

    name: str
    method: Callable[[Any], Iterable[Any] | None]
    kind: Any
    decode: Callable[[bytes], Any]
    read_only: bool = False

    def __call__(self, doc: msgspec.Raw) -> Iterable[Any]:
        """Return the documents that `doc` gives."""
        try:
            value = self.decode(bytes(doc))
        except ValueError as error:  # msgspec's and pydantic's errors are ValueErrors
            raise ConnectorError(
                f"transform {self.name}: a document is not what its method reads: {self._why(doc, error)}; "
                f"the document: {_shown(doc)}"
            ) from None
        return self.method(value) or ()

    def _why(self, doc: msgspec.Raw, error: ValueError) -> str:
        try:
            form_of(self.kind).read(doc)
        except ConfigError as refused:
            return f"{refused.at or '/'} is {refused.got!r}, want {refused.want}"
        return str(error)


def readers(connector: object, transforms: Sequence[Transform[Any]], reads_itself: bool) -> tuple[Reader, ...]:  # noqa: FBT001 -- one caller
    """Return the reader of each transform, in order. Raises ConfigError for one that has none.

    A connector that overrides `read` (`reads_itself`) needs no methods.
    """
    marked = {}
    for name, member in inspect.getmembers(type(connector), callable):
        if hasattr(member, _MARK):
            asked, read_only = getattr(member, _MARK)
            method = getattr(connector, name)
            kind = _declared(method)
            marked[asked] = Reader(asked, method, kind, _decoder(kind), read_only)
    if reads_itself:
        return tuple(marked.get(each.name, Reader(each.name, _nothing, dict, bytes)) for each in transforms)
    for each in transforms:
        if each.name not in marked:
            raise ConfigError(at=f"/transforms/{each.index}/name", got=each.name, want=_wanted(marked))
    return tuple(marked[each.name] for each in transforms)


def document_of(value: object) -> Mapping[str, object] | msgspec.Raw:
    """Return what an author yielded as a document. Members of a pydantic model that were never set are left out."""
    if hasattr(value, "model_dump_json"):
        return msgspec.Raw(value.model_dump_json(by_alias=True, exclude_unset=True).encode())
    if isinstance(value, (Mapping, msgspec.Raw)):
        return value
    if isinstance(value, (str, bytes, int, float, list, tuple)) or value is None:
        raise ConnectorError(f"a derivation yielded {value!r:.80}, want a document: a JSON object")
    return msgspec.Raw(msgspec.json.encode(value))


def _declared(method: Callable[..., Any]) -> Any:  # noqa: ANN401 -- a type or a typing form
    """Return the type of the method's one parameter; `dict` where it has no annotation."""
    parameters = list(inspect.signature(method).parameters)
    return typing.get_type_hints(method).get(parameters[0], dict) if parameters else dict


def _decoder(kind: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 -- a type or a typing form
    if hasattr(kind, "model_validate_json"):
        decode: Callable[[bytes], Any] = kind.model_validate_json
        return decode
    if kind is Any or getattr(kind, "__origin__", kind) in (dict, Mapping):
        return _lossless.decode
    return msgspec.json.Decoder(kind).decode


def _nothing(_value: object) -> Iterable[Any]:
    return ()


def _wanted(marked: Mapping[str, object]) -> str:
    return f"a transform that the connector has a method for: {', '.join(sorted(marked)) or 'it has none'}"


def _shown(doc: msgspec.Raw, characters_max: int = 200) -> str:
    text = bytes(doc).decode(errors="replace")
    return text if len(text) <= characters_max else text[:characters_max] + "…"
