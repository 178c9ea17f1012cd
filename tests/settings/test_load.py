"""Tests of reading settings: defaults, one file, the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.settings import Settings, SettingsError, SourceKind, load
from arb.settings.load import FILE_BYTES_MAX

SECRET = "a5f-very-secret"


def read(folder: Path, text: str = "", **environ: str) -> Settings:
    """Load a file's text and an environment."""
    (folder / "settings.toml").write_text(text)
    return load(environ, folder=folder)


def refusal(folder: Path, text: str = "", **environ: str) -> str:
    """Return the one line that says why settings cannot be used."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text, **environ)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_without_a_file_the_defaults_are_in_force(tmp_path: Path) -> None:
    """Nothing needs to be written for the program to start."""
    settings = load({}, folder=tmp_path)

    assert settings == Settings()
    assert settings.source("risk.max_concurrent_markets").kind is SourceKind.DEFAULT
    assert str(settings.source("risk.max_concurrent_markets")) == "default"


def test_a_file_needs_only_what_differs(tmp_path: Path) -> None:
    """What a file does not name keeps its default, and each value knows where it came from."""
    settings = read(tmp_path, "[risk]\nmax_concurrent_markets = 7\n")

    assert settings.risk.max_concurrent_markets == 7
    assert settings.risk.max_contracts_per_market == 10
    assert str(settings.source("risk.max_concurrent_markets")) == str(tmp_path / "settings.toml")
    assert str(settings.source("risk.max_contracts_per_market")) == "default"


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """A variable wins over the file, and is named as the source."""
    settings = read(
        tmp_path,
        "[risk]\nmax_concurrent_markets = 7\n",
        ARB_RISK__MAX_CONCURRENT_MARKETS="3",
        PATH="/bin",
    )

    assert settings.risk.max_concurrent_markets == 3
    assert str(settings.source("risk.max_concurrent_markets")) == "ARB_RISK__MAX_CONCURRENT_MARKETS"


def test_lists_are_commas_in_the_environment(tmp_path: Path) -> None:
    """Spaces around the commas do not matter."""
    settings = read(tmp_path, ARB_ODDS_FEED__SPORTS="mlb, nba")

    assert settings.odds_feed.sports == ("mlb", "nba")


def test_a_section_within_a_section_has_its_variables(tmp_path: Path) -> None:
    """Two underlines stand for each dot."""
    settings = read(tmp_path, ARB_KALSHI__DEMO__API_BASE="http://127.0.0.1:1")

    assert settings.kalshi.demo.api_base == "http://127.0.0.1:1"


def test_keys_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """Both ways lead to the same secret."""
    by_file = read(tmp_path, f'[kalshi]\napi_key = "{SECRET}"\n')
    by_variable = read(tmp_path, ARB_KALSHI__API_KEY=SECRET)

    assert by_file.kalshi.api_key.reveal() == by_variable.kalshi.api_key.reveal() == SECRET
    assert SECRET not in repr(by_file) + str(by_file)


def test_the_file_can_be_named(tmp_path: Path) -> None:
    """An option wins over a variable, and that over the file in the folder."""
    for name, markets in (("settings", 1), ("by_variable", 2), ("by_option", 3)):
        (tmp_path / f"{name}.toml").write_text(f"[risk]\nmax_concurrent_markets = {markets}\n")
    environ = {"ARB_SETTINGS": str(tmp_path / "by_variable.toml")}
    option = tmp_path / "by_option.toml"

    assert load({}, folder=tmp_path).risk.max_concurrent_markets == 1
    assert load(environ, folder=tmp_path).risk.max_concurrent_markets == 2
    assert load(environ, file=option, folder=tmp_path).risk.max_concurrent_markets == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[risk]\nmax_total_exposure_cent = 5\n",
            (
                "risk.max_total_exposure_cent = 5 is unknown; the nearest is"
                " risk.max_total_exposure_cents"
            ),
        ),
        (
            "[strategy]\nmax_concurrent_markets = 5\n",
            (
                "strategy.max_concurrent_markets = 5 is unknown; the nearest is"
                " risk.max_concurrent_markets"
            ),
        ),
        (
            "[strategy]\nqqqqqqqqqq = 5\n",
            "strategy.qqqqqqqqqq = 5 is unknown; arb settings prints all that there are",
        ),
        ("qqqq = 5\n", "qqqq = 5 is unknown; arb settings prints all that there are"),
        ("[stratgy]\nx = 1\n", "[stratgy] is no section; the nearest is [strategy]"),
        ("[kalshi.demmo]\nx = 1\n", "[kalshi.demmo] is no section; the nearest is [kalshi.demo]"),
        (
            "[qqqq]\nx = 1\n",
            (
                "[qqqq] is no section; there are strategy, risk, execution, exits, kalshi,"
                " kalshi.paper, kalshi.demo, kalshi.live, odds_feed, odds_feed.odds_api_io,"
                " odds_feed.opticodds, odds_feed.the_odds_api,"
                " odds_feed.unabated, engine"
            ),
        ),
        ("strategy = 5\n", "strategy must be a section, written [strategy]"),
        (
            "[strategy]\nmin_books = 2.5\n",
            "strategy.min_books = 2.5: must be a whole number from 1 to 30 books",
        ),
        (
            "[strategy]\nmin_books = true\n",
            "strategy.min_books = True: must be a whole number from 1 to 30 books",
        ),
        (
            "[strategy]\nmin_books = '3'\n",
            "strategy.min_books = '3': must be a whole number from 1 to 30 books",
        ),
        ("[strategy]\nmin_books = 0\n", "strategy.min_books = 0: must be from 1 to 30 books"),
        (
            "[strategy.min_books]\nx = 1\n",
            "strategy.min_books = {'x': 1}: must be a whole number from 1 to 30 books",
        ),
        (
            "[odds_feed]\nsports = ['nfl', 'chess']\n",
            "odds_feed.sports = ['nfl', 'chess']: must be one of: nfl, nba, mlb, nhl",
        ),
        (
            "[odds_feed]\nsports = [1]\n",
            "odds_feed.sports = [1]: must be a list of texts, one of: nfl, nba, mlb, nhl",
        ),
        (
            "[odds_feed]\nsports = []\n",
            (
                "odds_feed.sports = []: must name at least one, and none twice; one of: nfl, nba,"
                " mlb, nhl"
            ),
        ),
        (
            "[engine]\nlog_level = 'loud'\n",
            "engine.log_level = 'loud': must be one of: debug, info, warning, error",
        ),
        ("[engine]\nstate_dir = 5\n", "engine.state_dir = 5: must be a text"),
        (
            "[odds_feed]\nws_url = 5\n",
            ("odds_feed.ws_url = 5: must be a wss:// address without user, password or query"),
        ),
        (
            "[kalshi.demo]\napi_base = 'ftp://x'\n",
            (
                "kalshi.demo.api_base = 'ftp://x': must be a https:// address without user,"
                " password or query"
            ),
        ),
        (
            f"[engine]\nlog_level = '{'x' * 100}'\n",
            f"engine.log_level = '{'x' * 59}…: must be one of: debug, info, warning, error",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    """File, key, value, what is allowed, and the nearest key that there is."""
    assert refusal(tmp_path, text) == f"{tmp_path / 'settings.toml'}: {line}"


def test_a_group_of_nothing_is_no_group(tmp_path: Path) -> None:
    """It is a person's word to trade without one, and contradicts nothing."""
    file = tmp_path / "settings.toml"
    file.write_text("[execution]\norder_group_contracts = 0\n")
    assert load({}, file=file, folder=tmp_path).execution.order_group_contracts == 0


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        (
            "ARB_RISK__MAX_CONCURRENT_MARKETS",
            "many",
            (
                "ARB_RISK__MAX_CONCURRENT_MARKETS: risk.max_concurrent_markets = 'many': must be a"
                " whole number from 1 to 5,000 markets"
            ),
        ),
        (
            "ARB_RISK__MAX_CONCURRENT_MARKETS",
            "0",
            (
                "ARB_RISK__MAX_CONCURRENT_MARKETS: risk.max_concurrent_markets = '0': must be from"
                " 1 to 5,000 markets"
            ),
        ),
        (
            "ARB_RISK__MAX_CONCURRENT_MARKET",
            "5",
            (
                "ARB_RISK__MAX_CONCURRENT_MARKET = '5' names no setting; the nearest is"
                " ARB_RISK__MAX_CONCURRENT_MARKETS"
            ),
        ),
        (
            "ARB_QQQQ",
            "5",
            "ARB_QQQQ = '5' names no setting; arb settings prints all that there are",
        ),
    ],
)
def test_what_is_wrong_in_the_environment_is_one_line(
    tmp_path: Path, variable: str, value: str, line: str
) -> None:
    """The variable stands where the file would."""
    assert refusal(tmp_path, **{variable: value}) == line


