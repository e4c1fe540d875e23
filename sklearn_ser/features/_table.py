"""Write tables of features to disk, part by part."""

import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
from sklearn import clone

from sklearn_ser.features._recordings import as_recordings
from sklearn_ser.features._worker import name_of
from sklearn_ser.utils._files import NewFile
from sklearn_ser.utils._optional import require_extra
from sklearn_ser.utils._spelling import to_cell, visible

__all__ = ["TableWriter", "write_features"]


class TableWriter:
    """Write rows of features to a CSV or Parquet file that appears when it is complete.

    Until then, parts are written to a temporary file beside it. After an error
    that file is removed, and an existing file of the final name is unchanged.
    Names of recordings are encoded by `sklearn_ser.utils._spelling`: no cell of a
    CSV file is a formula, and names need not be UTF-8.

    Parameters
    ----------
    path : path-like or None
        A name that ends in ``.csv`` gives CSV, any other name Parquet; None
        writes CSV to the standard output.
    names : sequence of str
        Names of the features. The column before them is ``path``.
    """

    def __init__(self, path, names):
        self._path = None if path is None else Path(path)
        self._names = list(names)
        self._writer = None
        self._begun = False
        self._wanted = True

    def __enter__(self):
        if self._path is None:
            self._file = sys.stdout
            return self
        is_csv = self._path.suffix.lower() == ".csv"
        self._new = NewFile(self._path, "w" if is_csv else "wb")
        self._file = self._new.file
        if not is_csv:
            try:
                self._writer = self._open_parquet()
            except BaseException:
                self._new.discard()
                raise
        return self

    def _open_parquet(self):
        require_extra("parquet")
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        columns = [("path", pa.string()), *((name, pa.float32()) for name in self._names)]
        return ParquetWriter(self._file, pa.schema(columns))

    def __exit__(self, *exception):
        if self._path is None:
            return
        try:
            if self._writer is not None:
                self._writer.close()
            if exception[0] is None and self._wanted:
                self._new.commit()
        finally:
            self._new.__exit__(*exception)

    def write(self, paths, rows):
        """Append a part.

        Parameters
        ----------
        paths : list of str
            One for each row.
        rows : ndarray of shape (n_rows, n_features)
            NaN becomes an empty field.
        """
        if not len(rows):
            return
        if self._writer is None:
            table = pd.DataFrame(rows, columns=[to_cell(name) for name in self._names])
            table.insert(0, "path", [to_cell(path) for path in paths])
            table.to_csv(self._file, index=False, header=not self._begun)
        else:
            # Spreadsheets do not open Parquet, so formulas are not a risk here.
            table = pd.DataFrame(rows, columns=self._names)
            table.insert(0, "path", [visible(path) for path in paths])
            import pyarrow as pa

            self._writer.write_table(
                pa.Table.from_pandas(table, self._writer.schema, preserve_index=False)
            )
        self._begun = True

    def discard(self):
        """Discard what was written: no file will appear."""
        self._wanted = False


def write_features(extractor, X, path, *, on_error="skip", part_size=4096):
    """Write the features of recordings to a table, without holding all of them in memory.

    Parameters
    ----------
    extractor : RecordingTransformer
        Computes the features; with a `cache`, a run that was interrupted resumes where it
        stopped. Its own `on_error` is ignored.
    X : sequence of n_recordings paths or waveforms
        See :meth:`RecordingTransformer.transform`.
    path : str, path-like or None
        A name in ``.csv``, or else Parquet, which needs ``pip install 'sklearn-ser[parquet]'``.
        The file appears when it is complete. None writes CSV to the standard output, part by
        part.
    on_error : {"skip", "nan", "raise"}, default="skip"
        What to do about recordings that cannot be used: leave them out, leave their fields
        empty, or raise the first error.
    part_size : int, default=4096
        Number of recordings whose rows are written at once; see
        :meth:`RecordingTransformer.transform_parts` for how many are in memory.

    Returns
    -------
    errors : dict of int to Exception
        Why recordings have no features, by their position in `X`. If none of them has any, no
        file is written.

    Raises
    ------
    ValueError
        If `X` is not a collection of recordings, or `on_error` is unknown.
    AudioError, FileNotFoundError
        If a recording cannot be used and `on_error` is "raise".
    ImportError
        If `path` names a Parquet file and pyarrow is not installed.

    See Also
    --------
    RecordingTransformer.transform_parts : The same without a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_ser.features import FunctionExtractor, write_features
    >>> def level(y, sr):
    ...     return np.sqrt(np.mean(y**2))
    >>> X = [np.full(8000, 0.5), "absent.wav"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "level.csv")
    ...     errors = write_features(FunctionExtractor(level, names=["level"]), X, file)
    ...     pd.read_csv(file)
             path  level
    0  waveform 0    0.5
    >>> [*errors]
    [1]
    """
    if on_error not in ("skip", "nan", "raise"):
        raise ValueError(f"on_error={on_error!r}: expected 'skip', 'nan' or 'raise'.")
    extractor = clone(extractor).set_params(on_error="raise" if on_error == "raise" else "nan")
    recordings = as_recordings(X)
    errors = {}
    with (
        closing(extractor.transform_parts(recordings, part_size)) as parts,
        TableWriter(path, extractor.get_feature_names_out()) as table,
    ):
        for start, rows, new_errors in parts:
            errors |= dict(sorted(new_errors.items()))
            kept = range(len(rows))
            if on_error == "skip":
                kept = [i for i in kept if start + i not in new_errors]
            table.write([name_of(recordings[start + i], start + i) for i in kept], rows[kept])
        if len(errors) == len(recordings):
            table.discard()
    return errors
