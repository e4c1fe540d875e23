"""Read the emotions that people have given to some of the recordings of a command."""

import os
from collections import defaultdict
from pathlib import Path

from sklearn_ser.cli._arguments import add_mapping, mapping_of

_SHOWN = 5  # lines of a table in a message


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
    add_mapping(command, "in such tables")


def _read_table(file):
    """Return the labelled rows of a table, by the number of their line."""
    import pandas as pd

    from sklearn_ser.exceptions import CorpusError
    from sklearn_ser.utils._separators import named_columns, repeated_columns, separator_of
    from sklearn_ser.utils._spelling import from_cells

    columns = ("path", "emotion")
    try:
        table = pd.read_csv(
            file,
            sep=separator_of(file, columns),
            dtype=object,
            keep_default_na=False,
            skip_blank_lines=False,  # they count as lines in errors
            encoding="utf-8-sig",
            encoding_errors="surrogateescape",
        )
    except ValueError as error:  # what pandas raises about contents is a subclass
        raise CorpusError(f"--labels: {file} is not a table: {str(error).strip()}") from error
    table = from_cells(table)
    if repeated := repeated_columns(table.columns, columns):
        raise CorpusError(
            f"--labels: {file} has several columns named {' and '.join(repeated)}. Keep one."
        )
    table = table.rename(columns=named_columns(table.columns, columns))
    if missing := [name for name in columns if name not in table]:
        raise CorpusError(
            f"--labels: {file} has no column {' and no column '.join(missing)}; its columns are: "
            f"{', '.join(table.columns)}. Commas or semicolons separate the columns of a .csv "
            f"file, tabs those of a .tsv file."
        )
    # Counted as an editor does: the header is line 1.
    table.index += 2
    return table[[isinstance(cell, str) and bool(cell.strip()) for cell in table["emotion"]]]


def _position_of(path, file, positions, where):
    """Return the position of the recording that a cell names."""
    from sklearn_ser.exceptions import CorpusError

    text = os.path.expanduser(path)
    # As it was given on the command line, or from where the table is.
    found = {positions.get(os.path.realpath(place)) for place in (text, file.parent / text)}
    found -= {None}
    if len(found) != 1:
        what = "two of the recordings" if found else "none of the recordings"
        raise CorpusError(
            f"{where} has the path {path!r}, which is {what} of this command. Relative paths start "
            f"at the working directory or at the folder of the table."
        )
    return found.pop()


def _translator(args, emotions):
    """Return a function from a word to an emotion of a model, None if a mapping leaves it out."""
    from sklearn_ser.datasets import to_emotions

    known = {str(emotion).casefold(): emotion for emotion in emotions}
    mapping = mapping_of(args)

    def translate(word):
        # Of a model of other makers, classes may be words that the vocabulary lacks.
        emotion = known.get(word.strip().casefold())
        if emotion is None:
            [emotion] = to_emotions([word], mapping=mapping)
            emotion = emotion if emotion is None else known[emotion]
        return emotion

    return translate


def _translated(table, file, translate, emotions):
    """Return the emotions of a table; list all labels that the model does not know."""
    from sklearn_ser.exceptions import CorpusError

    found, unknown = [], defaultdict(list)
    for line, word in table["emotion"].items():
        try:
            found.append(translate(word))
        except (CorpusError, KeyError):
            unknown[word].append(line)
    if unknown:
        shown = []
        for word, lines in unknown.items():
            more = ", ..." if len(lines) > _SHOWN else ""
            numbers = ", ".join(map(str, lines[:_SHOWN]))
            shown.append(f"{word!r} (line{'s' * (len(lines) > 1)} {numbers}{more})")
        raise CorpusError(
            f"--labels: {file} has emotions that the model does not know: {', '.join(shown)}. It "
            f"knows: {', '.join(map(str, emotions))}. Translate them with --mapping LABEL=EMOTION, "
            f"or leave them out with --mapping LABEL=none."
        )
    return found


def read_labels(args, paths, model):
    """Return the emotions that tables give to recordings.

    Parameters
    ----------
    args : Namespace
        With the tables as `labels`, and the values of ``--mapping``. Relative paths in tables
        start at the working directory, or at the folder of the table.
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

    if not args.labels:
        return None
    emotions = model.classes_.tolist()
    translate = _translator(args, emotions)
    positions = {os.path.realpath(path): i for i, path in enumerate(paths)}
    labels = np.full(len(paths), None, dtype=object)
    for file in args.labels:
        table = _read_table(file)
        if table.empty:
            raise CorpusError(f"--labels: {file} has no emotion in any row. Fill some in.")
        found = _translated(table, file, translate, emotions)
        for line, path, emotion in zip(table.index, table["path"], found, strict=True):
            where = f"--labels: line {line} of {file}"
            position = _position_of(path, file, positions, where)
            if emotion is None:
                continue
            if labels[position] not in (None, emotion):
                raise CorpusError(
                    f"{where} has the emotion {str(emotion)!r} for {path!r}, and an earlier line "
                    f"has {str(labels[position])!r}. Keep one."
                )
            labels[position] = emotion
    return labels
