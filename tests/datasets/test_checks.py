import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.datasets import check_corpora, load_corpora
from sklearn_ser.exceptions import AudioError, AudioWarning, CorpusError, CorpusWarning


@pytest.fixture
def record(tmp_path):
    """Write noise of a duration and a rate; no two recordings are the same."""
    rng = np.random.default_rng(0)

    def write(name, *, duration=0.1, rate=8000):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, rng.uniform(-0.5, 0.5, round(duration * rate)), rate)
        return str(file)

    return write


@pytest.fixture
def speech(record):
    """Two corpora, two emotions, two speakers, with nothing to complain about."""
    rows = [
        (record(f"{corpus}/{speaker}{emotion}{i}.wav"), corpus, f"{corpus}_{speaker}", emotion)
        for corpus in ("one", "two")
        for speaker in "ab"
        for emotion in ("anger", "calm")
        for i in range(5)
    ]
    return pd.DataFrame(rows, columns=["path", "corpus", "speaker", "emotion"])


def findings(table, **options):
    """Run the checks, expecting findings, as tuples."""
    with pytest.warns(CorpusWarning, match=r"findings? in"):
        report = check_corpora(table, **options)
    return list(report.itertuples(index=False, name=None))


def test_nothing_to_find(speech, recwarn):
    report = check_corpora(speech, split=speech["speaker"].str[-1], emotions=["anger", "calm"])
    assert report.columns.tolist() == ["check", "corpus", "detail", "n"]
    assert report.empty
    assert recwarn.list == []


def test_missing_unreadable_and_empty_files(speech, tmp_path):
    path = speech["path"]
    (tmp_path / "no.wav").write_bytes(b"RIFF, and so on")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    table = speech.copy()
    table.loc[[0, 1, 20, 21, 22, 23, 24, 25, 26], "path"] = [
        str(tmp_path / "empty.wav"),
        str(tmp_path / "no.wav"),
        *[f"{p}.gone" for p in path[20:25]],
        f"{path[25]}/inside.wav",
        str(tmp_path),
    ]
    found = findings(table)
    assert found[:2] == [
        ("empty recording", "one", str(tmp_path / "empty.wav"), 1),
        ("missing file", "two", f"{', '.join(p + '.gone' for p in path[20:25])} and 1 more", 6),
    ]
    assert found[2:] == [
        ("unreadable file", "one", str(tmp_path / "no.wav"), 1),
        ("unreadable file", "two", str(tmp_path), 1),
    ]


def test_same_content(speech):
    path = speech["path"]
    shutil.copy(path[0], path[1])
    shutil.copy(path[2], path[20])
    shutil.copy(path[2], path[39])
    assert findings(speech) == [
        ("same content", "one", f"{path[0]} = {path[1]}", 2),
        (
            "same content",
            "one, two",
            f"{path[2]} = {path[20]} = {path[39]}; labelled anger, calm; "
            "said to be spoken by one_a, two_a, two_b",
            3,
        ),
    ]


def test_same_size_is_not_same_content(speech):
    sizes = {Path(path).stat().st_size for path in speech["path"]}
    assert len(sizes) == 1
    assert check_corpora(speech).empty


def test_a_file_in_several_rows(speech):
    table = pd.concat([speech, speech.iloc[[3]].assign(emotion="calm")], ignore_index=True)
    split = ["train"] * 40 + ["test"]
    found = [row for row in findings(table, split=split) if row[0] == "repeated file"]
    detail = (
        f"{speech['path'][3]}; labelled anger, calm; on several sides of the split: train, test"
    )
    assert found == [("repeated file", "one", detail, 2)]


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, "column"])
def test_speakers_on_both_sides(kind, speech):
    split = ["test" if speaker.endswith("b") else "train" for speaker in speech["speaker"]]
    split[0] = "test"
    if kind == "column":
        speech["part"] = split
        given = "part"
    else:
        given = kind(split)
    found = findings(speech, split=given)
    assert found == [("speaker in several parts", "one", "one_a", 1)]


def test_folds_and_recordings_outside_of_the_split(speech):
    split = pd.Series([np.nan, *[0] * 9, *[1] * 10, *[2] * 5, *[1] * 15], dtype=object)
    assert findings(speech, split=split) == [("speaker in several parts", "two", "two_a", 1)]


def test_speakers_of_one_name_in_two_corpora_are_two(speech):
    table = speech.assign(speaker=speech["speaker"].str[-1])
    assert check_corpora(table, split=table["corpus"]).empty


def test_unknown_speakers(speech):
    speech.loc[[4, 5], "speaker"] = np.nan
    found = findings(speech, split=speech["corpus"])
    assert found == [("unknown speaker", "one", f"{speech['path'][4]}, {speech['path'][5]}", 2)]
    assert check_corpora(speech).empty


