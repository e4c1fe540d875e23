import errno
import json
import os
import re

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.exceptions import ResultsError
from sklearn_ser.report import EvaluationRecord
from sklearn_ser.report._files import FORMAT
from sklearn_ser.utils import _files


@pytest.fixture
def folder(record, tmp_path):
    record.save(tmp_path)
    return tmp_path


@pytest.fixture
def without_digests(folder):
    """The folder as an earlier version wrote it, or as somebody left it who means a change."""
    change_run(folder, lambda run: run.pop("tables"))
    return folder


def change_run(folder, change):
    path = folder / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    change(run)
    path.write_text(json.dumps(run), encoding="utf-8")


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder '.*nowhere'"):
        EvaluationRecord.load(tmp_path / "nowhere")


def test_a_file_is_no_folder(folder, record):
    with pytest.raises(NotADirectoryError, match="is a file, expected a folder written"):
        EvaluationRecord.load(folder / "run.json")
    with pytest.raises(NotADirectoryError, match="is a file, expected a folder to write to"):
        record.save(folder / "run.json")


@pytest.mark.parametrize("name", ["run.json", "scores.csv", "recalls.csv", "predictions.csv"])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"has no {re.escape(name)}; expected a folder"):
        EvaluationRecord.load(folder)


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no run\.json, scores\.csv, means\.csv"):
        EvaluationRecord.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: run.pop("format"), "does not say which format it has"),
        (lambda run: run.update(format="1"), "does not say which format it has"),
        (lambda run: run.pop("corpora"), "has no corpora"),
        (lambda run: run.update(settings=[]), "something other than a dict as settings"),
        (lambda run: run.update(warnings={}), "something other than a list as warnings"),
        (lambda run: run["warnings"].append("beware"), "an entry without about among its warnings"),
        (lambda run: run["corpora"][0].pop("name"), "an entry without name among its corpora"),
        (lambda run: run["methods"][0].update(seeds=3), "without seeds among its methods"),
        (lambda run: run["settings"].pop("confidence"), "than numbers as confidence"),
        (lambda run: run["corpora"][0].update(speakers="?"), "than numbers as speakers"),
        (lambda run: run["seconds"].update(all="long"), "something other than numbers as seconds"),
    ],
)
def test_facts_of_another_shape(folder, change, message):
    change_run(folder, change)
    with pytest.raises(ResultsError, match=rf"run\.json' .*{message}.*run that again"):
        EvaluationRecord.load(folder)


