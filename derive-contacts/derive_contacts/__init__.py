"""Contacts of grown-up users: a derivation without state. See README.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field

from derive_contacts.documents import Document, FromUsers
from python import derive

__all__ = ["DeriveContacts"]


class Config(BaseModel):
    """Nothing: a derivation has no endpoint. What varies is in the lambda of each transform."""


class Lambda(BaseModel):
    """The `lambda` of a transform."""

    min_age: int = Field(18, ge=0, alias="minAge", description="Users who are younger, in years, are left out.")


class DeriveContacts(derive.Connector[Config, Lambda, dict[str, Any]]):
    """Publishes a contact for each user who is old enough and can be written to."""

    documentation_url = "https://github.com/headwater/headwater/tree/main/derive-contacts"

    @derive.transform("fromUsers", read_only=True)
    def from_users(self, user: FromUsers) -> Iterator[Document]:
        """Read a user; who is too young, or has no address, gives nothing."""
        min_age = self.opened.transforms[0].lambda_config.min_age
        if user.email and user.age is not None and user.age >= min_age:
            yield Document(id=user.id, name=user.name, email=user.email, country=_country(user))


def _country(user: FromUsers) -> str | None:
    return user.address.country_code if user.address else None
