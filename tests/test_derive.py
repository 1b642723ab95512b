from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from python import derive
from python.protocol import derive as wire
from python.protocol.document import Number
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import CollectionSpec, Derivation, RangeSpec, Transform


class Config(BaseModel):
    step: int = 1


class Lambda(BaseModel):
    factor: int = 1


class Counts(msgspec.Struct):
    seen: dict[str, int] = {}
    last: str | None = None


class Word(BaseModel):
    text: str


class Counter(derive.Connector[Config, Lambda, Counts]):
    documentation_url = "https://example.com"

    @derive.transform("words")
    def from_words(self, word: Word) -> Iterator[dict[str, Any]]:
        count = self.state.seen.get(word.text, 0) + self.opened.transforms[0].lambda_config.factor
        self.state.seen[word.text] = count
        self.state.last = word.text
        yield {"text": word.text, "count": count}

    @derive.transform("stops", read_only=True)
    def from_stops(self, stop: dict) -> None:  # type: ignore[type-arg] # plain dicts are the point
        logging.getLogger("counter").info("a stop: %s", stop)


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def opening(*names: str, state: Any = None, lambdas: Any = None) -> wire.Open:
    transforms = tuple(
        Transform(name=name, collection=CollectionSpec(name=f"acme/{name}"), lambda_config=raw(lambdas))
        for name in names or ("words",)
    )
    collection = CollectionSpec(name="acme/counts", key=("/text",), derivation=Derivation(transforms=transforms))
    return wire.Open(collection=collection, version="1", state=raw(state or {}), range=RangeSpec(key_end=7))


def opened(connector: Any, *names: str, **members: Any) -> Any:
    assert list(connector.answer(opening(*names, **members))) == [wire.Opened()]
    return connector


def published(connector: Any, doc: object, transform: int = 0) -> list[Any]:
    return [
        json.loads(bytes(each.doc)) if isinstance(each.doc, msgspec.Raw) else each.doc
        for each in connector.answer(wire.Read(transform=transform, doc=raw(doc)))
    ]


def committed(connector: Any) -> Any:
    assert list(connector.answer(wire.Flush())) == [wire.Flushed()]
    (started,) = connector.answer(wire.StartCommit())
    return (json.loads(bytes(started.state.updated)), started.state.merge_patch) if started.state else None


def test_a_document_goes_to_the_method_of_its_transform() -> None:
    connector = opened(Counter(), "stops", "words")

    assert published(connector, {"text": "a"}, transform=1) == [{"text": "a", "count": 1}]
    assert published(connector, {"text": "a"}, transform=0) == []


def test_what_has_changed_in_the_state_commits_as_a_patch() -> None:
    connector = opened(Counter())
    published(connector, {"text": "a"})
    assert committed(connector) == ({"seen": {"a": 1}, "last": "a"}, True)
    published(connector, {"text": "b"})
    assert committed(connector) == ({"seen": {"b": 1}, "last": "b"}, True)
    connector.state.last = None
    assert committed(connector) == ({"last": None}, True)
    assert committed(connector) is None


def test_a_session_goes_on_from_its_state() -> None:
    connector = opened(Counter(), state={"seen": {"a": 4}})

    assert published(connector, {"text": "a"}) == [{"text": "a", "count": 5}]
    assert committed(connector) == ({"seen": {"a": 5}, "last": "a"}, True)


def test_newer_runtimes_are_given_the_state_when_they_flush() -> None:
    class Newer(Counter):
        state_in_flushed = True

    connector = opened(Newer())
    published(connector, {"text": "a"})
    (flushed,) = connector.answer(wire.Flush())

    assert json.loads(bytes(flushed.state.updated)) == {"seen": {"a": 1}, "last": "a"}
    assert list(connector.answer(wire.StartCommit())) == [wire.StartedCommit()]


def test_a_reset_forgets_everything() -> None:
    connector = opened(Counter(), state={"seen": {"a": 4}})
    assert list(connector.answer(wire.Reset())) == []

    assert published(connector, {"text": "a"}) == [{"text": "a", "count": 1}]
    assert committed(connector) == ({"seen": {"a": 1}, "last": "a"}, True)