@pytest.mark.parametrize(
    "text",
    [
        f'[kalshi]\napikey = "{SECRET}"\n',
        f'[kalshi]\napi_key = ["{SECRET}"]\n',
        f'[kalshi]\nprivate_key = "{SECRET}"\n',
        f'[odds_feed]\ntoken = "{SECRET}"\n',
        f'[odds_feed]\nrest_url = "https://host/?apiKey={SECRET}"\n',
        f'[odds_feed]\nrest_url = "https://me:{SECRET}@host/"\n',
        f'[kalshi]\napi_key = "{SECRET}" "\n',
    ],
)
def test_what_is_wrong_with_a_key_does_not_show_it(tmp_path: Path, text: str) -> None:
    """Misspelled, of the wrong type, in an address: the key stays out of the message."""
    assert SECRET not in refusal(tmp_path, text)


@pytest.mark.parametrize("variable", ["ARB_KALSHI_API_KEY", "ARB_KALSHI__APIKEY", "ARB_KEY"])
def test_a_misspelled_variable_does_not_show_a_key(tmp_path: Path, variable: str) -> None:
    """A key under a wrong name is no secret to us yet, and stays hidden all the same."""
    assert SECRET not in refusal(tmp_path, **{variable: SECRET})


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    """TOML's own error says where."""
    line = refusal(tmp_path, "[strategy\n")

    assert line.startswith(f"{tmp_path / 'settings.toml'} is not valid TOML: ")
    assert "line 1" in line


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A file that somebody asked for must be there."""
    missing = tmp_path / "none.toml"

    with pytest.raises(SettingsError, match=r"none\.toml cannot be read: No such file"):
        load({}, file=missing, folder=tmp_path)
    with pytest.raises(SettingsError, match=r"none\.toml cannot be read: No such file"):
        load({"ARB_SETTINGS": str(missing)}, folder=tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are named by their place."""
    (tmp_path / "settings.toml").write_bytes(b"# \xff\n")

    with pytest.raises(SettingsError, match="is not UTF-8 at byte 2"):
        load({}, folder=tmp_path)


