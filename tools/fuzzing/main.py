"""Throws damaged messages at every parser and prints what came of it as one JSON line."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterable, Sequence

import attrs
import orjson

from tools.fuzzing import guided
from tools.fuzzing.corpus import Corpus, make_corpus
from tools.fuzzing.findings import Findings, Tally
from tools.fuzzing.targets import TARGETS

COUNT = 100_000


@attrs.define
class Report:
    """What a run of the fuzzer came to."""

    seed: int
    tallies: dict[str, Tally] = attrs.field(factory=dict)
    findings: Findings = attrs.field(factory=Findings)
    seconds: float = 0.0

    @property
    def mutations(self) -> int:
        """Return how many damaged messages were thrown."""
        return sum(tally.mutations for tally in self.tallies.values())

    @property
    def uncounted(self) -> int:
        """Return how many messages were rejected and nobody counted it: none may be."""
        return sum(sum(t.rejected.values()) - t.counted for t in self.tallies.values())

    @property
    def good(self) -> bool:
        """Tell whether nothing was found wrong."""
        return not self.findings.total and not self.uncounted

    def shown(self) -> str:
        """Return it as one JSON line."""
        content = {
            "ok": self.good,
            "seed": self.seed,
            "mutations": self.mutations,
            "rejected": sum(sum(t.rejected.values()) for t in self.tallies.values()),
            "counted": sum(tally.counted for tally in self.tallies.values()),
            "wrong": self.findings.total,
            "seconds": round(self.seconds, 1),
            "targets": {name: tally.shown() for name, tally in self.tallies.items()},
            "findings": [found.shown() for found in self.findings.kept],
        }
        return orjson.dumps(content).decode()


def fuzz(seed: int, count: int, names: Iterable[str] = TARGETS, case: int | None = None) -> Report:
    """Throw ``count`` damaged messages, shared out by target; ``case`` is the only one to try."""
    began = time.monotonic()
    report, corpus = Report(seed), make_corpus()
    chosen = list(names)
    whole = sum(TARGETS[name].share for name in chosen)
    for name in chosen:
        wanted = max(1, round(count * TARGETS[name].share / whole))
        report.tallies[name] = tally = Tally()
        if case is not None:
            one_case(report, name, case, corpus)
            continue
        number = 0
        # A case that ends in a finding, or leaves its messages alone, adds nothing.
        while tally.mutations < wanted and number < wanted:
            one_case(report, name, number, corpus)
            number += 1
    report.seconds = time.monotonic() - began
    return report


def one_case(report: Report, name: str, case: int, corpus: Corpus) -> None:
    """Try one case: the same seed, target and number make the same one again."""
    rng, sent = random.Random(f"{report.seed}/{name}/{case}"), list[bytes]()
    tally = report.tallies[name]
    try:
        TARGETS[name].case(rng, corpus, tally, sent)
    except Exception as error:  # noqa: BLE001 - any exception is what is looked for
        report.findings.add(name, case, error, sent[-1] if sent else b"")


def main(arguments: Sequence[str]) -> int:
    """Fuzz as the arguments say; returns 1 where something was found wrong."""
    options = _options(arguments)
    if options.atheris:
        return guided.run(options.targets, options.count, options.seed)
    try:
        report = fuzz(options.seed, options.count, options.targets, options.case)
    except KeyboardInterrupt:
        return 130
    print(report.shown())
    for found in report.findings.kept:
        again = f"--seed {options.seed} --case {found.case} {found.target}"
        print(f"wrong: {found.what}; once more: tools/fuzz {again}", file=sys.stderr)
    return 0 if report.good else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/fuzz",
        description=__doc__,
        epilog="example: tools/fuzz --count 100000 --seed 1 books frames",
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--count", type=int, default=COUNT, help="how many damaged messages")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same damage")
    parser.add_argument("--case", type=int, help="only this case of each target")
    parser.add_argument(
        "--atheris", action="store_true", help="let coverage guide the damage (needs atheris)"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no target: choose from {', '.join(TARGETS)}")
    if options.count < 1:
        parser.error(f"--count {options.count} must be above 0")
    options.targets = options.targets or list(TARGETS)
    return options
