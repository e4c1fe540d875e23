"""Unpack damaged and forged archives; count what comes of it.

    python tests/fuzz/archives.py [--runs N] [--seed N] [--jobs N] [--out DIR]

An archive is unpacked, or refused by a DownloadError. Anything else is a fault, and so are
files outside of the folder, more bytes than permitted, and much memory or time.
"""

import bz2
import functools
import gzip
import io
import lzma
import os
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from _children import execute, keep, options_of, table
from _counts import record_script
from _mutations import ANYWHERE, mutate, set_digits

from sklearn_ser.datasets._archive import unpack
from sklearn_ser.exceptions import DownloadError

MAX_BYTES, MAX_MEMBERS = 1_000_000, 50
MEMORY, SECONDS = 1 << 29, 20.0

_CONTENTS = {"corpus/a.wav": b"RIFF" * 700, "corpus/deep/b é.wav": b"", "top.txt": b"x" * 511}
_PACK = {"": bytes, ".gz": functools.partial(gzip.compress, mtime=0), ".bz2": bz2.compress}
_PACK[".xz"] = lzma.compress


def _tar(format, **options):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format, **options) as archive:
        for name, content in _CONTENTS.items():
            member = tarfile.TarInfo(name + "x" * (120 if name == "top.txt" else 0))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def _zip(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in _CONTENTS.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
        archive.comment = b"x" * 30
    return file.getvalue()


@functools.cache
def seeds():
    """Return honest archives by kind, before a tar archive is compressed."""
    headers = {"comment": "x", "mtime": "1.5", "SCHILY.xattr.a": "b"}
    return {
        "tar gnu": _tar(tarfile.GNU_FORMAT),
        "tar pax": _tar(tarfile.PAX_FORMAT, pax_headers=headers),
        "zip stored": _zip(zipfile.ZIP_STORED),
        "zip deflated": _zip(zipfile.ZIP_DEFLATED),
        "zip bzip2": _zip(zipfile.ZIP_BZIP2),
    }


def _seal(content):
    """Make the checksums of the headers of a tar archive right again."""
    content = bytearray(content)
    for start in range(0, len(content) - 511, 512):
        if content[start + 257 : start + 262] == b"ustar":
            block = content[start : start + 512]
            total = sum(block[:148]) + 8 * 32 + sum(block[156:])
            content[start + 148 : start + 156] = b"%06o\0 " % total
    return bytes(content)


# Where numbers stand in a header of a tar archive, and what makes them long, negative or none.
_FIELDS = {100: 8, 108: 8, 116: 8, 124: 12, 136: 12, 156: 1, 329: 8, 345: 12, 386: 12, 482: 1}
_VALUES = tuple(bytes([code]) for code in b"\x80\xff79-0\0 gxLKSDVXs12346")


def _set_field(rng, content):
    """Fill a field of a header of a tar archive."""
    starts = [at - 257 for at in range(257, len(content), 512) if content[at : at + 5] == b"ustar"]
    if starts:
        start = int(rng.choice(starts))
        offset = int(rng.choice(list(_FIELDS)))
        size = _FIELDS[offset]
        value = _VALUES[int(rng.integers(len(_VALUES)))]
        fill = rng.bytes(size - 1) if rng.random() < 0.3 else value * (size - 1)
        content[start + offset : start + offset + size] = value + fill
    return content


def damaged(seed, index):
    """Return kind and content of an archive, from seed and index alone."""
    rng = np.random.default_rng([seed, index])
    kind = list(seeds())[index % len(seeds())]
    content = seeds()[kind]
    if kind.startswith("zip"):
        return kind, mutate(rng, content)
    pack = list(_PACK)[int(rng.integers(len(_PACK)))]
    if pack and rng.random() < 0.3:
        return kind + pack, mutate(rng, _PACK[pack](content))
    # Behind the compression and its checksum, where the reader of headers believes them.
    content = mutate(rng, content, (*ANYWHERE, set_digits, *[_set_field] * 6))
    if rng.random() < 0.8:
        content = _seal(content)
    return kind + pack, _PACK[pack](content)


def prepare():
    for index in range(-12, 0):
        judge(damaged(0, index + 12))


def judge(task):
    """Unpack an archive; return what came of it and what is wrong with that."""
    _, content = task
    with tempfile.TemporaryDirectory() as root:
        archive, folder = Path(root, "archive"), Path(root, "around", "inside")
        archive.write_bytes(content)
        folder.mkdir(parents=True)
        try:
            unpack(archive, folder, max_bytes=MAX_BYTES, max_members=MAX_MEMBERS)
            verdict = "unpacked"
        except DownloadError:
            verdict = "refused"
        found = [Path(place, name) for place, _, names in os.walk(root) for name in names]
        faults = [
            f"{path.relative_to(root)} is outside"
            for path in found
            if path != archive and folder not in path.parents
        ]
        size = sum(path.lstat().st_size for path in found if folder in path.parents)
        if size > MAX_BYTES:
            faults.append(f"{size} bytes were written")
    return verdict, faults


def main(n=500, seed=0, *, jobs=1, out="fuzz-archives"):
    """Unpack `n` damaged archives; print the numbers of outcomes, return that of faults."""
    counts, n_faults = defaultdict(Counter), 0
    options = {"script": __file__, "function": "judge", "memory": MEMORY, "seconds": SECONDS}
    make = functools.partial(damaged, seed)
    for index, (kind, content), outcome in execute(make, n, jobs=jobs, **options):
        verdict, faults = outcome.value or (outcome.kind, [outcome.detail])
        row = counts[kind]
        row["fault" if faults and outcome.value else verdict] += 1
        row["MB of memory"] = max(row["MB of memory"], outcome.grown >> 20)
        if faults:
            n_faults += 1
            note = f"seed {seed}, input {index} ({kind}): {verdict}\n" + "\n".join(faults)
            print(keep(out, ".archive", content, note), note, sep="\n")
    columns = ("unpacked", "refused", "fault", "foreign", "crash", "hang", "MB of memory")
    print(table(counts, columns, f"{n} archives"))
    return n_faults


if __name__ == "__main__":
    given = options_of(__doc__, 500, out="fuzz-archives").parse_args()
    n_faults = main(given.runs, given.seed, jobs=given.jobs, out=given.out)
    record_script(given, __file__, n_faults)
    sys.exit(n_faults > 0)
