from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from python.builder.worker import network
from tests.rest import rest_api

PUBLIC = {"private": False}


def refusal(address: str, policy: dict[str, Any] = PUBLIC) -> str | None:
    return network._refusal(address, network._Guard(policy)._rules)


@contextlib.contextmanager
def raw_server(answer: bytes | None) -> Iterator[str]:
    """A server that says `answer` to every connection, or, without one, nothing for as long as it is connected."""
    listener = socket.create_server(("127.0.0.1", 0))
    waiting: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                waiting.append(connection)
                connection.recv(65536)
                if answer is not None:
                    connection.sendall(answer)
                    connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in waiting:
            connection.close()
        thread.join()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254"),  # noqa: S104
        *("100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.0.192", "168.63.129.16", "100.100.100.200"),
        *("198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0"),
        *("fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b::169.254.169.254"),
        *("2002:7f00:1::", "::127.0.0.1", "2001::1", "ff02::1", "64:ff9b:1::1"),
    ],
)
def test_an_address_that_is_not_on_the_internet_is_refused(address: str) -> None:
    assert refusal(address)
    assert refusal(address, {"private": True}) is None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "100.128.0.1"])
def test_an_address_on_the_internet_is_allowed(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize(
    ("policy", "address", "allowed"),
    [
        ({"allow": ["10.1.0.0/16"]}, "10.1.2.3", True),
        ({"allow": ["10.1.0.0/16"]}, "10.2.2.3", False),
        ({"allow": ["10.1.0.0/16"], "deny": ["10.1.9.0/24"]}, "10.1.9.3", False),
        ({"allow": ["0.0.0.0/0"]}, "10.1.2.3", False),
        ({"allow": ["127.0.0.0/8"]}, "127.0.0.1", True),
        ({"allow": ["8.8.8.0/24"], "deny": ["8.8.8.0/24"]}, "8.8.8.8", False),
        ({"allow": ["8.8.8.0/24"], "deny": ["0.0.0.0/0", "::/0"]}, "8.8.8.8", True),
        ({"allow": ["8.8.8.0/24"], "deny": ["0.0.0.0/0", "::/0"]}, "9.9.9.9", False),
        ({"private": True, "deny": ["169.254.0.0/16"]}, "169.254.169.254", False),
        ({"private": True, "deny": ["169.254.0.0/16"]}, "::ffff:169.254.169.254", False),
    ],
)
def test_the_narrowest_network_decides(policy: dict[str, Any], address: str, allowed: bool) -> None:
    assert (refusal(address, policy) is None) == allowed


def test_a_request_to_a_refused_address_says_which_host_address_and_rule() -> None:
    with (
        rest_api({"users": []}) as api,
        network.enforce(PUBLIC),
        pytest.raises(network.PolicyError) as refused,
    ):
        requests.get(api.url.replace("127.0.0.1", "localhost") + "/users?k=1")  # noqa: S113 -- what is tested

    assert "localhost has the address 127.0.0.1" in str(refused.value)
    assert "127.0.0.0/8 is loopback" in str(refused.value)
    assert "/users?k=1" in str(refused.value)
    assert api.asked == []


def test_what_a_name_meant_before_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server first gives an address of the internet, and the metadata service's when it is connected."""
    answers = iter(["8.8.8.8", "169.254.169.254"])

    def getaddrinfo(host: str, *_: object, **__: object) -> list[Any]:
        address = next(answers) if host == "rebinding.test" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with network.enforce(PUBLIC):
        assert socket.getaddrinfo("rebinding.test", 80)[0][4][0] == "8.8.8.8"
        with pytest.raises(network.PolicyError, match=r"rebinding\.test has the address 169\.254\.169\.254"):
            requests.get("http://rebinding.test/")  # noqa: S113 -- what is tested


def test_a_redirect_to_a_refused_address_is_refused() -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    with (
        raw_server(redirect) as url,
        network.enforce({"allow": ["127.0.0.1/32"]}),
        pytest.raises(network.PolicyError, match=r"http://169\.254\.169\.254/latest/"),
    ):
        requests.get(url)  # noqa: S113 -- what is tested


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "0"])
def test_no_other_way_to_write_loopback_helps(host: str) -> None:
    with network.enforce(PUBLIC), pytest.raises(network.PolicyError):
        requests.get(f"http://{host}:9/")  # noqa: S113 -- what is tested


