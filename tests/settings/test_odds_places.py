"""Tests of where each provider of odds is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.settings import OddsPlace, Settings, SettingsError, load, odds_places


def settings_of(folder: Path, text: str = "", **environ: str) -> Settings:
    """Load a file's text and an environment."""
    (folder / "settings.toml").write_text(text)
    return load(environ, folder=folder)


def test_one_provider_needs_its_key_alone(tmp_path: Path) -> None:
    """Its addresses are in its section; the key may be given plainly or there."""
    plain = settings_of(tmp_path, ARB_ODDS_FEED__API_KEY="k")
    own = settings_of(tmp_path, ARB_ODDS_FEED__ODDS_API_IO__API_KEY="k")

    place = OddsPlace(
        "odds-api-io", "https://api.odds-api.io/v3", "wss://api.odds-api.io/v3/ws", "k"
    )
    assert odds_places(plain) == odds_places(own) == (place,)
    assert "'k'" not in repr(place)


def test_a_plain_value_goes_before_the_section(tmp_path: Path) -> None:
    """What stands in [odds_feed] itself is the first provider's."""
    settings = settings_of(
        tmp_path,
        '[odds_feed]\nrest_url = "http://127.0.0.1:1/v3"\napi_key = "general"\n'
        '[odds_feed.odds_api_io]\nrest_url = "http://127.0.0.1:2/v3"\napi_key = "own"\n',
    )

    (place,) = odds_places(settings)
    assert (place.rest_url, place.key) == ("http://127.0.0.1:1/v3", "general")


def test_a_missing_key_is_said_in_one_line(tmp_path: Path) -> None:
    """The line names the setting and the variable."""
    with pytest.raises(SettingsError) as caught:
        odds_places(settings_of(tmp_path))

    assert str(caught.value) == (
        "odds-api-io needs odds_feed.api_key: set ARB_ODDS_FEED__API_KEY,"
        " or put it into a settings file"
    )


def test_one_provider_may_be_written_as_a_text(tmp_path: Path) -> None:
    """In a file and in the environment a list of one needs no brackets."""
    by_file = settings_of(tmp_path, '[odds_feed]\nprovider = "odds-api-io"\n')
    by_variable = settings_of(tmp_path, ARB_ODDS_FEED__PROVIDER="odds-api-io")

    assert by_file.odds_feed.provider == by_variable.odds_feed.provider == ("odds-api-io",)