def test_rates_that_tell_emotions_apart(speech, record):
    for i in np.flatnonzero((speech["corpus"] == "two") & (speech["emotion"] == "calm"))[:3]:
        record(speech["path"][i], rate=11025)
    assert findings(speech) == [
        ("sampling rate", "two", "8000 Hz: 100% of anger, 70% of calm", 17),
        ("sampling rate", "two", "11025 Hz: 30% of calm, 0% of anger", 3),
    ]
    assert check_corpora(speech, max_rate_difference=0.31).empty


def test_rates_of_whole_corpora_may_differ(speech, record):
    for path in speech["path"][speech["corpus"] == "two"]:
        record(path, rate=11025)
    assert check_corpora(speech).empty


def test_durations_that_tell_emotions_apart(speech, record):
    for path in speech["path"][(speech["corpus"] == "one") & (speech["emotion"] == "calm")]:
        record(path, duration=0.21)
    assert findings(speech) == [
        ("duration", "one", "median of calm 0.21 s, of anger 0.10 s", 20),
    ]
    assert check_corpora(speech, max_duration_ratio=2.2).empty
    assert check_corpora(speech, min_recordings=11).empty


def test_rare_emotions_are_not_compared(speech, record):
    more = [(record(f"{i}.wav", duration=5, rate=16000), "one", "one_a", "fear") for i in range(4)]
    table = pd.concat([speech, pd.DataFrame(more, columns=speech.columns)], ignore_index=True)
    assert findings(table) == [("missing emotion", "two", "fear", 1)]
    assert [row[0] for row in findings(table, min_recordings=4)] == [
        "sampling rate",
        "sampling rate",
        "duration",
        "missing emotion",
    ]


def test_missing_emotions(speech):
    speech["emotion"] = ["anger"] * 10 + ["calm"] * 10 + ["calm"] * 10 + ["fear"] * 10
    assert findings(speech) == [
        ("missing emotion", "one", "fear", 1),
        ("missing emotion", "two", "anger", 1),
    ]
    assert findings(speech, emotions=["calm", "fear", "boredom"]) == [
        ("missing emotion", "one", "boredom, fear", 2),
        ("missing emotion", "two", "boredom", 1),
    ]


def test_one_warning_counts_the_findings(speech):
    speech.loc[[0, 20], "path"] = ["a.wav", "b.wav"]
    speech.loc[speech["corpus"] == "two", "emotion"] = "anger"
    with pytest.warns(CorpusWarning) as caught:
        check_corpora(speech)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert str(caught[0].message) == (
        "3 findings in 40 recordings: missing file (2), missing emotion (1). The table that "
        "check_corpora returns has the details."
    )


def test_threads_find_the_same(speech):
    shutil.copy(speech["path"][0], speech["path"][1])
    assert findings(speech, n_jobs=4) == findings(speech)


def test_index_and_paths_of_any_kind(speech):
    table = speech.sample(frac=1, random_state=0).assign(other=1)
    table["path"] = table["path"].map(Path)
    assert check_corpora(table, split=table["corpus"]).empty


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"split": "fold"},
            r"split='fold' is not a column of the table; its columns are: path, cor",
        ),
        ({"split": ["train"]}, r"split has shape \(1,\); expected one entry for each of the 40"),
        ({"split": ["train"] * 40}, "split names fewer than two sides"),
        ({"split": [None] * 40}, "split names fewer than two sides"),
        ({"emotions": ["angry"]}, "Unknown emotion 'angry'. Did you mean 'anger'"),
        ({"max_rate_difference": 2}, "max_rate_difference=2; expected a share from 0 to 1"),
        ({"max_duration_ratio": 0.5}, "max_duration_ratio=0.5; expected at least 1"),
        ({"min_recordings": 0}, "min_recordings=0; expected at least 1"),
    ],
)
def test_bad_parameters(options, message, speech):
    with pytest.raises(ValueError, match=message):
        check_corpora(speech, **options)


def test_bad_tables(speech):
    with pytest.raises(TypeError, match="table is a list; expected a DataFrame as load_corpora"):
        check_corpora(speech["path"].tolist())
    with pytest.raises(CorpusError, match="The table has no column 'speaker'; expected path"):
        check_corpora(speech.drop(columns="speaker"))
    with pytest.raises(CorpusError, match="The table has no recordings"):
        check_corpora(speech.iloc[:0])
    with pytest.raises(CorpusError, match="The column 'corpus' has gaps"):
        check_corpora(speech.assign(corpus=None))


@pytest.mark.corpus
@pytest.mark.filterwarnings("ignore:.*recordings of the .* expected")
def test_real_corpora_have_no_findings_until_speakers_are_split(shared):
    paths = {name: shared / "corpora" / name for name in ("emodb", "urdu", "ravdess")}
    speech = load_corpora(paths)
    assert check_corpora(speech, split="corpus", n_jobs=2).empty
    found = findings(speech, split=np.arange(len(speech)) % 2)
    assert [(check, corpus) for check, corpus, *_ in found] == [
        ("speaker in several parts", name) for name in ("emodb", "ravdess", "urdu")
    ]
    assert found[0][-1] == 10


