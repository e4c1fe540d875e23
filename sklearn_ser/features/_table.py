"""Write tables of features to disk, part by part."""

import sys
from pathlib import Path

import pandas as pd

from sklearn_ser.utils._files import NewFile
from sklearn_ser.utils._spelling import to_cell, visible

__all__ = ["TableWriter"]


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
