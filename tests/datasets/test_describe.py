import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser.datasets import describe, load_corpora, make_corpora
from sklearn_ser.exceptions import CorpusError

EMOTIONS = ("anger", "sadness")


def make_table(n_speakers=8, n_each=20, corpus="one"):
    """Return a balanced table of recordings that do not exist."""
    n = len(EMOTIONS) * n_each
    numbers = np.arange(n) // len(EMOTIONS) % n_speakers
    return pd.DataFrame(
        {
            "path": [f"{corpus}/{i}.wav" for i in range(n)],
            "corpus": corpus,
            "speaker": [f"{corpus}_{i:02}" for i in numbers],
            "sex": np.where(numbers % 2, "m", "f"),
            "age": 20.0 + numbers,
            "emotion": np.tile(EMOTIONS, n_each),
        }
    )


def findings_of(table, **options):
    found = describe(table, headers=False, **options).findings
    return list(found[["finding", "corpus", "detail"]].itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    return make_corpora(folder, n_corpora=2, n_speakers=3, n_utterances=12)


def test_a_balanced_table_has_no_findings():
    table = pd.concat([make_table(), make_table(corpus="two")])
    assert findings_of(table) == []
    description = describe(table, headers=False)
    assert repr(description).endswith("\n\nNothing is badly out of balance.")
    assert "Nothing is badly out of balance" in description._repr_html_()


def test_counts():
    table = pd.concat([make_table(), make_table(corpus="two", n_each=30)])
    description = describe(table, headers=False)
    assert description.by_emotion.loc["two"].to_dict() == {"anger": 30, "sadness": 30}
    assert description.by_sex.loc[("one", "f")].tolist() == [10, 10]
    speaker = description.by_speaker.loc[("one", "one_03")]
    assert speaker.to_dict() == {"sex": "m", "age": 23, "recordings": 6, "anger": 3, "sadness": 3}
    assert len(description.by_speaker) == 16
    assert description.table.index.tolist() == ["one", "two", "all"]
    total = description.table.loc["all"]
    assert total[["recordings", "speakers", "women", "men"]].tolist() == [100, 16, 50, 50]
    assert description.durations["recordings"].tolist() == [0] * 4
    assert description.by_rate.shape == (2, 0)


def test_all_numbers_agree(synthesised):
    description = describe(synthesised)
    n = len(synthesised)
    for table in (description.by_emotion, description.by_sex, description.by_rate):
        assert table.to_numpy().sum() == n
    assert description.by_speaker["recordings"].sum() == n
    assert description.durations["recordings"].sum() == n
    seconds = sum(soundfile.info(path).duration for path in synthesised["path"])
    assert description.durations["hours"].sum() * 3600 == pytest.approx(seconds)
    assert description.table.loc["all", "hours"] * 3600 == pytest.approx(seconds)
    for corpus, part in synthesised.groupby("corpus"):
        rates = {soundfile.info(path).samplerate for path in part["path"]}
        by_rate = description.by_rate.loc[corpus]
        assert set(by_rate.index[by_rate > 0]) == rates
        assert description.table.loc[corpus, "kHz"] == f"{rates.pop() / 1000:g}"
        one = part[part["emotion"] == "anger"]["path"]
        median = np.median([soundfile.info(path).duration for path in one])
        assert description.durations.loc[(corpus, "anger"), "median"] == pytest.approx(median)


def test_columns_that_the_table_lacks_are_unknown():
    table = make_table()[["corpus", "emotion"]]
    description = describe(table, headers=False)
    assert description.by_speaker.empty
    assert description.by_sex.index.tolist() == [("one", "?")]
    assert findings_of(table) == [("unknown speaker", "one", "40 recordings")]
    head, _, columns, *_ = repr(description).splitlines()
    assert head == "40 recordings of 1 corpus"
    # Columns of nothing but question marks would take room.
    assert columns.split() == ["recordings", "anger", "sadness"]


def test_a_speaker_of_two_sexes_has_none():
    table = make_table(n_speakers=2)
    table.loc[table.index[0], ["sex", "age"]] = "m", 30
    speaker = describe(table, headers=False).by_speaker.loc[("one", "one_00")]
    assert pd.isna(speaker["sex"])
    assert pd.isna(speaker["age"])


def test_missing_emotion():
    table = pd.concat([make_table(), make_table(corpus="two").query("emotion == 'anger'")])
    assert ("missing emotion", "two", "sadness") in findings_of(table)


def test_recordings_without_an_emotion():
    table = make_table()
    table.loc[:2, "emotion"] = None
    assert findings_of(table) == [("unknown emotion", "one", "3 recordings")]
    table["emotion"] = None
    assert ("unknown emotion", "one", "40 recordings") in findings_of(table)
    assert "Nothing is badly" not in repr(describe(table, headers=False))


def test_emotions_that_are_named_like_the_columns_of_facts():
    table = make_table()
    table["emotion"] = table["emotion"].map({"anger": "women", "sadness": "recordings"})
    description = describe(table, headers=False)
    one = description.table.loc["one"]
    assert one[["recordings", "women", "men"]].tolist() == [40, 20, 20]
    assert one[["recordings (emotion)", "women (emotion)"]].tolist() == [20, 20]
    speaker = description.by_speaker.loc[("one", "one_00")]
    assert speaker[["recordings", "women (emotion)"]].tolist() == [6, 3]


def test_other_is_missing_nowhere():
    table = pd.concat([make_table(), make_table(corpus="two")])
    table["emotion"] = table["emotion"].where(table["corpus"] == "one", "anger")
    table["emotion"] = table["emotion"].replace("sadness", "other")
    assert findings_of(table) == []


def test_rare_and_unequal_emotions():
    table = make_table()
    keep = (table["emotion"] == "anger") | (table.index < 8)
    assert findings_of(table[keep])[:2] == [
        ("few recordings", "one", "sadness 4"),
        ("unequal emotions", "one", "anger 20, sadness 4"),
    ]


def test_ratios_at_the_limit_are_no_findings():
    table = make_table(n_each=30)
    keep = (table["emotion"] == "anger") | (table.index < 20)
    assert findings_of(table[keep]) == []


def test_unequal_corpora():
    large, small = make_table(n_each=220), make_table(corpus="two")
    expected = ("unequal corpora", "one, two", "440 and 40 recordings")
    assert findings_of(pd.concat([large, small])) == [expected]


def test_speakers():
    table = make_table(n_speakers=2)
    assert findings_of(table) == [("few speakers", "one", "2 speakers")]
    table = make_table()
    table.loc[table["emotion"] == "sadness", ["speaker", "sex"]] = "one_00", "f"
    assert findings_of(table) == [
        ("dominant speaker", "one", "one_00 with 57%"),
        ("emotion of one speaker", "one", "sadness"),
        ("sex and emotion", "one", "women speak 100% of sadness, 50% of anger"),
    ]
    table = make_table()
    table.loc[:2, "speaker"] = np.nan
    assert findings_of(table) == [("unknown speaker", "one", "3 recordings")]


def test_files_and_headers(tmp_path):
    table = make_table()
    table["path"] = [str(tmp_path / f"{i}.wav") for i in range(len(table))]
    for path, emotion in zip(table["path"][:-1], table["emotion"], strict=False):
        rate = 16000 if emotion == "anger" else 8000
        soundfile.write(path, np.zeros(rate if emotion == "anger" else 3 * rate), rate)
    description = describe(table, n_jobs=2)
    found = description.findings.set_index("finding")
    assert found.index.tolist() == ["sampling rate", "sampling rate", "duration", "missing file"]
    assert found.loc["duration", "detail"] == "median of sadness 3.00 s, of anger 1.00 s"
    assert found.loc["missing file", "detail"] == "1 file"
    assert "check_corpora has the details" in found.loc["missing file", "consequence"]
    assert description.table["kHz"].tolist() == ["16, 8 (48.7%)", "8 to 16"]
    assert description.by_rate.loc["one"].to_dict() == {8000: 19, 16000: 20}


def test_many_rates_and_corpora_are_displayed_without_cuts(tmp_path):
    table = pd.concat([make_table(n_each=1, corpus=f"corpus{i:02}") for i in range(70)])
    page = describe(table, headers=False)._repr_html_()
    assert all(f"corpus{i:02}</th>" in page for i in range(70))
    table = make_table(n_each=4)
    table["path"] = [str(tmp_path / f"{i}.wav") for i in range(len(table))]
    for path, rate in zip(table["path"], [8000, 8000, *range(10001, 10007)], strict=True):
        soundfile.write(path, np.zeros(4000), rate)
    description = describe(table)
    text = "8, 10.001 (12.5%), 10.002 (12.5%), 10.003 (12.5%), 3 more"
    assert description.table.loc["one", "kHz"] == text
    assert f"<td>{text}</td>" in description._repr_html_()


def test_consequences_are_printed_once_for_each_finding():
    table = pd.concat([make_table(n_speakers=2), make_table(n_speakers=3, corpus="two")])
    printed = repr(describe(table, headers=False))
    assert "* few speakers: one: 2 speakers; two: 3 speakers.\n" in printed
    assert printed.count("Tests and intervals over speakers") == 1


def test_text_of_tables_cannot_control_a_terminal_or_a_page():
    table = make_table(n_speakers=2, corpus="<b>\x1b[31mone")
    description = describe(table, headers=False)
    assert "\x1b" not in repr(description)
    page = description._repr_html_()
    assert "\x1b" not in page
    assert "<b>\x1b" not in page
    assert "&lt;b&gt;" in page


def test_any_labels_and_names():
    table = pd.concat([make_table(), make_table(corpus="all")])
    table["emotion"] = table["emotion"].map({"anger": 1, "sadness": "women"})
    description = describe(table, headers=False)
    assert description.by_emotion.columns.tolist() == ["1", "women"]
    assert description.table["recordings"].tolist() == [40, 40, 80]
    assert description.by_emotion.loc["all"].tolist() == [20, 20]
    table.loc[table["emotion"] == "women", "emotion"] = None
    assert describe(table, headers=False).by_emotion["1"].tolist() == [20, 20]


def test_plot(synthesised, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    description = describe(synthesised)
    display = description.plot()
    assert len(display.axes_) == 2
    labels = [label.get_text() for label in display.axes_[0].get_yticklabels()]
    assert labels == description.by_emotion.index.tolist()
    few = synthesised[synthesised["emotion"].isin(["anger", "sadness"])]
    narrow = describe(few.assign(corpus="a")).plot()
    narrow.figure_.draw_without_rendering()
    width = narrow.figure_.bbox.width
    for ax in narrow.axes_:
        label = ax.xaxis.label.get_window_extent()
        assert label.x0 >= 0
        assert label.x1 <= width
    assert len(describe(synthesised, headers=False).plot().axes_) == 1
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ser\[plot\]'"):
        description.plot()


def test_bad_tables():
    with pytest.raises(TypeError, match="speech is a list; expected a DataFrame as load_corpora"):
        describe([])
    with pytest.raises(CorpusError, match="no column 'emotion'; expected corpus, emotion, path"):
        describe(make_table().drop(columns="emotion"))
    with pytest.raises(CorpusError, match=r"no column 'path'.* Pass headers=False to open no"):
        describe(make_table().drop(columns="path"))
    with pytest.raises(CorpusError, match="has no recordings; there is nothing to describe"):
        describe(make_table()[:0])
    with pytest.raises(CorpusError, match="The column 'corpus' has gaps; every recording needs"):
        describe(make_table().assign(corpus=None))
    table = make_table()
    table.loc[3, "path"] = None
    with pytest.raises(CorpusError, match=r"'path' has gaps; .* Pass headers=False to open no"):
        describe(table)
    assert len(describe(table, headers=False).by_speaker) == 8


@pytest.mark.corpus
@pytest.mark.filterwarnings("ignore:EMO-DB in:UserWarning")
def test_real_corpora(shared):
    paths = {name: shared / "corpora" / name for name in ("emodb", "urdu")}
    speech = load_corpora(paths)
    description = describe(speech, n_jobs=2)
    found = description.findings.set_index("finding")["detail"]
    assert found["sex and emotion"] == "women speak 46% of happiness, 0% of anger"
    assert description.table.loc["urdu", "kHz"].startswith("44.1")
    assert description.by_speaker.loc[("emodb", "emodb_03"), "age"] == 31
