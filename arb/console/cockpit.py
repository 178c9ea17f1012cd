"""The console's hands and eyes: shows what the link brings, and turns keys into commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from arb.console import formats
from arb.console.actor_view import Rates, actor_facts
from arb.console.cells import Cell, Tone
from arb.console.header_view import LinkView
from arb.console.keys import Action, Screen, find_action, help_rows
from arb.console.link import Answer, Link
from arb.console.market_view import market_facts
from arb.console.questions import about_actor, about_closing, about_leaving
from arb.console.snapshot import ActorEntry, LogLine, Market
from arb.console.view_model import make_view
from arb.console.widgets.dialog import Page
from arb.console.widgets.header import Foot, Header
from arb.console.widgets.root import Root
from arb.console.widgets.screens import ActorsScreen, Panels, TradingScreen

# Long enough to be read, short enough not to be taken for news.
MESSAGE_S = 8.0
# Ten dollars a press: the default limit of $500 is five seconds of a held key away.
LIMIT_STEP_CENTS = 1_000
SECOND_MS = 1_000


class Shell(Protocol):
    """What the cockpit needs of the program around it."""

    def steer(self, verb: str, **arguments: Any) -> None:
        """Send a command; its answer comes back through `Cockpit.hear`."""
        ...

    def leave(self) -> None:
        """Close the console and leave the engine as it is."""
        ...

    def stop_engine(self) -> None:
        """Stop the engine in good order and close the console."""
        ...

    def redraw(self) -> None:
        """Draw the whole terminal again."""
        ...


class Cockpit:
    """Everything between the engine's pictures and a person's keys, without a terminal."""

    def __init__(self, link: Link, shell: Shell, *, owns_engine: bool) -> None:
        self._link = link
        self._shell = shell
        self._owns_engine = owns_engine
        self._rates = Rates()
        self._message_until_s: float | None = None
        self._now_s = 0.0
        self._stamp: tuple[object, ...] = ()
        view = make_view(None, LinkView(connected=False, ever=False), {})
        self._header = Header(view.header)
        self._foot = Foot()
        self._screens: Mapping[Screen, Panels] = {
            Screen.TRADING: TradingScreen(self._header, self._foot, view),
            Screen.ACTORS: ActorsScreen(self._header, self._foot, view),
        }
        self.root = Root(self._screens[Screen.TRADING], self.press)
        self._hands: dict[Action, Callable[[], None]] = self._make_hands()
        self._offer_keys()

    def __repr__(self) -> str:
        return f"<Cockpit of {self._link!r}>"

    def refresh(self, now_s: float) -> bool:
        """Bring what is new onto the widgets; returns whether anything is to be drawn."""
        self._now_s = now_s
        changed = self._forget_message()
        stand = self._stand(now_s)
        stamp = (id(self._link.picture), stand)
        if stamp != self._stamp:
            self._stamp = stamp
            changed = self._show(stand) or changed
        if changed:
            self.root.mark()
        return changed

    def hear(self, verb: str, answer: Answer, now_s: float) -> None:
        """Show the engine's answer to a command."""
        text = answer.text or f"{verb}: {'done' if answer.ok else 'refused without a word'}"
        self.say(text, Tone.GOOD if answer.ok else Tone.BAD, now_s)

    def say(self, text: str, tone: Tone, now_s: float) -> None:
        """Show a message in the foot for a while."""
        sign = {Tone.GOOD: "✓ ", Tone.BAD: "✗ "}.get(tone, "")
        cell = Cell(f"{sign}{formats.one_line(text)}", tone)
        self._message_until_s = now_s + MESSAGE_S
        self._foot.say(cell)
        self.root.mark()

    def press(self, key: str) -> None:
        """Do what a key means where it was pressed."""
        dialog = self.root.dialog
        if dialog is not None:
            if dialog.press(key) and self.root.dialog is dialog:
                self.root.open(None)
        else:
            action = find_action(key, self.root.screen.screen)
            if action is not None:
                self._hands[action]()
        self.root.mark()

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
        self.root.open(question)

    def _make_hands(self) -> dict[Action, Callable[[], None]]:
        steer = self._shell.steer
        return {
            Action.QUIT: self.ask_to_leave,
            Action.HELP: lambda: self.root.open(
                Page("Keys", help_rows(), name_tone=Tone.KEY),
            ),
            Action.PAUSE: lambda: steer("pause"),
            Action.RESUME: lambda: steer("resume"),
            Action.LIMIT_UP: lambda: steer("limit", change_cents=LIMIT_STEP_CENTS),
            Action.LIMIT_DOWN: lambda: steer("limit", change_cents=-LIMIT_STEP_CENTS),
            Action.KILL: lambda: self._ask_about_actor("kill"),
            Action.RESTART: lambda: self._ask_about_actor("restart"),
            Action.QUARANTINE: lambda: self._ask_about_actor("quarantine"),
            Action.RELEASE: lambda: self._ask_about_actor("release"),
            Action.FORCE_CLOSE: self._ask_about_closing,
            Action.DETAILS: self._open_details,
            Action.UP: lambda: self._panel.move(-1),
            Action.DOWN: lambda: self._panel.move(1),
            Action.PAGE_UP: lambda: self._panel.move_page(-1),
            Action.PAGE_DOWN: lambda: self._panel.move_page(1),
            Action.FIRST: lambda: self._panel.move_to_end(last=False),
            Action.LAST: lambda: self._panel.move_to_end(last=True),
            Action.NEXT_PANEL: lambda: self.root.screen.turn(1),
            Action.PREVIOUS_PANEL: lambda: self.root.screen.turn(-1),
            Action.TRADING_SCREEN: lambda: self._turn_to(Screen.TRADING),
            Action.ACTORS_SCREEN: lambda: self._turn_to(Screen.ACTORS),
            Action.REDRAW: self._shell.redraw,
        }

    @property
    def _panel(self) -> Any:
        return self.root.screen.active

    def _turn_to(self, screen: Screen) -> None:
        self.root.turn_to(self._screens[screen])
        self._offer_keys()

    def _offer_keys(self) -> None:
        self._foot.offer(self.root.screen.screen)

    def _stand(self, now_s: float) -> LinkView:
        link = self._link
        connected = link.is_up
        since_s = link.picture_at_s
        # In whole seconds, so that an old picture is drawn once a second and not ten times.
        lost_s = 0 if connected or since_s is None else int(max(0.0, now_s - since_s))
        return LinkView(
            connected=connected,
            lost_ms=lost_s * SECOND_MS,
            attempts=link.attempts,
            why=link.why,
            ever=link.picture is not None,
        )

    def _show(self, stand: LinkView) -> bool:
        picture = self._link.picture
        rates = {} if picture is None else self._rates.observe(picture)
        view = make_view(picture, stand, rates)
        changed = self._header.show(view.header)
        for screen in self._screens.values():
            changed = screen.show(view) or changed
        self.root.grey(grey=not stand.connected and stand.ever)
        return changed

    def _forget_message(self) -> bool:
        if self._message_until_s is None or self._now_s < self._message_until_s:
            return False
        self._message_until_s = None
        self._foot.say(None)
        return True

    def _target(self) -> Any:
        chosen = self._panel.selected
        if chosen is None or isinstance(chosen, LogLine):
            chosen = self.root.screen.main.selected
        return chosen

    def _ask_about_actor(self, verb: str) -> None:
        chosen = self._target()
        if chosen is None:
            self._complain("nothing is selected: move to a market or an actor first")
        elif self._is_up(verb):
            name = chosen.path if isinstance(chosen, ActorEntry) else chosen.ticker
            question = about_actor(verb, name, lambda: self._shell.steer(verb, name=name))
            self.root.open(question)

    def _ask_about_closing(self) -> None:
        chosen = self._target()
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
            self.root.open(question)

    def _open_details(self) -> None:
        chosen = self._target()
        picture = self._link.picture
        if picture is None or chosen is None:
            return
        if isinstance(chosen, ActorEntry):
            self._open_page(chosen.name, actor_facts(chosen))
            return
        market = chosen if isinstance(chosen, Market) else picture.market(chosen.ticker)
        if market is not None:
            self._open_page(market.ticker, market_facts(market, picture))

    def _open_page(self, title: str, facts: tuple[tuple[str, str], ...]) -> None:
        rows = [(name, formats.one_line(value)) for name, value in facts]
        self.root.open(Page(formats.one_line(title), rows, name_tone=Tone.DIM))

    def _is_up(self, verb: str) -> bool:
        if self._link.is_up:
            return True
        self._complain(f"{verb} is not possible: the engine is not connected")
        return False

    def _complain(self, text: str) -> None:
        self.say(text, Tone.WARN, self._now_s)
