"""Where a service is, and how to name it without giving its secrets away."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

import attrs

_PORTS = {"http": (80, False), "https": (443, True), "ws": (80, False), "wss": (443, True)}

MASK = "***"


class BadUrl(ValueError):
    """A URL that cannot be used, with the reason in one line."""


@attrs.frozen
class Endpoint:
    """A URL in the parts that a connection needs; its ``repr`` leaves the query out."""

    host: str
    port: int
    tls: bool
    path: str
    query: str = attrs.field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an http, https, ws or wss URL; raises `BadUrl`."""
        try:
            parts = urlsplit(url)
            port, tls = _PORTS[parts.scheme]
            port = parts.port or port
        except KeyError:
            raise BadUrl(f"{masked_url(url)}: must begin with http, https, ws or wss") from None
        except ValueError as error:
            raise BadUrl(f"{masked_url(url)}: {error}") from None
        if not parts.hostname:
            raise BadUrl(f"{masked_url(url)}: names no host")
        return cls(parts.hostname, port, tls, parts.path or "/", parts.query)

    @property
    def target(self) -> str:
        """Return path and query as a request line carries them."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def authority(self) -> str:
        """Return the value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.authority}{self.path}"


def masked_url(url: str) -> str:
    """Return ``url`` without user, password and query: keys travel in all three."""
    head = url.split("?", 1)[0].split("#", 1)[0]
    scheme, separator, rest = head.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else head


def without_secret(text: str, *secrets: str) -> str:
    """Return ``text`` with every secret in it replaced."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    return text
