"""Names for what has no narrower type here."""

from __future__ import annotations

from typing import Any

__all__ = ["Foreign", "Json"]

Json = Any
"""Any JSON value, as plain Python values."""

Foreign = Any
"""An object of airbyte_cdk or of requests: its class differs between the versions that are served."""
