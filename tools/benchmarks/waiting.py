"""Waiting for what tells nobody: to be told would be one more thing that is measured."""

from __future__ import annotations

from collections.abc import Callable

import trio


async def until(happened: Callable[[], bool]) -> None:
    """Look again in every pass of the loop until something is so."""
    while True:
        if happened():
            return
        await trio.lowlevel.checkpoint()
