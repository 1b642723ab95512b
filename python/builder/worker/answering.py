"""From what the CDK printed to what leaves the process: the contract's shape, hints added, secrets masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from . import channel, hints, inference, masking, network, progress, watching
from .execution import Printed
from .kinds import Json

__all__ = ["answer", "within"]

_STACK_LINES_MAX = 80  # the CDK's own stacks: 2 MB where a manifest breaks the component schema
_LINE_CHARACTERS_MAX = 400
_MESSAGE_CHARACTERS_MAX = 4000
_BEFORE_READING = ("Error handling request", "Error resolving manifest", "Error full resolving manifest")
_READING = re.compile(r"^Error reading stream with config=.*", re.DOTALL)
_OUT_OF_MEMORY = re.compile(r"\bMemoryError\b|Cannot allocate memory|can't start new thread")
_EXCEPTION = re.compile(r"^((?:\w+\.)*\w*(?:Error|Exception|Warning|Exit|Timeout)\w*)(?::|$)", re.MULTILINE)


def answer(job: Mapping[str, Json], printed: Printed, watch: watching.Watch, masker: masking.Masker) -> dict[str, Json]:
    """Return the fields of an `Outcome` for `job`, none of which has a secret."""
    reached: list[str] = list(watch.reached)
    failure = watch.failure or _failure_of(printed, job, began=watch.began)
    result = None if failure else (printed.record or {}).get("data")
    if result is not None and job["command"] == "test_read":
        result = _read(job, result, reached, masker.text)
        reached = result.pop("limits_reached")
    failure = _ended_by_limit(job, reached, result, failure) or failure
    by_place = job["command"] not in ("resolve_manifest", "full_resolve_manifest")
    return {
        "result": None if result is None else _masked(result, masker, by_place=by_place),
        "failure": None if failure is None else {key: _shortened(key, masker.text(v)) for key, v in failure.items()},
        "limits_reached": reached,
    }


def within(outcome: Mapping[str, Json], bytes_max: int) -> dict[str, Json]:
    """Return `outcome` without the last pages of a test read, so that it has at most `bytes_max` bytes, if it can.

    Its logs stay, tell of it, and `limits_reached` too. An outcome of other commands comes back as it is.
    """
    result = outcome["result"]
    if result is None or "slices" not in result:
        return dict(outcome)
    reached = list(dict.fromkeys([*outcome["limits_reached"], "result_bytes"]))
    logs = [log for log in _cut({"result_bytes": bytes_max}, reached) if log not in result["logs"]]
    slices = [{**each, "pages": list(each["pages"])} for each in result["slices"]]
    result = {**result, "slices": slices, "logs": [*result["logs"], *logs], "test_read_limit_reached": True}
    outcome = {**outcome, "result": result, "limits_reached": reached}
    over = len(channel.encode(outcome)) - bytes_max
    while over > 0 and slices:
        dropped = slices[-1]["pages"].pop() if slices[-1]["pages"] else slices.pop()
        over -= len(channel.encode(dropped))
    return outcome


def _masked(result: Mapping[str, Json], masker: masking.Masker, *, by_place: bool) -> dict[str, Json]:
    """Return `result` masked, but for the config that only its owner can keep: a refresh token that is used up."""
    update = {key: value for key, value in result.items() if key == "latest_config_update"}
    for config in update.values():
        masker.learn(config)
    return {**masker.mask({k: v for k, v in result.items() if k not in update}, by_place=by_place), **update}


def _failure_of(printed: Printed, job: Mapping[str, Json], *, began: bool) -> dict[str, str] | None:
    if printed.record is not None:
        return None
    if printed.error is None:
        return {"kind": "worker", "message": f"the CDK ended without an answer: {printed.died.strip()}"}
    error = {key: str(value or "") for key, value in printed.error.items()}
    message, internal, stack = error.get("message", ""), error.get("internal_message", ""), error.get("stack_trace", "")
    names = _EXCEPTION.findall(stack)
    of_manifest = message.startswith(_BEFORE_READING) and not began  # later, records that it cannot print
    kind = "manifest" if of_manifest or job["command"].endswith("manifest") else "source"
    return {
        "kind": "memory" if _OUT_OF_MEMORY.search(f"{message}\n{internal}\n{stack[-2000:]}") else kind,
        "message": _READING.sub(lambda _: f"Error reading stream: {internal}", message),
        "internal": internal,
        "exception": names[-1] if names else "",
        "stack": stack,
    }


def _ended_by_limit(
    job: Mapping[str, Json], reached: list[str], result: Mapping[str, Json] | None, failure: Mapping[str, str] | None
) -> dict[str, str] | None:
    """Return the failure that a limit is; what was read stands beside it."""
    limits = job["limits"]
    if failure is not None and failure["kind"] == "memory":
        reached.append("memory_bytes")
        return {**failure, "message": _memory_message(limits) + ": " + failure["message"]}
    if "seconds" in reached and (failure is None or failure["kind"] in ("manifest", "source", "worker")):
        return {"kind": "deadline", "message": f"the deadline of {limits['seconds']:g} seconds ended the job{_asked()}"}
    for log in (result or {}).get("logs", ()):
        told = f"{log.get('message')}\n{log.get('internal_message')}\n{(log.get('stacktrace') or '')[-2000:]}"
        if log.get("level") in ("ERROR", "FATAL") and _OUT_OF_MEMORY.search(told):
            reached.append("memory_bytes")
            return {"kind": "memory", "message": _memory_message(limits)}
    return None


def _memory_message(limits: Mapping[str, Json]) -> str:
    return f"the job needs more than its {limits['memory_bytes']} bytes of memory (limit memory_bytes)"


def _asked() -> str:
    """Return what was being asked when time was over."""
    last = network.last_request()
    return "" if last is None else f", while waiting for the answer to {last['http_method']} {last['url']}"


def _read(
    job: Mapping[str, Json], data: Mapping[str, Json], reached: list[str], mask: Callable[[str], str]
) -> dict[str, Json]:
    """Return the answer of a test read with `limits_reached`, from the CDK's own of any version."""
    limits = job["limits"]
    slices = [_slice(each) for each in data.get("slices") or []]
    records = [record for each in slices for page in each["pages"] for record in page["records"]]
    found = {
        "slices": len(slices) >= limits["slices"],
        "pages": max(_page_counts(slices), default=0) >= limits["pages"],
        "records": len(records) >= limits["records"],
    }
    reached = reached + [name for name, is_reached in found.items() if is_reached and name not in reached]
    result = {key: value for key, value in data.items() if value is not None}
    result.update(slices=slices, test_read_limit_reached=bool(reached), limits_reached=reached)
    result["logs"] = [*_logs(data), *_cut(limits, reached)]
    if records:
        keys = [[name] for name in (data.get("inferred_schema") or {}).get("required", [])]  # as the CDK finds them
        schema, formats = inference.inferred(records, keys)
        result.update(inferred_schema=schema, inferred_datetime_formats=formats)
    result["logs"] += hints.of(result, job["manifest"], job["stream"], mask)
    if set(reached) <= {"seconds"}:
        _show_unanswered(result)
    return result


