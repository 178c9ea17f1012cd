"""Keys made for tests, and the exchange's side of checking a signature."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

PKCS1 = serialization.PrivateFormat.TraditionalOpenSSL
PKCS8 = serialization.PrivateFormat.PKCS8


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return one RSA key for all tests: making one takes a tenth of a second."""
    return rsa.generate_private_key(65537, bits)


def write_key(
    path: Path,
    key: Key,
    form: serialization.PrivateFormat = PKCS8,
    passphrase: str | None = None,
    mode: int = 0o600,
) -> Path:
    """Write a key as PEM."""
    lock = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, lock))
    path.chmod(mode)
    return path


def verify_rsa(key: rsa.RSAPrivateKey, signature: str, text: str) -> None:
    """Check a signature as the exchange does; raises `InvalidSignature`."""
    key.public_key().verify(
        base64.b64decode(signature, validate=True),
        text.encode(),
        padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
        hashes.SHA256(),
    )


class PlainSigner:
    """A signer whose signatures say what they sign."""

    def headers(self, method: str, path: str, wall_ms: int) -> tuple[tuple[str, str], ...]:
        """Return one header with everything in it."""
        return (("KALSHI-ACCESS-SIGNATURE", f"{wall_ms}|{method}|{path.partition('?')[0]}"),)
