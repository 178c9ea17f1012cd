"""Who sits at this terminal, for what is written down about what a person did."""

from __future__ import annotations

import getpass


def login() -> str | None:
    """Return the name of whoever runs this process; None where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
