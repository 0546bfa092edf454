"""Access to the bytes of files: decompression, and pipes that are read once."""

import bz2
import gzip
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pyarrow as pa

from forecastkit.utils.validation import first_few, refuse

#: Errors caused by damaged or truncated files.
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)
#: Typical ratio of text size to compressed size.
_PACKED = 8
_KINDS = {".gz": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst", ".zip": "zip"}
_MAGIC = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}


class Source:
    """A file that can be opened repeatedly, also if it is a pipe.

    Parameters
    ----------
    path : Path
        The compression of files is determined by their suffix, that of pipes by their first bytes.
    """

    def __init__(self, path: Path):
        self.path = path
        self.kept: bytes | None = None
        self.packing = _KINDS.get(path.suffix.lower(), "")
        if not stat.S_ISREG(path.stat().st_mode):
            self.kept = path.read_bytes()
            self.packing = next((kind for magic, kind in _MAGIC.items() if self.kept.startswith(magic)), "")

    @property
    def size(self) -> int:
        """Return the approximate size of the text in bytes."""
        stored = self.path.stat().st_size if self.kept is None else len(self.kept)
        return stored * (_PACKED if self.packing else 1)

    @property
    def place(self) -> Path | IO[bytes]:
        """Return what readers of other packages open: the path, or the bytes of a pipe."""
        return self.path if self.kept is None else io.BytesIO(self.kept)

    def stored(self) -> IO[bytes]:
        """Return the bytes as stored."""
        return self.path.open("rb") if self.kept is None else io.BytesIO(self.kept)

    def open(self) -> IO[bytes]:
        """Open the decompressed bytes."""
        return _OPENERS[self.packing](self) if self.packing else self.stored()

    def open_blocks(self) -> IO[bytes]:
        """Open like `open`, but plain files without Python file objects."""
        return self.open() if self.packing or self.kept is not None else pa.OSFile(str(self.path))


def _open_zst(source: Source) -> IO[bytes]:
    place = str(source.path) if source.kept is None else pa.BufferReader(source.kept)
    return io.BufferedReader(pa.input_stream(place, compression="zstd"))


def _open_zip(source: Source) -> IO[bytes]:
    with zipfile.ZipFile(source.place) as archive:
        names = archive.namelist()
        if len(names) != 1:
            refuse(str(source.path), "a zip archive must contain one file", f"{len(names)}: {first_few(names)}")
        return archive.open(names[0])


def _open_gz(source: Source) -> IO[bytes]:
    return gzip.open(source.place)


def _open_bz2(source: Source) -> IO[bytes]:
    return bz2.open(source.place)


def _open_xz(source: Source) -> IO[bytes]:
    return lzma.open(source.place)


_OPENERS: dict[str, Callable[[Source], IO[bytes]]] = {
    "gz": _open_gz,
    "bz2": _open_bz2,
    "xz": _open_xz,
    "zst": _open_zst,
    "zip": _open_zip,
}
