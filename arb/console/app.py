"""The console as a program: urwid on Trio, the link, signals, and an orderly end."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import trio
import urwid
from urwid.display import raw

from arb.console.cells import Tone
from arb.console.closeups import Wish
from arb.console.cockpit import Cockpit
from arb.console.link import Answer, Link
from arb.console.outcome import ConsoleFailed, NoTerminal, Outcome
from arb.console.palette import colours, palette
from arb.io.groups import innermost

# Ten times a second is as often as a person can follow numbers; urwid alone would draw for each
# message, and not at all while the loop is never idle.
REFRESH_S = 0.1
# The engine ends within 5 s of being told; it answers the telling at once.
STOP_ANSWER_S = 3.0
# What was sent before the connection ends is heard even if its answer is not waited for.
LEAVE_ANSWER_S = 1.0
# What is seen closely is read, not watched; twice a second is in step with reading.
LOOK_EVERY_S = 0.5
CLEAR = "\x1b[0m\x1b[2J\x1b[H"
Facts = tuple[tuple[str, str], ...]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Console:
    """One console on a terminal, from its first picture to what becomes of the engine."""

    def __init__(
        self,
        socket_path: Path,
        screen: urwid.BaseScreen,
        *,
        owns_engine: bool,
        read_only: bool = False,
        settings: Facts = (),
    ) -> None:
        self._owns_engine = owns_engine
        self._link = Link(socket_path)
        self._cockpit = Cockpit(
            self._link, self, owns_engine=owns_engine, read_only=read_only, settings=settings
        )
        self._event_loop = urwid.TrioEventLoop()
        self._loop = urwid.MainLoop(
            self._cockpit.root,
            palette(),
            screen=screen,
            event_loop=self._event_loop,
            handle_mouse=True,
        )
        self._scope = trio.CancelScope()
        self._nursery: trio.Nursery | None = None
        self._outcome: Outcome | None = None
        self._stopping = False

    def __repr__(self) -> str:
        return f"<Console of {self._link!r} [outcome {self._outcome}]>"

    async def run(self) -> Outcome:
        """Show and steer until a person leaves, a signal comes, or an own engine has ended."""
        with trio.open_signal_receiver(*SIGNALS) as signals, self._loop.start(), self._scope:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._link.run)
                self._nursery.start_soon(self._refresh)
                self._nursery.start_soon(self._look)
                self._nursery.start_soon(self._obey, signals)
                await self._event_loop.run_async()
        return self._outcome or Outcome.LOST

    def steer(self, verb: str, **arguments: Any) -> None:
        """Send a command; its answer appears in the foot."""
        if self._nursery is not None:
            self._nursery.start_soon(partial(self._steer, verb, **arguments))

    def leave(self) -> None:
        """Close the console and leave the engine as it is, which it is told."""
        if self._nursery is None or not self._link.is_up:
            self._finish(self._left())
        else:
            self._nursery.start_soon(self._leave)

    def stop_engine(self) -> None:
        """Stop the engine in good order and close the console."""
        if self._stopping or self._nursery is None:
            self._finish(Outcome.STOP)
            return
        self._stopping = True
        self._nursery.start_soon(self._stop)

    def redraw(self) -> None:
        """Draw the whole terminal again."""
        self._loop.screen.clear()
        self._cockpit.root.mark()

    def _left(self) -> Outcome:
        if self._link.is_up:
            return Outcome.LEAVE_RUNNING
        return Outcome.ENDED if self._link.has_ended else Outcome.LOST

    async def _leave(self) -> None:
        # Unsaid, the end of this console would be taken for a lost one.
        with trio.move_on_after(LEAVE_ANSWER_S):
            await self._link.command("leave")
        self._finish(self._left())

    async def _steer(self, verb: str, **arguments: Any) -> Answer:
        answer = await self._link.command(verb, **arguments)
        self._cockpit.hear(verb, answer, trio.current_time())
        return answer

    async def _stop(self) -> None:
        self._cockpit.say("stopping the engine", Tone.WARN, trio.current_time())
        stopped = False
        with trio.move_on_after(STOP_ANSWER_S):
            stopped = (await self._steer("stop")).ok
        # Who started the engine can end its process; who only looks must be told that it goes on.
        if stopped or self._owns_engine:
            self._finish(Outcome.STOP)
        self._stopping = False

    async def _refresh(self) -> None:
        while True:
            if self._cockpit.refresh(trio.current_time()):
                self._loop.draw_screen()
            if self._owns_engine and self._link.has_ended:
                self._finish(Outcome.ENDED)
            await trio.sleep(REFRESH_S)

    async def _look(self) -> None:
        """Ask for what the screen wants to see closely: at once when it changes, then again."""
        last: Wish | None = None
        due_s = 0.0
        while True:
            wish, now_s = self._cockpit.wish, trio.current_time()
            if wish is not None and self._link.is_up and (wish != last or now_s >= due_s):
                last, due_s = wish, now_s + LOOK_EVERY_S
                self._cockpit.see(await self._link.look(wish))
            await trio.sleep(REFRESH_S)

    async def _obey(self, signals: AsyncIterator[int]) -> None:
        async for number in signals:
            if number == signal.SIGHUP:
                # The terminal is gone, and nobody has said what is to become of the engine: its
                # setting ``unattended`` does.
                self._finish(Outcome.HUNG_UP)
            elif self._owns_engine:
                self.stop_engine()
            else:
                self.leave()

    def _finish(self, outcome: Outcome) -> None:
        if self._outcome is None:
            self._outcome = outcome
        self._scope.cancel()


async def run_console(
    socket_path: Path,
    *,
    owns_engine: bool,
    read_only: bool = False,
    settings: Facts = (),
    screen: urwid.BaseScreen | None = None,
) -> Outcome:
    """Run a console on this terminal and return what becomes of the engine.

    Raises `NoTerminal` where there is none, and `ConsoleFailed`, with the terminal restored, if
    something in the console breaks. With ``owns_engine`` Ctrl-C and a termination stop the engine;
    without it they only detach, and a hang-up never does more. `Outcome.STOP` means that the engine
    was told to stop.
    A ``read_only`` console only looks. ``settings`` are names and values to show.
    """
    if screen is None:
        check_terminal()
        screen = make_screen()
    console = Console(
        socket_path, screen, owns_engine=owns_engine, read_only=read_only, settings=settings
    )
    try:
        return await console.run()
    except Exception as error:
        raise failure(error) from error


def console(
    socket_path: Path, *, owns_engine: bool, read_only: bool = False, settings: Facts = ()
) -> Outcome:
    """Run `run_console` in a Trio of its own; for a process that does nothing else."""
    run = partial(
        run_console,
        socket_path,
        owns_engine=owns_engine,
        read_only=read_only,
        settings=settings,
    )
    return trio.run(run)


def check_terminal() -> None:
    """Raise `NoTerminal` unless input and output are a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminal(
            "the console needs a terminal: run it in one, or use arb status, arb run --headless"
        )


