"""What a test read may reach, how long it waits for an answer, and what it was asking when there was none.

A policy holds when a socket is connected, for the very address: what a name meant a moment before does not count, so a
name server that changes its answer (rebinding) gains nothing, and neither does a redirect. It holds for everything that
uses Python's sockets; it is no sandbox for custom code, which can start programs of its own.

It runs inside of the interpreter that has airbyte-cdk: standard library and requests, Python 3.9.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Union

__all__ = ["AttemptsError", "PolicyError", "enforce", "last_request"]

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 30  # a silent server is told of before a read's own deadline (60 s) ends it
_ATTEMPTS_MAX = 3  # of a request that fails; an authenticator of the CDK would try for five minutes
_HOSTS_MAX = 256  # names remembered to tell whose address was refused
_ADDRESS_FAMILIES = (socket.AF_INET, socket.AF_INET6)

_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]  # noqa: UP007 -- an alias is evaluated, on Python 3.9
_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]  # noqa: UP007 -- same

_PRIVATE = {
    "this host": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "link-local, where clouds keep metadata and credentials": ("169.254.0.0/16", "fe80::/10"),
    "a cloud's own service": ("168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128"),
    "shared by a carrier's customers": ("100.64.0.0/10",),
    "kept for protocols": ("192.0.0.0/24", "198.18.0.0/15", "64:ff9b:1::/48", "100::/64", "2001::/23"),
    "kept for documentation": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
    "multicast or reserved": ("224.0.0.0/4", "240.0.0.0/4", "ff00::/8"),
}
_EMBEDDING = {  # networks whose addresses stand for an IPv4 address, and the bits to the right of it
    "::ffff:0:0/96": 0,
    "::/96": 0,
    "64:ff9b::/96": 0,
    "2002::/16": 80,
}


class PolicyError(Exception):
    """A request was refused, or the policy cannot be read. No `OSError`: nobody should try again."""


class AttemptsError(Exception):
    """A request has failed too often. None of requests' errors: nobody should try again."""


class _Rule(NamedTuple):
    network: _Network
    allows: bool
    reason: str
    explicit: bool

    @property
    def weight(self) -> tuple[int, bool, bool]:
        """The narrowest network decides; of equals one that an operator wrote, and of those a refusal."""
        return self.network.prefixlen, self.explicit, not self.allows


