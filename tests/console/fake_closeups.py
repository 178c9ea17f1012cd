"""What a pretended engine shows closely: one market, the matching, the latencies, one actor."""

from __future__ import annotations

from typing import Any

START_MS = 1_755_990_000_000


def closeup(what: str, name: str) -> dict[str, Any]:
    """Return one thing closely."""
    made = {
        "market": market,
        "matching": matching,
        "latency": latency,
        "actor": actor,
        "faults": faults,
        "settings": settings,
    }
    return made[what](name)


def market(ticker: str) -> dict[str, Any]:
    """Return one market with books, quotes, and an order of ours."""
    return {
        "ticker": ticker,
        "odds": {
            "quotes": [
                _quote("FanDuel", 0.631, 1_200, 50),
                _quote("DraftKings", 0.615, 42_000, 50),
                _quote("BetMGM", 0.58, 9_000, 0, "suspended"),
            ],
            "fair": 0.623,
            "spread": 0.016,
            "no_consensus": None,
            "counted": 2,
            "newest_change_ms": 1_200,
        },
        "book": {
            "bids": [_level(5_800, 12_500, 500), _level(5_700, 3_000), _level(5_600, 900_000)],
            "asks": [_level(6_000, 4_550), _level(6_200, 700, 500), _level(6_300, 10_000)],
            "fault": None,
        },
        "orders": [
            {
                "side": "bid",
                "purpose": "entry",
                "price_e4": 5_800,
                "count_e2": 500,
                "state": "resting",
                "age_ms": 312,
            }
        ],
        "listing": None,
        "status": "active",
        "min_books": 2,
        "taker_edge_e4": 500,
        "maker_edge_e4": 200,
        "min_net_e4": 100,
        "stale_ms": 5_000,
    }


def matching(_name: str) -> dict[str, Any]:
    """Return two games that match and one that does not."""
    return {
        "matched": [
            _game("New York Yankees at Boston Red Sox", "KXMLBGAME-25AUG231905NYYBOS", []),
            _game("Dodgers at Giants", "KXMLBGAME-25AUG231905LADSFG", ["SFG: KeyError: 'x'"]),
        ],
        "unmatched": [
            {
                "source": "odds",
                "id": "odds-api:77",
                "reason": "unknown team or league",
                "text": "Springfield Isotopes at Shelbyville: unknown team or league",
                "candidates": ["KXMLBGAME-25AUG23SPISHE"],
            }
        ],
    }


def latency(_name: str) -> dict[str, Any]:
    """Return one step that was measured and one that was not."""
    return {
        "at_ms": START_MS,
        "steps": [
            {
                "name": "frame in hand to order handed over",
                "count": 41,
                "p50_us": 310,
                "p90_us": 480,
                "p99_us": 1_900,
                "max_us": 2_400,
                "bars": [0, 0, 1, 9, 20, 8, 2, 1, 0, 0, 0, 0],
            },
            {
                "name": "order handed over to its answer",
                "count": 0,
                "p50_us": None,
                "p90_us": None,
                "p99_us": None,
                "max_us": None,
                "bars": [0] * 12,
            },
        ],
        "lag_p50_us": 90,
        "lag_p99_us": 2_100,
        "counts": {"odds_frames": 12_000, "book_frames": 240_000, "evaluations": 9_000},
    }


def faults(_name: str) -> dict[str, Any]:
    """Return the faults of a world: two that are on, one that has passed, and others."""
    rows = [
        _fault("order-refused", "orders", "each order is answered 409, not taken"),
        _fault("answer-lost", "orders", "taken, then hung up on", on=True, at_ms=START_MS - 12_000),
        _fault("cancel-lags", "cancels", "cancels arrive 3 s late"),
        _fault("key-refused", "REST", "the key is refused"),
        _fault("upgrade-refused", "sockets", "cut, and not let in again: 503"),
        _fault(
            "sequence-gap",
            "books",
            "the next frame leaves out 7 numbers",
            passing=True,
            at_ms=START_MS - 90_000,
        ),
        _fault("late-private", "private", "private messages come 2 s late"),
        _fault("trading-pause", "trading", "no trading; cancels are taken"),
        _fault("frozen", "odds", "no price moves, the connection lives"),
        _fault("wrong-prices", "odds", "every home team is 8 points too good"),
    ]
    return {"faults": rows}


def _fault(name: str, where: str, does: str, **more: Any) -> dict[str, Any]:
    row = {"name": name, "where": where, "does": does, "passing": False, "on": False, "at_ms": None}
    return row | more


def actor(name: str) -> dict[str, Any]:
    """Return an actor that has failed once."""
    return {
        "path": name,
        "spec": {"name": name.rsplit("/", 1)[-1], "restart": "permanent", "direct": "True"},
        "counters": {"received": 1_201, "handled": 1_200, "failed": 1},
        "waiting_on": "root/trading/risk",
        "waiting_for_ms": 12,
        "handling": "GameQuotes",
        "next_restart_ms": None,
        "failures": 1,
        "failed_ms": 65_000,
        "traceback": 'Traceback:\n  File "feed.py", line 7\nClosed: 1006',
        "dead_letters": [{"reason": "not for the odds feed", "count": 3, "age_ms": 4_000}],
        "deadlocks": [],
    }


def _quote(
    book: str, chance: float, changed_ms: int, weight: int, standing: str = "counted"
) -> dict[str, Any]:
    return {
        "book": book,
        "provider": "odds-api",
        "home": 1.55,
        "away": 2.4,
        "chance": chance,
        "changed_ms": changed_ms,
        "confirmed_ms": 400,
        "weight_percent": weight,
        "standing": standing,
    }


def _level(price_e4: int, size_e2: int, own_e2: int = 0) -> dict[str, Any]:
    return {"price_e4": price_e4, "size_e2": size_e2, "own_e2": own_e2}


def _game(name: str, event: str, quarantined: list[str]) -> dict[str, Any]:
    return {
        "game": name,
        "league": "MLB",
        "start_ms": START_MS + 3_600_000,
        "event": event,
        "providers": ["odds-api"],
        "swapped": False,
        "quarantined": quarantined,
    }


def settings(_name: str) -> dict[str, Any]:
    """Return two settings that may change, and one that takes a new start."""
    return {
        "file": "/home/kim/own.toml",
        "settings": [
            _setting("strategy.taker_edge_threshold", "5", "default"),
            _setting("strategy.maker_edge_threshold", "2", "/home/kim/own.toml"),
            _setting("strategy.min_books", "3", "ARB_STRATEGY__MIN_BOOKS", changeable=False),
        ],
    }


def _setting(key: str, value: str, source: str, *, changeable: bool = True) -> dict[str, Any]:
    return {
        "key": key,
        "value": value,
        "unit": "cents",
        "source": source,
        "reason": f"the reason of {key}",
        "allowed": "a whole number from 1 to 99 cents",
        "changeable": changeable,
    }