class TestWhatExtractionRefusesOrWarnsOf:
    """Every fault is found as what `EGeMAPSExtractor` says of it, and nothing else."""

    NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 16000)
    WITH_NAN = np.where(np.arange(16000) == 7, np.nan, NOISE)

    def find(self, speech, path, **options):
        table = speech.copy()
        table.loc[3, "path"] = str(path)
        found = findings(table, emotions=["anger", "calm"], **options)
        assert [row[0] for row in found] == [found[0][0]], found
        assert found[0][1] == "one"
        assert found[0][2].startswith(str(path))
        return found[0][0]

    def assert_extraction_agrees(self, path):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises((AudioError, AudioWarning), match=path.name):
                EGeMAPSExtractor().transform([path])

    @pytest.mark.parametrize(
        ("y", "sr", "check"),
        [
            (NOISE[:900], 16000, "too short"),
            (NOISE, 3999, "sampling rate out of range"),
            (NOISE, 2_000_000, "sampling rate out of range"),
            (NOISE[:0], 16000, "empty recording"),
        ],
    )
    def test_headers_suffice(self, speech, tmp_path, y, sr, check):
        path = tmp_path / "bad.wav"
        soundfile.write(path, y, sr)
        assert self.find(speech, path) == check
        assert self.find(speech, path, samples=True) == check
        self.assert_extraction_agrees(path)

    @pytest.mark.parametrize(
        ("y", "check"),
        [
            (WITH_NAN, "unusable samples"),
            (32768 * NOISE, "unusable samples"),
            (0 * NOISE, "digital silence"),
            (NOISE / 32768, "too quiet"),
            (np.clip(9 * NOISE, -1, 1), "clipped"),
            (np.stack([NOISE, -NOISE], axis=1), "cancelling channels"),
        ],
    )
    def test_samples_are_needed(self, speech, tmp_path, y, check):
        path = tmp_path / "bad.wav"
        soundfile.write(path, y, 16000, subtype="FLOAT")
        assert self.find(speech, path, samples=True) == check
        self.assert_extraction_agrees(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", CorpusWarning)
            table = speech.copy()
            table.loc[3, "path"] = str(path)
            if check != "cancelling channels":
                check_corpora(table.drop(index=3), emotions=["anger", "calm"], samples=True)

    @pytest.mark.parametrize("name", ["half.wav", "half.aiff", "half.au", "half.w64"])
    @pytest.mark.parametrize("samples", [False, True])
    def test_half_a_file(self, speech, tmp_path, name, samples):
        path = tmp_path / name
        soundfile.write(path, self.NOISE, 16000)
        path.write_bytes(path.read_bytes()[:16000])
        assert self.find(speech, path, samples=samples) == "cut off"
        self.assert_extraction_agrees(path)

    def test_half_a_flac(self, speech, tmp_path):
        path = tmp_path / "half.flac"
        soundfile.write(path, self.NOISE, 16000)
        path.write_bytes(path.read_bytes()[:16000])
        assert self.find(speech, path, samples=True) == "unusable samples"
        self.assert_extraction_agrees(path)

    def test_a_hole_in_ogg(self, speech, tmp_path):
        path = tmp_path / "hole.ogg"
        soundfile.write(path, np.tile(self.NOISE, 8), 16000)
        content = path.read_bytes()
        first = content.index(b"OggS", len(content) // 2)
        path.write_bytes(content[:first] + content[content.index(b"OggS", first + 1) :])
        assert self.find(speech, path) == "gap"
        self.assert_extraction_agrees(path)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    @pytest.mark.parametrize("samples", [False, True])
    def test_pipes_are_not_waited_for(self, speech, tmp_path, samples):
        os.mkfifo(tmp_path / "pipe.wav")
        assert self.find(speech, tmp_path / "pipe.wav", samples=samples) == "unreadable file"

    def test_recordings_longer_than_the_limit(self, speech, tmp_path):
        path = tmp_path / "long.wav"
        soundfile.write(path, self.NOISE, 16000)
        assert self.find(speech, path, max_duration=0.5) == "too long"
        with pytest.raises(AudioError, match=r"long\.wav: it lasts longer than 0\.5 s"):
            EGeMAPSExtractor(max_duration=0.5).transform([path])

    def test_flac_of_unknown_length_is_nothing_to_report(self, speech, tmp_path):
        path = tmp_path / "stream.flac"
        soundfile.write(path, self.NOISE, 16000)
        content = bytearray(path.read_bytes())
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        path.write_bytes(content)
        table = speech.copy()
        table.loc[3, "path"] = str(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert check_corpora(table, emotions=["anger", "calm"], samples=True).empty
            assert check_corpora(table, emotions=["anger", "calm"]).empty
            EGeMAPSExtractor().transform([path])