def test_plain_sockets_datagrams_and_local_sockets_obey_too() -> None:
    with network.enforce(PUBLIC):
        for family, kind, address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("localhost", 9)),
            (socket.AF_INET, socket.SOCK_STREAM, ("", 9)),
            (socket.AF_UNIX, socket.SOCK_STREAM, "/run/docker.sock"),
        ):
            with socket.socket(family, kind) as sock, pytest.raises(network.PolicyError):
                sock.connect(address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            with pytest.raises(network.PolicyError):
                sock.sendto(b"x", ("127.0.0.1", 9))
            with pytest.raises(network.PolicyError):
                sock.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))
            with pytest.raises(network.PolicyError):
                sock.connect_ex(("127.0.0.1", 9))


def test_what_the_policy_allows_is_answered() -> None:
    with rest_api({"users": [{"id": 1}]}) as api, network.enforce({"allow": ["127.0.0.1/32"]}):
        assert requests.get(f"{api.url}/users").json() == {"data": [{"id": 1}]}  # noqa: S113 -- what is tested
        assert network.last_request() is None


def test_without_a_policy_everything_may_be_reached() -> None:
    with rest_api({"users": []}) as api, network.enforce(None):
        assert requests.get(f"{api.url}/users").ok  # noqa: S113 -- what is tested


def test_leaving_takes_everything_back() -> None:
    before = (socket.getaddrinfo, socket.socket.connect, socket.socket.sendto, requests.Session.send)
    with network.enforce(PUBLIC):
        assert socket.socket.connect is not before[1]

    assert (socket.getaddrinfo, socket.socket.connect, socket.socket.sendto, requests.Session.send) == before
    assert "connect" not in vars(socket.socket)


@pytest.mark.parametrize("policy", [{"allow": ["everywhere"]}, {"deny": ["10.0.0.0/33"]}, {"deny": [None]}])
def test_a_policy_that_cannot_be_read_changes_nothing(policy: dict[str, Any]) -> None:
    before = socket.socket.connect
    with pytest.raises(network.PolicyError, match="no network like"):
        network.enforce(policy)

    assert socket.socket.connect == before


def test_a_silent_server_is_given_up_and_the_request_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_ANSWER_SECONDS", 0.05)
    with raw_server(None) as url, network.enforce(None):
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(f"{url}/slow", data="a=1", headers={"X-A": "b"})  # noqa: S113 -- what is tested
        asked = network.last_request()

    assert asked is not None
    assert (asked["http_method"], asked["url"], asked["body"]) == ("POST", f"{url}/slow", "a=1")
    assert asked["headers"]["X-A"] == "b"
    assert "ReadTimeout" in asked["error"]


def test_a_refused_connection_leaves_the_request_known() -> None:
    with network.enforce(None), pytest.raises(requests.exceptions.ConnectionError):
        requests.get("http://127.0.0.1:9/gone")  # noqa: S113 -- what is tested

    asked = network.last_request()
    assert asked is not None
    assert asked["url"] == "http://127.0.0.1:9/gone"
    assert "ConnectionError" in asked["error"]


def test_a_time_out_of_the_callers_own_stays() -> None:
    with raw_server(None) as url, network.enforce(None), pytest.raises(requests.exceptions.ReadTimeout, match=r"0\.05"):
        requests.get(url, timeout=0.05)


def test_a_request_that_keeps_failing_is_not_made_again() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with raw_server(busy) as url, network.enforce(None):
        assert [requests.get(url).status_code for _ in range(3)] == [503] * 3  # noqa: S113 -- what is tested
        with pytest.raises(network.AttemptsError, match="failed 3 times, and is not tried again: status 503"):
            requests.get(url)  # noqa: S113 -- what is tested
        assert requests.get(f"{url}/other").status_code == 503  # noqa: S113 -- what is tested
