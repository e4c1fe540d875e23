import os

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.features._table import TableWriter
from sklearn_ser.utils._spelling import from_cells

NAMES = ("a", "b", "c")


@pytest.fixture(params=["x.csv", "x.CSV", "x.parquet"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_parts_become_one_table(path):
    rows = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    rows[4, 1] = np.nan
    paths = [f"folder/{i}, é\n.wav" for i in range(10)]
    with TableWriter(path, NAMES) as table:
        for start, stop in ((0, 0), (0, 1), (1, 7), (7, 7), (7, 10)):
            table.write(paths[start:stop], rows[start:stop])
            assert not path.exists()
    assert os.listdir(path.parent) == [path.name]
    frame = pd.read_csv(path) if path.suffix != ".parquet" else pd.read_parquet(path)
    assert frame.columns.tolist() == ["path", *NAMES]
    assert frame["path"].tolist() == paths
    np.testing.assert_array_equal(frame[list(NAMES)].to_numpy(np.float32), rows)
    assert frame.isna().sum().tolist() == [0, 0, 1, 0]


def test_parquet_is_single_precision_and_has_a_row_group_a_part(tmp_path):
    from pyarrow.parquet import ParquetFile

    path = tmp_path / "x.parquet"
    with TableWriter(path, NAMES) as table:
        for _ in range(3):
            table.write(["a", "b"], np.array([[1, 2, 3], [4, 5, np.nan]]))
    file = ParquetFile(path)
    assert file.num_row_groups == 3
    assert [str(field.type) for field in file.schema_arrow] == ["string", *["float"] * 3]
    # An empty field, which every reader understands, not a NaN.
    assert file.read()["c"].null_count == 3
    file.close()


def write_half(path):
    with TableWriter(path, NAMES) as table:
        table.write(["a"], np.zeros((1, 3)))
        raise KeyError("lost")


def test_an_error_leaves_what_was_there(path):
    path.write_text("precious")
    with pytest.raises(KeyError, match="lost"):
        write_half(path)
    assert path.read_text() == "precious"
    assert os.listdir(path.parent) == [path.name]


def test_an_unwanted_table(path):
    with TableWriter(path, NAMES) as table:
        table.write(["a"], np.zeros((1, 3)))
        table.discard()
    assert os.listdir(path.parent) == []


def test_to_the_standard_output(capsys):
    with TableWriter(None, NAMES) as table:
        table.write(["a"], np.array([[1, 2.5, np.nan]]))
        assert capsys.readouterr().out == "path,a,b,c\na,1.0,2.5,\n"
        table.write(["b"], np.zeros((1, 3)))
    assert capsys.readouterr().out == "b,0.0,0.0,0.0\n"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_names_of_any_kind(suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    names = ["=A1", "'=A1", "caf\udce9", r"caf\udce9", "a\rb", "-0.5"]
    with TableWriter(path, ("=a", "b")) as table:
        table.write(names, -np.ones((6, 2)))
    if suffix == ".parquet":
        frame = pd.read_parquet(path)
        assert frame.columns.tolist() == ["path", "=a", "b"]
        plain = ["=A1", "'=A1", r"caf\udce9", r"caf\\udce9", r"a\u000db", "-0.5"]
        assert frame["path"].tolist() == plain
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["path,'=a,b", "'=A1,-1.0,-1.0"]
    assert from_cells(pd.read_csv(path, dtype=str))["path"].tolist() == names
