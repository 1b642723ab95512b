"""What Flow's protocol asks of connectors: the rules of the protocol reference, section 13, by their numbers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["CAPTURE", "DERIVATION", "EVERY", "MATERIALIZATION", "PROMISES", "UNSEEN", "Grade", "Promise"]

CAPTURE = "capture"
DERIVATION = "derivation"
MATERIALIZATION = "materialization"
EVERY = (CAPTURE, DERIVATION, MATERIALIZATION)
"""The kinds of tasks, as the runner names them."""

_C, _D, _M = (CAPTURE,), (DERIVATION,), (MATERIALIZATION,)
_APPLYING = (CAPTURE, MATERIALIZATION)

Grade = str
"""`R`: a runtime refuses a breach. `P`: the protocol requires it. `A`: advisable; a breach is a warning."""


class Promise(msgspec.Struct, frozen=True):
    """One rule: its grade, in a sentence what every connector of these kinds keeps."""

    grade: Grade
    sentence: str
    kinds: tuple[str, ...] = EVERY


PROMISES: Mapping[int, Promise] = {
    1: Promise("R", "each line of stdout is one JSON object"),
    2: Promise("R", "nothing else is printed to stdout: no banner, no blank line"),
    3: Promise("R", "the last line of stdout ends with a newline"),
    4: Promise("R", "each message has one top-level member, which names a kind of response"),
    5: Promise("R", "messages have no members that the protocol does not know"),
    6: Promise("R", "no object has a key twice"),
    7: Promise("R", "no scalar member is null"),
    8: Promise("R", "JSON members hold JSON values, not text with JSON in it"),
    9: Promise("A", "members are spelled in camelCase"),
    10: Promise("P", "`$internal` is never set"),
    11: Promise("R", "indexes of bindings and transforms are in range"),
    12: Promise("R", "stdout is UTF-8, and has neither NaN nor Infinity"),
    13: Promise("P", "members of requests that are not known are ignored"),
    14: Promise("P", "members of requests that are omitted have their zero value"),
    15: Promise("R", "several requests to one process are answered in order"),
    16: Promise("R", "spec is answered without a config"),
    17: Promise("R", "spec says protocol 3032023"),
    18: Promise("R", "both schemas of spec are valid JSON Schemas"),
    19: Promise("A", "both schemas are of objects, and the config may have more members"),
    20: Promise("P", "spec has the URL of a documentation"),
    21: Promise("P", "pointers of the resource path locate properties of the resource config", _C),
    22: Promise(
        "P", "the resource config marks where the collection's name goes, and spec has no pointers", (*_D, *_M)
    ),
    23: Promise("A", "properties that look sensitive are text and marked as secret"),
    24: Promise("A", "properties have titles, descriptions, and what their kind needs in a form"),
    25: Promise("A", "with OAuth, the config requires `credentials`, and a branch names the provider"),
    26: Promise("P", "templates of OAuth are complete, balanced, and use known variables"),
    27: Promise("A", "spec is the same in every run"),
    28: Promise("R", "a unary request gets one response, of its kind"),
    29: Promise("R", "at the end of stdin a unary process ends with exit status 0, and says no more"),
    30: Promise("R", "a failure is a non-zero exit status, and the last log says why"),
    31: Promise("P", "a discovered binding has its name, resource config and schema", _C),
    32: Promise("P", "discovered resource configs are valid by their schema", _C),
    33: Promise("P", "discovered resource paths are unique, and not empty", _C),
    34: Promise("R", "discovered schemas are valid, and of objects", _C),
    35: Promise("R", "discovered keys locate integers, text or booleans that every document has", _C),
    36: Promise("A", "recommended names can be names of collections, and are unique", _C),
    37: Promise("A", "bindings are discovered in the same order in every run", _C),
    38: Promise("P", "`disable` and `isFallbackKey` of a discovered binding are booleans; only a key falls back", _C),
    39: Promise("R", "validate answers each binding that it is asked about, in order", _APPLYING),
    40: Promise("P", "validated resource paths are unique, not empty, and those of the pointers", _APPLYING),
    41: Promise("P", "validate refuses a config that cannot work, and says what is wrong"),
    42: Promise("P", "validate changes nothing, and takes an unknown, sealed spec of before"),
    43: Promise("P", "validate gives named constraints, with reasons, for fields that are there", _M),
    44: Promise("P", "validate answers each transform, and generates files at absolute URLs", _D),
    45: Promise("R", "apply can come again with the same spec", _APPLYING),
    46: Promise("R", "apply returns no more state after three rounds", _APPLYING),
    47: Promise("A", "apply says what it did, in 262,144 characters at most", _APPLYING),
    48: Promise("R", "opened is the first response to open"),
    49: Promise("R", "after opened come documents, sourced schemas, checkpoints and markers alone", _C),
    50: Promise("R", "each document is an object that is valid by the schema of its binding", _C),
    51: Promise("R", "each document has its key: integers, text, booleans or null", _C),
    52: Promise("R", "`_meta` of a document is an object, without `uuid`", _C),
    53: Promise("R", "a session that ends well ends with a checkpoint", _C),
    54: Promise("R", "the state of a checkpoint has `updated`, an object", _C),
    55: Promise("P", "`mergePatch` is a boolean, and the patches make a state that can be opened", _C),
    56: Promise("A", "a replaced state needs no null members", _C),
    57: Promise("P", "each state that was emitted resumes without a gap", _C),
    58: Promise("P", "states are kept by state key: unknown ones are left alone, a new one starts over", _C),
    59: Promise("P", "open works with an empty state, and with no bindings captures nothing", _C),
    60: Promise("P", "the order of bindings may change between sessions", _C),
    61: Promise("P", "a session goes on with a silent stdin, or takes counts of acknowledgements above 1", _C),
    62: Promise("P", "a session goes on where acknowledgements come late", _C),
    63: Promise("A", "documents have 16 MB at most, and sequences less than 512 MB", _C),
    64: Promise("R", "sourced schemas are valid, closed, and followed by a checkpoint", _C),
    65: Promise("P", "key ranges share the work: without overlap, and nothing is left out", _C),
    66: Promise("R", "only the first shard marks backfills, and completes none that it did not begin", _C),
    67: Promise("P", "a session may be stopped or killed at any time, and started again", _C),
    68: Promise("A", "a session without more to do ends well after a checkpoint, or stays quiet", _C),
    69: Promise("R", "each flush gets one flushed and each startCommit one startedCommit, in turn", _D),
    70: Promise("R", "documents of a transaction are published before its flushed, and none after", _D),
    71: Promise("P", "published documents are objects with their key, and reset forgets all state", _D),
    72: Promise("R", "a transaction gets one acknowledged, before anything is loaded or flushed", _M),
    73: Promise("R", "only what was asked for is loaded, once, as an object", _M),
    74: Promise("R", "each flush gets one flushed and each startCommit one startedCommit", _M),
    75: Promise("P", "the first acknowledge of a session may be repeated", _M),
    76: Promise("P", "keys and values are understood as JSON and as packed tuples", _M),
    77: Promise("P", "documents are inserted, updated and deleted, and delta updates load nothing", _M),
    78: Promise("P", "a checkpoint that the endpoint keeps comes back byte for byte, and fences older sessions", _M),
    79: Promise("P", "the end of stdin at the boundary of a transaction is a good end", _M),
    80: Promise("A", "each line of stderr is a JSON object with a level and a message"),
    81: Promise("R", "levels of logs are spelled as Flow spells them"),
    82: Promise("A", "messages of logs are text, fields an object, and times RFC 3339"),
    83: Promise("A", "logs name the events that Flow knows, and target no other task"),
    84: Promise("P", "no secret of the config comes back in logs or errors"),
    85: Promise("A", "LOG_LEVEL may be error, warn, info, debug or trace"),
    86: Promise("A", "stderr is UTF-8"),
    87: Promise("R", "the image has the labels of Flow's runtime"),
    88: Promise("R", "the image's entrypoint alone starts the connector, on linux/amd64"),
    89: Promise("R", "labels of ports speak of TCP ports that the image exposes"),
    90: Promise("P", "exit status 0 means that all went as intended"),
}
"""Every rule, by its number."""

UNSEEN: Mapping[int, str] = {
    38: "that a fallback key was made up: only the source's own documentation tells, so that the type alone is checked",
    42: "that validate changes nothing in a source: only what it answers a second time is compared",
    56: "what a connector reads out of its state: null members are looked for",
    57: "that nothing comes twice without need: many sources are read as a whole in every session",
    78: "fencing, for endpoints that only the case of the target suite can reach (`--target`)",
    88: "the limit of memory: it is the container engine's",
}
"""Parts of rules that a black box does not show, and why; of each rule the rest is checked."""
