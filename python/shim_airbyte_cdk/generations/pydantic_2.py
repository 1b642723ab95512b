"""Models of pydantic 2, as airbyte-cdk has them from version 2 to 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["makes", "members"]


def makes(kind: type) -> bool:
    """Whether `kind` is a class of this generation's models."""
    return hasattr(kind, "model_fields")


def members(model: object) -> dict[str, object]:
    """Return the members of `model` by their names in the Airbyte protocol. pydantic 2 keeps undeclared ones apart."""
    fields: Mapping[str, Any] = type(model).model_fields  # type: ignore[attr-defined]  # `makes` has said so
    declared = {
        fields[name].alias or name: value for name, value in vars(model).items() if name in fields and value is not None
    }
    return {**declared, **(getattr(model, "__pydantic_extra__", None) or {})}