def test_a_newer_format(folder):
    change_run(folder, lambda run: run.update(format=FORMAT + 1))
    message = rf"has format {FORMAT + 1}, written by sklearn-ser .* up to {FORMAT}\. Update"
    with pytest.raises(ResultsError, match=message):
        EvaluationRecord.load(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\udcff"])
def test_damaged_facts(folder, text):
    (folder / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ResultsError, match=r"run\.json' (is not JSON|does not say which format)"):
        EvaluationRecord.load(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a table"),
        ("method,corpus\n", "has no column uar, uar_low, uar_high, interval_note"),
        ('"', "is not a table"),
    ],
)
def test_damaged_tables(without_digests, text, message):
    (without_digests / "means.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=rf"means\.csv' {message}"):
        EvaluationRecord.load(without_digests)


def test_a_table_without_rows(without_digests):
    path = without_digests / "predictions.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"predictions\.csv' has no rows"):
        EvaluationRecord.load(without_digests)


def test_words_in_a_column_of_numbers(without_digests):
    path = without_digests / "scores.csv"
    text = re.sub(r"0\.\d+", "good", path.read_text(encoding="utf-8"), count=1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=r"scores\.csv' has something other than numbers in "):
        EvaluationRecord.load(without_digests)


def test_a_column_that_somebody_added_does_no_harm(without_digests):
    path = without_digests / "scores.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    rows = [f"{row},nice" for row in rows]
    path.write_text("\n".join([f"{head},remark", *rows]), encoding="utf-8")
    assert EvaluationRecord.load(without_digests).scores["remark"].tolist() == ["nice"] * 9


TABLES = ("scores", "means", "recalls", "predictions", "comparisons", "transfer")


@pytest.fixture
def later(make_speech, evaluate):
    """Another record, without transfer and comparisons."""
    return evaluate(*make_speech(("cafe", "urdu")), methods=("bayes",))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_another_evaluation_is_refused(name, folder, record, make_speech, tmp_path):
    path = folder / f"{name}.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("0.", "0.0", 1) if "0." in text else text + "\n")
    message = (
        rf"{name}\.csv' is not the table that run\.json beside it was written with: its digest is "
        r"sha256:\w{64}, expected sha256:\w{64}\. .*Evaluate again"
    )
    with pytest.raises(ResultsError, match=message):
        EvaluationRecord.load(folder)


@pytest.mark.parametrize("stopped", range(5))
@pytest.mark.parametrize("error", [OSError(errno.EIO, "stopped"), KeyboardInterrupt("stopped")])
def test_what_stops_between_two_names_is_noticed(stopped, error, folder, later, monkeypatch):
    replace, calls = os.replace, []

    def stop(*paths):
        calls.append(paths)
        if len(calls) > stopped:
            raise error
        replace(*paths)

    before = EvaluationRecord.load(folder)
    with monkeypatch.context() as patch:
        patch.setattr(_files.os, "replace", stop)
        with pytest.raises(type(error), match="stopped"):
            later.save(folder)
    assert not [name for name in os.listdir(folder) if name.endswith(".tmp")]
    if stopped:
        with pytest.raises(ResultsError, match="was interrupted, or the table was changed"):
            EvaluationRecord.load(folder)
    else:
        assert len(EvaluationRecord.load(folder).predictions) == len(before.predictions)
    later.save(folder)
    assert EvaluationRecord.load(folder).methods == ["bayes"]


def test_a_full_disk_leaves_the_earlier_results(folder, record, later, monkeypatch):
    synchronised = []

    def full(_):
        synchronised.append(0)
        if len(synchronised) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted(os.listdir(folder))
    with monkeypatch.context() as patch:
        patch.setattr(_files.os, "fsync", full)
        with pytest.raises(OSError, match=r"No space.*predictions\.csv"):
            later.save(folder)
    assert sorted(os.listdir(folder)) == before
    assert repr(EvaluationRecord.load(folder)) == repr(record)


def test_a_later_evaluation_has_no_table_of_an_earlier_one(folder, later):
    later.save(folder)
    assert not (folder / "transfer.csv").exists()
    (folder / "transfer.csv").write_text("somebody's notes")
    assert EvaluationRecord.load(folder).transfer is None


def test_a_folder_of_an_earlier_version(record, folder):
    def as_before(run):
        del run["tables"]
        run["format"] = 1

    change_run(folder, as_before)
    predictions = pd.read_csv(folder / "predictions.csv", dtype=str, keep_default_na=False)
    predictions["path"] = "'=x"
    predictions.to_csv(folder / "predictions.csv", index=False)
    loaded = EvaluationRecord.load(folder)
    assert repr(loaded) == repr(record)
    # It did not spell anything.
    assert set(loaded.predictions["path"]) == {"'=x"}


def test_comparisons_of_an_earlier_version_are_reconciled(record, without_digests):
    path = without_digests / "comparisons.csv"
    table = pd.read_csv(path).drop(columns=["p_smallest", "p_note"])
    few = table["corpus"] != "mean"
    table.loc[few, ["low", "high", "p_adjusted", "interval_note"]] = [0.1, 0.2, 0.0625, ""]
    table.to_csv(path, index=False)
    loaded = EvaluationRecord.load(without_digests).comparisons
    assert loaded["p_adjusted"].isna().tolist() == few.tolist()
    assert (loaded.loc[few, "p_note"] == "too few speakers to tell").all()
    assert (loaded.loc[few, "low"] == 0).all()
    pd.testing.assert_frame_equal(loaded[~few], record.comparisons[~few], check_like=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: run.update(tables=[]), "something other than digests as tables"),
        (lambda run: run["tables"].update(scores=1), "something other than digests as tables"),
        (lambda run: run["settings"].update(confidence=95), "has 95 as confidence, expected a num"),
        (lambda run: run["seconds"].update(a=10**400), "something other than numbers as seconds"),
        (lambda run: run["corpora"].pop(0), "has 'emodb' in scores.csv, but not among the corpora"),
        (lambda run: run["methods"].pop(0), "has 'svm' in scores.csv, but not among the methods"),
    ],
)
def test_facts_that_do_not_fit(folder, change, message):
    change_run(folder, change)
    with pytest.raises(ResultsError, match=message):
        EvaluationRecord.load(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '{"format": NaN}', "\0" * 100])
