"""What every driver of a stranger's client needs; it runs where nothing of ours is installed.

A driver is a script: it gets the line that `arb sim --json` prints as its one argument, uses the
client as its documentation shows, and prints one JSON object for each thing that worked.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Football trades on shard 0, where clients that know of no shards can cancel by the id alone.
SERIES = "KXNFLGAME"


class Ready:
    """Where the exchange is and with which key."""

    def __init__(self, line: str) -> None:
        found = json.loads(line)
        self.rest: str = found["rest"]
        self.ws: str = found["ws"]
        self.key_id: str = found["key_id"]
        self.key_path: str = found["private_key_path"]

    @property
    def pem(self) -> str:
        return Path(self.key_path).read_text()


def ready() -> Ready:
    """Return what the exchange said of itself."""
    return Ready(sys.argv[1])


def did(step: str, **facts: Any) -> None:
    """Say that something worked, with what came of it."""
    print(json.dumps({"step": step, **facts}, default=str), flush=True)


def new_id() -> str:
    """Return a client order id that was never used."""
    return str(uuid.uuid4())


def eventually(ask: Callable[[], Any], patience_s: float = 5.0) -> Any:
    """Ask until there is something; private reads follow what happened after a moment."""
    end = time.monotonic() + patience_s
    pause = threading.Event()
    while not (found := ask()) and time.monotonic() < end:
        pause.wait(0.2)
    return found
