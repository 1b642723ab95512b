"""Documents of acmeCo/contacts. Made by `headwater generate`: change the spec and make it again."""

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


class Address(BaseModel):
    model_config = ConfigDict(
        extra="allow",
    )
    street_number: str | None = None
    street_name: str | None = None
    city: str | None = None
    state: str | None = None
    province: str | None = None
    postal_code: str | None = None
    country_code: str | None = None


class FromUsers(BaseModel):
    model_config = ConfigDict(
        extra="allow",
    )
    field_meta: FieldMeta | None = Field(None, alias="_meta")
    """
    What is known of the document beside its content.
    """
    id: int
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    name: str | None = None
    title: str | None = None
    age: int | None = None
    email: str | None = None
    telephone: str | None = None
    gender: str | None = None
    language: str | None = None
    academic_degree: str | None = None
    nationality: str | None = None
    occupation: str | None = None
    height: str | None = None
    blood_type: str | None = None
    weight: int | None = None
    address: Address | None = None


class Document(BaseModel):
    model_config = ConfigDict(
        extra="allow",
    )
    id: int
    name: str | None = None
    email: str
    country: str | None = None
    """
    ISO 3166-1, two letters.
    """
