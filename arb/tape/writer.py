"""Writes a tape: the header once, then one frame after the other, cheaply."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, cast

import attrs

from arb.tape.format import Record, TapeError, TapeHeader, header_line, is_compressed, record_line

# Kept in memory before the kernel gets it: some two hundred frames, so that keeping one costs no
# system call. What a crash loses of them is no money; the journal is what must not be lost.
BUFFER_BYTES = 64 * 1024

# Above level 6 gzip takes twice the time for a percent less.
COMPRESSION_LEVEL = 6


class TapeWriter:
    """One tape being written. Leave it as a context, or close it, to have all of it on disk.

    Raises `TapeError` if the file exists, unless ``force``, or cannot be written.
    """

    def __init__(self, path: Path, header: TapeHeader, *, force: bool = False) -> None:
        self.path = path
        self.records = 0
        self.set_forward = 0
        self._last_ms = header.begins_ms
        try:
            self._file = _opened(path, "wb" if force else "xb")
        except FileExistsError:
            raise TapeError(f"{path} exists already; --force replaces it") from None
        except OSError as error:
            raise TapeError(f"{path} cannot be written: {error.strerror}") from None
        self._write(header_line(header))

    def __repr__(self) -> str:
        """Show where it writes and how much it has written."""
        return f"<TapeWriter {self.path}, {self.records} frames>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, record: Record) -> None:
        """Keep one frame; raises `TapeError`.

        A machine's clock may be set back while times on a tape only go forward: such a frame
        gets the time of the one before it, and ``set_forward`` counts it.
        """
        if record.at_ms < self._last_ms:
            record = attrs.evolve(record, at_ms=self._last_ms)
            self.set_forward += 1
        self._last_ms = record.at_ms
        self._write(record_line(record))
        self.records += 1

    def flush(self) -> None:
        """Hand what was kept so far to the kernel, without waiting for the disk."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """End the tape; a second time does nothing."""
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None

    def _write(self, line: bytes) -> None:
        try:
            self._file.write(line)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> TapeError:
        return TapeError(f"{self.path} cannot be written: {error.strerror}")


def _opened(path: Path, mode: Literal["wb", "xb"]) -> BinaryIO:
    if not is_compressed(path):
        return path.open(mode, buffering=BUFFER_BYTES)
    # Without the time of writing in it the same frames make the same bytes.
    return cast("BinaryIO", gzip.GzipFile(path, mode, COMPRESSION_LEVEL, mtime=0))