class TerminalScreen(raw.Screen):
    """This terminal, left as clean as it was found."""

    def stop(self) -> None:
        """Clear the last frame, then give the terminal back.

        tmux 3.3 shows what is left of it in the main screen if the window was resized meanwhile.
        """
        if self.started:
            self.write(CLEAR)
        super().stop()


def make_screen() -> raw.Screen:
    """Return this terminal as urwid's screen, in as many colours as it says it has."""
    screen = TerminalScreen(bracketed_paste_mode=False, focus_reporting=False)
    screen.set_terminal_properties(colors=colours(os.environ))
    return screen


def failure(error: BaseException) -> ConsoleFailed:
    """Return what to tell a person of an error in the console: one line, with its place."""
    leaf = innermost(error)
    if _terminal_is_gone(leaf):
        return ConsoleFailed("the console's terminal is gone; the engine goes on")
    frames = traceback.extract_tb(leaf.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = " ".join(str(leaf).split())
    return ConsoleFailed(
        f"the console failed and the engine goes on: {type(leaf).__name__}: {text}{place}"
    )


def _terminal_is_gone(error: BaseException) -> bool:
    # urwid has no error of its own for an input that ended.
    ended = isinstance(error, RuntimeError) and "stdin has been closed" in str(error)
    return ended or (isinstance(error, OSError) and error.errno == errno.EIO)
