"""American odds, as most providers of the United States write them."""

from __future__ import annotations


def american(decimal: str) -> int:
    """Return a line's decimal odds as the nearest American ones; even money is 100."""
    gain = float(decimal) - 1
    if gain >= 1:
        return round(100 * gain)
    odds = -round(100 / gain)
    return 100 if odds == -100 else odds  # noqa: PLR2004 - the two spellings of even money
