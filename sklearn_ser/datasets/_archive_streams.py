"""Archives as byte streams, limited before they fill memory or disk."""

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile

from sklearn_ser.exceptions import DownloadError

__all__ = ["TAR_BLOCK", "Budget", "TarSource", "XzReader", "ZipSource", "open_compressed"]

TAR_BLOCK = 512  # unit of a tar archive in bytes

_CHUNK = 1 << 16
# Bytes of headers of one member of a tar archive, with a long name and extended attributes.
_MAX_HEADER = 1 << 16
# Average bytes of an entry in the directory of a zip archive; names are rarely that long.
_ZIP_ENTRY = 1 << 10
_ZIP_ENTRY_START = b"PK\x01\x02"
# Bytes at the end of a zip archive that are searched for its end record.
_ZIP_END = 1 << 17
# xz keeps as much unpacked data in memory as the archive demands, up to 4 GiB; "xz -9" needs
# 64 MiB.
_XZ_MEMORY = 1 << 28
# Some versions of Python need quadratic time to search for a key after many digits.
_MANY_DIGITS = re.compile(rb"\d{500}")


class Budget:
    """Count members and bytes of an archive, up to limits."""

    def __init__(self, max_bytes, max_members):
        self.max_bytes, self.max_members = max_bytes, max_members
        self._n_bytes = self._n_members = 0

    def take_member(self):
        self._n_members += 1
        if self._n_members > self.max_members:
            self.refuse_members()

    def refuse_members(self):
        raise DownloadError(
            f"the archive holds more than the {self.max_members} files and folders that it may hold"
        )

    def take_bytes(self, n):
        self._n_bytes += n
        if self._n_bytes > self.max_bytes:
            raise DownloadError(
                f"the archive unpacks to more than the {self.max_bytes} bytes that it may unpack to"
            )


class TarSource:
    """The uncompressed bytes of a tar archive, from front to back, for `tarfile.TarFile`.

    The reader loads headers of any declared length into memory, so the headers of
    one member and those of all members are limited separately.
    """

    def __init__(self, stream, budget):
        self._stream, self._budget = stream, budget
        self._position = self._n_header = 0
        self._reads_header = True
        # Each member and the mark at the end come in blocks, with up to three blocks for a
        # name that is too long for its own header.
        self._all_headers = 8 * TAR_BLOCK * (budget.max_members + 3) + _MAX_HEADER
        self.last = b""

    def begin_header(self):
        """Count bytes from now on as headers of one member."""
        self._reads_header, self._n_header = True, 0

    def begin_content(self):
        self._reads_header = False

    def tell(self):
        return self._position

    def seek(self, position):
        if position < self._position:
            raise tarfile.ReadError("a member begins before the end of the one before it")
        while position > self._position:
            skipped = self._read(min(position - self._position, _CHUNK))
            if not skipped:
                raise tarfile.ReadError("unexpected end of data")
            self._budget.take_bytes(len(skipped) if len(skipped) > TAR_BLOCK else 0)

    def read(self, n):
        if not self._reads_header:
            return self._read(n)
        self._n_header += n
        self._all_headers -= n
        if n < 0 or self._n_header > _MAX_HEADER or self._all_headers < 0:
            raise DownloadError(
                f"the archive has headers of more than {_MAX_HEADER} bytes for one member, or of "
                f"some {8 * TAR_BLOCK} on average; they say nothing that is needed"
            )
        self.last = self._read(n)
        if _MANY_DIGITS.search(self.last):
            raise tarfile.ReadError("a header with a number of hundreds of digits")
        return self.last

    def _read(self, n):
        data = self._stream.read(n)
        self._position += len(data)
        return data


class XzReader:
    """The uncompressed bytes of an xz file, in bounded memory."""

    def __init__(self, file):
        self._file = file
        self._start()

    def _start(self):
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, n):
        pieces = []
        while n > 0:
            piece = self._read_some(n)
            if piece is None:
                break
            pieces.append(piece)
            n -= len(piece)
        return b"".join(pieces)

    def _read_some(self, n):
        """Return some bytes, maybe none, or None at the end."""
        data = b""
        if self._decompressor.eof:
            # Another stream may follow after zeros.
            data = self._decompressor.unused_data.lstrip(b"\0")
            while not data:
                chunk = self._file.read(_CHUNK)
                if not chunk:
                    return None
                data = chunk.lstrip(b"\0")
            self._start()
        elif self._decompressor.needs_input:
            data = self._file.read(_CHUNK)
            if not data:
                raise EOFError("the compressed data ends too early")
        return self._decompressor.decompress(data, n)


# First bytes of compressed files, and their readers.
_READERS = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": XzReader,
}


def open_compressed(file):
    """Return a reader of the uncompressed bytes of a file that may be compressed."""
    start = file.peek(max(map(len, _READERS)))
    for magic, reader in _READERS.items():
        if start.startswith(magic):
            return reader(file)
    return file


class ZipSource(io.BufferedReader):
    """A zip archive for `zipfile.ZipFile`, which reads the whole directory at its end at once."""

    def __init__(self, path, budget):
        super().__init__(io.FileIO(path))
        self._budget = budget
        self.reads_directory = True

    def read(self, n=-1):
        if not self.reads_directory:
            return super().read(n)
        if n is None or n < 0:
            n = os.fstat(self.fileno()).st_size - self.tell()
        if n > _ZIP_END + _ZIP_ENTRY * self._budget.max_members:
            raise DownloadError(
                f"the archive has a directory of {n} bytes, expected {_ZIP_ENTRY} or less for "
                f"each of the {self._budget.max_members} files and folders that it may hold"
            )
        data = super().read(n)
        if data.count(_ZIP_ENTRY_START) > self._budget.max_members:
            self._budget.refuse_members()
        return data
