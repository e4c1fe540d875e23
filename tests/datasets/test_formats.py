import warnings
from pathlib import Path

import pandas as pd
import pytest

from sklearn_ser.audio import AUDIO_SUFFIXES, FFMPEG_SUFFIXES
from sklearn_ser.cli import main
from sklearn_ser.datasets import (
    CORPORA,
    Corpus,
    _formats,
    list_recordings,
    load_corpora,
    load_corpus,
    load_folder,
)
from sklearn_ser.datasets import load_table as read_listed
from sklearn_ser.exceptions import CorpusError, CorpusWarning

OTHERS = (".raw", ".ape", ".wv", ".ra", ".tta", ".mpc", ".flv")


@pytest.fixture
def ffmpeg(monkeypatch):
    """Say whether there is ffmpeg on the path."""

    def set_up(there):
        monkeypatch.setattr(_formats, "find_ffmpeg", lambda: "/bin/ffmpeg" if there else None)

    set_up(False)
    return set_up


def quietly(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*args, **options)


@pytest.mark.parametrize("there", [True, False])
def test_all_that_libsndfile_reads_is_taken(there, ffmpeg, make_files, tmp_path):
    ffmpeg(there)
    names = sorted(f"sad/x{s}" for suffix in AUDIO_SUFFIXES for s in (suffix, suffix.upper()))
    make_files(tmp_path, [*names, "sad/notes.txt", "sad/face.png", "sad/list.csv", "sad/no_suffix"])
    expected = [str(tmp_path / name) for name in names]
    assert quietly(load_folder, tmp_path)["path"].tolist() == expected
    assert quietly(list_recordings, [tmp_path]) == expected


@pytest.mark.parametrize("suffix", [*FFMPEG_SUFFIXES, ".M4A", *OTHERS])
def test_what_cannot_be_read_is_counted(suffix, ffmpeg, make_files, tmp_path):
    names = [f"sad/1{suffix}", f"sad/2{suffix}", "angry/1.wav", f"happy/1{suffix}", "happy/2.wav"]
    make_files(tmp_path, names)
    message = rf"3 of 5 files in .* are left out \(\{suffix.lower()} 3\)"
    install = ".*or install ffmpeg" if suffix.lower() in FFMPEG_SUFFIXES else ""
    how = rf"; nothing is left of 'sad'\. Convert them, .*ffmpeg -i in\{suffix.lower()}{install}"
    with pytest.warns(CorpusWarning, match=message + how) as caught:
        speech = load_folder(tmp_path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert speech["emotion"].tolist() == ["anger", "happiness"]
    with pytest.warns(CorpusWarning, match=message + how) as caught:
        assert len(list_recordings([tmp_path])) == 2
    assert len(caught) == 1
    with pytest.warns(CorpusWarning, match=message) as caught:
        assert len(load_corpora({"mine": tmp_path})) == 2
    assert len(caught) == 1


@pytest.mark.parametrize("suffix", FFMPEG_SUFFIXES)
def test_ffmpeg_reads_the_rest(suffix, ffmpeg, make_files, tmp_path):
    ffmpeg(True)
    make_files(tmp_path, [f"sad/1{suffix}", "sad/2.wav", "sad/3.ape"])
    message = (
        rf"1 files in .* are decoded by ffmpeg \(\{suffix} 1\); 1 of 3 .*\(\.ape 1\)\. Convert"
    )
    for load in (load_folder, lambda folder: list_recordings([folder])):
        with pytest.warns(CorpusWarning, match=message) as caught:
            assert len(load(tmp_path)) == 2
        assert len(caught) == 1


def test_folders_that_were_left_out_on_purpose_are_not_counted(ffmpeg, make_files, tmp_path):
    make_files(tmp_path, ["noise/1.m4a", "sad/2.wav", "angry/1.m4a", "angry/2.wav"])
    table = quietly(load_folder, tmp_path, mapping={"noise": None}, emotions=["sadness"])
    assert len(table) == 1
    with pytest.warns(CorpusWarning, match=r"2 of 4 .*nothing is left of 'noise'"):
        load_folder(tmp_path)
    with pytest.warns(CorpusWarning, match=r"1 of 3 files"):
        load_folder(tmp_path, mapping={"noise": None})


@pytest.mark.parametrize("suffix", [".m4a", ".ape"])
def test_nothing_but_what_cannot_be_read(suffix, ffmpeg, make_files, tmp_path, capsys):
    make_files(tmp_path, [f"sad/1{suffix}", f"2{suffix}"])
    message = rf"No recordings in .*; 2 of 2 files .*\(\{suffix} 2\).* Convert them"
    with pytest.raises(CorpusError, match=message):
        load_folder(tmp_path)
    with pytest.raises(CorpusError, match=message):
        list_recordings([tmp_path])
    assert main(["extract", str(tmp_path)]) == 1
    assert f"({suffix} 2)" in capsys.readouterr().err
    make_files(tmp_path, ["angry/1.wav"])
    with pytest.raises(CorpusError, match=r"No sadness in .* are: anger; 2 of 2 files .* Convert"):
        load_folder(tmp_path, emotions=["sadness"])


def test_table_keeps_what_it_lists_and_says_so(ffmpeg, make_files, tmp_path):
    make_files(tmp_path, ["1.m4a", "2.wav", "3.xyz"])
    frame = pd.DataFrame({"path": ["1.m4a", "2.wav", "3.xyz"], "emotion": "sad", "corpus": "x"})
    message = r"1 of 3 files in the table are in formats that cannot be read here \(\.m4a 1\)\. Con"
    with pytest.warns(CorpusWarning, match=message) as caught:
        assert len(read_listed(frame, root=tmp_path)) == 3
    assert len(caught) == 1
    ffmpeg(True)
    with pytest.warns(CorpusWarning, match=r"1 files in the table are decoded by ffmpeg"):
        read_listed(frame, root=tmp_path)


@pytest.fixture
def small_savee(small):
    return small("savee")


def changed(corpus, suffix):
    return [str(Path(path).with_suffix(suffix)) for path in corpus.examples]


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".FLAC", ".caf"])
def test_converted_corpus(suffix, small_savee, make_files, tmp_path):
    make_files(tmp_path / "old", small_savee.examples)
    make_files(tmp_path / "new", changed(small_savee, suffix))
    old, new = (quietly(load_corpus, small_savee, tmp_path / name) for name in ("old", "new"))
    pd.testing.assert_frame_equal(old.drop(columns="path"), new.drop(columns="path"))
    assert all(path.endswith(suffix) for path in new["path"])


def test_corpus_in_two_formats_is_taken_in_its_own(small_savee, make_files, tmp_path):
    make_files(tmp_path, [*small_savee.examples, *changed(small_savee, ".mp3"), "music.avi"])
    speech = quietly(load_corpus, small_savee, tmp_path)
    assert all(path.endswith(".wav") for path in speech["path"])
    # Of two foreign formats one is taken.
    make_files(tmp_path / "new", [*changed(small_savee, ".mp3"), *changed(small_savee, ".flac")])
    speech = quietly(load_corpus, small_savee, tmp_path / "new")
    assert all(path.endswith(".flac") for path in speech["path"])


def test_recordings_of_a_corpus_that_cannot_be_read(small_savee, ffmpeg, make_files, tmp_path):
    names = [*small_savee.examples]
    phone = [str(Path(name).with_suffix(".m4a")) for name in names if "/su" in name or "/d" in name]
    kept = [name for name in names if "/su" not in name and "/d" not in name]
    make_files(tmp_path, [*kept, *phone, "clips/readme.mp4"])
    message = r"2 of 8 files .*\(\.m4a 2\); nothing is left of 'disgust', 'surprise'\. Convert"
    with pytest.warns(CorpusWarning, match=message) as caught:
        assert len(load_corpus(small_savee, tmp_path)) == 6
    assert len(caught) == 1
    ffmpeg(True)
    with pytest.warns(CorpusWarning, match=r"2 files .* are decoded by ffmpeg \(\.m4a 2\)"):
        assert len(load_corpus(small_savee, tmp_path)) == 8
    ffmpeg(False)
    make_files(tmp_path / "phone", phone)
    with pytest.raises(CorpusError, match=r"No recordings \(\*\.wav\) in .*; 2 of 2 files .*\.m4a"):
        load_corpus(small_savee, tmp_path / "phone")


@pytest.mark.parametrize("pattern", ["*.m4a", "*.[mw][4a][av]"])
def test_corpus_whose_own_format_takes_ffmpeg(pattern, ffmpeg, make_files, tmp_path):
    corpus = Corpus(
        name="phone",
        title="Phone",
        language="fi",
        licence="mine",
        homepage="https://example.org",
        citation="",
        sampling_rate=16000,
        emotions={"viha": "anger"},
        parse=lambda path: {"emotion_raw": path.stem.split("_")[1], "speaker": path.stem[0]},
        examples={"1_viha.m4a": {"emotion_raw": "viha", "speaker": "1"}},
        pattern=pattern,
    )
    make_files(tmp_path, corpus.examples)
    with pytest.raises(CorpusError, match=r"1 of 1 files .*\(\.m4a 1\).* Convert them"):
        load_corpus(corpus, tmp_path)
    ffmpeg(True)
    # Nothing to point out.
    assert len(quietly(load_corpus, corpus, tmp_path)) == 1


def test_other_formats_of_foreign_names_are_pointed_out(make_files, tmp_path):
    make_files(tmp_path, [*CORPORA["emodb"].examples, "theme.mp3"])
    with pytest.warns(CorpusWarning, match=r"1 of 8 recordings .*theme\.mp3; they are left out"):
        assert len(load_corpus("emodb", tmp_path)) == 7
