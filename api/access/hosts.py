"""Which hosts and origins this server answers to. Decides only; reads raw header lists.

A page on another site can make a browser send requests here (CSRF), and can point its own name at this machine (DNS
rebinding). The first is told by `Origin`, exact to the port, the second by `Host`; both are compared as whole strings,
never parsed, since parsers disagree.
"""

import ipaddress
from collections.abc import Iterable, Sequence

Headers = Sequence[tuple[bytes, bytes]]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Hosts:
    """The exact values of `Host` and `Origin` that are ours."""

    def __init__(self, bind_host: str, port: int, names: Iterable[str] = ()) -> None:
        """`names`: further names people reach this server by, `name` (then with any port of ours) or `name:port`."""
        own = ["127.0.0.1", "localhost", "[::1]"]
        if not is_loopback(bind_host) and bind_host not in ("0.0.0.0", "::"):
            own.append(f"[{bind_host}]" if ":" in bind_host else bind_host)
        self._hosts = {f"{host}:{port}".encode() for host in own}
        if port == 80:
            self._hosts |= {host.encode() for host in own}
        for name in names:
            has_port = ":" in name.rpartition("]")[2]
            self._hosts |= {name.encode()} if has_port else {name.encode(), f"{name}:{port}".encode()}
        self._any_address = bind_host in ("0.0.0.0", "::")

    def is_ours(self, headers: Headers, local: tuple[str, int | None] | None) -> bool:
        """Is there exactly one `Host`, and is it ours? `local` is the address that the connection came in at.

        Bound to every address, the address a client used is ours as well: it is a number, so no name was rebound.
        """
        values = [value for name, value in headers if name == b"host"]
        if len(values) != 1:
            return False
        return values[0] in self._hosts or (self._any_address and values[0] == _as_host(local))

    def may_change(self, method: str, headers: Headers) -> bool:
        """May this request change state, as far as its origin goes? Its `Host` has been found to be ours.

        Without an `Origin` only a client that is no browser page may: it shows a bearer token. The path of the request
        has no say in it.
        """
        if method in SAFE_METHODS:
            return True
        origins = [value for name, value in headers if name == b"origin"]
        if not origins:
            return bearer_token(headers) is not None and not _is_cross_site(headers)
        host = next(value for name, value in headers if name == b"host")
        return len(origins) == 1 and origins[0] in (b"http://" + host, b"https://" + host)

    def may_read(self, headers: Headers) -> bool:
        """May this request read data? Browsers say when a foreign page asks; others do not lie about it."""
        return not _is_cross_site(headers)


def bearer_token(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer <token>`, where there is exactly one such header."""
    values = [value for name, value in headers if name == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def is_loopback(host: str) -> bool:
    """Is this the name or address of this machine alone?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_cross_site(headers: Headers) -> bool:
    sites = [value for name, value in headers if name == b"sec-fetch-site"]
    return any(site not in (b"same-origin", b"none") for site in sites)


def _as_host(local: tuple[str, int | None] | None) -> bytes | None:
    if local is None or local[1] is None:
        return None
    address = f"[{local[0]}]" if ":" in local[0] else local[0]
    return f"{address}:{local[1]}".encode()