def test_a_file_that_is_far_too_long_is_refused(tmp_path: Path) -> None:
    """A tape given by mistake is not read to its end."""
    assert "no settings file" in refusal(tmp_path, "#" * (FILE_BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[strategy]\ntaker_edge_threshold = 1\n",
            (
                "strategy.maker_edge_threshold = 2 must be at most strategy.taker_edge_threshold ="
                " 1, or no edge would ever rest"
            ),
        ),
        (
            "[risk]\nmax_contracts_per_market = 4\n",
            (
                "execution.contracts_per_order = 5 must be at most risk.max_contracts_per_market ="
                " 4, or every entry would be refused"
            ),
        ),
        (
            "[execution]\norder_group_contracts = 4\n",
            (
                "execution.contracts_per_order = 5 must be at most"
                " execution.order_group_contracts = 4, or the exchange would stop trading at the"
                " first fill"
            ),
        ),
        (
            "[execution]\nbook_confirm_ms = 10000\n",
            (
                "odds_feed.poll_interval_ms = 20000 must be at most execution.book_confirm_ms ="
                " 10000, or no quiet book would ever be confirmed"
            ),
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, text: str, line: str
) -> None:
    """Each is allowed, and together they would never trade: the one that was set is named."""
    assert refusal(tmp_path, text) == f"{tmp_path / 'settings.toml'}: {line}"
