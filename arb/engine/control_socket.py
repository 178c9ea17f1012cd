"""The file of the control socket: opened for its owner alone, and cleared up after the dead."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

# A living engine accepts at once; one that is held up longer still lives.
PROBE_TIMEOUT_S = 0.25
# struct sockaddr_un holds this much, the closing zero byte taken off.
PATH_BYTES_MAX = 103 if sys.platform == "darwin" else 107


class ControlError(Exception):
    """The control socket cannot be opened; the text says in one line why and what to do."""


def open_socket(path: Path, backlog: int) -> socket.socket:
    """Return a listening socket at ``path``, mode 0600; raises `ControlError`.

    The file of a dead engine is replaced, the socket of a living one never.
    """
    check_path(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ControlError(f"{path.parent} cannot be made: {error.strerror or error}") from None
    _clear_stale(path)
    return _bind(path, backlog)


def unlink_own(path: Path, inode: int) -> None:
    """Take the socket's file away unless another has taken its place."""
    # Another engine may have put its own socket here since.
    try:
        if path.lstat().st_ino == inode:
            path.unlink()
    except FileNotFoundError:
        return


def check_path(path: Path) -> None:
    """Raise `ControlError` for a path that is longer than the system allows a socket."""
    length = len(os.fsencode(path))
    if length > PATH_BYTES_MAX:
        raise ControlError(
            f"the control socket {path} would have a path of {length} bytes and the system allows "
            f"{PATH_BYTES_MAX}: choose a shorter engine.state_dir"
        )


def _clear_stale(path: Path) -> None:
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise ControlError(f"{path} is there and is no socket: move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            # Nobody listens: the engine that made it ended without clearing up.
            path.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
        except (TimeoutError, BlockingIOError):
            pass
        except OSError as error:
            raise ControlError(f"{path} cannot be used: {error.strerror or error}") from None
    raise ControlError(
        f"an engine already runs at {path}: attach to it with arb console, or end it with arb stop"
    )


def _bind(path: Path, backlog: int) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The file must not be open to others even for the moment between bind and chmod.
    umask = os.umask(0o177)
    try:
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(backlog)
    except OSError as error:
        listening.close()
        raise ControlError(f"{path} cannot be opened: {error.strerror or error}") from None
    finally:
        os.umask(umask)
    return listening
