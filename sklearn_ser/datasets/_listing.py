"""The recordings of files and folders, without labels."""

import os
import warnings
from pathlib import Path

from sklearn_ser.datasets._formats import (
    find_recordings,
    format_notes,
    pointer_notes,
    split_readable,
)
from sklearn_ser.datasets._paths import absolute_path, each_once
from sklearn_ser.exceptions import CorpusError, CorpusWarning
from sklearn_ser.utils._warnings import caller_stacklevel

__all__ = ["list_recordings"]


def _list_folder(folder):
    """Return the recordings of a folder that can be read, and notes on the others."""
    files, passed_over = split_readable(find_recordings(folder))
    kept = {file.parent for file in files}
    lost = dict.fromkeys(file.parent for file in passed_over)
    lost = [str(place) for place in lost if place not in kept and place.parts]
    notes = format_notes(files, passed_over, folder, lost)
    if not files:
        problem = f"No recordings in {folder} or its sub-folders"
        raise CorpusError("; ".join([problem, *notes]) + ".")
    paths = [str(folder / file) for file in files]
    return paths, pointer_notes(paths, folder) + notes


def list_recordings(places):
    """List the recordings of files and folders, each once, in the order given.

    For recordings whose emotions are unknown, such as those to predict.

    Parameters
    ----------
    places : iterable of str or path-like
        Files are accepted with any suffix. Of folders, all recordings
        that can be read on this machine are taken, in their sub-folders too.

    Returns
    -------
    paths : list of str
        Absolute paths. A file that is reached in two ways, such as through a link, is listed
        once.

    Raises
    ------
    CorpusError
        If a folder has no recording that can be read.

    Warns
    -----
    CorpusWarning
        If files in the folders are left out, are decoded by ffmpeg, or are pointers of git-lfs;
        one warning for all.

    See Also
    --------
    load_folder : A folder with a sub-folder for each emotion.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ser.datasets import list_recordings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.wav", "a.flac", "notes.txt"):
    ...         Path(folder, name).touch()
    ...     [Path(path).name for path in list_recordings([folder])]
    ['a.flac', 'b.wav']
    """
    paths, notes = [], []
    for place in places:
        path = absolute_path(place)
        if os.path.isdir(path):
            found, new_notes = _list_folder(Path(path))
            paths += found
            notes += new_notes
        else:
            paths.append(path)
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=caller_stacklevel())
    return each_once(paths)
