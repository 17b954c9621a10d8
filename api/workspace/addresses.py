"""Which addresses a page may be fetched from: those of the internet, and none of this machine or the house it is in."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_TRANSLATED = IPv6Network("64:ff9b::/96")
_NEVER = tuple(map(IPv6Network, ("64:ff9b:1::/48", "2001::/32", "2002::/16", "::/96", "fec0::/10")))
"""Translation within a network, tunnels (Teredo, 6to4), and what was meant for IPv4 or one site long ago."""


def is_public(address: str) -> bool:
    """Whether this address, and each that is hidden in it, belongs to the internet."""
    try:
        return all(map(_is_public, _with_inner(ip_address(address))))
    except ValueError:  # with a zone, so of this link
        return False


def _with_inner(address: Address) -> Iterator[Address]:
    """The address, or for one that stands for an IPv4 address that one too."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    else:
        yield address
        if address in _TRANSLATED:
            yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if any(address in one for one in _NEVER):
            return False
        if address in _TRANSLATED:  # of the machine that translates; what it stands for is looked at by itself
            return True
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
