"""Models that are dataclasses, as airbyte-cdk has them from version 5 on."""

from __future__ import annotations

import dataclasses

__all__ = ["makes", "members"]


def makes(kind: type) -> bool:
    """Whether `kind` is a class of this generation's models."""
    return dataclasses.is_dataclass(kind)


def members(model: object) -> dict[str, object]:
    """Return the members of `model` by their names in the Airbyte protocol.

    A class that declares none is a state's: its members are whatever it holds. orjson drops those that start with an
    underscore, and the CDK's serializer refuses what it does not know, so neither is asked.
    """
    held = vars(model)
    declared = [field.name for field in dataclasses.fields(model)]  # type: ignore[arg-type]  # `makes` has said so
    if not declared:
        return dict(held)
    # `global_` stands for a name that Python reserves.
    return {name.rstrip("_"): held[name] for name in declared if held.get(name) is not None}
