"""Who may connect. Wyoming has no authentication, so a service serves private networks alone."""

import ipaddress
from collections.abc import Sequence

from wyoming_common.errors import ConfigError

PRIVATE_NETWORKS = (
    "127.0.0.0/8",  # loopback, RFC 1122
    "::1/128",
    "10.0.0.0/8",  # private, RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",  # unique local, RFC 4193
    "169.254.0.0/16",  # link-local, RFC 3927 and 4291
    "fe80::/10",
)
"""Loopback, private and link-local addresses, IPv4 and IPv6."""


class Access:
    """Decides by address whether a client may connect. Raises ConfigError for a bad network."""

    def __init__(self, networks: Sequence[str] = PRIVATE_NETWORKS) -> None:
        try:
            self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]
        except ValueError as err:
            raise ConfigError(f"allow: expected networks such as 192.168.0.0/16; {err}") from err

    def allows(self, address: str) -> bool:
        """Whether a client at `address` may connect; "" is a unix socket, whose mode decides."""
        if not address:
            return True
        ip = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._networks)


def is_local(address: str) -> bool:
    """Whether a client at `address` is on this machine; "" is a unix socket."""
    return not address or ipaddress.ip_address(address.partition("%")[0]).is_loopback
