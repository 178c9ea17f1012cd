"""The leagues and teams of the simulated world: a small table of its own.

It is written down apart from the engine's table on purpose: what judges the engine must not
share its mistakes. Codes and labels are those of real tickers, names those of real odds feeds.
"""

from __future__ import annotations

import uuid

import attrs

_TARGETS = uuid.UUID("6f2d5a0e-6d0c-4a55-9f0e-2f5d6a7b8c90")


@attrs.frozen
class Team:
    """One team: its code in tickers, its label on the exchange and its full name elsewhere."""

    code: str
    label: str
    name: str

    @property
    def target_id(self) -> str:
        """Return the id under which the exchange knows the team, stable for ever."""
        return str(uuid.uuid5(_TARGETS, f"{self.code}/{self.name}"))


@attrs.frozen
class League:
    """One league as the exchange and the odds provider describe it.

    ``multiplier_e4`` is the fee multiplier times 10**4, ``timer_s`` the time from a market's
    determination to its settlement, ``exchange_index`` the shard it trades on.
    """

    key: str
    series_ticker: str
    series_title: str
    tag: str
    competition: str
    milestone_type: str
    target_field: str
    sport_slug: str
    sport_name: str
    league_slug: str
    exchange_index: int
    multiplier_e4: int
    timer_s: int
    time_in_ticker: bool
    ties: bool
    teams: tuple[Team, ...]


def _teams(text: str) -> tuple[Team, ...]:
    rows = [line.split("|") for line in text.strip().splitlines()]
    return tuple(Team(code.strip(), label.strip(), name.strip()) for code, label, name in rows)


_NFL = """
BUF|Buffalo|Buffalo Bills
KC|Kansas City|Kansas City Chiefs
NYG|New York G|New York Giants
NYJ|New York J|New York Jets
LAR|Los Angeles R|Los Angeles Rams
LAC|Los Angeles C|Los Angeles Chargers
DET|Detroit|Detroit Lions
GB|Green Bay|Green Bay Packers
JAC|Jacksonville|Jacksonville Jaguars
WAS|Washington|Washington Commanders
ARI|Arizona|Arizona Cardinals
CAR|Carolina|Carolina Panthers
DAL|Dallas|Dallas Cowboys
PHI|Philadelphia|Philadelphia Eagles
SF|San Francisco|San Francisco 49ers
SEA|Seattle|Seattle Seahawks
"""

_NBA = """
BOS|Boston|Boston Celtics
LAL|Los Angeles L|Los Angeles Lakers
LAC|Los Angeles C|Los Angeles Clippers
GSW|Golden State|Golden State Warriors
NYK|New York|New York Knicks
BKN|Brooklyn|Brooklyn Nets
DEN|Denver|Denver Nuggets
MIL|Milwaukee|Milwaukee Bucks
PHI|Philadelphia|Philadelphia 76ers
POR|Portland|Portland Trail Blazers
SAS|San Antonio|San Antonio Spurs
SAC|Sacramento|Sacramento Kings
OKC|Oklahoma City|Oklahoma City Thunder
PHX|Phoenix|Phoenix Suns
NOP|New Orleans|New Orleans Pelicans
WAS|Washington|Washington Wizards
"""

_MLB = """
LAD|Los Angeles D|Los Angeles Dodgers
LAA|Los Angeles A|Los Angeles Angels
NYY|New York Y|New York Yankees
NYM|New York M|New York Mets
CHC|Chicago C|Chicago Cubs
CWS|Chicago WS|Chicago White Sox
BOS|Boston|Boston Red Sox
TOR|Toronto|Toronto Blue Jays
ATH|A's|Athletics
STL|St. Louis|St. Louis Cardinals
AZ|Arizona|Arizona Diamondbacks
WSH|Washington|Washington Nationals
SF|San Francisco|San Francisco Giants
TEX|Texas|Texas Rangers
TB|Tampa Bay|Tampa Bay Rays
SD|San Diego|San Diego Padres
"""

_NHL = """
VGK|Vegas|Vegas Golden Knights
LA|Los Angeles|Los Angeles Kings
NYR|New York R|New York Rangers
NYI|New York I|New York Islanders
NJ|New Jersey|New Jersey Devils
BOS|Boston|Boston Bruins
TOR|Toronto|Toronto Maple Leafs
DET|Detroit|Detroit Red Wings
CBJ|Columbus|Columbus Blue Jackets
STL|St. Louis|St Louis Blues
MTL|Montreal|Montréal Canadiens
WSH|Washington|Washington Capitals
FLA|Florida|Florida Panthers
WPG|Winnipeg|Winnipeg Jets
UTA|Utah|Utah Mammoth
TB|Tampa Bay|Tampa Bay Lightning
"""

NFL = League(
    key="NFL",
    series_ticker="KXNFLGAME",
    series_title="Professional Football Game",
    tag="Football",
    competition="Pro Football",
    milestone_type="football_game",
    target_field="football_team",
    sport_slug="american-football",
    sport_name="American Football",
    league_slug="usa-nfl",
    exchange_index=0,
    multiplier_e4=10_000,
    timer_s=60,
    time_in_ticker=False,
    ties=True,
    teams=_teams(_NFL),
)
NBA = League(
    key="NBA",
    series_ticker="KXNBAGAME",
    series_title="Professional Basketball Game",
    tag="Basketball",
    competition="Pro Basketball (M)",
    milestone_type="basketball_game",
    target_field="basketball_team",
    sport_slug="basketball",
    sport_name="Basketball",
    league_slug="usa-nba",
    exchange_index=3,
    multiplier_e4=10_000,
    timer_s=60,
    time_in_ticker=False,
    ties=False,
    teams=_teams(_NBA),
)
MLB = League(
    key="MLB",
    series_ticker="KXMLBGAME",
    series_title="Professional Baseball Game",
    tag="Baseball",
    competition="Pro Baseball",
    milestone_type="baseball_game",
    target_field="baseball_team",
    sport_slug="baseball",
    sport_name="Baseball",
    league_slug="usa-mlb",
    exchange_index=3,
    multiplier_e4=5_000,
    timer_s=120,
    time_in_ticker=True,
    ties=False,
    teams=_teams(_MLB),
)
NHL = League(
    key="NHL",
    series_ticker="KXNHLGAME",
    series_title="Professional Hockey Game",
    tag="Hockey",
    competition="Pro Hockey",
    milestone_type="hockey_match",
    target_field="hockey_team",
    sport_slug="ice-hockey",
    sport_name="Ice Hockey",
    league_slug="usa-nhl",
    exchange_index=0,
    multiplier_e4=10_000,
    timer_s=60,
    time_in_ticker=False,
    ties=False,
    teams=_teams(_NHL),
)

LEAGUES: tuple[League, ...] = (NFL, NBA, MLB, NHL)
