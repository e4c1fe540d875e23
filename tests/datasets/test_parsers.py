"""What is particular about single corpora."""

from pathlib import PurePosixPath

import pytest

from sklearn_ser.datasets import CORPORA, load_corpus


def parse(name, path):
    return CORPORA[name].parse(PurePosixPath(path))


@pytest.mark.parametrize(
    ("letter", "emotion"),
    [
        ("W", "anger"),  # Wut
        ("L", "boredom"),  # Langeweile
        ("E", "disgust"),  # Ekel
        ("A", "fear"),  # Angst
        ("F", "happiness"),  # Freude
        ("T", "sadness"),  # Trauer
        ("N", "neutral"),
    ],
)
def test_emodb_letters_are_german_initials(letter, emotion):
    assert parse("emodb", f"03a01{letter}a.wav")["emotion"] == emotion


def test_emodb_has_five_men_and_five_women():
    sexes = {
        number: labels["sex"]
        for number in range(100)
        if (labels := parse("emodb", f"{number:02d}a01Fa.wav"))
    }
    assert {n for n, sex in sexes.items() if sex == "m"} == {3, 10, 11, 12, 15}
    assert {n for n, sex in sexes.items() if sex == "f"} == {8, 9, 13, 14, 16}


def test_emodb_from_a_file_system_without_lower_case():
    assert parse("emodb", "03A01FA.WAV") == parse("emodb", "03a01Fa.wav")


def test_urdu_folder_that_contradicts_the_name_breaks_the_scheme():
    assert parse("urdu", "Angry/SM1_F1_A01.wav")["emotion"] == "anger"
    assert parse("urdu", "Happy/SM1_F1_A01.wav") is None


def test_ravdess_odd_actors_are_men():
    for actor in range(1, 25):
        labels = parse("ravdess", f"03-01-05-01-01-01-{actor:02d}.wav")
        assert labels["sex"] == ("m" if actor % 2 else "f")


@pytest.mark.parametrize(
    "name",
    [
        "03-01-01-02-01-01-01.wav",  # strong neutral
        "03-01-09-01-01-01-01.wav",  # ninth emotion
        "03-01-05-01-01-01-25.wav",  # twenty-fifth actor
        "03-01-05-01-01-01-00.wav",
        "01-01-05-01-01-01-01.wav",  # picture and sound
        "03-02-05-01-01-01-01.wav",  # song
    ],
)
def test_ravdess_knows_what_it_holds(name):
    assert parse("ravdess", name) is None


@pytest.mark.filterwarnings("ignore:RAVDESS in")
def test_ravdess_passes_over_the_songs_next_to_the_speech(make_files, tmp_path):
    make_files(tmp_path, ["03-01-05-01-01-01-01.wav", "03-02-05-01-01-01-01.wav"])
    assert len(load_corpus("ravdess", tmp_path)) == 1
