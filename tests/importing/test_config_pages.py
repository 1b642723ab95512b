from __future__ import annotations

from typing import Any

from python.importing.config_pages import BEGIN, END, unnamed, with_tables

SPEC: dict[str, Any] = {
    "configSchema": {
        "type": "object",
        "required": ["host"],
        "properties": {
            "port": {"type": "integer", "default": 5432, "order": 1},
            "host": {"type": "string", "description": "The server's <b>name</b>.\nOr its | address.", "order": 0},
            "login": {
                "title": "Login",
                "oneOf": [
                    {"properties": {"kind": {"const": "token"}, "token": {"type": "string", "airbyte_secret": True}}},
                    {"properties": {"kind": {"const": "user"}, "user": {"type": ["null", "string"], "default": "me"}}},
                ],
            },
        },
    },
    "resourceConfigSchema": {"properties": {"table": {"type": "string", "title": "Table"}}, "required": ["table"]},
}
TABLES = f"""\
## Config

{BEGIN}

| config | type | meaning |
| --- | --- | --- |
| `host` | string | The server's name. Or its \\| address; required |
| `port` | integer | `5432` if not given |
| `login` | object | Login |
| `login.kind` | any |  |
| `login.token` | string | secret |
| `login.user` | string | `me` if not given |

| resource | type | meaning |
| --- | --- | --- |
| `table` | string | Table; required |

{END}
"""


def test_the_tables_say_what_the_spec_says() -> None:
    assert with_tables("# source-x\n", SPEC) == f"# source-x\n\n{TABLES}"


def test_tables_are_written_anew_where_they_stand() -> None:
    page = f"# source-x\n\n## Config\n\n{BEGIN}\n\nold\n\n{END}\n\n## More\n"

    assert with_tables(page, SPEC) == f"# source-x\n\n{TABLES}\n## More\n"
    assert with_tables(with_tables(page, SPEC), SPEC) == with_tables(page, SPEC)


def test_a_page_lacks_the_members_that_it_does_not_name() -> None:
    assert unnamed("Give it the `host`, a `port` and `login.token`.", SPEC) == [
        "login.kind",
        "login.user",
        "table",
    ]
    assert unnamed(TABLES, SPEC) == []


def test_a_connector_without_config_has_no_tables_to_lack() -> None:
    assert unnamed("", {"configSchema": {}, "resourceConfigSchema": {"type": "object"}}) == []
    assert unnamed("", {}) == []
