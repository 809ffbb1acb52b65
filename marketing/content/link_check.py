"""Whether a link works: asks its host, without letting anybody look into our own network.

Authors write the links, so that each address asked, a redirect's too, must be a public one; the
connection goes to the very address that was judged. Nothing of an answer is read but its head.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urljoin, urlsplit

TIMEOUT = 5.0
REDIRECTS = 5
PORTS = {"http": 80, "https": 443}
# All that is given out of IPv6. Elsewhere gateways and old spellings put addresses of the older
# kind, private ones too.
OPEN_IPV6 = ipaddress.IPv6Network("2000::/3")
USER_AGENT = "Mozilla/5.0 (compatible; Parlour link check)"
# What servers answer that do not know HEAD, or do not like it.
HEAD_REFUSED = {400, 403, 404, 405, 501, 503}


class Outcome(StrEnum):
    WORKS = "works"
    REDIRECTS = "redirects"
    MISSING = "missing"
    FAILS = "fails"
    UNREACHABLE = "unreachable"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class Finding:
    """`status` is the last answer's, 0 without one; `leads_to` the last address of redirects."""

    outcome: Outcome
    status: int = 0
    leads_to: str = ""


class _NotAllowed(Exception):
    """The address is none that we would ask."""


MayAsk = Callable[[str, int], bool]


def is_public(address: str, port: int) -> bool:
    """Whether a link may lead to this numeric address: in the open internet, at a web port."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (inner := ip.ipv4_mapped or ip.sixtofour):
        ip = inner
    if isinstance(ip, ipaddress.IPv6Address) and ip not in OPEN_IPV6:
        return False
    return ip.is_global and not ip.is_multicast and port in PORTS.values()


def check(link: str, *, may_ask: MayAsk = is_public) -> Finding:
    """Ask for a link and follow it; at most a few requests of a few seconds each."""
    address, status = link, 0
    try:
        for _hop in range(REDIRECTS + 1):
            status, location = _ask(address, may_ask)
            if not (status in (301, 302, 303, 307, 308) and location):
                return _judged(link, address, status)
            address = urljoin(address, location)
    except (_NotAllowed, UnicodeError, ValueError):
        return Finding(Outcome.NOT_ASKED)
    except (OSError, http.client.HTTPException):
        return Finding(Outcome.UNREACHABLE)
    # It goes round and round.
    return Finding(Outcome.FAILS, status, address)


def _judged(link: str, address: str, status: int) -> Finding:
    leads_to = "" if address == link else address
    if status in (404, 410):
        return Finding(Outcome.MISSING, status, leads_to)
    if not 200 <= status < 300:
        return Finding(Outcome.FAILS, status, leads_to)
    return Finding(Outcome.REDIRECTS if leads_to else Outcome.WORKS, status, leads_to)


def _ask(address: str, may_ask: MayAsk) -> tuple[int, str]:
    status, location = _request("HEAD", address, may_ask)
    if status in HEAD_REFUSED:
        return _request("GET", address, may_ask)
    return status, location


def _request(method: str, address: str, may_ask: MayAsk) -> tuple[int, str]:
    parts = urlsplit(address)
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        raise _NotAllowed
    port = parts.port or PORTS[parts.scheme]
    connection = _connection(parts, port, _resolved(parts.hostname, port, may_ask))
    try:
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request(
            method,
            _ascii(path if path.startswith("/") else f"/{path}"),
            headers={"User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close"},
        )
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


def _resolved(host: str, port: int, may_ask: MayAsk) -> str:
    """One numeric address of the host. Refused when any of them is not allowed."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not addresses or not all(may_ask(address, port) for address in addresses):
        raise _NotAllowed
    return addresses[0]


def _connection(parts: SplitResult, port: int, address: str) -> http.client.HTTPConnection:
    """To the address that was judged: asking the name again might give another."""
    host = str(parts.hostname)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    sock = socket.create_connection((address, port), timeout=TIMEOUT)
    if parts.scheme == "https":
        try:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
    connection.sock = sock
    return connection


def _ascii(path: str) -> str:
    """The path as it travels: letters beyond ASCII and spaces by their numbers."""
    return "".join(
        each if "!" <= each <= "~" else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in path
    )
