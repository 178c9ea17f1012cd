"""Who signed a request: verified RSA-PSS or Ed25519 over time, method and path.

The signed text is ``timestamp + METHOD + path`` with the path from the root and without its
query; the body is not signed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from arb.sim.exchange.refusals import Refusal, Refused

KEY_HEADER = "kalshi-access-key"
TIMESTAMP_HEADER = "kalshi-access-timestamp"
SIGNATURE_HEADER = "kalshi-access-signature"

# 10 s were accepted and 30 s refused on the real exchange; the exact edge is not known.
SKEW_MAX_MS = 20_000

PublicKey = RSAPublicKey | Ed25519PublicKey


@attrs.define
class KeyRing:
    """The keys that the exchange knows, and whose account each opens."""

    _keys: dict[str, tuple[PublicKey, str]] = attrs.field(factory=dict)

    def add(self, key_id: str, key: PublicKey, account: str) -> None:
        """Let a key act for an account."""
        self._keys[key_id] = (key, account)

    def account_of(self, headers: Mapping[str, str], method: str, path: str, wall_ms: int) -> str:
        """Return the account that signed a request; raises `Refused` with the recorded 401."""
        key_id, timestamp, signature = (
            _required(headers, name) for name in (KEY_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
        )
        if not timestamp.isdecimal() or abs(int(timestamp) - wall_ms) > SKEW_MAX_MS:
            raise _unauthorized("header_timestamp_expired")
        if key_id not in self._keys:
            raise _not_authenticated("NOT_FOUND")
        key, account = self._keys[key_id]
        if not _verified(key, signature, f"{timestamp}{method}{path}".encode()):
            raise _not_authenticated("INCORRECT_API_KEY_SIGNATURE")
        return account


def _verified(key: PublicKey, signature: str, text: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, Ed25519PublicKey):
            key.verify(raw, text)
        else:
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            key.verify(raw, text, pss, hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise _unauthorized(f"{name.rsplit('-', 1)[1]}_is_missing_from_headers")
    return value


def _unauthorized(code: str) -> Refused:
    return Refused(Refusal(401, code, code.replace("_", " ")))


def _not_authenticated(details: str) -> Refused:
    return Refused(Refusal(401, "authentication_error", "authentication_error", details))
