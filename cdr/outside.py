"""Calls to addresses that others chose, of machines outside this network only.

A name is looked up when it is called; every address that it has must be public, and the call goes to one that
was looked at. What a name server answers a moment later, or whether a number is written in octal, makes no
difference then.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressInside(httpx.ConnectError):
    """The name has an address inside this network, or none."""


class OutsideTransport(httpx.AsyncBaseTransport):
    """Sends requests to public addresses; ``this_machine_too`` for a developer's receiver.

    For one host: a connection is used again by address, and its certificate was checked for that host.
    """

    def __init__(self, *, this_machine_too: bool, verify: ssl.SSLContext | bool = True) -> None:
        self._this_machine_too = this_machine_too
        self._inner = httpx.AsyncHTTPTransport(verify=verify)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send to the first address that takes the connection. Raises AddressInside, httpx.HTTPError."""
        host = request.url.raw_host.decode("ascii")
        if self._this_machine_too and is_this_machine(host):
            return await self._inner.handle_async_request(request)
        failure: httpx.HTTPError = AddressInside("no address")
        for address in await _public_addresses(host, request.url.port):
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._inner.aclose()


def is_this_machine(host: str) -> bool:
    """Is this how a developer names the own machine?"""
    return host in _THIS_MACHINE


def names_inside(host: str) -> bool:
    """Does a host say by itself that it is not public? What a name stands for is asked when it is called."""
    host = host.rstrip(".")
    address = _written(host)
    if address is not None:
        return not is_public(address)
    return host == "localhost" or host.endswith(".localhost")


def is_public(address: Address) -> bool:
    """Can the address be reached from anywhere, also the one that it carries for a gateway?"""
    carried = _carried(address)
    return all(one.is_global and not one.is_multicast for one in (address, carried) if one is not None)


def _written(host: str) -> Address | None:
    """The address that a host is written as, in any form that the system's look-up reads: 0x7f.1 too."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


async def _public_addresses(host: str, port: int | None) -> Sequence[Address]:
    """Raises AddressInside if one of them is not public, httpx.ConnectError if the name is unknown."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not all(map(is_public, addresses)):
        raise AddressInside("an address inside this network")
    return list(dict.fromkeys(addresses))


def _pinned(request: httpx.Request, host: str, address: Address) -> httpx.Request:
    """The request to one address; its header Host and the certificate that is asked for stay the name's."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )
