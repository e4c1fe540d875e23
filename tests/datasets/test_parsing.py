"""Folders of corpora as they are met: extra folders, copies, slips, parts."""

import warnings
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from sklearn_ser.datasets import CORPORA, load_corpus
from sklearn_ser.datasets._base import find_files, is_ignored
from sklearn_ser.exceptions import CorpusError, CorpusWarning

incomplete = pytest.mark.filterwarnings("ignore:.* recordings of the .* expected:UserWarning")


@pytest.mark.parametrize(
    ("path", "patterns", "expected"),
    [
        ("a/03-02-01.wav", ("03-02-*",), True),
        ("03-02-a/x.wav", ("03-02-*",), False),
        ("a/Extras/b/x.wav", ("extras/",), True),
        ("extras/x.wav", ("extras/",), True),
        ("a/extras.wav", ("extras/",), False),
        ("my extras/x.wav", ("extras/",), False),
        ("my extras/x.wav", ("*extras/",), True),
        ("a/b/out1/x.wav", ("b/out?/",), True),
        ("a/c/out1/x.wav", ("b/out?/",), False),
        ("a/songs/x.wav", ("songs/*.wav",), True),
        ("a/songs/b/x.wav", ("songs/*.wav",), False),
        ("Co\u0301pias/x.wav", ("c\u00f3pias/",), True),
        ("x.wav", ("*/",), False),
        ("x.wav", (), False),
    ],
)
def test_ignored_files_and_folders(path, patterns, expected, make_files, tmp_path):
    assert is_ignored(PurePosixPath(path), patterns) is expected
    make_files(tmp_path, [path])
    assert (find_files(tmp_path, ["*.wav"], patterns) == []) is expected


@incomplete
@pytest.mark.parametrize("root", ["", "TurEV-DB-be9873e", "a/b"])
def test_turev_filtered_copies_are_no_recordings(root, make_corpus, make_files, tmp_path):
    make_corpus(tmp_path / root, CORPORA["turev"])
    names = [f"Model Output for Test Data/{kind}/Angry/1157_kz_beste.wav" for kind in "ab"]
    make_files(tmp_path / root, [*names, "model output for test data/Sad/1_ac_x.wav"])
    assert len(load_corpus("turev", tmp_path)) == len(CORPORA["turev"].examples)


@pytest.mark.parametrize("name", ["ravdess", "jl", "savee", "crema"])
@pytest.mark.parametrize("place", ["audio_speech_actors_01-24", "Raw (copy)/deep", "0"])
def test_a_copy_within_the_folder_is_left_out_with_one_note(
    name, place, small, make_corpus, tmp_path
):
    corpus = small("cremad" if name == "crema" else name)
    make_corpus(tmp_path, corpus)
    for i, path in enumerate(corpus.examples):
        (tmp_path / path).write_bytes(b"%d" % i)
    make_corpus(tmp_path / place, corpus)
    for i, path in enumerate(corpus.examples):
        (tmp_path / place / path).write_bytes(b"%d" % i)
    n = len(corpus.examples)
    with pytest.warns(CorpusWarning, match=f"{n} recordings in .* are copies of others") as caught:
        speech = load_corpus(corpus, tmp_path)
    assert len(caught) == 1
    assert speech["path"].tolist() == sorted(str(tmp_path / path) for path in corpus.examples)


@incomplete
def test_equal_names_of_other_speakers_or_other_content_stay(make_files, tmp_path):
    # SAVEE has the same four names in each folder of a speaker.
    names = ["DC/a01.wav", "JE/a01.wav", "extra/DC/a01.wav"]
    make_files(tmp_path, names)
    (tmp_path / "extra/DC/a01.wav").write_bytes(b"louder")
    speech = load_corpus("savee", tmp_path)
    assert speech["speaker"].tolist() == ["savee_DC", "savee_JE", "savee_DC"]


