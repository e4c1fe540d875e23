import json
import re

import pytest

from sklearn_ser.report import EvaluationRecord
from sklearn_ser.report._files import FORMAT


@pytest.fixture
def folder(record, tmp_path):
    record.save(tmp_path)
    return tmp_path


def change_run(folder, change):
    path = folder / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    change(run)
    path.write_text(json.dumps(run), encoding="utf-8")


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder '.*nowhere'"):
        EvaluationRecord.load(tmp_path / "nowhere")


def test_a_file_is_no_folder(folder, record):
    with pytest.raises(NotADirectoryError, match="is a file; expected the folder"):
        EvaluationRecord.load(folder / "run.json")
    with pytest.raises(NotADirectoryError, match="is a file, expected a folder to write to"):
        record.save(folder / "run.json")


@pytest.mark.parametrize("name", ["run.json", "scores.csv", "recalls.csv", "predictions.csv"])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"has no {re.escape(name)}; expected a folder as"):
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
        (lambda run: run.update(settings=[]), "something else than a dict as settings"),
        (lambda run: run.update(warnings={}), "something else than a list as warnings"),
        (lambda run: run["warnings"].append("beware"), "an entry without about among its warnings"),
        (lambda run: run["corpora"][0].pop("name"), "an entry without name among its corpora"),
        (lambda run: run["methods"][0].update(seeds=3), "without seeds among its methods"),
        (lambda run: run["settings"].pop("confidence"), "than numbers as confidence"),
        (lambda run: run["corpora"][0].update(speakers="?"), "than numbers as speakers"),
        (lambda run: run["seconds"].update(all="long"), "something else than numbers as seconds"),
    ],
)
def test_facts_of_another_shape(folder, change, message):
    change_run(folder, change)
    with pytest.raises(ValueError, match=rf"run\.json' .*{message}.*run that again"):
        EvaluationRecord.load(folder)


def test_a_newer_format(folder):
    change_run(folder, lambda run: run.update(format=FORMAT + 1))
    message = rf"has format {FORMAT + 1}, written by sklearn-ser .* up to {FORMAT}\. Update"
    with pytest.raises(ValueError, match=message):
        EvaluationRecord.load(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\udcff"])
def test_damaged_facts(folder, text):
    (folder / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"run\.json' (is no JSON|does not say which format)"):
        EvaluationRecord.load(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no table"),
        ("method,corpus\n", "has no column uar, uar_low, uar_high, interval_note"),
        ('"', "is no table"),
    ],
)
def test_damaged_tables(folder, text, message):
    (folder / "means.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"means\.csv' {message}"):
        EvaluationRecord.load(folder)


def test_a_table_without_rows(folder):
    path = folder / "predictions.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"predictions\.csv' has no rows"):
        EvaluationRecord.load(folder)


def test_words_in_a_column_of_numbers(folder):
    path = folder / "scores.csv"
    text = re.sub(r"0\.\d+", "good", path.read_text(encoding="utf-8"), count=1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"scores\.csv' has something else than numbers in "):
        EvaluationRecord.load(folder)


def test_a_column_that_somebody_added_does_no_harm(folder):
    path = folder / "scores.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    rows = [f"{row},nice" for row in rows]
    path.write_text("\n".join([f"{head},remark", *rows]), encoding="utf-8")
    assert EvaluationRecord.load(folder).scores["remark"].tolist() == ["nice"] * 9
