"""The same targets, their damage guided by what code it reaches: atheris, where it is there."""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from arb.kalshi.answers import Operation
from tools.fuzzing import targets
from tools.fuzzing.books import TICKERS, Exchange, Session
from tools.fuzzing.corpus import Corpus, make_corpus
from tools.fuzzing.endpoints import ENDPOINTS
from tools.fuzzing.findings import Tally
from tools.fuzzing.mutate import damaged
from tools.fuzzing.records import RECORDS

MISSING = (
    "atheris is not installed: pip install atheris into the environment that runs this (3.0.0 has"
    " wheels for Linux), or leave --atheris out"
)

# Whose branches guide the damage: what reads foreign bytes.
PACKAGES = ("arb.kalshi", "arb.feeds", "arb.core.book", "arb.core.grid", "arb.engine", "arb.tape")

# The longest message: what a corpus holds is shorter, and longer ones only take longer.
BYTES_MAX = 8_192

_BOOK_FRAMES_MAX = 20


def run(names: Sequence[str], count: int, seed: int) -> int:
    """Fuzz until ``count`` messages were tried; a defect ends the process with its message kept.

    atheris ends the process by itself: with 0 after the last message, else with what it found.
    """
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        print(MISSING, file=sys.stderr)
        return 1
    for name in sorted(name for name in sys.modules if name.startswith(PACKAGES)):
        _instrument(atheris, sys.modules[name])
    with tempfile.TemporaryDirectory(prefix="arb-fuzz-") as folder:
        corpus = make_corpus()
        _write_seeds(Path(folder), list(names), corpus)
        hunt = _Hunt(list(names), count, seed, corpus)
        arguments = [
            "tools/fuzz",
            f"-runs={count}",
            f"-seed={seed}",
            f"-max_len={BYTES_MAX}",
            "-verbosity=0",
        ]
        atheris.Setup([*arguments, folder], hunt.take, custom_mutator=hunt.mutate)
        atheris.Fuzz()
    return 0


class _Hunt:
    """Counts what is tried, and says so after the last message."""

    def __init__(self, names: list[str], count: int, seed: int, corpus: Corpus) -> None:
        self._names = names
        self._left = count
        self._seed = seed
        self._corpus = corpus
        self._tallies = {name: Tally() for name in names}
        self._began_s = time.monotonic()

    def __repr__(self) -> str:
        return f"<_Hunt {self._names}, {self._left} left>"

    def take(self, data: bytes) -> None:
        """Try one message: its first byte says for which target it is."""
        if data:
            name = self._names[data[0] % len(self._names)]
            _try(name, data[1:], self._tallies[name])
        self._left -= 1
        if not self._left:
            print(self._summary(), flush=True)

    def mutate(self, data: bytes, length_max: int, seed: int) -> bytes:
        """Damage a message as the other way of fuzzing does; the first byte stays mostly."""
        rng = random.Random(seed)
        others = self._corpus.frames
        return (data[:1] + damaged(rng, data[1:], others))[:length_max]

    def _summary(self) -> str:
        content = {
            "ok": True,
            "seed": self._seed,
            "guided": True,
            "mutations": sum(tally.mutations for tally in self._tallies.values()),
            "seconds": round(time.monotonic() - self._began_s, 1),
            "targets": {name: tally.shown() for name, tally in self._tallies.items()},
        }
        return orjson.dumps(content).decode()


def _instrument(atheris: Any, module: Any) -> None:
    for value in list(vars(module).values()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        functions = vars(value).values() if isinstance(value, type) else [value]
        for function in functions:
            if hasattr(function, "__code__"):
                atheris.instrument_func(function)


def _try(name: str, data: bytes, tally: Tally) -> None:
    if name == "books":
        session, exchange = Session(tally), Exchange(random.Random(0))
        for ticker in TICKERS:
            session.take(exchange.snapshot(ticker), mutated=False)
        for raw in data.split(b"\n")[:_BOOK_FRAMES_MAX]:
            session.take(raw, mutated=True)
        return
    choice, rest = data[:1] or b"\0", data[1:]
    if name == "bodies":
        endpoint = list(ENDPOINTS)[choice[0] % len(ENDPOINTS)]
        reason, _ = targets.try_body(endpoint, rest)
    elif name == "answers":
        operations = list(Operation)
        status = targets.STATUSES[choice[0] // len(operations) % len(targets.STATUSES)]
        reason = targets.try_answer(operations[choice[0] % len(operations)], status, rest)
    else:
        reason = targets.PLAIN[name](data)
    tally.add(reason)
    tally.counted += reason is not None


def _write_seeds(folder: Path, names: list[str], corpus: Corpus) -> None:
    plain = {
        "frames": corpus.frames,
        "books": corpus.frames,
        "odds": corpus.odds,
        "requests": corpus.requests,
        "journal": RECORDS,
        "tape": corpus.tape,
    }
    for number, name in enumerate(names):
        seeds = list(plain.get(name, ()))
        for index, endpoint in enumerate(ENDPOINTS):
            if name == "bodies":
                seeds += [bytes([index]) + body for body in corpus.bodies[endpoint]]
        if name == "answers":
            seeds += [bytes([index]) + body for index, body in enumerate(corpus.answers)]
        for index, seed in enumerate(seeds):
            (folder / f"{name}-{index}").write_bytes(bytes([number]) + seed)
