"""Makes and repairs ``.venv``: the one set-up that the tools share.

A stamp inside ``.venv`` says which locks it was filled from, so that a later start only compares
digests. A marker stands there while it is being filled: who finds one was left by a set-up that was
interrupted, and begins afresh.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
# Raised when the way of setting up changes, so that every environment is looked at once more.
SET_UP_VERSION = "1"


class Packages(Enum):
    """Which lock an environment is filled from; the development set contains the other."""

    RUN = "requirements.lock"
    DEVELOP = "requirements-dev.lock"


class SetUpFailed(Exception):
    """The environment cannot be made; the message is one line for a person."""


class Environment:
    """The virtual environment of one checkout."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.path = root / ".venv"
        self.bin = self.path / "bin"
        self.python = self.bin / "python"
        self.stamp = self.path / "set-up.json"
        self.marker = self.path / "set-up-unfinished"

    def __repr__(self) -> str:
        state = "unfinished" if self.marker.exists() else ", ".join(self._held()) or "not set up"
        return f"<Environment {self.path} [{state}]>"

    def ready(self, packages: Packages) -> bool:
        """Say whether the environment holds these packages as the lock has them now."""
        if self.marker.exists() or not self.python.exists():
            return False
        held = self._held()
        return any(held.get(each.name) == self.digest(each) for each in _containing(packages))

    def ensure(self, packages: Packages) -> None:
        """Make the environment hold these packages; raises `SetUpFailed`."""
        if self.ready(packages):
            return
        if self.path.is_symlink():
            # What it points to is another's, and filling it would begin with emptying it.
            raise SetUpFailed(f"{self.path} is a link: remove it, and it is made here")
        with self._alone():
            if not self.ready(packages):  # another start may have done it meanwhile
                self._set_up(packages)

    def digest(self, packages: Packages) -> str:
        """Return what an environment made from this lock is known by."""
        digest = hashlib.sha256(f"{SET_UP_VERSION}\n{self.root}\n".encode())
        for name in ("pyproject.toml", packages.value):
            try:
                digest.update((self.root / name).read_bytes())
            except OSError as error:
                raise SetUpFailed(f"{error.filename} cannot be read: {error.strerror}") from None
        return digest.hexdigest()

    def _held(self) -> dict[str, str]:
        try:
            held = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return {}
        return held if isinstance(held, dict) else {}

    def _set_up(self, packages: Packages) -> None:
        say(f"setting up {self.path} from {packages.value} (first start, or the lock has changed)")
        afresh = self.marker.exists() or not self._usable()
        self.path.mkdir(exist_ok=True)
        self.marker.touch()
        self.stamp.unlink(missing_ok=True)
        if afresh:
            self._empty()
            self._make()
        self._pip("--require-hashes", "-r", str(self.root / packages.value))
        self._pip("--no-deps", "--no-build-isolation", "-e", str(self.root))
        held = {each.name: self.digest(each) for each in _contained(packages)}
        fresh = self.stamp.with_suffix(".new")
        fresh.write_text(json.dumps(held))
        fresh.replace(self.stamp)
        self.marker.unlink()

    def _empty(self) -> None:
        """Remove what stands there, and the marker never: the removal may be interrupted too."""
        for child in self.path.iterdir():
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            elif child != self.marker:
                child.unlink()

    def _make(self) -> None:
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(self.path)],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise SetUpFailed(
                f"{sys.executable} cannot make a virtual environment (on Debian and Ubuntu:"
                f" apt install python3-venv): {_last_line(made.stdout + made.stderr)}"
            )

    def _usable(self) -> bool:
        """Say whether the environment stands where it was made, with an interpreter that starts."""
        try:
            answer = subprocess.run(
                [str(self.python), "-c", "import pip, sys; print(sys.prefix)"],
                check=False,
                capture_output=True,
                text=True,
            )
            # The scripts inside name the interpreter by its full path: a copy that was moved
            # would start programs of the place it came from.
            script = (self.bin / "pip").read_text().splitlines()[0]
        except OSError:
            return False
        return answer.returncode == 0 and str(self.bin) in script

    def _pip(self, *arguments: str) -> None:
        command = [str(self.python), "-m", "pip", "install", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", *arguments]
        # Standard output belongs to the program that is started afterwards.
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
            raise SetUpFailed(f"pip could not install ({' '.join(arguments)}): see above")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the checkout's own directory locked: two set-ups at once would spoil both."""
        folder = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def prepare(packages: Packages) -> Environment:
    """Return the environment with these packages, or end the program with one line."""
    # A terminated set-up takes its pip along: SystemExit passes through subprocess.run.
    signal.signal(signal.SIGTERM, _terminated)
    environment = Environment()
    try:
        environment.ensure(packages)
    except SetUpFailed as error:
        sys.exit(f"set-up failed: {error}")
    except KeyboardInterrupt:
        say("set-up interrupted: the next start repairs it")
        sys.exit(130)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return environment


def start(program: Path, arguments: Sequence[str]) -> NoReturn:
    """Become another program, which gets to see a stop signal only when it is ready for it.

    A Python that is stopped while it starts itself dies with a fatal error. So both signals are
    held back here, and arb.cli lets them through once it can end in good order.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    os.execv(program, [str(program), *arguments])  # noqa: S606


def say(text: str) -> None:
    """Tell the person at the terminal; standard output belongs to the program started."""
    print(text, file=sys.stderr, flush=True)


def _containing(packages: Packages) -> tuple[Packages, ...]:
    return (packages,) if packages is Packages.DEVELOP else (Packages.DEVELOP, Packages.RUN)


def _contained(packages: Packages) -> tuple[Packages, ...]:
    return (packages,) if packages is Packages.RUN else (Packages.DEVELOP, Packages.RUN)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _terminated(_number: int, _frame: object) -> NoReturn:
    say("set-up terminated: the next start repairs it")
    sys.exit(143)
