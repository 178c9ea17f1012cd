"""Usage tiers: how many requests an account is granted."""

from __future__ import annotations

import attrs


@attrs.frozen
class Tier:
    """One usage tier; capacities are tokens, rates tokens per second."""

    name: str
    read_per_s: int
    write_per_s: int
    read_capacity: int
    write_capacity: int
    balance_per_s: int


# 300 each, a write bucket of two seconds, the balance once a second, as documented.
ADVANCED = Tier("advanced", 300, 300, 600, 600, 1)

# As recorded in June 2026.
BASIC = Tier("basic", 200, 100, 200, 100, 1)
