"""The console's hands and eyes: shows what the link brings, and turns keys into commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import attrs

from arb.console import formats
from arb.console.actor_view import Rates
from arb.console.cells import Cell, Tone
from arb.console.closeups import Latencies, Look, Wish
from arb.console.hands import Hands
from arb.console.header_view import LinkView
from arb.console.keys import SCREEN_OF, STEERING, Action, Screen, action_at, find_action, no_meaning
from arb.console.latency_view import CountRates
from arb.console.link import Answer, Link
from arb.console.log_kept import LogChoice, LogKept
from arb.console.snapshot import Snapshot
from arb.console.view_model import HeaderView, Scene
from arb.console.widgets.header import Foot, Header
from arb.console.widgets.panels import Panels
from arb.console.widgets.prompt import typed_after
from arb.console.widgets.root import Root
from arb.console.widgets.screens import (
    ActorsScreen,
    FaultsScreen,
    LatencyScreen,
    MarketScreen,
    MatchingScreen,
    TradingScreen,
)

# Long enough to be read, short enough not to be taken for news.
MESSAGE_S = 8.0
SECOND_MS = 1_000
# Buttons as urwid numbers them.
LEFT_BUTTON = 1
WHEEL = {4: -3, 5: 3}
MOVES = {"up": -1, "down": 1, "page up": -10, "page down": 10}


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

    def __init__(
        self,
        link: Link,
        shell: Shell,
        *,
        owns_engine: bool,
        read_only: bool = False,
        settings: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._link = link
        self._read_only = read_only
        self._rates = Rates()
        self._count_rates = CountRates()
        self._message_until_s: float | None = None
        self._now_s = 0.0
        self._seen_s = 0.0
        self._stamp: tuple[object, ...] = ()
        self._scene = Scene(None)
        self._log = LogKept()
        # What is typed into the filter, None while no key goes there.
        self._typing: str | None = None
        self._way_back: list[Screen] = []
        self._header = Header(HeaderView(None, LinkView(connected=False, ever=False)))
        self._foot = Foot()
        self._foot.read_only = read_only
        kinds: tuple[type[Any], ...] = (
            TradingScreen,
            ActorsScreen,
            MarketScreen,
            MatchingScreen,
            LatencyScreen,
            FaultsScreen,
        )
        made = [kind(self._header, self._foot, self._scene) for kind in kinds]
        self._screens: Mapping[Screen, Panels] = {each.screen: each for each in made}
        self.root = Root(self._screens[Screen.TRADING], self.press, self.point)
        self._hands = Hands(self, link, shell, owns_engine=owns_engine, settings=settings)
        self._does: dict[Action, Callable[[], None]] = self._hands.table() | self._make_moves()
        self._does[Action.REDRAW] = shell.redraw
        self._foot.offer(Screen.TRADING)

    def __repr__(self) -> str:
        return f"<Cockpit of {self._link!r}>"

    @property
    def picture(self) -> Snapshot | None:
        """Return the newest picture."""
        return self._link.picture

    @property
    def read_only(self) -> bool:
        """Return whether this console may only look."""
        return self._read_only

    @property
    def scene(self) -> Scene:
        """Return what the screens show now."""
        return self._scene

    @property
    def panels(self) -> Panels:
        """Return the screen that is shown."""
        return self.root.screen

    @property
    def marked_market(self) -> str:
        """Return the ticker that is selected on the trading screen, empty where none is."""
        return getattr(self._screens[Screen.TRADING].main.selected, "ticker", "")

    @property
    def wish(self) -> Wish | None:
        """Return what the box over the screen, or the screen, wants to see closely."""
        dialog = self.root.dialog
        if dialog is not None and dialog.wish is not None:
            return dialog.wish
        return self.root.screen.wish(self._scene)

    def see(self, look: Look) -> None:
        """Take in what the engine showed closely."""
        if self.root.dialog is not None and look.wish == self.root.dialog.wish:
            if self.root.dialog.see(look):
                self.root.mark()
            return
        rates: Mapping[str, float] = self._scene.count_rates
        if isinstance(look.seen, Latencies):
            rates = dict(self._count_rates.observe(look.seen))
        self._scene = attrs.evolve(self._scene, look=look, count_rates=rates)
        self._seen_s = self._now_s
        self._stamp = ()

    def choose(self, ticker: str) -> None:
        """Look at a market closely."""
        self._scene = attrs.evolve(self._scene, ticker=ticker)
        self.turn_to(Screen.MARKET)

    def choose_log(self, choice: LogChoice) -> None:
        """Show these lines of the log, and say so."""
        self._scene = attrs.evolve(self._scene, log_choice=choice)
        self.say(f"the log shows {choice.words or 'all lines'}", Tone.DIM)

    def turn_to(self, screen: Screen) -> None:
        """Show another screen; Esc leads back."""
        before = self.root.screen.screen
        if before is not screen:
            self._way_back = [*[each for each in self._way_back if each is not screen], before]
        self._turn(screen)

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

    def say(self, text: str, tone: Tone, now_s: float | None = None) -> None:
        """Show a message in the foot for a while."""
        sign = {Tone.GOOD: "✓ ", Tone.BAD: "✗ "}.get(tone, "")
        cell = Cell(f"{sign}{formats.one_line(text)}", tone)
        self._message_until_s = (self._now_s if now_s is None else now_s) + MESSAGE_S
        self._foot.say(cell)
        self.root.mark()

    def press(self, key: str) -> None:
        """Do what a key means where it was pressed."""
        dialog = self.root.dialog
        if dialog is not None:
            if dialog.press(key) and self.root.dialog is dialog:
                self.root.open(None)
        elif self._typing is not None:
            self._type(key)
        else:
            action = find_action(key, self.root.screen.screen)
            if action is not None:
                self.do(action)
            else:
                self.say(no_meaning(key, self.root.screen.screen), Tone.DIM)
        self.root.mark()

    def do(self, action: Action) -> None:
        """Do one thing, unless this console may only look."""
        if self._read_only and action in STEERING:
            self.say(f"this console is read-only: {action} is not for it", Tone.WARN)
            return
        self._does[action]()
        # A panel may show what the selected row of another one is.
        self._stamp = ()

    def point(self, button: int, column: int, row: int, rows: int) -> None:
        """Do what a mouse means: a click selects, or presses a key of the last line."""
        if self.root.dialog is not None or self._typing is not None:
            return
        panels = self.root.screen
        if row == rows - 1 and button == LEFT_BUTTON:
            action = action_at(panels.screen, column, read_only=self._read_only)
            if action is not None:
                self.do(action)
        spot = panels.spot(column, row)
        if spot is not None and button in WHEEL:
            spot.table.move(WHEEL[button])
        elif spot is not None and button == LEFT_BUTTON:
            panels.go_to(spot.table)
            spot.table.click(row - spot.top)
        self._stamp = ()
        self.root.mark()

    def ask_to_leave(self) -> None:
        """Ask what becomes of the engine; without an engine there is nothing to ask."""
        self._hands.ask_to_leave()

    def _make_moves(self) -> dict[Action, Callable[[], None]]:
        turns = {
            action: partial(self.turn_to, screen)
            for action, screen in SCREEN_OF.items()
            if screen is not Screen.MARKET
        }
        return {
            Action.UP: lambda: self._panel.move(-1),
            Action.DOWN: lambda: self._panel.move(1),
            Action.PAGE_UP: lambda: self._panel.move_page(-1),
            Action.PAGE_DOWN: lambda: self._panel.move_page(1),
            Action.FIRST: lambda: self._panel.move_to_end(last=False),
            Action.LAST: lambda: self._panel.move_to_end(last=True),
            Action.NEXT_PANEL: lambda: self.root.screen.turn(1),
            Action.PREVIOUS_PANEL: lambda: self.root.screen.turn(-1),
            Action.FILTER: self._begin_typing,
            Action.SORT: self._sort,
            Action.BACK: self._go_back,
            **turns,
        }

    @property
    def _panel(self) -> Any:
        return self.root.screen.active

    def _turn(self, screen: Screen) -> None:
        self.root.turn_to(self._screens[screen])
        self._foot.offer(screen)
        self._stamp = ()
        self.refresh(self._now_s)

    def _go_back(self) -> None:
        if self._panel.order.words:
            self._panel.filter("")
        elif self._way_back:
            self._turn(self._way_back.pop())

    def _begin_typing(self) -> None:
        self._typing = self._panel.order.words
        self._foot.type(self._typing)

    def _type(self, key: str) -> None:
        if key in MOVES:
            self._panel.move(MOVES[key])
            return
        typed = "" if key == "esc" else typed_after(self._typing or "", key)
        self._panel.filter(typed)
        self._typing = None if key in {"esc", "enter"} else typed
        self._foot.type(self._typing)

    def _sort(self) -> None:
        title = self._panel.sort_next()
        text = f"sorted by {title}" if title else "in the engine's order"
        self.say(text, Tone.DIM)

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
        rates: Mapping[str, float] = {}
        if picture is not None:
            rates = self._rates.observe(picture)
            self._scene.history.observe(picture, rates)
            self._log.observe(picture)
        age_s = int(self._now_s - self._seen_s)
        self._scene = attrs.evolve(
            self._scene,
            picture=picture,
            rates=rates,
            look_age_s=age_s,
            log_lines=self._log.lines,
        )
        changed = self._header.show(HeaderView(picture, stand))
        # What is not on the terminal is made when somebody turns to it.
        changed = self.root.screen.show(self._scene) or changed
        self.root.grey(grey=picture is not None and not stand.connected)
        return changed

    def _forget_message(self) -> bool:
        if self._message_until_s is None or self._now_s < self._message_until_s:
            return False
        self._message_until_s = None
        self._foot.say(None)
        return True
