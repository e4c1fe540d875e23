import os
import sys

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.exceptions import AudioError
from sklearn_ser.features import FunctionExtractor, write_features
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


def level(y, sr):
    if y[0] == 0:
        raise ValueError("silent")
    return [y[0], 2 * y[0]]


EXTRACTOR = FunctionExtractor(level, names=["one", "two"])
RECORDINGS = [np.full(1600, i / 10) for i in range(5)]


class TestWriteFeatures:
    def read(self, path):
        return pd.read_csv(path) if path.suffix != ".parquet" else pd.read_parquet(path)

    @pytest.mark.parametrize("size", [1, 2, 99])
    def test_recordings_that_fail_are_left_out_and_returned(self, path, size):
        errors = write_features(EXTRACTOR, [*RECORDINGS, "no.wav"], path, part_size=size)
        assert list(errors) == [0, 5]
        assert "silent" in str(errors[0])
        table = self.read(path)
        assert table["path"].tolist() == [f"waveform {i}" for i in range(1, 5)]
        np.testing.assert_allclose(table["two"], [0.2, 0.4, 0.6, 0.8], rtol=1e-3)

    def test_their_fields_can_stay_empty(self, path):
        assert list(write_features(EXTRACTOR, RECORDINGS, path, on_error="nan")) == [0]
        assert self.read(path)["one"].isna().tolist() == [True, *[False] * 4]

    def test_the_first_can_be_raised(self, path):
        with pytest.raises(AudioError, match=r"waveform 0.*silent"):
            write_features(EXTRACTOR, RECORDINGS, path, on_error="raise")
        assert not path.exists()

    def test_nothing_is_written_if_all_fail(self, path):
        assert list(write_features(EXTRACTOR, RECORDINGS[:1], path)) == [0]
        assert not path.exists()

    def test_the_extractor_is_left_alone(self, path):
        extractor = FunctionExtractor(level, names=["one", "two"], on_error="raise")
        write_features(extractor, RECORDINGS, path)
        assert extractor.on_error == "raise"

    def test_an_unknown_way_to_treat_errors(self, path):
        with pytest.raises(ValueError, match="on_error='drop': expected 'skip', 'nan' or 'raise'"):
            write_features(EXTRACTOR, RECORDINGS, path, on_error="drop")


class TestUsableRows:
    @pytest.mark.parametrize("on_error", ["nan", "raise"])
    def test_rows_come_with_the_reasons_of_failures(self, on_error):
        extractor = FunctionExtractor(level, names=["one", "two"], on_error=on_error)
        rows, usable, errors = extractor.transform_usable([*RECORDINGS, "no.wav"])
        np.testing.assert_array_equal(rows, extractor.transform(RECORDINGS[1:]))
        assert usable.tolist() == [False, True, True, True, True, False]
        assert [type(errors[i]) for i in sorted(errors)] == [AudioError, FileNotFoundError]

    def test_none_may_be_left(self):
        rows, usable, errors = EXTRACTOR.transform_usable(RECORDINGS[:1])
        assert rows.shape == (0, 2)
        assert (usable.tolist(), len(errors)) == ([False], 1)

    def test_parts_stop_at_an_error_if_asked_to(self):
        parts = EXTRACTOR.transform_parts(RECORDINGS, 2)
        with pytest.raises(AudioError, match="silent"):
            list(parts)

    def test_a_part_of_nothing(self):
        with pytest.raises(ValueError, match="size=0: a part must have at least one recording"):
            EXTRACTOR.transform_parts(RECORDINGS, 0)


def test_parquet_without_pyarrow_is_refused_before_anything_is_extracted(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    calls = []
    extractor = FunctionExtractor(lambda y, sr: calls.append(sr) or 1.0, names=["one"])
    with pytest.raises(
        ImportError, match=r"^Parquet files need pyarrow: pip install 'sklearn-ser\["
    ):
        write_features(extractor, [np.zeros(1600)], tmp_path / "x.parquet")
    assert not calls
    assert not os.listdir(tmp_path)
    assert write_features(extractor, [np.zeros(1600)], tmp_path / "x.csv") == {}
