"""One engine per account on this machine, wherever each keeps its files."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from arb.settings.venues import is_loopback

# Every engine of this machine must look in the same place, whoever started it and with whatever
# environment; only what is its own does a temporary directory of the environment's choice give.
LOCKS = Path("/tmp")  # noqa: S108 - nothing is read from it, and a link there is not followed

# Enough hexadecimal digits to tell a person's accounts apart, few enough for a socket's path.
ACCOUNT_DIGITS = 10


class AccountTaken(Exception):
    """Another engine of this machine trades this account; says so in one line."""


def account_name(key_id: str) -> str:
    """Return what an account's state is filed under: another key is another account."""
    return f"account-{_digest(key_id)}"


class AccountLock:
    """Holds an account on this machine, from entering to leaving; entering raises `AccountTaken`.

    Beside the lock of the state directory, of which two engines may have one each. Keys of the
    real exchange are its own for ever; those of a simulated one are told apart by its address.
    """

    def __init__(self, rest_url: str, key_id: str, folder: Path = LOCKS) -> None:
        host = urlsplit(rest_url).hostname or ""
        name = f"{rest_url} {key_id}" if is_loopback(host) else key_id
        self._path = folder / f"arb-account-{_digest(name)}.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Lock the account."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise AccountTaken(
                "another engine on this machine trades this account, with a state directory of"
                f" its own ({self._path} is locked): stop that one first, with arb stop"
            ) from None
        self._descriptor = descriptor
        return self

    def _open(self) -> int:
        # Another user's file can be locked, too, by whoever may read it; it is never made twice.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(self._path, flags)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise AccountTaken(f"{self._path} cannot be opened: {error.strerror}") from None
        try:
            return os.open(self._path, flags | os.O_CREAT, 0o644)
        except OSError as error:
            raise AccountTaken(f"{self._path} cannot be made: {error.strerror}") from None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The file stays: one that is removed while another engine opens it would be locked twice.
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __repr__(self) -> str:
        return f"<AccountLock {self._path} {'held' if self._descriptor is not None else 'free'}>"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:ACCOUNT_DIGITS]