class _Asking:
    """What this process is asking, and how often it failed."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.request: Any = None
        self.error = ""
        self.failures: dict[tuple[str, str, object], int] = {}
        self.hosts: dict[str, str] = {}


_ASKING = _Asking()


def enforce(policy: Mapping[str, Any] | None) -> contextlib.ExitStack:
    """From now on `policy` holds in this process, and every request made by requests ends.

    `policy` is `{"allow": [cidr], "deny": [cidr], "private": bool}`, or None for no rules. The narrowest network that
    an address is in decides; where none does, it is allowed. `private: false` refuses what is not on the internet:
    loopback, private, link-local and shared addresses, metadata services, and IPv4 addresses wrapped in IPv6; `allow`
    makes exceptions. Only these? `deny` `0.0.0.0/0` and `::/0`, and `allow` them.

    Requests without a time-out get one; one that failed three times is not made again. Leaving the result, a context
    manager, takes everything back; a forked child never does.
    """
    undo = contextlib.ExitStack()
    _ASKING.begin()
    if policy is not None:
        _guard_sockets(undo, _Guard(policy))
    _guard_requests(undo)
    return undo


def last_request() -> dict[str, Any] | None:
    """Return the request that waits for its answer or failed last, and why (`error`); None if the last was answered.

    Its other fields are those of a `request` in a result: `url`, `http_method`, `headers`, `body`. Mask them.
    """
    request = _ASKING.request
    if request is None:
        return None
    body = request.body
    return {
        "url": str(request.url),
        "http_method": str(request.method),
        "headers": {str(name): _text(value) for name, value in (request.headers or {}).items()},
        "body": _text(body) if isinstance(body, (str, bytes)) else None,
        "error": _ASKING.error,
    }


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _rules(policy: Mapping[str, Any]) -> Iterator[_Rule]:
    for name, allows in (("allow", True), ("deny", False)):
        for cidr in policy.get(name) or ():
            try:
                network = ipaddress.ip_network(cidr, strict=False)
            except ValueError as error:
                raise PolicyError(
                    f"Policy of outgoing requests, {name}: {cidr!r} is no network like 10.0.0.0/8."
                ) from error
            yield _Rule(network, allows, f"{network} is on the list of what is refused", explicit=True)
    if not policy.get("private", False):
        for reason, networks in _PRIVATE.items():
            for network_text in networks:
                yield _Rule(ipaddress.ip_network(network_text), allows=False, reason=reason, explicit=False)


def _refusal(address: str, rules: Sequence[_Rule]) -> str | None:
    """Return why `address` is refused, or None; `rules` stand with the one that decides first."""
    asked = ipaddress.ip_address(address.partition("%")[0])
    for each in _meanings(asked):
        rule = next((rule for rule in rules if each.version == rule.network.version and each in rule.network), None)
        if rule is not None and not rule.allows:
            return rule.reason if rule.explicit else f"{rule.network} is {rule.reason}"
    return None


def _meanings(address: _Address) -> Iterator[_Address]:
    """Yield `address`, and the IPv4 address that it stands for."""
    yield address
    for network, right in _EMBEDDING.items():
        inner = (int(address) >> right) & 0xFFFFFFFF
        if address.version == 6 and address in ipaddress.ip_network(network) and inner > 1:  # noqa: PLR2004 -- :: and ::1
            yield ipaddress.IPv4Address(inner)


class _Guard:
    """Says what an address is allowed to be, by the rules of one policy."""

    def __init__(self, policy: Mapping[str, Any]) -> None:
        self._rules = sorted(_rules(policy), key=lambda rule: rule.weight, reverse=True)
        self._local = bool(policy.get("private", False))
        self._resolve = socket.getaddrinfo

    def getaddrinfo(self, host: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as socket.getaddrinfo
        """Resolve, and remember whose addresses these are."""
        found = self._resolve(host, *args, **kwargs)
        if len(_ASKING.hosts) < _HOSTS_MAX:
            _ASKING.hosts.update({str(info[4][0]): _text(host) for info in found})
        return found

    def checked(self, sock: socket.socket, address: Any) -> Any:  # noqa: ANN401 -- whatever connect takes
        """Return `address` with its number in place of a name, or raise: the kernel is given what was looked at."""
        if sock.family not in _ADDRESS_FAMILIES:
            if self._local:
                return address
            raise PolicyError("A local socket may not be used here: outgoing requests go to the internet alone.")
        host = address[0] or "0.0.0.0"  # noqa: S104 -- what an empty one means
        numeric = self._resolve(host, address[1], sock.family, sock.type)[0][4]
        reason = _refusal(str(numeric[0]), self._rules)
        if reason is not None:
            raise PolicyError(_sentence(str(address[0]), str(numeric[0]), reason))
        return (*numeric[:2], *address[2:])


def _guard_sockets(undo: contextlib.ExitStack, guard: _Guard) -> None:
    def connect(original: Callable[..., Any], sock: socket.socket, address: Any) -> Any:  # noqa: ANN401 -- as connect
        return original(sock, guard.checked(sock, address))

    def send(original: Callable[..., Any], sock: socket.socket, *args: Any) -> Any:  # noqa: ANN401 -- as sendto
        if len(args) > 1 and isinstance(args[-1], tuple):
            args = (*args[:-1], guard.checked(sock, args[-1]))
        return original(sock, *args)

    _replace(undo, socket, "getaddrinfo", guard.getaddrinfo)
    for name, guarded in (("connect", connect), ("connect_ex", connect), ("sendto", send), ("sendmsg", send)):
        _replace(undo, socket.socket, name, _bound(guarded, getattr(socket.socket, name)))


def _sentence(asked: str, address: str, reason: str) -> str:
    host = _ASKING.hosts.get(address, asked)
    named = address if host == address else f"{host} has the address {address}, and that"
    wanted = f" It was wanted for {_ASKING.request.method} {_ASKING.request.url}." if _ASKING.request else ""
    return (
        f"{named} may not be reached from here: {reason}.{wanted}"
        " Who runs this server can allow it, in the policy of outgoing requests."
    )


def _guard_requests(undo: contextlib.ExitStack) -> None:
    import requests  # noqa: PLC0415 -- the CDK's own, imported with it

    def send(original: Callable[..., Any], session: Any, request: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as send
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = (_CONNECT_SECONDS, _ANSWER_SECONDS)
        body = request.body if isinstance(request.body, (str, bytes)) else None
        asked = (str(request.method), str(request.url), body)
        failed = _ASKING.failures.get(asked, 0)
        _ASKING.request = request
        if failed >= _ATTEMPTS_MAX:
            raise AttemptsError(
                f"{request.method} {request.url} failed {failed} times, and is not tried again: {_ASKING.error}"
            )
        try:
            response = original(session, request, **kwargs)
        except BaseException as error:
            _ASKING.error = f"{type(error).__name__}: {error}"
            _ASKING.failures[asked] = failed + 1
            raise
        _ASKING.request = None
        if (
            response.status_code == requests.codes.too_many_requests
            or response.status_code >= requests.codes.server_error
        ):
            _ASKING.error = f"status {response.status_code}"
            _ASKING.failures[asked] = failed + 1
        else:
            _ASKING.failures.pop(asked, None)
        return response

    _replace(undo, requests.Session, "send", _bound(send, requests.Session.send))


def _bound(guard: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `guard` as a method, which is given the original first."""

    def method(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- passed on
        return guard(original, *args, **kwargs)

    return method


def _replace(undo: contextlib.ExitStack, owner: Any, name: str, value: object) -> None:  # noqa: ANN401 -- a module or class
    own = vars(owner).get(name)
    setattr(owner, name, value)
    undo.callback(delattr if own is None else setattr, owner, name, *([] if own is None else [own]))
