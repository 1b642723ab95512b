"""Finding custom components in a manifest before any CDK sees it: those before 7.23.7 run whatever is named.

The worker refuses again where a class would be made by its name, whichever way the name came there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from python.builder.jobs import Failure, Job, Json, Kind

__all__ = ["custom_components", "refusal"]

_FREE_FORM = frozenset(  # what stands there is data of the API's or the form's, never a component
    (
        *("request_headers", "request_parameters", "request_body_json", "request_body_data"),
        *("schema", "connection_specification", "metadata"),
    )
)
_SHOWN_MAX = 5


def refusal(job: Job) -> Failure | None:
    """Return why `job` may not run where custom code is not allowed, None if it may."""
    found = sorted(custom_components(job.manifest))
    if job.components_py is not None:
        found.insert(0, "components.py")
    if not found:
        return None
    shown = ", ".join(found[:_SHOWN_MAX]) + (f" and {len(found) - _SHOWN_MAX} more" if len(found) > _SHOWN_MAX else "")
    message = (
        f"custom components are not allowed on this server: {shown}; "
        "start it with --allow-custom-code (AIRBYTE_ENABLE_UNSAFE_CODE=true) if you trust who can reach it"
    )
    return Failure(kind=Kind.CUSTOM_CODE, message=message, exception="AirbyteCustomCodeNotPermittedError")


def custom_components(value: Json) -> Iterator[str]:
    """Yield the pointers of components that name a class, or are of a custom type."""
    left: list[tuple[str, Json]] = [("", value)]
    while left:
        at, part = left.pop()
        if isinstance(part, Mapping):
            if _is_custom(part):
                yield at or "/"
            left += [(f"{at}/{key}", inner) for key, inner in part.items() if key not in _FREE_FORM]
        elif isinstance(part, list | tuple):
            left += [(f"{at}/{index}", inner) for index, inner in enumerate(part)]


def _is_custom(part: Mapping[str, Json]) -> bool:
    kind = part.get("type")
    return isinstance(part.get("class_name"), str) or (isinstance(kind, str) and kind.startswith("Custom"))
