"""Code that manifest.yaml names: airbyte-cdk looks it up under `source_declarative_manifest.components`."""  # noqa: INP001 -- a connector's folder is no package

from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.transformations import RecordTransformation


@dataclass
class Prices(RecordTransformation):
    """Makes a number and a currency of a price such as `EUR 12.50`, in place, as airbyte-cdk wants it."""

    def transform(self, record: dict[str, Any], *_: Any, **__: Any) -> None:  # noqa: ANN401 -- config and state, unused
        """Replace the text in `price`."""
        currency, _, amount = str(record["price"]).partition(" ")
        record["price"] = float(amount)
        record["currency"] = currency