def _page_counts(slices: Sequence[Mapping[str, Json]]) -> list[int]:
    """Return the pages of each slice. CDKs 1 to 5 show the later pages of a full refresh as slices of their own."""
    counts: list[int] = []
    for each in slices:
        descriptor = each["slice_descriptor"]
        if counts and isinstance(descriptor, Mapping) and list(descriptor) == ["next_page_token"]:
            counts[-1] += len(each["pages"])
        else:
            counts.append(len(each["pages"]))
    return counts


def _show_unanswered(result: dict[str, Json]) -> None:
    """Add the request that had no answer, as a page without a response: the CDK shows none."""
    last = network.last_request()
    if last is None:
        return
    error = last.pop("error") or "none came in time"
    told = {"level": "WARN", "message": f"{last['http_method']} {last['url']} had no answer: {error}"}
    result["logs"] = [*result["logs"], told]
    slices = result["slices"] or [{"pages": [], "slice_descriptor": {}, "state": [], "auxiliary_requests": []}]
    slices[-1]["pages"].append({"records": [], "request": last, "response": None})
    result["slices"] = slices


def _logs(data: Mapping[str, Json]) -> list[Json]:
    return [{key: value for key, value in log.items() if value is not None} for log in data.get("logs") or []]


def _cut(limits: Mapping[str, Json], reached: Sequence[str]) -> Iterator[dict[str, str]]:
    """Tell of a limit that cut pages: what is there looks whole."""
    if "result_bytes" in reached:
        bytes_max = limits["result_bytes"]
        message = f"the read ended where its result would have more than {bytes_max} bytes (limit result_bytes)"
        yield {"level": "WARN", "message": message}


def _slice(told: Mapping[str, Json]) -> dict[str, Json]:
    pages = [{**page, "records": list(page.get("records") or [])} for page in told.get("pages") or []]
    return {**told, "pages": pages, "slice_descriptor": progress.descriptor(told.get("slice_descriptor"))}


def _shortened(key: str, text: str) -> str:
    """Return a failure's field without what nobody reads: schemas in stacks, configs in messages."""
    if key != "stack":
        return text if len(text) <= _MESSAGE_CHARACTERS_MAX else text[:_MESSAGE_CHARACTERS_MAX] + " …"
    lines = [
        each if len(each) <= _LINE_CHARACTERS_MAX else each[:_LINE_CHARACTERS_MAX] + " …" for each in text.split("\n")
    ]
    return "\n".join(lines if len(lines) <= _STACK_LINES_MAX else ["…", *lines[-_STACK_LINES_MAX:]])
