"""An engine that only pretends: plausible pictures, and a record of every command it got.

``python -m tests.console.fake_engine SOCKET [MARKETS]`` serves it for a console to be tried on.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import trio

from arb.engine.control import ControlServer
from arb.engine.control_requests import SteeringError
from tests.console.fake_closeups import closeup

START_MS = 1_755_990_000_000
TEAMS = ("NYY", "BOS", "LAD", "SFG", "CHC", "STL", "HOU", "SEA", "ATL", "PHI", "TOR", "TBR")
REASONS = {
    "SKIP": "edge 0.6c is below the maker threshold 2c",
    "WAIT": "2 of 3 books confirmed",
    "TAKER": "edge 5.4c reaches the taker threshold 5c",
    "MAKER": "edge 2.8c reaches the maker threshold 2c",
    "RESTING": "our bid rests at 57c, 412 ms to go",
    "EXITING": "sale rests at fair value",
}


def market(ticker: str, **changes: Any) -> dict[str, Any]:
    """Return one market of a picture."""
    return {
        "ticker": ticker,
        "game": "New York Yankees at Boston Red Sox",
        "team": ticker.rsplit("-", 1)[-1],
        "start_ms": START_MS + 3_600_000,
        "fair": 0.623,
        "bid_e4": 5_800,
        "bid_size_e2": 12_000,
        "ask_e4": 6_000,
        "ask_size_e2": 4_550,
        "edge_e4": 230,
        "net_e4": 110,
        "action": "MAKER",
        "reason": REASONS["MAKER"],
        "odds_age_ms": 1_250,
        "books": 5,
        "latency_us": 48,
        "position_e2": 0,
        "actor": "running",
    } | changes


def actor(path: str, depth: int, kind: str = "actor", **changes: Any) -> dict[str, Any]:
    """Return one actor of a picture."""
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "depth": depth,
        "kind": kind,
        "state": "running",
        "generation": 1,
        "restarts": 0,
        "restart_limit": 5,
        "mailbox_length": 0,
        "mailbox_capacity": 1_024,
        "mailbox_peak": 7,
        "dropped": 0,
        "handled": 1_200,
        "handling_for_ms": None,
        "last_error": None,
        "uptime_ms": 8_040_000,
    } | changes


def tickers(count: int) -> list[str]:
    """Return so many tickers, two to a game."""
    names = []
    for index in range((count + 1) // 2):
        away, home = TEAMS[2 * index % len(TEAMS)], TEAMS[(2 * index + 1) % len(TEAMS)]
        day = 23 + index // 6
        names += [f"KXMLBGAME-25AUG{day}1905{away}{home}-{team}" for team in (away, home)]
    return names[:count]


def picture(count: int = 8, **changes: Any) -> dict[str, Any]:
    """Return a whole picture of a running engine with so many markets."""
    names = tickers(count)
    markets = [market(name) for name in names]
    first, second = [*names, "A", "B"][:2]
    return {
        "v": 1,
        "seq": 1,
        "at_ms": START_MS,
        "mode": "sim",
        "mode_words": "SIMULATED WORLD",
        "version": "0.1.0",
        "world": "seed-7",
        "uptime_ms": 8_040_000,
        "trading": {"state": "running", "reasons": []},
        "account": {
            "balance_e6": 1_234_560_000,
            "exposure_e6": 320_000_000,
            "exposure_limit_e6": 500_000_000,
            "exposure_limit_max_e6": 500_000_000,
            "realised_e6": 40_000_000,
            "unrealised_e6": 5_230_000,
            "fees_e6": 1_200_000,
        },
        "connections": [
            {"name": "Kalshi books", "connected": True, "since_ms": START_MS, "age_ms": 400},
            {"name": "Kalshi orders", "connected": True, "since_ms": START_MS, "age_ms": 700},
            {"name": "Odds", "connected": True, "since_ms": START_MS, "age_ms": 1_200},
        ],
        "markets": markets,
        "positions": [
            _position(first, 500, 6_000, 6_200, 500, 100_000),
            _position(second, 300, 4_100, None, 0, -120_000),
        ],
        "trades": [_trade(first, START_MS - 1_000 * index, index) for index in range(20)],
        "log": [_log(index, first) for index in range(100)],
        "actors": _actors(names),
        "counts": {
            "orders": 41,
            "fills": 37,
            "exits": 35,
            "decisions": {"SKIP": 1_200, "TAKER": 12},
            "refusals": {"post_only_cross": 2},
            "bad_input": {},
            "invariant_checks": 1_402,
            "invariant_violations": 0,
        },
        "bad_input": [],
    } | changes


def _position(
    ticker: str, count_e2: int, entry_e4: int, exit_e4: int | None, rest_e2: int, open_e6: int
) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "count_e2": count_e2,
        "entry_e4": entry_e4,
        "exit_e4": exit_e4,
        "exit_remaining_e2": rest_e2,
        "unrealised_e6": open_e6,
        "realised_e6": 90_000,
    }


def _trade(ticker: str, at_ms: int, index: int) -> dict[str, Any]:
    what = ("filled", "resting", "canceled", "refused", "unknown")[index % 5]
    return {
        "at_ms": at_ms,
        "side": "BUY" if index % 2 else "SELL",
        "count_e2": 500,
        "ticker": ticker,
        "price_e4": 6_000 + 50 * (index % 3),
        "liquidity": "maker" if index % 2 else "taker",
        "what": what,
        "pnl_e6": 90_000 if what == "filled" else None,
        "latency_us": 2_400 if what == "filled" else None,
    }


def _log(index: int, ticker: str) -> dict[str, Any]:
    kinds = (
        ("info", "ODDS", "NYY -150 to -155 (FanDuel), fair value 62.3c"),
        ("info", "KALSHI", f"{ticker} bid 58 ask 60"),
        ("info", "TRADE", f"edge 5.4c on {ticker}: bought 5 at 60c"),
        ("warning", "RISK", "exposure is at 64 % of its limit"),
        ("error", "KALSHI", "order refused: post_only_cross"),
    )
    level, tag, text = kinds[index % len(kinds)]
    at_ms = START_MS - 400 * (100 - index)
    return {"seq": index, "at_ms": at_ms, "level": level, "tag": tag, "text": text}


def _actors(names: list[str]) -> list[dict[str, Any]]:
    tree = [
        actor("root", 0, "supervisor"),
        actor("root/control", 1),
        actor("root/trading", 1, "supervisor"),
        actor("root/trading/risk", 2, handled=24_000),
        actor("root/trading/gateway", 2, mailbox_length=900, handling_for_ms=250),
        actor("root/trading/feeds", 2, "supervisor"),
        actor("root/trading/feeds/odds", 3, restarts=2, generation=3, last_error="Closed: 1006"),
        actor("root/trading/markets", 2, "supervisor"),
    ]
    return tree + [actor(f"root/trading/markets/{name}", 3) for name in names]


class FakeEngine:
    """Serves pictures that move a little, and does what commands ask of it in words."""

    def __init__(self, count: int = 8, seed: int = 0) -> None:
        self.document = picture(count)
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.pictures = 0
        self.shown: list[tuple[str, str]] = []
        self.faults = closeup("faults", "")
        self._rng = random.Random(seed)

    def __repr__(self) -> str:
        return f"<FakeEngine [{len(self.commands)} commands]>"

    def snapshot(self) -> dict[str, Any]:
        """Return the present picture."""
        self.pictures += 1
        self.document["seq"] += 1
        return self.document

    async def picture(self) -> dict[str, Any]:
        """Return the present picture as an engine does, which takes a moment."""
        await trio.lowlevel.checkpoint()
        return self.snapshot()

    async def steer(self, verb: str, arguments: dict[str, Any]) -> str:
        """Record a command, and do the few that show on the screen."""
        self.commands.append((verb, arguments))
        await trio.lowlevel.checkpoint()
        trading = self.document["trading"]
        if verb == "pause":
            trading |= {"state": "paused", "reasons": ["paused by a person at 14:23:01"]}
        elif verb == "resume":
            trading |= {"state": "running", "reasons": []}
        elif verb == "halt":
            trading |= {"state": "halted", "reasons": [arguments["reason"]]}
        elif verb == "clear":
            trading |= {"state": "running", "reasons": []}
        elif verb == "limit":
            account = self.document["account"]
            account["exposure_limit_e6"] += arguments["change_cents"] * 10_000
            return f"exposure limit is now ${account['exposure_limit_e6'] / 1e6:.2f}"
        elif verb in {"fault", "faults_off"}:
            self._switch(arguments.get("name"), on=arguments.get("switch") == "on")
        elif verb in {"kill", "restart"} and "nobody" in arguments["name"]:
            raise SteeringError(f"no actor {arguments['name']}: nearest is risk")
        return f"{verb} done" if not arguments else f"{verb} {next(iter(arguments.values()))} done"

    async def show(self, what: str, name: str) -> dict[str, Any]:
        """Return something closely, made up."""
        await trio.lowlevel.checkpoint()
        self.shown.append((what, name))
        if what == "faults":
            if self.document["mode"] != "sim":
                raise SteeringError("only the simulated world has faults to switch")
            return self.faults
        return closeup(what, name)

    def _switch(self, name: str | None, *, on: bool) -> None:
        """Switch a fault, or all; without its sockets the engine loses a connection."""
        for row in self.faults["faults"]:
            if name in {None, row["name"]}:
                row |= {"on": on, "at_ms": self.document["at_ms"] if on else None}
            if row["name"] == "upgrade-refused":
                books = self.document["connections"][0]
                books |= {"connected": not row["on"], "detail": "503" if row["on"] else ""}

    def wander(self, elapsed_ms: int) -> None:
        """Let time pass in the picture."""
        rng, document = self._rng, self.document
        document["at_ms"] += elapsed_ms
        document["uptime_ms"] += elapsed_ms
        for entry in document["markets"]:
            entry["odds_age_ms"] += elapsed_ms
            if rng.random() < 0.1:
                self._move(entry)
        for entry in document["actors"]:
            entry["uptime_ms"] += elapsed_ms
            entry["handled"] += rng.randrange(60)
        for connection in document["connections"]:
            connection["age_ms"] = rng.randrange(1_000)

    def _move(self, entry: dict[str, Any]) -> None:
        rng = self._rng
        fair = min(0.97, max(0.03, entry["fair"] + rng.uniform(-0.02, 0.02)))
        ask_e4 = round(fair * 100 + rng.choice([-6, -3, 0, 1, 2])) * 100
        bid_e4 = ask_e4 - rng.choice([100, 200])
        edge_e4 = round(fair * 10_000) - ask_e4
        action = "TAKER" if edge_e4 >= 500 else "MAKER" if edge_e4 >= 200 else "SKIP"
        action = rng.choice(["RESTING", "EXITING", "WAIT", action, action, action])
        entry |= {
            "fair": fair,
            "bid_e4": bid_e4,
            "ask_e4": ask_e4,
            "edge_e4": edge_e4,
            "net_e4": edge_e4 - 130,
            "action": action,
            "reason": REASONS[action],
            "odds_age_ms": 0,
            "latency_us": rng.choice([None, 31, 48, 1_250, 12_400]),
        }


async def serve(path: Path, count: int) -> None:
    """Serve a fake engine until cancelled."""
    engine = FakeEngine(count)
    server = ControlServer(engine, path)
    server.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve)
        while True:
            await trio.sleep(0.2)
            engine.wander(200)


if __name__ == "__main__":
    trio.run(serve, Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 12)
