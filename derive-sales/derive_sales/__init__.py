"""Purchases and revenue of each make: a derivation whose state and reductions work together. See README.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic import BaseModel

from derive_sales.documents import Document, FromProducts, FromPurchases
from python import derive
from python.protocol.flow import ConnectorState

__all__ = ["DeriveSales"]


class Config(BaseModel):
    """Nothing: a derivation has no endpoint."""


class Product(msgspec.Struct):
    """What is known of a product."""

    make: str
    price: float


class Known(msgspec.Struct):
    """The state: products by id; purchases that were counted, by id; and those whose product is not known yet."""

    products: dict[str, Product] = {}
    counted: dict[str, str] = {}
    waiting: dict[str, str] = {}


class DeriveSales(derive.Connector[Config, dict[str, Any], Known]):
    """Joins purchases with products. Each purchase is counted once, at the price its product had then.

    A document says what is to be added: the collection's schema sums them up by make.
    """

    documentation_url = "https://github.com/headwater/headwater/tree/main/derive-sales"

    def open(self, request: derive.Open[Config, dict[str, Any], Known]) -> None:
        """Nothing has changed yet."""
        del request
        self._changed: dict[str, dict[str, Any]] = {}

    @derive.transform("fromProducts")
    def from_products(self, product: FromProducts) -> Iterator[Document]:
        """Remember the product; purchases that waited for it are counted."""
        if product.make is None or product.price is None:
            return
        number = str(product.id)
        self._keep("products", number, Product(make=product.make, price=product.price))
        for purchase in [waiting for waiting, wanted in self.state.waiting.items() if wanted == number]:
            self._keep("waiting", purchase, None)
            yield self._count(purchase, number)

    @derive.transform("fromPurchases")
    def from_purchases(self, purchase: FromPurchases) -> Iterator[Document]:
        """Count the purchase, unless it was counted before, or its product is not known yet."""
        number, wanted = str(purchase.id), str(purchase.product_id)
        if purchase.purchased_at is None or number in self.state.counted:
            return
        if wanted in self.state.products:
            yield self._count(number, wanted)
        else:
            self._keep("waiting", number, wanted)

    def start_commit(self) -> ConnectorState | None:
        """Return what has changed alone: the state has an entry for each purchase."""
        changed, self._changed = self._changed, {}
        return derive.merge_patch(changed) if changed else None

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._changed = {}

    def _count(self, purchase: str, product: str) -> Document:
        self._keep("counted", purchase, product)
        sold = self.state.products[product]
        return Document(make=sold.make, purchases=1, revenue=sold.price)

    def _keep(self, member: str, key: str, value: Any) -> None:  # noqa: ANN401 -- each member has values of its own
        """Put `value` at `key` of a member of the state, or remove it; remember that for the commit."""
        entries = getattr(self.state, member)
        if value is None:
            del entries[key]
        else:
            entries[key] = value
        self._changed.setdefault(member, {})[key] = msgspec.to_builtins(value)
