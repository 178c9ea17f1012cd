"""The same seed must give the same events: in another process, and with other hash seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import attrs

from arb.faults.campaign import outcomes_of

# Two that order the same set of strings in different ways.
HASH_SEEDS = ("1", "2")


class OtherProcessFailed(Exception):
    """A process ended without an answer; says why in one line."""


@attrs.frozen
class Unequal:
    """One seed whose events differed, with the hash and the number of both."""

    seed: int
    one: str
    other: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"seed {self.seed}: {self.one} and {self.other}"


def digests(first: int, count: int) -> Iterator[str]:
    """Yield one line a seed: the seed, the hash of its events, and how many there were."""
    for outcome in outcomes_of(first, count, 1):
        yield f"{outcome.seed} {outcome.digest} {outcome.events}"


def unequal(first: int, count: int) -> list[Unequal]:
    """Run some seeds in two processes with different hash seeds; return what differed."""
    processes = [_process(first, count, hash_seed) for hash_seed in HASH_SEEDS]
    ones, others = [_answer(process) for process in processes]
    if len(ones) != count or len(others) != count:
        raise OtherProcessFailed(f"{len(ones)} and {len(others)} seeds were run of {count}")
    return [
        Unequal(int(one.split()[0]), one.split(" ", 1)[1], other.split(" ", 1)[1])
        for one, other in zip(ones, others, strict=True)
        if one != other
    ]


def _process(first: int, count: int, hash_seed: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "arb", "faults", "digests", "--first", str(first)]
    return subprocess.Popen(  # noqa: S603 - this program itself
        [*command, "--seeds", str(count)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(process: subprocess.Popen[str]) -> list[str]:
    out, said = process.communicate()
    if process.returncode:
        last = said.strip().splitlines()[-1:] or ["it said nothing"]
        raise OtherProcessFailed(f"a process of seeds failed: {last[0]}")
    return out.splitlines()
