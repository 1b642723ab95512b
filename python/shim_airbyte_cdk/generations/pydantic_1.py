"""Models of pydantic 1, as airbyte-cdk has them up to version 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["makes", "members"]


def makes(kind: type) -> bool:
    """Whether `kind` is a class of this generation's models."""
    return hasattr(kind, "__fields_set__") and not hasattr(kind, "model_fields")


def members(model: object) -> dict[str, object]:
    """Return the members of `model` by their names in the Airbyte protocol. pydantic 1 keeps undeclared ones beside."""
    fields: Mapping[str, Any] = type(model).__fields__  # type: ignore[attr-defined]  # `makes` has said so
    return {
        fields[name].alias if name in fields else name: value
        for name, value in vars(model).items()
        if name not in fields or value is not None
    }
