"""A materialization with OAuth, which tests ask for its specification as a process."""

from __future__ import annotations

from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from python.protocol.flow import OAuth2
from tests.connectors import sqlite_shelf


class Consent(BaseModel):
    model_config = ConfigDict(json_schema_extra={"x-oauth2-provider": "shelves"})

    auth_type: Literal["oauth2"] = "oauth2"
    client_id: str = Field(json_schema_extra={"secret": True})
    client_secret: str = Field(json_schema_extra={"secret": True})
    refresh_token: str = Field(json_schema_extra={"secret": True})


class Token(BaseModel):
    auth_type: Literal["token"] = "token"
    token: str = Field(json_schema_extra={"secret": True})


class Config(BaseModel):
    account: str
    credentials: Consent | Token = Field(discriminator="auth_type")


class Connector(sqlite_shelf.Connector):
    config_schema = Config.model_json_schema()
    oauth2 = OAuth2(
        provider="shelves",
        auth_url_template=(
            "https://{{{ config.account }}}.example.com/authorize?client_id={{{ client_id }}}&state={{{ state }}}"
            "&redirect_uri={{#urlencode}}{{{ redirect_uri }}}{{/urlencode}}"
        ),
        access_token_url_template="https://{{{ config.account }}}.example.com/token",
        access_token_body='{"code":"{{{ code }}}","client_id":"{{{ client_id }}}","secret":"{{{ client_secret }}}"}',
        access_token_headers={"content-type": msgspec.Raw(b'"application/json"')},
        access_token_response_map={
            "refresh_token": msgspec.Raw(b'"/refresh_token"'),
            "expires_in": msgspec.Raw(b'"/expires_in"'),
            "expires_at": msgspec.Raw(b'"{{#now_plus}}{{ expires_in }}{{/now_plus}}"'),
        },
        refresh_token_url_template="https://{{{ config.account }}}.example.com/token",
        refresh_token_body='{"refresh_token":"{{{ refresh_token }}}","secret":"{{{ client_secret }}}"}',
    )


if __name__ == "__main__":
    Connector().main()
