"""Documents of acmeCo/sales. Made by `headwater generate`: change the spec and make it again."""

from __future__ import annotations

from enum import Enum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Op(Enum):
    """
    Whether the document was created, updated or deleted; u where the source does not say.
    """

    c = "c"
    u = "u"
    d = "d"


class FieldMeta(BaseModel):
    """
    What is known of the document beside its content.
    """

    model_config = ConfigDict(
        extra="allow",
    )
    op: Op | None = None
    """
    Whether the document was created, updated or deleted; u where the source does not say.
    """
    row_id: int
    """
    The number of the document in its stream.
    """


class FromProducts(BaseModel):
    model_config = ConfigDict(
        extra="allow",
    )
    field_meta: FieldMeta | None = Field(None, alias="_meta")
    """
    What is known of the document beside its content.
    """
    id: int
    make: str | None = None
    model: str | None = None
    year: int | None = None
    price: float | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None


class FieldMeta1(BaseModel):
    """
    What is known of the document beside its content.
    """

    model_config = ConfigDict(
        extra="allow",
    )
    op: Op | None = None
    """
    Whether the document was created, updated or deleted; u where the source does not say.
    """
    row_id: int
    """
    The number of the document in its stream.
    """


class FromPurchases(BaseModel):
    model_config = ConfigDict(
        extra="allow",
    )
    field_meta: FieldMeta1 | None = Field(None, alias="_meta")
    """
    What is known of the document beside its content.
    """
    id: int
    user_id: int | None = None
    product_id: int | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    added_to_cart_at: AwareDatetime | None = None
    purchased_at: AwareDatetime | None = None
    returned_at: AwareDatetime | None = None


class Document(BaseModel):
    model_config = ConfigDict(
        extra="allow",
    )
    make: str
    """
    Who makes the products.
    """
    purchases: int
    """
    How many were bought.
    """
    revenue: float
    """
    What was paid for them.
    """