@pytest.mark.parametrize(
    ("name", "folder", "names", "speakers", "emotions"),
    [
        ("savee", "DC", ["a01.wav", "su02.wav"], {"savee_DC"}, ["anger", "surprise"]),
        ("savee", "je", ["a01.wav"], {"savee_JE"}, ["anger"]),
        ("savee", "KL", ["audio/kl/h01.wav", "n02.wav"], {"savee_KL"}, ["happiness", "neutral"]),
        ("emovo", "f1", ["dis-f1-b1.wav"], {"emovo_f1"}, ["disgust"]),
        ("ravdess", "Actor_01", ["03-01-05-01-01-01-01.wav"], {"ravdess_01"}, ["anger"]),
        ("esd", "Angry", ["0011_000351.wav", "train/0011_000352.wav"], {"esd_0011"}, ["anger"] * 2),
        ("turev", "Calm", ["1157_kz_beste.wav"], {"turev_1157"}, ["neutral"]),
        ("eesc", "viha", ["17.wav", "deep/18.wav"], set(), ["anger", "anger"]),
        ("casia", "wangzhe", ["sad/201.wav"], {"casia_wangzhe"}, ["sadness"]),
        ("oreau", "sessp", ["36a09Pa.wav"], {"oreau_36"}, ["fear"]),
        ("eyase", "Female02", ["fm01_ang (1).wav"], {"eyase_f2"}, ["anger"]),
        ("urdu", "Sad", ["SF11_F2_S02.wav"], {"urdu_SF11"}, ["sadness"]),
    ],
)
@incomplete
def test_folder_of_one_speaker_or_emotion(
    name, folder, names, speakers, emotions, make_files, tmp_path, monkeypatch
):
    make_files(tmp_path / folder, names)
    speech = load_corpus(name, tmp_path / folder)
    assert set(speech["speaker"].dropna()) == speakers
    assert speech["emotion"].tolist() == emotions
    monkeypatch.chdir(tmp_path / folder)
    assert load_corpus(name, ".").equals(speech)


@incomplete
@pytest.mark.parametrize(
    ("n_good", "n_bad", "fails"), [(19, 1, False), (3, 1, False), (2, 1, True)]
)
def test_share_of_names_off_the_scheme(n_good, n_bad, fails, make_files, tmp_path):
    good = [
        f"{i + 1:02d}-C-1-1.wav" if i < 12 else f"{i - 11:02d}-D-1-1.wav" for i in range(n_good)
    ]
    make_files(tmp_path, [*good, *(f"bad{i}.wav" for i in range(n_bad))])
    message = rf"{n_bad} of {n_good + n_bad} recordings .*: bad0\.wav"
    if fails:
        with pytest.raises(CorpusError, match=message):
            load_corpus("cafe", tmp_path)
    else:
        with pytest.warns(CorpusWarning, match=f"{message}; they are left out"):
            assert len(load_corpus("cafe", tmp_path)) == n_good
    with pytest.raises(CorpusError, match=message):
        load_corpus("cafe", tmp_path, strict=True)
    with pytest.warns(CorpusWarning, match=message):
        assert len(load_corpus("cafe", tmp_path, strict=False)) == n_good


def test_one_slip_in_thousands(make_files, tmp_path):
    corpus = replace(CORPORA["emovo"], n_recordings=None, n_speakers=None, counts={})
    emotions = corpus.emotions
    sentences = ["b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2"]
    speakers = [f"{sex}{i}" for sex in "mf" for i in (1, 2, 3)]
    names = [f"{s}/{e}-{s}-{t}.wav" for s in speakers for e in emotions for t in sentences]
    make_files(tmp_path, [*names[:-1], "m1/sor-m1-b1 (1).wav"])
    with pytest.warns(CorpusWarning, match=r"1 of 588 .*: m1/sor-m1-b1 \(1\)\.wav; they") as caught:
        assert len(load_corpus(corpus, tmp_path)) == 587
    assert len(caught) == 1


@pytest.mark.parametrize("pad", ["        ", "\t ", " "])
@pytest.mark.parametrize(
    ("name", "table", "file", "sep"),
    [
        ("nemo", "data.tsv", "AB0_anger_1.wav", "|"),
        ("cremad", "VideoDemographics.csv", "1001_DFA_ANG_XX.wav", ","),
    ],
)
@incomplete
def test_blanks_in_the_tables_of_a_corpus(name, table, file, sep, pad, make_files, tmp_path):
    if name == "nemo" and "\t" in pad:
        pytest.skip("a tab separates cells")
    text = {
        "nemo": "file_id|emotion| gender|speaker_id | age\nx.wav|anger|PfemaleP|PAB0P|P51P\n",
        "cremad": " ActorID,Age, Sex \nP1001P,51,PFemaleP\n",
    }[name]
    text = text.replace("P", pad).replace("|", "\t")
    make_files(tmp_path, [file])
    (tmp_path / table).write_text(text)
    speech = load_corpus(name, tmp_path)
    assert speech["sex"].tolist() == ["f"]
    assert speech["age"].tolist() == [51]


def test_short_rows_of_a_table_do_no_harm(make_files, tmp_path):
    make_files(tmp_path, ["AB0_anger_1.wav"])
    (tmp_path / "data.tsv").write_text("speaker_id\tgender\nAB0\nCD0\tmale\tx\ty\n\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert load_corpus("nemo", tmp_path)["sex"].isna().all()
