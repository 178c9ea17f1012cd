"""Who is let in, and with which words the others are kept out."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from arb.sim.exchange.refusals import Refused
from arb.sim.signatures import SKEW_MAX_MS, KeyRing
from tests.sim.sim_client import EPOCH_MS, KEY, Member, signed

PATH = "/trade-api/v2/portfolio/balance"


@pytest.fixture
def ring() -> KeyRing:
    made = KeyRing()
    made.add("id", KEY.public_key(), "member")
    return made


def headers(path: str = PATH, wall_ms: int = EPOCH_MS, key_id: str = "id") -> dict[str, str]:
    return {name.lower(): value for name, value in signed("GET", path, key_id, wall_ms)}


def refusal(ring: KeyRing, given: dict[str, str], method: str = "GET") -> dict[str, object]:
    with pytest.raises(Refused) as caught:
        ring.account_of(given, method, PATH, EPOCH_MS)
    assert caught.value.refusal.status == 401
    return caught.value.refusal.body()


def test_a_good_signature_opens_the_account(ring: KeyRing) -> None:
    """RSA-PSS over time, method and path, without the query."""
    assert ring.account_of(headers(), "GET", PATH, EPOCH_MS) == "member"
    assert ring.account_of(headers(f"{PATH}?x=1"), "GET", PATH, EPOCH_MS) == "member"


def test_an_ed25519_key_works_as_well() -> None:
    """The same text, signed plainly."""
    key = Ed25519PrivateKey.generate()
    ring = KeyRing()
    ring.add("ed", key.public_key(), "member")
    signature = base64.b64encode(key.sign(f"{EPOCH_MS}GET{PATH}".encode())).decode()
    given = headers(key_id="ed") | {"kalshi-access-signature": signature}
    assert ring.account_of(given, "GET", PATH, EPOCH_MS) == "member"
    assert "authentication_error" in str(refusal(ring, headers(key_id="ed")))


def test_wrong_signatures_are_told_as_recorded(ring: KeyRing) -> None:
    """Another method, path, salt length or no base64 at all are all one error."""
    expected = {
        "error": {
            "code": "authentication_error",
            "message": "authentication_error",
            "details": "INCORRECT_API_KEY_SIGNATURE",
        }
    }
    assert refusal(ring, headers(), "POST") == expected
    assert refusal(ring, headers("/portfolio/balance")) == expected
    assert refusal(ring, headers() | {"kalshi-access-signature": "not base64!"}) == expected
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    raw = KEY.sign(f"{EPOCH_MS}GET{PATH}".encode(), pss, hashes.SHA256())
    salted = base64.b64encode(raw).decode()
    assert refusal(ring, headers() | {"kalshi-access-signature": salted}) == expected


def test_missing_headers_are_named(ring: KeyRing) -> None:
    """The recorded error for the signature, and the like for the other two."""
    given = headers()
    del given["kalshi-access-signature"]
    assert refusal(ring, given) == {
        "error": {
            "code": "signature_is_missing_from_headers",
            "message": "signature is missing from headers",
        }
    }
    assert "key_is_missing" in str(refusal(ring, {}))


@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_may_differ_a_little(ring: KeyRing, sign: int) -> None:
    """Ten seconds are accepted in both directions, thirty are not."""
    edge = headers(wall_ms=EPOCH_MS + sign * SKEW_MAX_MS)
    assert ring.account_of(edge, "GET", PATH, EPOCH_MS) == "member"
    beyond = headers(wall_ms=EPOCH_MS + sign * (SKEW_MAX_MS + 1))
    expected = {
        "error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}
    }
    assert refusal(ring, beyond) == expected
    assert refusal(ring, headers() | {"kalshi-access-timestamp": "soon"}) == expected


def test_an_unknown_key_is_not_found(ring: KeyRing) -> None:
    """The recorded details of an unknown key id."""
    body = refusal(ring, headers(key_id="00000000-0000-0000-0000-000000000000"))
    assert "NOT_FOUND" in str(body)


async def test_private_endpoints_ask_for_a_signature_and_public_ones_do_not(
    member: Member,
) -> None:
    """Balance without headers is 401; the exchange's status is anybody's."""
    private = await member.http.send("GET", PATH, [])
    assert private is not None
    assert private.status == 401
    public = await member.http.send("GET", "/trade-api/v2/exchange/status", [])
    assert public is not None
    assert public.status == 200
