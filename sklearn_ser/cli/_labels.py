"""Read the emotions that people have given to some of the recordings of a command."""

import os
from pathlib import Path


def add_labels(command, what_for):
    """Add ``--labels``."""
    command.add_argument(
        "--labels",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help=f"table in .csv (or .tsv) with the columns path and emotion, for some of the "
        f"recordings; {what_for}. Rows without an emotion are ignored; repeat for more tables",
    )


def _read_table(file):
    """Return the labelled rows of a table, by the number of their line."""
    import pandas as pd

    from sklearn_ser.exceptions import CorpusError
    from sklearn_ser.utils._spelling import from_cells

    separator = "\t" if file.suffix.lower() == ".tsv" else ","
    try:
        table = pd.read_csv(
            file,
            sep=separator,
            dtype=object,
            keep_default_na=False,
            skip_blank_lines=False,  # they count as lines in errors
            encoding="utf-8-sig",
            encoding_errors="surrogateescape",
        )
    except ValueError as error:  # what pandas raises about contents is a subclass
        raise CorpusError(f"--labels: {file} is not a table: {str(error).strip()}") from error
    table = from_cells(table).rename(columns=lambda name: str(name).strip())
    if missing := [name for name in ("path", "emotion") if name not in table]:
        raise CorpusError(
            f"--labels: {file} has no column {' and no column '.join(missing)}; its columns are: "
            f"{', '.join(table.columns)}. Commas separate the columns of a .csv file, tabs those "
            f"of a .tsv file."
        )
    # Counted as an editor does: the header is line 1.
    table.index += 2
    return table[[isinstance(cell, str) and bool(cell.strip()) for cell in table["emotion"]]]


def _positions_of(path, file, positions):
    """Return the positions of the recordings that a cell may name, as a set."""
    text = os.path.expanduser(path)
    # As it was given on the command line, or from where the table is.
    found = {positions.get(os.path.realpath(place)) for place in (text, file.parent / text)}
    return found - {None}


def read_labels(files, paths, model):
    """Return the emotions that tables give to recordings.

    Parameters
    ----------
    files : list of Path
        The tables. Relative paths in them start at the working directory, or at the folder of
        the table.
    paths : list of str
        The recordings.
    model : estimator object
        Its classes are the emotions that it distinguishes. Letter case is ignored.

    Returns
    -------
    labels : ndarray of shape (n_recordings,), object, or None
        None for a recording without a label. None as a whole if there are no tables.

    Raises
    ------
    CorpusError
        If a file is not such a table or has no emotion at all, names other recordings or
        emotions, or two emotions for one recording.
    """
    import numpy as np

    from sklearn_ser.exceptions import CorpusError

    if not files:
        return None
    emotions = model.classes_.tolist()
    known = {str(emotion).casefold(): emotion for emotion in emotions}
    positions = {os.path.realpath(path): i for i, path in enumerate(paths)}
    labels = np.full(len(paths), None, dtype=object)
    for file in files:
        table = _read_table(file)
        if table.empty:
            raise CorpusError(f"--labels: {file} has no emotion in any row. Fill some in.")
        for line, path, word in zip(table.index, table["path"], table["emotion"], strict=True):
            where = f"--labels: line {line} of {file}"
            emotion = known.get(word.strip().casefold())
            if emotion is None:
                raise CorpusError(
                    f"{where} has the emotion {word!r}; the model knows: "
                    f"{', '.join(map(str, emotions))}."
                )
            found = _positions_of(path, file, positions)
            if len(found) != 1:
                what = "two of the recordings" if found else "none of the recordings"
                raise CorpusError(
                    f"{where} has the path {path!r}, which is {what} of this command. Relative "
                    f"paths start at the working directory or at the folder of the table."
                )
            (position,) = found
            if labels[position] not in (None, emotion):
                raise CorpusError(
                    f"{where} has the emotion {word!r} for {path!r}, and an earlier line has "
                    f"{str(labels[position])!r}. Keep one."
                )
            labels[position] = emotion
    return labels
