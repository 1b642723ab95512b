# ruff: noqa: INP001 -- docs is a folder of pages, and this its one script
"""Writes the pages of docs that are made from code; with `--check`, says which are out of date.

`protocol.md` is made from the tables of python/protocol, `metadata-schema.json` from the models of metadata.yaml,
`builder-openapi.json` from the builder's routes.

Usage: python docs/generate.py [--check]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from python.builder.server import describing
from python.protocol import capture, derive, materialize
from python.protocol.capture_session import CAPTURE
from python.protocol.derive_session import DERIVE
from python.protocol.materialize_session import ACKNOWLEDGEMENT, TRANSACTION
from python.protocol.session import Machine
from python.protocol.wire import FromRuntime
from python.registry.metadata import schema

FOLDER = Path(__file__).parent
PROTOCOLS = (
    ("Capture", capture, (("The conversation", CAPTURE),)),
    ("Derive", derive, (("The conversation", DERIVE),)),
    (
        "Materialize",
        materialize,
        (("The transaction", TRANSACTION), ("The acknowledgement, which runs beside it", ACKNOWLEDGEMENT)),
    ),
)
INTRODUCTION = """\
# The protocol as tables

This page is generated from `python/protocol/` by `python docs/generate.py`; do not edit it.

Each protocol is a conversation of the runtime, which asks, and a connector, which answers. A state says who is waited
for; the messages on the way to the next state go → to the connector or ← to the runtime. A message without a way out
of the current state breaks the protocol, and the error names the conformance rule in the last column. What a table
cannot say (bindings in range, counts of acknowledgements, loads and answers) stands as code beside it: `breach` in
`capture_session`, `derive_session` and `materialize_session`. The connector may end in the states marked *final*.
"""


def main() -> int:
    """Return 0 where the pages are (now) what the code says, 1 where `--check` finds one that is not."""
    pages = {FOLDER / name: make() for name, make in _PAGES.items()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stderr.write(f"docs/{path.name} is not what the code says: run `make docs` and commit the result\n")
        return int(bool(stale))
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
    return 0


def _protocol() -> str:
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield INTRODUCTION
    for title, module, machines in PROTOCOLS:
        yield f"## {title}\n"
        for heading, machine in machines:
            yield f"### {heading}\n"
            yield from _diagram(machine)
            yield from _table(machine)
        yield "### Messages\n"
        yield "| on the wire | type | from | meaning |\n| --- | --- | --- | --- |"
        for name, kind in (*module.REQUESTS.items(), *module.RESPONSES.items()):
            yield f"| `{name}` | `{kind.__name__}` | {_sender(kind)} | {_meaning(kind)} |"
        yield ""


def _diagram(machine: Machine) -> Iterator[str]:
    yield "```mermaid\nstateDiagram-v2"
    yield f"    [*] --> {machine.start.name}"
    for state, row in machine.transitions.items():
        arrows = defaultdict(list)
        for kind, after in row.items():
            arrows[after].append(f"{'→' if issubclass(kind, FromRuntime) else '←'} {kind.__name__}")
        for after, labels in arrows.items():
            yield f"    {state.name} --> {after.name}: {', '.join(labels)}"
    for state in machine.transitions:
        if state in machine.final:
            yield f"    {state.name} --> [*]"
    yield "```\n"


def _table(machine: Machine) -> Iterator[str]:
    yield "| state | meaning | message | from | leads to | rule |\n| --- | --- | --- | --- | --- | --- |"
    for state, row in machine.transitions.items():
        final = " *(final)*" if state in machine.final else ""
        for kind, after in row.items():
            cells = (f"`{kind.__name__}`", _sender(kind), after.name, str(machine.rules.get(kind, "")))
            yield f"| {state.name}{final} | {state.value} | {' | '.join(cells)} |"
    yield ""


def _sender(kind: type) -> str:
    return "runtime" if issubclass(kind, FromRuntime) else "connector"


def _meaning(kind: type) -> str:
    """Return the first sentence of the type's docstring."""
    text = " ".join((kind.__doc__ or "").split())
    return text.split(". ", maxsplit=1)[0].rstrip(".").replace("|", "\\|")


_PAGES: Mapping[str, Callable[[], str]] = {
    "protocol.md": _protocol,
    "metadata-schema.json": schema.text,
    "builder-openapi.json": describing.description,
}

if __name__ == "__main__":
    sys.exit(main())
