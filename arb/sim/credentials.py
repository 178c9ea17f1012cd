"""Keys and certificates of the simulated servers' own, made fresh and written for one run."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PRIVATE_MODE = 0o600
HOST = "127.0.0.1"
_KEY_BITS = 2_048
_PUBLIC_EXPONENT = 65_537
_VALID = dt.timedelta(days=30)
# A machine whose clock is a little behind must not find the certificate not yet valid.
_VALID_BEFORE = dt.timedelta(days=1)


@attrs.frozen
class MemberKey:
    """The member's key: the public half for the exchange, the private half in a file."""

    public: rsa.RSAPublicKey
    path: Path


def make_member_key(folder: Path) -> MemberKey:
    """Make an RSA key and write its private half, readable by its owner alone."""
    key = rsa.generate_private_key(_PUBLIC_EXPONENT, _KEY_BITS)
    path = folder / "member.pem"
    _write_private(path, _pem(key))
    return MemberKey(key.public_key(), path)


def make_server_context(folder: Path, now: dt.datetime) -> tuple[ssl.SSLContext, Path]:
    """Make an authority and a certificate for loopback.

    Returns the server's context and the path of the authority's certificate, for clients to trust.
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("arb sim authority", authority_key, now=now)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("arb sim", key, issuer=(authority, authority_key), now=now)
    ca_path, chain_path = folder / "ca.pem", folder / "server.pem"
    ca_path.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    _write_private(chain_path, _pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain_path)
    # As the exchange does: whoever offers HTTP/2 gets it.
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context, ca_path


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    now: dt.datetime,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALID_BEFORE)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = key if issuer is None else issuer[1]
    if issuer is None:
        builder = builder.add_extension(_signing_usage(), critical=True)
    else:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    return builder.sign(signer, hashes.SHA256())


def _signing_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, data: bytes) -> None:
    # Created with its mode, so that it is at no moment readable by others.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
