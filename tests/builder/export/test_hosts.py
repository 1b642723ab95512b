from __future__ import annotations

import pytest

from python.builder.export.hosts import hosts
from python.builder.manifests.references import Node
from tests.builder.export.made import MANIFEST, facts


def requester(url: str, **parameters: str) -> tuple[str, Node]:
    node = Node((), None)
    given = Node(("$parameters",), None)
    given.members = {name: Node((), value) for name, value in parameters.items()}
    node.members = {"url": Node(("url",), url), "$parameters": given}
    return "HttpRequester", node


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("https://api.example.com/v1/users?x=1", ["api.example.com"]),
        ("https://user:word@api.example.com:8443/", ["api.example.com"]),
        ("https://{{ config['shop'] }}.example.com", ["${shop}.example.com"]),
        ("https://{{ config.shop }}.example.com", ["${shop}.example.com"]),
        ("{{ config['url'] }}/v1", ["${url}"]),
        ("{{ config['url'].rstrip('/') }}/v1", ["${url}"]),
        ("https://{{ config['where']['host'] | lower }}/", ["${where.host}"]),
        ("https://{{ config.get('host', 'api.example.com') }}/", ["${host}", "api.example.com"]),
        ("https://{{ config['host'] or 'api.example.com' }}/", ["${host}", "api.example.com"]),
        ("https://{{ config['host'] | default('api.example.com') }}/", ["${host}", "api.example.com"]),
        ("https://{{ 'eu' if config['eu'] else 'us' }}.example.com", ["eu.example.com", "us.example.com"]),
        ("{% if config.eu %}https://eu.x.com{% else %}https://us.x.com{% endif %}/v1", ["eu.x.com", "us.x.com"]),
        ("https://{{ 'api.' ~ config['domain'] }}", ["api.${domain}"]),
        ("https://{{ parameters['zone'] }}.example.com", ["a.example.com"]),
        ("https://{{ stream_partition['host'] }}.example.com", ["*.example.com"]),
        ("{{ download_target }}", ["*"]),
        ("https://{{ broken", ["*"]),
        ("/users", []),
    ],
)
def test_of_an_address(url: str, want: list[str]) -> None:
    assert list(hosts([requester(url, zone="a")])) == want


def test_alternatives_that_multiply_are_any_host() -> None:
    many = "".join(f"{{{{ 'a' if config.a{n} else 'b' }}}}" for n in range(20))

    assert hosts([requester(f"https://{many}.example.com")]) == ("*",)


@pytest.mark.parametrize("member", ["url", "url_base"])
def test_requesters_of_both_spellings_count(member: str) -> None:
    assert facts(MANIFEST.replace("    url:", f"    {member}:")).hosts == ("${shop}.example.com",)


def test_so_do_those_of_logins_of_templates_and_of_tokens() -> None:
    login = (
        "{type: SessionTokenAuthenticator, login_requester: {type: HttpRequester, url: https://login.example.com}, "
        "session_token_path: [t], request_authentication: {type: Bearer}}"
    )
    token = (
        "{type: OAuthAuthenticator, token_refresh_endpoint: https://token.example.com/x, client_id: a, "
        "client_secret: b, refresh_token: c}"
    )
    bearer = "{type: BearerAuthenticator, api_token: \"{{ config['token'] }}\"}"
    template = """\
dynamic_streams:
  - type: DynamicDeclarativeStream
    components_resolver:
      type: HttpComponentsResolver
      retriever:
        type: SimpleRetriever
        requester: {type: HttpRequester, url: https://tables.example.com}
        record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
      components_mapping:
        - type: ComponentMappingDefinition
          field_path: [retriever, requester, url]
          value: "https://rows.example.com/{{ x }}"
    stream_template:
      type: DeclarativeStream
      name: any
      retriever:
        type: SimpleRetriever
        requester: {type: HttpRequester, url: https://data.example.com}
        record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
"""

    assert facts(MANIFEST.replace(bearer, login)).hosts == ("${shop}.example.com", "login.example.com")
    assert facts(MANIFEST.replace(bearer, token)).hosts == ("${shop}.example.com", "token.example.com")
    assert facts(MANIFEST + template).hosts == (
        "${shop}.example.com",
        "data.example.com",
        "rows.example.com",
        "tables.example.com",
    )
