"""What keys do to the engine and to single rows: every question that comes before a command."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from arb.console import formats
from arb.console.actor_view import actor_facts
from arb.console.cells import Tone
from arb.console.closeups import (
    MatchedGame,
    SettingSeen,
    SettingsSeen,
    UnmatchedGame,
    WorldFault,
)
from arb.console.fault_view import fault_facts
from arb.console.keys import BINDINGS, Action, Screen, help_rows
from arb.console.link import Link
from arb.console.market_view import market_facts
from arb.console.questions import (
    about_actor,
    about_changing,
    about_clearing,
    about_closing,
    about_flattening,
    about_halting,
    about_leaving,
    about_value,
)
from arb.console.snapshot import ActorEntry, Market
from arb.console.widgets.dialog import Page
from arb.console.widgets.prompt import Entry, Palette
from arb.console.widgets.settings_box import SettingsBox
from arb.io.login import login

if TYPE_CHECKING:
    from arb.console.cockpit import Cockpit, Shell

# Ten dollars a press: the default limit of $500 is five seconds of a held key away.
LIMIT_STEP_CENTS = 1_000


class Hands:
    """Asks where something cannot be taken back, and sends what a person has said yes to."""

    def __init__(
        self,
        cockpit: Cockpit,
        link: Link,
        shell: Shell,
        *,
        owns_engine: bool,
        settings: tuple[tuple[str, str], ...],
    ) -> None:
        self._cockpit = cockpit
        self._link = link
        self._shell = shell
        self._owns_engine = owns_engine
        self._settings = settings

    def __repr__(self) -> str:
        return f"<Hands on {self._link!r}>"

    def table(self) -> dict[Action, Callable[[], None]]:
        """Return what each action does."""
        steer = self._shell.steer
        return {
            Action.QUIT: self.ask_to_leave,
            Action.HELP: lambda: self._page("Keys", help_rows(), Tone.KEY),
            Action.PAUSE: lambda: steer("pause"),
            Action.REDUCE: lambda: steer("reduce"),
            Action.RESUME: lambda: steer("resume"),
            Action.LIMIT_UP: lambda: steer("limit", change_cents=LIMIT_STEP_CENTS),
            Action.LIMIT_DOWN: lambda: steer("limit", change_cents=-LIMIT_STEP_CENTS),
            Action.KILL: lambda: self._ask_about_actor("kill"),
            Action.RESTART: lambda: self._ask_about_actor("restart"),
            Action.QUARANTINE: lambda: self._ask_about_actor("quarantine"),
            Action.RELEASE: lambda: self._ask_about_actor("release"),
            Action.SWITCH: self._switch_fault,
            Action.FAULTS_OFF: lambda: steer("faults_off"),
            Action.FORCE_CLOSE: self._ask_about_closing,
            Action.FLATTEN: self._ask_about_flattening,
            Action.HALT: self._ask_about_halting,
            Action.CLEAR: self._ask_about_clearing,
            Action.SETTINGS: self._show_settings,
            Action.COMMAND: self._open_palette,
            Action.LOG_LEVEL: self._choose_log_level,
            Action.LOG_MARKET: self._choose_log_market,
            Action.ENTER: self._go_in,
            Action.DETAILS: self._open_details,
            Action.MARKET_SCREEN: self._turn_to_market,
        }

    def ask_to_leave(self) -> None:
        """Ask what becomes of the engine; without an engine there is nothing to ask."""
        if not self._link.is_up:
            self._shell.leave()
            return
        question = about_leaving(
            owns_engine=self._owns_engine,
            leave=self._shell.leave,
            stop=self._shell.stop_engine,
        )
        self._cockpit.root.open(question)

    @property
    def _target(self) -> Any:
        """Return the row that is meant: the market itself on its own screen."""
        picture, panels = self._link.picture, self._cockpit.panels
        if panels.screen is Screen.MARKET:
            return None if picture is None else picture.market(self._cockpit.scene.ticker)
        chosen = panels.active.selected
        names_something = isinstance(chosen, ActorEntry) or hasattr(chosen, "ticker")
        closely = MatchedGame | UnmatchedGame | WorldFault
        names_something = names_something or isinstance(chosen, closely)
        return chosen if names_something else panels.main.selected

    def _ask_about_actor(self, verb: str) -> None:
        chosen = self._target
        if chosen is None:
            self._complain("nothing is selected: move to a market or an actor first")
        elif self._is_up(verb):
            name = chosen.path if isinstance(chosen, ActorEntry) else chosen.ticker
            question = about_actor(verb, name, lambda: self._shell.steer(verb, name=name))
            self._cockpit.root.open(question)

    def _switch_fault(self) -> None:
        chosen = self._cockpit.panels.main.selected
        if not isinstance(chosen, WorldFault):
            self._complain("no fault is selected")
        elif self._is_up("switching a fault"):
            # What has passed is off, and happens again.
            self._shell.steer("fault", name=chosen.name, switch="off" if chosen.on else "on")

    def _ask_about_closing(self) -> None:
        chosen = self._target
        picture = self._link.picture
        ticker = getattr(chosen, "ticker", None)
        held = picture.position(ticker) if picture is not None and ticker is not None else None
        if ticker is None:
            self._complain("nothing is selected: move to a market or a position first")
        elif held is None:
            self._complain(f"no position in {ticker} to close")
        elif self._is_up("force close"):
            steer = self._shell.steer
            question = about_closing(held, lambda: steer("force_close", ticker=held.ticker))
            self._cockpit.root.open(question)

    def _ask_about_flattening(self) -> None:
        picture = self._link.picture
        if picture is None or not picture.positions:
            self._complain("nothing is held: there is nothing to flatten")
        elif self._is_up("flatten"):
            count = len(picture.positions)
            self._cockpit.root.open(about_flattening(count, lambda _: self._shell.steer("flatten")))

    def _ask_about_halting(self) -> None:
        if self._is_up("halt"):
            steer = self._shell.steer
            self._cockpit.root.open(about_halting(lambda reason: steer("halt", reason=reason)))

    def _ask_about_clearing(self) -> None:
        picture = self._link.picture
        if picture is None or picture.trading.state != "halted":
            self._complain("nothing is halted: there is nothing to clear")
        elif self._is_up("clear"):
            steer = self._shell.steer
            reasons = picture.trading.reasons
            question = about_clearing(reasons, lambda reason: steer("clear", reason=reason))
            self._cockpit.root.open(question)

    def _show_settings(self, at: str = "") -> None:
        self._cockpit.root.open(SettingsBox(self._settings, self._ask_for_value, at=at))

    def _ask_for_value(self, setting: SettingSeen, seen: SettingsSeen) -> None:
        if self._cockpit.read_only:
            self._complain(f"this console is read-only: {setting.key} is not for it")
            return
        question = about_value(setting, lambda value: self._ask_to_change(setting, value, seen))
        self._cockpit.root.open(question)

    def _ask_to_change(self, setting: SettingSeen, value: str, seen: SettingsSeen) -> None:
        def change(*, write: bool) -> None:
            by = {"by": name} if (name := login()) else {}
            self._shell.steer("set", key=setting.key, value=value, write=write, **by)
            self._show_settings(setting.key)

        question = about_changing(
            setting,
            value,
            seen.file,
            leave=lambda: self._show_settings(setting.key),
            change=lambda: change(write=False),
            write=lambda: change(write=True),
        )
        self._cockpit.root.open(question)

    def _choose_log_level(self) -> None:
        self._cockpit.choose_log(self._cockpit.scene.log_choice.next_level())

    def _choose_log_market(self) -> None:
        chosen, choice = self._target, self._cockpit.scene.log_choice
        ticker = getattr(chosen, "ticker", None) or self._ticker_of(chosen) or choice.ticker
        if ticker:
            self._cockpit.choose_log(choice.of_market(ticker))
        else:
            self._complain("no market is selected: move to one first")

    def _open_palette(self) -> None:
        cockpit = self._cockpit
        entries = [
            Entry(str(each.action), each.keys_text, each.words, partial(cockpit.do, each.action))
            for each in BINDINGS
            if each.words and cockpit.panels.screen in each.screens
        ]
        picture = self._link.picture
        entries += [
            Entry(
                formats.one_line(market.ticker),
                "",
                formats.one_line(market.game),
                partial(cockpit.choose, market.ticker),
            )
            for market in (picture.markets if picture is not None else ())
        ]
        cockpit.root.open(Palette(entries))

    def _turn_to_market(self) -> None:
        chosen, scene = self._target, self._cockpit.scene
        ticker = getattr(chosen, "ticker", None) or self._ticker_of(chosen) or scene.ticker
        self._cockpit.choose(ticker or self._cockpit.marked_market)

    def _go_in(self) -> None:
        chosen = self._target
        ticker = getattr(chosen, "ticker", None)
        if ticker is not None and self._cockpit.panels.screen is not Screen.MARKET:
            self._cockpit.choose(ticker)
        else:
            self._open_details()

    def _ticker_of(self, chosen: Any) -> str | None:
        """Return the ticker of a market's actor, which bears its name."""
        picture = self._link.picture
        known = picture is not None and isinstance(chosen, ActorEntry)
        if not known or picture is None or picture.market(chosen.name) is None:
            return None
        return str(chosen.name)

    def _open_details(self) -> None:
        chosen = self._target
        picture = self._link.picture
        if picture is None or chosen is None:
            return
        if isinstance(chosen, ActorEntry):
            self._page(chosen.name, actor_facts(chosen))
            return
        if isinstance(chosen, MatchedGame | UnmatchedGame):
            self._page("Game", _facts_of(chosen))
            return
        if isinstance(chosen, WorldFault):
            self._page(chosen.name, fault_facts(chosen, self._cockpit.scene.zone))
            return
        ticker = getattr(chosen, "ticker", None)
        market = picture.market(ticker) if ticker is not None else None
        if isinstance(market, Market):
            self._page(market.ticker, market_facts(market, picture))

    def _page(self, title: str, facts: tuple[tuple[str, str], ...], tone: Tone = Tone.DIM) -> None:
        rows = [(name, formats.one_line(value)) for name, value in facts]
        self._cockpit.root.open(Page(formats.one_line(title), rows, name_tone=tone))

    def _is_up(self, verb: str) -> bool:
        if self._link.is_up:
            return True
        self._complain(f"{verb} is not possible: the engine is not connected")
        return False

    def _complain(self, text: str) -> None:
        self._cockpit.say(text, Tone.WARN)


def _facts_of(game: MatchedGame | UnmatchedGame) -> tuple[tuple[str, str], ...]:
    if isinstance(game, UnmatchedGame):
        return (
            ("seen on", game.source),
            ("id", game.id),
            ("reason", game.reason),
            ("known", game.text),
            ("might be", ", ".join(game.candidates) or "nothing that is listed"),
        )
    return (
        ("game", game.game),
        ("league", game.league),
        ("event", game.event),
        ("odds from", ", ".join(game.providers)),
        ("sides", "swapped by the provider" if game.swapped else "as Kalshi has them"),
        ("quarantined", "; ".join(game.quarantined) or "no market"),
    )
