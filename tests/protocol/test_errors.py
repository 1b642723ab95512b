from __future__ import annotations

from python.protocol.errors import ConfigError, ConnectorError, DocumentError, HeadwaterError, RemoteProtocolError


def test_a_config_error_says_where_what_came_and_what_is_wanted() -> None:
    error = ConfigError(at="/interval", got="no", want="whole seconds, 1 or more")

    assert str(error) == "config /interval: got 'no', want whole seconds, 1 or more"
    assert (error.at, error.got, error.want) == ("/interval", "no", "whole seconds, 1 or more")
    assert isinstance(error, ConnectorError)


def test_the_root_of_a_config_is_called_slash() -> None:
    assert str(ConfigError(at="", got=None, want="an object")) == "config /: got None, want an object"


def test_a_long_value_is_cut() -> None:
    assert len(str(ConfigError(at="/a", got="x" * 10_000, want="less"))) < 250


def test_a_document_error_names_the_place() -> None:
    assert str(DocumentError(at="/a/0", problem="is not JSON")) == "/a/0: is not JSON"
    assert str(DocumentError(at="", problem="is not JSON")) == "/: is not JSON"


def test_a_protocol_error_names_its_rule_where_it_has_one() -> None:
    assert str(RemoteProtocolError("no", rule=4)) == "no (rule 4)"
    assert str(RemoteProtocolError("no")) == "no"
    assert issubclass(RemoteProtocolError, HeadwaterError)