def test_what_was_held_back_is_published_before_flushed() -> None:
    class Holding(derive.Connector[Config, Lambda, dict[str, Any]]):
        def open(self, request: Any) -> None:
            self.held: list[Any] = []

        @derive.transform("words")
        def from_words(self, word: Word) -> None:
            self.held.append(word)

        def flush(self) -> list[Any]:
            held, self.held = self.held, []
            return held

    connector = opened(Holding())
    assert published(connector, {"text": "a"}) == []
    assert list(connector.answer(wire.Flush())) == [wire.Published(doc=msgspec.Raw(b'{"text":"a"}')), wire.Flushed()]


def test_a_lambda_config_and_the_range_are_read_on_opening() -> None:
    connector = opened(Counter(), lambdas={"factor": 3})

    assert published(connector, {"text": "a"}) == [{"text": "a", "count": 3}]
    assert connector.opened.range.key_end == 7
    assert connector.opened.collection.key == ("/text",)


def test_numbers_of_plain_documents_keep_their_digits() -> None:
    class Passing(derive.Connector[Config, Lambda, dict[str, Any]]):
        @derive.transform("words")
        def from_words(self, doc: dict[str, Any]) -> Iterator[Any]:
            assert isinstance(doc["n"], Number)
            yield doc

    connector = opened(Passing())
    (answer,) = connector.answer(wire.Read(doc=msgspec.Raw(b'{"n":12345678901234567.8,"i":123456789012345678901}')))

    assert answer.doc["n"].text == "12345678901234567.8"
    assert answer.doc["i"] == 123456789012345678901


def test_a_document_of_another_type_is_an_error_that_shows_it() -> None:
    with pytest.raises(ConnectorError) as caught:
        published(opened(Counter()), {"txt": 1})

    assert str(caught.value) == (
        "transform words: a document is not what its method reads: /text is nothing, want a value: it is required; "
        'the document: {"txt":1}'
    )


@pytest.mark.parametrize("value", ["text", 5, None, ["a"]])
def test_what_is_no_document_is_refused(value: Any) -> None:
    class Wrong(derive.Connector[Config, Lambda, dict[str, Any]]):
        @derive.transform("words")
        def from_words(self, word: Word) -> list[Any]:
            return [value]

    with pytest.raises(ConnectorError, match="want a document: a JSON object"):
        published(opened(Wrong()), {"text": "a"})


def validating(*names: str, **members: Any) -> wire.Validate:
    transforms = tuple(wire.ValidateTransform(name=name, **members) for name in names)
    return wire.Validate(transforms=transforms)


def test_validating_tells_which_transforms_leave_the_state_alone() -> None:
    (validated,) = Counter().answer(validating("words", "stops"))

    assert validated == wire.Validated(
        transforms=(wire.ValidatedTransform(read_only=False), wire.ValidatedTransform(read_only=True))
    )


def test_a_transform_without_a_method_is_the_user_s_mistake() -> None:
    with pytest.raises(ConfigError, match=r"/transforms/1/name: got 'letters', want a transform .*: stops, words"):
        list(Counter().answer(validating("words", "letters")))


def test_a_bad_lambda_names_its_transform() -> None:
    with pytest.raises(ConfigError, match="config /transforms/0/lambda/factor: got 'x', want a valid integer"):
        list(Counter().answer(validating("words", lambda_config=raw({"factor": "x"}))))


def test_a_connector_that_reads_for_itself_needs_no_methods() -> None:
    class Itself(derive.Connector[Config, Lambda, dict[str, Any]]):
        def read(self, transform: derive.Transform[Lambda], read: wire.Read) -> Iterator[Any]:
            yield {"from": transform.name, "doc": json.loads(bytes(read.doc))}

    assert published(opened(Itself(), "any"), {"a": 1}) == [{"from": "any", "doc": {"a": 1}}]


def test_generated_files_are_passed_on() -> None:
    class Generating(Counter):
        def validate(self, request: Any) -> dict[str, str]:
            return {"file:///stub.py": f"# {len(request.transforms)} transforms"}

    (validated,) = Generating().answer(validating("words"))

    assert isinstance(validated, wire.Validated)
    assert validated.generated_files == {"file:///stub.py": "# 1 transforms"}


def test_a_state_that_cannot_be_read_says_what_to_do() -> None:
    with pytest.raises(ConnectorError, match=r"stored state cannot be read: /seen is 5.*raise the backfill counters"):
        list(Counter().answer(opening(state={"seen": 5})))


def test_a_collection_without_a_derivation_is_refused() -> None:
    with pytest.raises(ConnectorError, match="the collection acme/x has no derivation"):
        list(Counter().answer(wire.Open(collection=CollectionSpec(name="acme/x"))))
