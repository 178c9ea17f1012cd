"""Signatures of the exchange: who asks, when, and what for. The body is not signed.

The signed text is timestamp, method and path without the query, run together.
"""

from __future__ import annotations

import base64
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

Headers = tuple[tuple[str, str], ...]

KEY_HEADER = "KALSHI-ACCESS-KEY"
TIMESTAMP_HEADER = "KALSHI-ACCESS-TIMESTAMP"
SIGNATURE_HEADER = "KALSHI-ACCESS-SIGNATURE"

PASSPHRASE_VARIABLE = "ARB_KALSHI__PRIVATE_KEY_PASSPHRASE"  # noqa: S105 - a name, not a secret

# A PEM file of the largest RSA key in use has 13 kB.
KEY_FILE_BYTES_MAX = 65_536

# The exchange issues 2048 bits; less can be broken.
RSA_BITS_MIN = 2048

_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
_SHA256 = hashes.SHA256()


class KeyFileError(Exception):
    """A key that cannot be used: one line with what is wrong and what to do."""


class RequestSigner(Protocol):
    """Makes the headers that prove who sends a request."""

    def headers(self, method: str, path: str, wall_ms: int) -> Headers:
        """Return the three headers for a request; ``path`` may carry a query."""


class Signer:
    """One account's key. Nothing of the key is ever shown."""

    def __init__(self, key_id: str, kind: str, sign: Callable[[bytes], bytes]) -> None:
        self._key_id = key_id
        self._kind = kind
        self._sign = sign

    @property
    def is_quick(self) -> bool:
        """Say whether signing is cheap enough to do on the way to an order: 16 µs against 350."""
        return self._kind == "ed25519"

    def headers(self, method: str, path: str, wall_ms: int) -> Headers:
        """Return the three headers for a request; the query of ``path`` is not signed."""
        signed = f"{wall_ms}{method}{path.partition('?')[0]}".encode()
        return (
            (KEY_HEADER, self._key_id),
            (TIMESTAMP_HEADER, str(wall_ms)),
            (SIGNATURE_HEADER, base64.b64encode(self._sign(signed)).decode()),
        )

    def __repr__(self) -> str:
        return f"<Signer {self._kind}>"


def load_signer(key_id: str, private_key_path: Path, passphrase: str | None = None) -> Signer:
    """Load a PEM key, PKCS#1 or PKCS#8, RSA or Ed25519; raises `KeyFileError`.

    ``passphrase`` is what the environment holds for an encrypted key.
    """
    if not key_id or not (key_id.isascii() and key_id.isprintable()) or " " in key_id:
        raise KeyFileError("the API key id is empty or has signs that no key id has")
    key = _parse(private_key_path, _read(private_key_path), passphrase)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Signer(key_id, "ed25519", key.sign)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyFileError(f"{private_key_path}: neither an RSA nor an Ed25519 key")
    if key.key_size < RSA_BITS_MIN:
        raise KeyFileError(
            f"{private_key_path}: {key.key_size} bits, at least {RSA_BITS_MIN} needed"
        )
    rsa_key = key
    return Signer(key_id, "rsa", lambda text: rsa_key.sign(text, _PSS, _SHA256))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileError(
                    f"{path}: others can read the private key; run: chmod 600 {path}"
                )
            data = file.read(KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > KEY_FILE_BYTES_MAX:
        raise KeyFileError(f"{path}: too large for a private key")
    return data


def _parse(path: Path, data: bytes, passphrase: str | None) -> object:
    try:
        return _load(data, passphrase)
    except TypeError:
        raise KeyFileError(f"{path}: the key is encrypted; set {PASSPHRASE_VARIABLE}") from None
    except (ValueError, UnsupportedAlgorithm):
        # The library's text can name parts of the key, so it is not passed on.
        hint = f" (or {PASSPHRASE_VARIABLE} is wrong)" if b"ENCRYPTED" in data else ""
        raise KeyFileError(f"{path}: not a PEM private key that can be read{hint}") from None


def _load(data: bytes, passphrase: str | None) -> object:
    if passphrase and b"ENCRYPTED" in data:
        return load_pem_private_key(data, passphrase.encode())
    return load_pem_private_key(data, None)
