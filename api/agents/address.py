"""Which addresses a provider may have, and how they are written down. Decides only; connects to nothing."""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from api.agents.provider import Kind
from api.domain.errors import BadRequest

_LONGEST = 2048
_ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/messages", "/models")


def check_address(text: str) -> str:
    """`text` as the base address of a provider: as `check_url` has it, without the name of an endpoint at its end."""
    return _without_endpoint(check_url(text))


def check_url(text: str, *, field: str = "base_url") -> str:
    """`text` as an address: http or https, a host, and nothing after its path.

    Loopback and private addresses are allowed: a server on one's own machine is the usual case.

    Raises:
        BadRequest: about `field`, with the code `bad_address` and a sentence that says what is wrong.
    """
    try:
        return _checked(text)
    except ValueError as error:
        raise BadRequest(str(error), code="bad_address", field=field) from None


def _checked(text: str) -> str:
    """Raises `ValueError` with a sentence."""
    if not isinstance(text, str) or not text.strip(" "):
        raise ValueError("An address is needed, for example http://localhost:11434/v1.")
    address = text.strip(" ")
    if len(address) > _LONGEST:
        raise ValueError(f"That address is longer than {_LONGEST} characters.")
    if re.search(r"[^\x21-\x7e]|[\\<>\"^`{|}]", address):
        raise ValueError("An address holds no spaces, line ends or special characters.")
    if not re.match(r"https?://", address, re.IGNORECASE):
        raise ValueError("An address begins with http:// or https://.")
    _check_parts(address)
    return address


def check_key(text: str) -> str:
    """`text` as a key, or an empty string.

    Raises:
        BadRequest: it holds what no header can carry.
    """
    key = text.strip()
    if len(key) > _LONGEST or re.search(r"[^\x21-\x7e]", key):
        message = "A key is one line of plain letters, digits and signs. Copy it again."
        raise BadRequest(message, code="bad_key", field="key")
    return key


def origin_of(address: str) -> tuple[str, str]:
    """Scheme and host with port, which decide who gets to see a key."""
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def with_version(address: str, kind: Kind) -> str:
    """`address`, with the `/v1` that nearly every compatible server has where no path is given at all."""
    has_path = urlsplit(address).path not in ("", "/")
    return address if has_path or not kind.startswith("openai") else f"{address.rstrip('/')}/v1"


def _check_parts(address: str) -> None:
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise ValueError("That address cannot be read.") from error
    if not host or port == 0:
        raise ValueError("That address names no machine.")
    if "@" in parts.netloc:
        raise ValueError("An address holds no user name or password. Put the key into its own field.")
    if parts.query or parts.fragment or "?" in address or "#" in address:
        raise ValueError("An address ends with its path: without ? and #.")
    if _is_link_local(host):
        raise ValueError("That address belongs to the machine's own network equipment, not to a server.")


def _is_link_local(host: str) -> bool:
    """Whether `host` is a number in the range where clouds keep their machines' credentials, however it is written."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(host))
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local


def _without_endpoint(address: str) -> str:
    address = address.rstrip("/")
    for endpoint in _ENDPOINTS:
        address = address.removesuffix(endpoint).rstrip("/")
    return address
