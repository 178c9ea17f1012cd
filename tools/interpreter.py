"""Finds a Python that is new enough, and goes on in it.

This one file is written so that any Python 3 can read it: it is what an old one runs into first.
"""

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")
# Set once the search has been made, so that a wrong answer cannot start it again.
SEARCHED = "ARB_TOOLS_INTERPRETER"

QUESTION = "import sys; sys.exit(sys.version_info[:2] < (%d, %d))" % OLDEST  # noqa: UP031


def ensure() -> None:
    """Return in a Python that is new enough, or end with one line that says what to install."""
    if sys.version_info[:2] >= OLDEST:
        os.environ.pop(SEARCHED, None)
        return
    better = "" if SEARCHED in os.environ else find()
    if not better:
        sys.stderr.write(
            "this needs Python %d.%d or newer; this one is %d.%d and no newer one is on the PATH:"  # noqa: UP031
            " install one, for example with apt install python3.11 python3.11-venv\n"
            % (OLDEST + tuple(sys.version_info[:2]))
        )
        sys.exit(2)
    os.environ[SEARCHED] = better
    os.execv(better, [better, *sys.argv])  # noqa: S606


def find() -> str:
    """Return the path of a Python on the PATH that is new enough, or an empty text."""
    for name in NAMES:
        path = shutil.which(name)
        if path and suffices(path):
            return path
    return ""


def suffices(path: str) -> bool:
    """Say whether the interpreter starts and is new enough; a version manager's stub may not."""
    try:
        answer = subprocess.run(
            [path, "-c", QUESTION],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
