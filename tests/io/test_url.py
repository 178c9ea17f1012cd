"""Places and their masks."""

from __future__ import annotations

import pytest

from arb.io.url import BadUrl, Endpoint, masked_url, without_secret


def test_an_endpoint_is_read_from_a_url() -> None:
    """Host, port, TLS, path and query are found; the scheme's port is the default."""
    place = Endpoint.parse("wss://api.odds-api.io/v3/ws?apiKey=secret&markets=ML")

    assert place == Endpoint("api.odds-api.io", 443, True, "/v3/ws", "apiKey=secret&markets=ML")
    assert place.target == "/v3/ws?apiKey=secret&markets=ML"
    assert place.authority == "api.odds-api.io"


def test_an_endpoint_without_a_path_is_the_root() -> None:
    """A bare host means path / and no query; an odd port shows in the Host header."""
    place = Endpoint.parse("http://127.0.0.1:8080")

    assert (place.target, place.tls) == ("/", False)
    assert place.authority == "127.0.0.1:8080"
    assert Endpoint.parse("ws://[::1]:80/x").authority == "[::1]"


def test_an_endpoint_never_shows_its_query() -> None:
    """Neither repr nor str has the key that travels in the query."""
    place = Endpoint.parse("wss://host/ws?apiKey=secret")

    assert "secret" not in repr(place) + str(place)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://user:secret@host/",
        "host/path?k=secret",
        "http://?k=secret",
        "http://host:x/?k=secret",
    ],
)
def test_a_bad_url_is_refused_without_its_secrets(url: str) -> None:
    """The refusal is one line and keeps user, password and query to itself."""
    with pytest.raises(BadUrl) as caught:
        Endpoint.parse(url)

    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_masked_url_has_neither_user_nor_query() -> None:
    """User, password, query and fragment are left out."""
    assert masked_url("https://me:pw@host:1/path?apiKey=k#f") == "https://host:1/path"


def test_secrets_in_a_text_are_replaced() -> None:
    """Every occurrence goes; an empty secret replaces nothing."""
    assert without_secret("key=abc abc", "abc", "") == "key=*** ***"