def test_facts_that_no_parser_likes(folder, text):
    (folder / "run.json").write_text(text)
    with pytest.raises(ResultsError, match=r"run\.json' is not JSON") as caught:
        EvaluationRecord.load(folder)
    assert caught.value.__cause__ is not None


def test_facts_that_are_huge(folder):
    with (folder / "run.json").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ResultsError, match=r"run\.json' has 1,099,511,627,776 bytes, more than"):
        EvaluationRecord.load(folder)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "scores",
            lambda t: t.assign(uar="1.5"),
            "something other than numbers from 0 to 1 in uar",
        ),
        (
            "scores",
            lambda t: t.assign(chance=""),
            "something other than numbers from 0 to 1 in cha",
        ),
        ("recalls", lambda t: t.assign(recall="inf"), "numbers from 0 to 1 in recall"),
        ("scores", lambda t: t.assign(n_test="9" * 40), "something other than numbers in n_test"),
        ("scores", lambda t: pd.concat([t, t]), "two rows for the same method and corpus in scor"),
        ("means", lambda t: t[:1], "other methods in means.csv than in scores.csv"),
        ("recalls", lambda t: t.assign(corpus="cafe"), "has corpus 'cafe' in recalls.csv, but not"),
        ("transfer", lambda t: t.assign(tested_on="x"), "has tested_on 'x' in transfer.csv, but"),
    ],
)
def test_tables_that_do_not_fit(without_digests, name, change, message):
    path = without_digests / f"{name}.csv"
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)
    with pytest.raises(ResultsError, match=message):
        EvaluationRecord.load(without_digests)


def test_formulas_and_bytes_come_back_as_they_were(make_speech, evaluate, tmp_path):
    speech, X = make_speech(("=1+1", "@sum"))
    odd = ["+1.wav", "'=1.wav", "caf\udce9.wav", r"caf\udce9.wav", "a\rb", "a\nb", "\t", "-0.5"]
    speech["path"] = pd.Series(np.resize(odd, len(speech)), dtype=object)
    speech["speaker"] = speech["speaker"].str.replace("=1+1_0", "-1")
    record = evaluate(speech, X, methods=("svm", "bayes"), command="caf\udce9 = \x1b")
    record.save(tmp_path)
    for path in tmp_path.glob("*.csv"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        words = table.drop(columns=table.columns.intersection(["difference", "low"]))
        risky = words.map(lambda cell: cell[:1] in tuple("=+-@\t\r\n"))
        assert not risky.any(axis=None), path.name
    loaded = EvaluationRecord.load(tmp_path)
    assert loaded.corpora == ["=1+1", "@sum"]
    assert loaded.run["command"] == record.run["command"]
    for column in ("path", "speaker", "corpus"):
        assert loaded.predictions[column].tolist() == record.predictions[column].tolist()
    # The last bit may differ where pandas is older than 3.
    np.testing.assert_allclose(loaded.comparisons["low"], record.comparisons["low"], rtol=1e-15)
