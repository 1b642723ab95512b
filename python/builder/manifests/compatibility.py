"""Airbyte's compatibility guide as a report: what a manifest does, and whether an installed CDK does it by itself."""

from __future__ import annotations

import ast
import contextlib
import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from python.builder.manifests.cdk import Cdk
from python.builder.manifests.documents import Document
from python.builder.manifests.linting import Reading
from python.builder.manifests.nesting import nested
from python.builder.manifests.references import Node
from python.protocol import pointer

__all__ = ["Row", "Status", "as_json", "as_table", "class_names", "compatibility", "is_compatible"]

# The questions of the guide, and the components that answer them. A type that ends like one of these belongs to it.
_QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Retrieval", ("Retriever",)),
    ("Streams", ("DynamicDeclarativeStream", "StateDelegatingStream", "ConditionalStreams", "DeclarativeStream")),
    ("Authentication", ("Authenticator", "NoAuth")),
    ("Response format", ("Decoder",)),
    ("Records", ("Extractor", "RecordFilter", "Expander")),
    ("Pagination", ("PageIncrement", "OffsetIncrement", "CursorPagination", "NoPagination", "PaginationStrategy")),
    ("Request", ("Requester", "QueryProperties")),
    (
        "Request body",
        ("PlainText", "UrlEncodedForm", "RequestBodyJsonObject", "RequestBodyGraphQL", "RequestBodyGraphQlQuery"),
    ),
    ("Partitions", ("PartitionRouter",)),
    ("Incremental", ("Cursor", "IncrementalSync", "StateMigration")),
    ("Schema", ("SchemaLoader", "SchemaNormalization")),
    (
        "Transformations",
        ("AddFields", "RemoveFields", "Fields", "KeysToLower", "KeysToSnakeCase", "KeysReplace", "Transformation"),
    ),
    ("Errors", ("ErrorHandler", "BackoffStrategy", "WaitTimeFromHeader", "WaitUntilTimeFromHeader", "FromResponse")),
    ("Rates", ("CallRatePolicy", "HTTPAPIBudget")),
    ("Stream templates", ("ComponentsResolver",)),
)


class Status(enum.Enum):
    """Whether something works without code of the author's own."""

    BUILT_IN = "built in"
    CUSTOM = "custom code"
    MISSING = "not in this CDK"
    NESTED = "nested config"


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a manifest does: `what` answers `question`, `count` times, the first time at `at`."""

    question: str
    what: str
    status: Status
    at: str
    count: int = 1
    line: int | None = None
    note: str = ""


def compatibility(reading: Reading, cdk: Cdk, components: str | None) -> list[Row]:
    """Return what a manifest does, question by question, and what of that is not built in.

    `components` is the text of its components.py, which custom components are looked for in.
    """
    rows = [*_components(reading, cdk, components), *_missing(reading), *_nested(reading.document)]
    order = [question for question, _ in _QUESTIONS]
    return sorted(rows, key=lambda row: order.index(row.question) if row.question in order else len(order))


def is_compatible(rows: Sequence[Row]) -> bool:
    """Whether all is built in, so that any tool for manifests can take it."""
    return all(row.status is Status.BUILT_IN for row in rows)


def _components(reading: Reading, cdk: Cdk, components: str | None) -> Iterator[Row]:
    places: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    custom: dict[tuple[str, str], Node] = {}
    for kind, node in reading.components:
        question = _question(kind)
        if question is None:
            continue
        class_name = node.text("class_name") or ""
        key = (question, f"{kind} {class_name}".strip())
        places.setdefault(key, set()).add(node.at)
        if kind.startswith("Custom"):
            custom[key] = node
    for (question, what), found in places.items():
        at = min(found, key=lambda each: reading.document.place(each) or each)
        node_of = custom.get((question, what))
        yield Row(
            question=question,
            what=what,
            status=Status.CUSTOM if node_of else Status.BUILT_IN,
            at=pointer.join(at),
            count=len(found),
            line=_line(reading.document, at),
            note=_about_class(node_of, cdk, components) if node_of else "",
        )


def _question(kind: str) -> str | None:
    return next((question for question, ends in _QUESTIONS if kind.endswith(ends)), None)


def _about_class(node: Node, cdk: Cdk, components: str | None) -> str:
    module, _, name = (node.text("class_name") or "").rpartition(".")
    built_in = _instead_of(node.text("type") or "", cdk)
    hint = f"; built in are {', '.join(built_in)}" if built_in else ""
    if module.startswith("airbyte_cdk."):
        return f"the CDK's own class{hint}"
    if components is None:
        return f"there is no components.py beside the manifest{hint}"
    has = "has" if name in class_names(components) else "does not have"
    return f"components.py {has} the class {name}{hint}"


def class_names(source: str) -> frozenset[str]:
    """Return the names of the classes that Python text defines; none where it is no Python. Nothing is run."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        return frozenset(each.name for each in ast.parse(source).body if isinstance(each, ast.ClassDef))
    return frozenset()


def _instead_of(kind: str, cdk: Cdk) -> list[str]:
    """Return the components of the CDK that may stand where the custom one stands."""
    found: set[str] = set()
    waiting: list[Any] = list(cdk.definitions.values())
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            names = [str(branch.get("$ref", "")).rpartition("/")[2] for branch in each.get("anyOf", ()) or ()]
            found.update(names if kind in names else ())
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return sorted(name for name in found if name and not name.startswith("Custom"))


def _missing(reading: Reading) -> Iterator[Row]:
    for found, _ in reading.found:
        if found.rule == "unknown-component":
            line = _line(reading.document, pointer.parse(found.at))
            question = _question(str(found.got)) or "Other components"
            yield Row(
                question=question,
                what=str(found.got),
                status=Status.MISSING,
                at=found.at,
                line=line,
                note=found.message,
            )


def _nested(document: Document) -> Iterator[Row]:
    for each in sorted(nested(document.value), key=lambda each: document.place(each.at) or (0, 0)):
        yield Row(
            question="Config",
            what=".".join(("config", *each.keys)),
            status=Status.NESTED,
            at=pointer.join(each.at),
            line=_line(document, each.at),
            note=f"Airbyte's form has no nested inputs; import with --flatten-config makes it {each.flat}",
        )


def _line(document: Document, at: Sequence[str]) -> int | None:
    place = document.place(at)
    return place.line if place else None


def as_table(name: str, cdk_version: str, rows: Sequence[Row]) -> str:
    """Return the report for a person."""
    lines = [f"{name} and airbyte-cdk {cdk_version}"]
    for row in rows:
        times = f", {row.count} times" if row.count > 1 else ""
        place = f"line {row.line}" if row.line else row.at
        note = f": {row.note}" if row.note else ""
        lines.append(f"{row.question:<17} {row.status.value:<16} {row.what}{times} ({place}){note}")
    left = [row for row in rows if row.status is not Status.BUILT_IN]
    said = f"{len(left)} need{'s' * (len(left) == 1)} attention" if left else "all is built in"
    return "\n".join([*lines, f"{len(rows)} features, {said}"])


def as_json(name: str, cdk_version: str, rows: Sequence[Row]) -> str:
    """Return one JSON object with the rows."""
    return msgspec.json.encode({"file": name, "cdk_version": cdk_version, "features": rows}).decode()
