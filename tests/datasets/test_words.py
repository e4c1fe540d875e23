import unicodedata

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import EMOTIONS, load_folder, load_table, to_emotions
from sklearn_ser.datasets._words import Translator
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._advice import advising


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("surprised", "Surprised"),
        ("SURPRISED ", "surprised"),
        ("Calm", " calm "),
        ("FREUDE", "Freude"),
        ("straße", "STRASSE"),
        ("rõõm", unicodedata.normalize("NFD", "RÕÕM")),
        (1, "1"),
        ("1", 1),
        (1, 1.0),
        (1, "1.0"),
        (np.int64(1), "1"),
        (1.5, "1.5"),
    ],
)
def test_keys_match_whatever_case_and_blanks(key, label):
    assert Translator({key: "other"})(label) == "other"
    assert Translator({key: None})(label) is None
    Translator({key: None}).check_keys([label], "emotion")


@pytest.mark.parametrize("word", EMOTIONS)
def test_vocabulary_without_a_mapping(word):
    assert Translator()(f" {word.upper()}\t") == word


@pytest.mark.parametrize("word", ["Verdruss", "", "angry1", 3, 1.5])
def test_unknown_word(word):
    with pytest.raises(KeyError):
        Translator({"Freude": "happiness"})(word)


@pytest.mark.parametrize(("one", "two"), [("Wut", "wut"), ("a", "a "), (1, "1"), (1, "1.0")])
def test_two_keys_for_one_label(one, two, make_files, tmp_path):
    make_files(tmp_path, ["Wut/1.wav"])
    with pytest.raises(
        ValueError, match=f"mapping has {one!r} and {two!r}, which are the same label"
    ):
        load_folder(tmp_path, mapping={one: "anger", two: "fear"})


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("Suprised", " Did you mean 'Surprised'?"),
        ("surprised!", " Did you mean 'Surprised'?"),
        ("Wut", ""),
        ("", ""),
        (0, ""),
    ],
)
def test_key_that_matches_nothing(key, hint, make_files, tmp_path):
    make_files(tmp_path, ["Surprised/1.wav", "Sad/2.wav", ".hidden/3.wav"])
    message = rf"mapping\[{key!r}\] matches no sub-folder of .*\.{hint} There are: 'Sad', 'Surp"
    with pytest.raises(CorpusError, match=message.replace("?", r"\?")):
        load_folder(tmp_path, mapping={"sad": None, key: None})
    frame = pd.DataFrame({"path": ["Surprised/1.wav"], "emotion": ["Surprised"]})
    message = rf"mapping\[{key!r}\] matches no emotion in the table\.{hint} There are: 'Surprised'"
    with pytest.raises(CorpusError, match=message.replace("?", r"\?")):
        load_table(frame, root=tmp_path, corpus="x", mapping={key: "other"})


def test_many_labels_are_not_all_listed(make_files, tmp_path):
    make_files(tmp_path, [f"e{i:02d}/1.wav" for i in range(30)])
    with pytest.raises(CorpusError, match=r"'e19' and 10 more\. Remove the key or correct it"):
        load_folder(tmp_path, mapping={"x": None})


def test_numbers_of_numpy_are_written_plainly(make_files, tmp_path):
    make_files(tmp_path, ["1.wav"])
    frame = pd.DataFrame({"path": ["1.wav"], "emotion": np.array([7], dtype=np.int8)})
    for mapping, message in (
        ({np.int64(3): None}, r"mapping\[3\] .* There are: 7\."),
        ({}, r": 7 \(1 recording\) in the table"),
    ):
        with pytest.raises(CorpusError, match=message):
            load_table(frame, root=tmp_path, corpus="x", mapping=mapping)


def test_labels_of_a_folder_and_a_table_are_left_out(make_files, tmp_path):
    make_files(tmp_path, ["Surprised/1.wav", "Sad/2.wav"])
    assert load_folder(tmp_path, mapping={"surprised ": None})["emotion"].tolist() == ["sadness"]
    frame = pd.DataFrame({"path": ["Surprised/1.wav", "Sad/2.wav"], "emotion": ["Calm ", "sad"]})
    speech = load_table(frame, root=tmp_path, corpus="x", mapping={"calm": "neutral"})
    assert speech["emotion"].tolist() == ["neutral", "sadness"]


def test_sub_folder_without_recordings_may_be_mapped(make_files, tmp_path):
    make_files(tmp_path, ["docs/readme.txt", "Sad/2.wav"])
    assert len(load_folder(tmp_path, mapping={"docs": None})) == 1


@pytest.mark.parametrize("mapping", ["sad", [("sad", "anger")], {"sad"}])
def test_a_mapping_that_is_none(mapping, make_files, tmp_path):
    make_files(tmp_path, ["sad/1.wav"])
    with pytest.raises(TypeError, match=r"mapping is .*, expected a dictionary from labels"):
        load_folder(tmp_path, mapping=mapping)


def test_advice_about_labels_in_the_words_of_a_shell():
    with advising(to_shell=True):
        with pytest.raises(CorpusError, match=r"--mapping Groll=EMOTION --mapping 'so so=EMO"):
            to_emotions(["Groll", "so so", "sad"])
        with pytest.raises(CorpusError, match=r"--mapping 'so so='\.\.\. matches no emo.*option"):
            Translator({"so so": "fear"}).check_keys(["sad"], "emotion")


def test_a_single_label_is_no_list_of_letters():
    with pytest.raises(TypeError, match=r"labels is the single text 'sad', .*Write \[label\]"):
        to_emotions("sad")


def test_many_unknown_labels_do_not_flood_the_screen():
    labels = [f"sentence {i:03d}" for i in range(200)]
    with pytest.raises(CorpusError, match=r"'sentence 049' \(1 recording\) and 150 more in the"):
        to_emotions(labels)
