"""Keys and signatures."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from arb.kalshi.sign import KEY_FILE_BYTES_MAX, KeyFileError, load_signer
from tests.kalshi.keys import PKCS1, PKCS8, rsa_key, verify_rsa, write_key

KEY_ID = "a952bcbe-ec3b-4b5b-b8f9-11dae589608c"
BALANCE = "/trade-api/v2/portfolio/balance"


@pytest.mark.parametrize("form", [PKCS1, PKCS8])
def test_an_rsa_signature_covers_time_method_and_path(tmp_path: Path, form: object) -> None:
    """The exchange's own check accepts it, from either form of PEM, and nothing else's."""
    signer = load_signer(KEY_ID, write_key(tmp_path / "key", rsa_key(), form))  # type: ignore[arg-type]
    headers = dict(signer.headers("GET", BALANCE, 1703123456789))

    assert headers["KALSHI-ACCESS-KEY"] == KEY_ID
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == "1703123456789"
    signature = headers["KALSHI-ACCESS-SIGNATURE"]
    verify_rsa(rsa_key(), signature, f"1703123456789GET{BALANCE}")
    with pytest.raises(InvalidSignature):
        verify_rsa(rsa_key(), signature, f"1703123456789POST{BALANCE}")
    assert not signer.is_quick


def test_the_query_is_not_signed(tmp_path: Path) -> None:
    """A path with a query is signed without it."""
    signer = load_signer(KEY_ID, write_key(tmp_path / "key", rsa_key()))
    headers = dict(signer.headers("DELETE", "/trade-api/v2/x?market_ticker=T", 5))

    verify_rsa(rsa_key(), headers["KALSHI-ACCESS-SIGNATURE"], "5DELETE/trade-api/v2/x")


def test_an_ed25519_key_signs_in_line(tmp_path: Path) -> None:
    """The newer keys are told apart by what the file holds."""
    key = ed25519.Ed25519PrivateKey.generate()
    signer = load_signer(KEY_ID, write_key(tmp_path / "key", key))
    headers = dict(signer.headers("GET", BALANCE, 7))

    key.public_key().verify(
        base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"]), f"7GET{BALANCE}".encode()
    )
    assert signer.is_quick


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The refusal says which command mends it."""
    path = write_key(tmp_path / "key", rsa_key(), mode=mode)

    with pytest.raises(KeyFileError, match=f"run: chmod 600 {path}"):
        load_signer(KEY_ID, path)


@pytest.mark.parametrize("form", [PKCS1, PKCS8])
def test_an_encrypted_key_takes_its_passphrase(tmp_path: Path, form: object) -> None:
    """Without one the variable is named; with a wrong one so, too; a right one opens it."""
    path = write_key(tmp_path / "key", rsa_key(), form, passphrase="open sesame")  # type: ignore[arg-type]

    with pytest.raises(KeyFileError, match="set ARB_KALSHI__PRIVATE_KEY_PASSPHRASE"):
        load_signer(KEY_ID, path)
    with pytest.raises(KeyFileError, match="PASSPHRASE is wrong") as caught:
        load_signer(KEY_ID, path, "open barley")
    assert "barley" not in str(caught.value)
    headers = dict(load_signer(KEY_ID, path, "open sesame").headers("GET", "/", 1))
    verify_rsa(rsa_key(), headers["KALSHI-ACCESS-SIGNATURE"], "1GET/")


def test_a_passphrase_for_a_plain_key_does_no_harm(tmp_path: Path) -> None:
    """A passphrase left in the environment does not lock a key that needs none."""
    path = write_key(tmp_path / "key", rsa_key())

    assert repr(load_signer(KEY_ID, path, "needless")) == "<Signer rsa>"


def test_what_is_no_key_is_refused_in_one_line(tmp_path: Path) -> None:
    """Nonsense, a missing file, a folder, a huge file, a weak or a strange key."""
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("secret nonsense\nin lines")
    nonsense.chmod(0o600)
    huge = tmp_path / "huge"
    huge.write_bytes(b"x" * (KEY_FILE_BYTES_MAX + 1))
    huge.chmod(0o600)
    strange = write_key(tmp_path / "strange", ec.generate_private_key(ec.SECP256R1()))
    weak = write_key(tmp_path / "weak", rsa_key(1024))
    cases = {
        nonsense: "not a PEM private key",
        huge: "too large",
        strange: "neither an RSA nor an Ed25519",
        weak: "1024 bits, at least 2048",
        tmp_path / "missing": "cannot be read: No such file",
        tmp_path: "cannot be read: Is a directory",
    }

    for path, why in cases.items():
        with pytest.raises(KeyFileError, match=why) as caught:
            load_signer(KEY_ID, path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key_id", ["", "a b", "a\r\nX: y", "ключ"])
def test_a_key_id_that_is_none_is_refused(tmp_path: Path, key_id: str) -> None:
    """An id that would break the header it travels in is not taken."""
    path = write_key(tmp_path / "key", rsa_key())

    with pytest.raises(KeyFileError, match="key id"):
        load_signer(key_id, path)


def test_nothing_of_the_key_is_shown(tmp_path: Path) -> None:
    """The signer's repr has neither the id nor the key."""
    signer = load_signer(KEY_ID, write_key(tmp_path / "key", rsa_key()))

    assert repr(signer) == "<Signer rsa>"
