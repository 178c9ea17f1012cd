"""Which version of the code a simulation ran: a seed means something together with it only."""

from __future__ import annotations

import subprocess
from pathlib import Path

from arb.version import VERSION

_ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 5.0


def revision() -> str:
    """Return the commit of this checkout, marked where files differ from it, or the version."""
    command = ("git", "-C", str(_ROOT), "describe", "--always", "--dirty=+", "--abbrev=10")
    try:
        said = subprocess.run(  # noqa: S603 - git, with arguments of our own making
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return VERSION
    return f"{VERSION} ({said.stdout.strip()})"
