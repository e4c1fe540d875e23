"""Select recordings by file format, and report the files left out."""

import os
from collections import Counter

from sklearn_ser.audio import AUDIO_SUFFIXES, FFMPEG_SUFFIXES, find_ffmpeg
from sklearn_ser.datasets._base import find_files
from sklearn_ser.datasets._paths import pointers

__all__ = [
    "SUFFIXES",
    "find_recordings",
    "format_notes",
    "pointer_notes",
    "split_readable",
    "suffix_of",
]

# Audio and video formats that have to be converted first.
_OTHER_SUFFIXES = (
    ".8svx", ".aa3", ".aax", ".adts", ".ape", ".asf", ".avr", ".awb", ".dff",
    ".dsf", ".dss", ".dts", ".dvf", ".eac3", ".f4a", ".f4v", ".flv", ".gsm", ".iff",
    ".ircam", ".m1a", ".m2a", ".m2ts", ".m4p", ".m4r", ".mlp", ".mp1", ".mpa", ".mpc",
    ".mpe", ".mpeg", ".mpg", ".mpga", ".mts", ".ogm", ".ogv", ".ogx", ".oma",
    ".paf", ".pcm", ".pvf", ".qcp", ".qt", ".ra", ".raw", ".ram", ".rm", ".rmvb", ".sd2", ".shn",
    ".sln", ".spx", ".svx", ".tak", ".thd", ".tta", ".vob", ".vox", ".vqf", ".weba",
    ".wv", ".xwma",
)  # fmt: skip

#: Suffixes of recordings, readable formats first.
SUFFIXES = tuple(dict.fromkeys((*AUDIO_SUFFIXES, *FFMPEG_SUFFIXES, *_OTHER_SUFFIXES)))

_SHOWN = 5  # names of folders in a message


def suffix_of(file):
    """Return the suffix of a file's name, with the dot, in lower case."""
    return os.path.splitext(os.fspath(file))[1].lower()


def find_recordings(folder):
    """List recordings of all formats below a folder, readable or not; see `find_files`."""
    return find_files(folder, lambda name: suffix_of(name) in SUFFIXES)


def split_readable(files):
    """Divide files into those that can be read on this machine and the others.

    Parameters
    ----------
    files : iterable of path-like
        Files with any suffix; those with a suffix not in `SUFFIXES` count as
        readable, because only opening them would show.

    Returns
    -------
    readable, passed_over : list of path-like
    """
    passed_over = {*_OTHER_SUFFIXES} - {*AUDIO_SUFFIXES, *FFMPEG_SUFFIXES}
    if find_ffmpeg() is None:
        passed_over |= {*FFMPEG_SUFFIXES}
    readable, others = [], []
    for file in files:
        (others if suffix_of(file) in passed_over else readable).append(file)
    return readable, others


def _count(files):
    counts = Counter(map(suffix_of, files))
    return ", ".join(f"{suffix} {n}" for suffix, n in counts.most_common())


def format_notes(readable, passed_over, where, lost=(), *, left_out=True, expected=()):
    """Describe which files are read through ffmpeg, and which cannot be read.

    Parameters
    ----------
    readable, passed_over : list of path-like
        Results of `split_readable`.
    where : str or path-like
        The folder or the table.
    lost : sequence of str
        Emotions or folders without any recording left.
    left_out : bool, default=True
        Whether files that cannot be read are left out; a table keeps them.
    expected : set of path-like, optional
        Files of which it is known that ffmpeg reads them.

    Returns
    -------
    notes : list of str
        Parts of a sentence; empty if libsndfile reads all files.
    """
    notes = []
    converted = [
        file for file in readable if suffix_of(file) in FFMPEG_SUFFIXES and file not in expected
    ]
    if converted:
        notes.append(
            f"{len(converted)} files in {where} are decoded by ffmpeg ({_count(converted)})"
        )
    if passed_over:
        total = len(readable) + len(passed_over)
        note = (
            f"{len(passed_over)} of {total} files in {where} are in formats that cannot be read "
            f"here{' and are left out' * left_out} ({_count(passed_over)})"
        )
        if lost:
            names = ", ".join(map(repr, lost[:_SHOWN]))
            note += f"; nothing is left of {names}{' and others' * (len(lost) > _SHOWN)}"
        suffix = suffix_of(passed_over[0])
        note += f". Convert them, for example with `ffmpeg -i in{suffix} out.wav`"
        if any(suffix_of(file) in FFMPEG_SUFFIXES for file in passed_over):
            note += ", or install ffmpeg, which then decodes them as they are"
        notes.append(note)
    return notes


def pointer_notes(paths, where):
    """Describe how many recordings are git-lfs pointers instead of files."""
    n = len(pointers(paths))
    if not n:
        return []
    return [
        f"{n} of {len(paths)} files in {where} are git-lfs pointers without sound; run "
        "`git lfs pull` there"
    ]
