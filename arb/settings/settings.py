"""All settings together, and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from arb.core.exit_parameters import Exits
from arb.core.parameters import Execution, Risk, Strategy
from arb.settings.sections import Engine, Kalshi, OddsFeed


class SourceKind(IntEnum):
    """Where a value may come from; the higher one wins."""

    DEFAULT = 0
    FILE = 1
    ENVIRONMENT = 2
    PERSON = 3


@attrs.frozen
class Source:
    """Where one value came from: the default, a file, an environment variable, or a person's hand.

    ``name`` says which file, which variable, who and when.
    """

    kind: SourceKind
    name: str = "default"

    def __str__(self) -> str:
        return self.name


DEFAULT = Source(SourceKind.DEFAULT)


def _read_only(sources: Mapping[str, Source]) -> Mapping[str, Source]:
    return MappingProxyType(dict(sources))


@attrs.frozen(kw_only=True)
class Settings:
    """Every setting in force, each section by its name, and where each value came from.

    ``file`` is the settings file that was read, None where there was none.
    """

    strategy: Strategy = attrs.field(factory=Strategy)
    risk: Risk = attrs.field(factory=Risk)
    execution: Execution = attrs.field(factory=Execution)
    exits: Exits = attrs.field(factory=Exits)
    kalshi: Kalshi = attrs.field(factory=Kalshi)
    odds_feed: OddsFeed = attrs.field(factory=OddsFeed)
    engine: Engine = attrs.field(factory=Engine)
    sources: Mapping[str, Source] = attrs.field(
        factory=dict, converter=_read_only, repr=False, eq=False
    )
    file: Path | None = attrs.field(default=None, repr=False, eq=False)

    def value(self, key: str) -> Any:
        """Return the value of a dotted key such as ``kalshi.demo.api_base``."""
        return attrgetter(key)(self)

    def source(self, key: str) -> Source:
        """Return where the value of a dotted key came from."""
        return self.sources.get(key, DEFAULT)
