"""Reads a tape: the header at once, the frames one after the other, however long the tape is."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from arb.tape.format import Record, TapeError, is_compressed, parse_header, parse_record

# The longest frame that the sockets take is a megabyte, and quoting may double it; a longer line
# is damage and must not fill the memory.
LINE_BYTES_MAX = 4 * 1024 * 1024

# The end of a compressed tape that was cut off, or bytes that no compressor wrote.
_UNREADABLE = (OSError, EOFError, zlib.error)


class TapeReader:
    """One tape being read: ``header``, and as an iterator its frames in the order of their times.

    A broken line raises `TapeError` with file, line number and what is wrong; with ``skip_bad``
    it is counted in ``bad``, the last one kept in ``last_bad``, and the next line read. A broken
    header always raises: without it no frame can be understood.
    """

    def __init__(self, path: Path, *, skip_bad: bool = False) -> None:
        self.path = path
        self.skip_bad = skip_bad
        self.bad = 0
        self.last_bad: str | None = None
        self._line = 0
        try:
            self._file = _opened(path)
        except OSError as error:
            raise TapeError(f"{path} cannot be read: {error.strerror}") from None
        try:
            self.header = parse_header(self._next_line())
        except ValueError as error:
            self.close()
            raise TapeError(self._where(str(error))) from None
        except TapeError:
            self.close()
            raise

    def __repr__(self) -> str:
        """Show what is read, how far it is, and what was broken."""
        return f"<TapeReader {self.path}, line {self._line}, {self.bad} bad>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Record]:
        last_ms = 0
        while line := self._next_line():
            try:
                record = parse_record(line)
                if record.at_ms < last_ms:
                    raise ValueError(f"time goes back from {last_ms} to {record.at_ms}")
            except ValueError as error:
                self._broken(str(error))
                continue
            last_ms = record.at_ms
            yield record

    def close(self) -> None:
        """Let the file go; a second time does nothing."""
        self._file.close()

    def _next_line(self) -> bytes:
        """Return the next line, nothing at the end; a line that is too long comes back cut."""
        self._line += 1
        try:
            line = self._file.readline(LINE_BYTES_MAX)
            if len(line) == LINE_BYTES_MAX:
                self._skip_line(line)
        except _UNREADABLE as error:
            raise TapeError(self._where(f"cannot be read: {error}")) from None
        return line

    def _skip_line(self, piece: bytes) -> None:
        while piece and not piece.endswith(b"\n"):
            piece = self._file.readline(LINE_BYTES_MAX)

    def _broken(self, what: str) -> None:
        text = self._where(what)
        if not self.skip_bad:
            raise TapeError(f"{text}; --skip-bad goes on without it")
        self.bad += 1
        self.last_bad = text

    def _where(self, what: str) -> str:
        return f"{self.path}, line {self._line}: {what}"


def _opened(path: Path) -> BinaryIO:
    if is_compressed(path):
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")
