"""Tables of features on disk, written part by part."""

import os
import sys
from pathlib import Path

import pandas as pd

__all__ = ["TableWriter"]


class TableWriter:
    """Write rows of features to a CSV or Parquet file that appears when it is complete.

    Until then a file beside it takes the parts; an error removes that file and
    leaves what had the name before.

    Parameters
    ----------
    path : path-like or None
        A name in ``.csv``, or else Parquet; None writes CSV to the standard
        output.
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
        # The process in the name: two runs for one table must not write one file.
        self._unfinished = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        if self._path.suffix.lower() == ".csv":
            self._file = self._unfinished.open("w", encoding="utf-8", newline="")
        else:
            import pyarrow as pa
            from pyarrow.parquet import ParquetWriter

            columns = [("path", pa.string()), *((name, pa.float32()) for name in self._names)]
            self._writer = ParquetWriter(self._unfinished, pa.schema(columns))
        return self

    def __exit__(self, kind, *_):
        if self._path is None:
            return
        try:
            (self._writer or self._file).close()
            if kind is None and self._wanted:
                os.replace(self._unfinished, self._path)
        finally:
            self._unfinished.unlink(missing_ok=True)

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
        table = pd.DataFrame(rows, columns=self._names)
        table.insert(0, "path", paths)
        if self._writer is None:
            table.to_csv(self._file, index=False, header=not self._begun)
        else:
            import pyarrow as pa

            self._writer.write_table(
                pa.Table.from_pandas(table, self._writer.schema, preserve_index=False)
            )
        self._begun = True

    def discard(self):
        """Make no file of what was written."""
        self._wanted = False
