import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import CORPORA, EMOTIONS, load_folder, load_table, to_emotions
from sklearn_ser.datasets._synonyms import ALIASES, KNOWN_WORDS, without_accents
from sklearn_ser.exceptions import CorpusError
from sklearn_ser.utils._spelling import to_cells


@pytest.fixture
def write_table(make_files, tmp_path):
    """Write a table in the file of the given name, next to the files a.wav, b.wav and c.wav."""

    def write(text, name="mine.csv", encoding="utf-8"):
        make_files(tmp_path, ["a.wav", "b.wav", "c.wav"])
        (tmp_path / name).write_bytes(text.encode(encoding))
        return tmp_path / name

    return write


def test_aliases_translate_into_the_vocabulary():
    assert set(ALIASES.values()) <= set(EMOTIONS)
    assert not set(ALIASES) & set(EMOTIONS)
    assert all(word == word.lower() for word in ALIASES)


def test_every_known_word_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "corpora.rst").read_text(encoding="utf-8")
    documented = set(re.findall(r"\w+", page.partition(".. _known-words:")[2]))
    for languages in KNOWN_WORDS.values():
        assert {word for words in languages.values() for word in words.split()} <= documented


def test_no_word_has_two_meanings():
    words = [
        (word, emotion)
        for emotion, languages in KNOWN_WORDS.items()
        for words in languages.values()
        for word in words.split()
    ]
    assert all(ALIASES[without_accents(word)] == emotion for word, emotion in words)


@pytest.mark.parametrize(
    "label", ["exc", "fru", "ang", "dis", "fea", "hap", "neu", "oth", "sad", "sur"]
)
def test_codes_mean_what_they_mean_in_a_registered_corpus(label):
    assert ALIASES[label] == CORPORA["iemocap"].emotions[label]


@pytest.mark.parametrize(
    "word", ["disgusto", "ennuyé", "Glück", "Ruhe", "upset", "content", "xxx", "A"]
)
def test_ambiguous_words_are_left_to_the_user(word):
    with pytest.raises(CorpusError, match=f"This label is not a known emotion: '{word}'"):
        to_emotions([word])


@pytest.mark.parametrize("word", [*EMOTIONS, *ALIASES, "ANGRY", "Happy"])
def test_folder_names(word, make_files, tmp_path):
    make_files(tmp_path, [f"{word}/x.wav"])
    expected = ALIASES.get(word.lower(), word.lower())
    assert load_folder(tmp_path)["emotion"].tolist() == [expected]


def test_folder_takes_its_name_and_sorts_recordings_of_all_formats(make_files, tmp_path):
    names = ["Sad/2/a.WAV", "Sad/1/b.flac", "angry/z.mp3", "angry/y.ogg", "angry/notes.txt"]
    folder = make_files(tmp_path / "plays", [*names, "angry/._y.ogg", "docs/readme.txt"])
    speech = load_folder(folder, language="fi")
    expected = ["Sad/1/b.flac", "Sad/2/a.WAV", "angry/y.ogg", "angry/z.mp3"]
    assert speech["path"].tolist() == [str(folder / name) for name in expected]
    assert speech["emotion"].tolist() == ["sadness", "sadness", "anger", "anger"]
    assert set(speech["corpus"]) == {"plays"}
    assert set(speech["language"]) == {"fi"}
    assert load_folder(folder, corpus="other")["corpus"].unique().tolist() == ["other"]


def test_folder_named_by_a_dot(make_files, tmp_path, monkeypatch):
    monkeypatch.chdir(make_files(tmp_path / "plays", ["sad/a.wav"]))
    assert load_folder(".")["corpus"].tolist() == ["plays"]


def test_unknown_subfolder_needs_a_mapping(make_files, tmp_path):
    make_files(tmp_path, ["Groll/a.wav", "sad/b.wav", "noise/c.wav", "noise/d.wav"])
    with pytest.raises(CorpusError, match=r"'noise' \(2 recordings\), 'Groll' \(1 .*None to"):
        load_folder(tmp_path)
    speech = load_folder(tmp_path, mapping={"Groll": "anger", "noise": None, "sad": "other"})
    assert speech["emotion"].tolist() == ["anger", "other"]
    assert speech["emotion_raw"].tolist() == ["Groll", "sad"]
    assert load_folder(
        tmp_path, mapping={"Groll": "anger", "noise": None}, emotions=["sadness"]
    ).shape == (1, 14)


def test_bad_mapping(make_files, tmp_path):
    make_files(tmp_path, ["Wut/a.wav"])
    with pytest.raises(ValueError, match=r"mapping\['Wut'\] is 'angry'; expected None.*anger"):
        load_folder(tmp_path, mapping={"Wut": "angry"})
    with pytest.raises(ValueError, match=r"mapping\['Wut'\] is 'angry'; expected None.*anger"):
        load_table(pd.DataFrame(), mapping={"Wut": "angry"})


def test_recording_outside_the_subfolders(make_files, tmp_path):
    make_files(tmp_path, ["a.wav", "sad/b.wav"])
    with pytest.raises(CorpusError, match=r"a\.wav lies directly in .* load_table"):
        load_folder(tmp_path)


def test_nothing_to_load(make_files, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No folder '.*nowhere'"):
        load_folder(tmp_path / "nowhere")
    make_files(tmp_path, ["sad/b.txt"])
    with pytest.raises(NotADirectoryError, match="is a file; expected the folder"):
        load_folder(tmp_path / "sad" / "b.txt")
    with pytest.raises(CorpusError, match=r"No recordings in the sub-folders .*\.flac"):
        load_folder(tmp_path)
    make_files(tmp_path, ["sad/b.wav"])
    with pytest.raises(CorpusError, match=r"No anger or fear in .*; its emotions are: sadness"):
        load_folder(tmp_path, emotions=["anger", "fear"])


def test_table_reads_every_column(write_table, tmp_path):
    speech = load_table(
        write_table(
            "path,emotion,speaker,sex,language,activation,valence,sentence,intensity,extra\n"
            "b.wav,Angry,03,female,nan,4.5,1,007,strong,x\n"
            "a.wav,calm,,M,,NA,nan,,,y\n"
            "c.wav,sad,NA,,NA,,2e0,1,weak,z\n"
        ),
        language="en",
    )
    a, b, c = (str(tmp_path / f"{letter}.wav") for letter in "abc")
    assert speech["path"].tolist() == [b, a, c]
    assert speech["corpus"].tolist() == ["mine"] * 3
    assert speech["emotion"].tolist() == ["anger", "calm", "sadness"]
    assert speech["speaker"].fillna("-").tolist() == ["mine_03", "-", "-"]
    assert speech["sex"].fillna("-").tolist() == ["f", "m", "-"]
    # "nan" is the language Min Nan, not a missing value.
    assert speech["language"].tolist() == ["nan", "en", "en"]
    np.testing.assert_array_equal(speech["activation"], [4.5, np.nan, np.nan])
    np.testing.assert_array_equal(speech["valence"], [1, np.nan, 2])
    assert speech["sentence"].fillna("-").tolist() == ["007", "-", "1"]
    assert speech["intensity"].fillna("-").tolist() == ["strong", "-", "weak"]
    assert "extra" not in speech


@pytest.mark.parametrize(
    ("text", "name", "encoding"),
    [
        ("path,emotion\na.wav,sad\n", "mine.csv", "utf-8-sig"),
        (" path ,emotion \r\na.wav,sad\r\n", "mine.csv", "utf-8"),
        ("Path;Emotion\na.wav;sad\n", "mine.csv", "utf-8"),
        ("emotion ; path\nsad;a.wav\n", "mine.csv", "utf-8"),
        ('"path";"emotion";"note"\na.wav;sad;"well, sad"\n', "mine.csv", "utf-8-sig"),
        ("path\temotion\na.wav\tsad\n", "mine.csv", "utf-8"),
        ("path|emotion\na.wav|sad\n", "mine.csv", "utf-8"),
        ("path;emotion\na.wav;sad\n", "mine.tsv", "utf-8"),
        ("path,emotion\na.wav,sad\n", "mine.tsv", "utf-8"),
        ("path\temotion\na.wav\tsad\n", "mine.TSV", "utf-8"),
        ("extra,path,emotion\n1,a.wav, sad \n", "mine.csv", "utf-8"),
    ],
)
def test_tables_as_spreadsheets_write_them(text, name, encoding, write_table, tmp_path):
    speech = load_table(write_table(text, name, encoding))
    assert speech["path"].tolist() == [str(tmp_path / "a.wav")]
    assert speech["emotion"].tolist() == ["sadness"]


def test_table_of_several_corpora(write_table):
    table = write_table(
        "path,emotion,corpus,speaker\na.wav,sad,x,1\nb.wav,sad,y,1\nc.wav,sad,x,x_1\n"
    )
    speech = load_table(table)
    assert speech["corpus"].tolist() == ["x", "y", "x"]
    assert speech["speaker"].tolist() == ["x_1", "y_1", "x_x_1"]
    speech = load_table(table, corpus="z")
    assert speech["corpus"].tolist() == ["z"] * 3
    assert speech["speaker"].tolist() == ["z_1", "z_1", "z_x_1"]


def test_data_frame_is_read_and_left_alone(make_files, tmp_path, monkeypatch):
    monkeypatch.chdir(make_files(tmp_path, ["a.wav", "in/b.wav"]))
    frame = pd.DataFrame(
        {
            "path": ["a.wav", "in/b.wav"],
            "emotion": pd.Categorical(["hot", "sad"]),
            "speaker": [1, 2],
        },
        index=[7, 3],
    )
    before = frame.copy()
    speech = load_table(frame, corpus="mine", mapping={"hot": "anger"})
    pd.testing.assert_frame_equal(frame, before)
    assert speech["path"].tolist() == [str(tmp_path / "a.wav"), str(tmp_path / "in/b.wav")]
    assert speech["speaker"].tolist() == ["mine_1", "mine_2"]
    assert speech["emotion"].tolist() == ["anger", "sadness"]
    with pytest.raises(CorpusError, match="no column corpus; name the corpus with corpus="):
        load_table(frame, mapping={"hot": "anger"})


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
@pytest.mark.parametrize("dtype", [object, "string", None])
def test_gaps_of_every_kind(gap, dtype, write_table, tmp_path):
    write_table("")
    gaps = pd.Series([gap, gap], dtype=dtype)
    columns = dict.fromkeys(["sex", "speaker", "language", "sentence", "intensity"], gaps)
    frame = pd.DataFrame({"path": ["a.wav", "b.wav"], "emotion": ["sad", "joy"], **columns})
    speech = load_table(frame, root=tmp_path, corpus="mine", language="de")
    assert speech["language"].tolist() == ["de", "de"]
    for column in ("sex", "speaker", "sentence", "intensity"):
        assert speech[column].isna().all()
        assert speech[column].dtype == speech["path"].dtype


def test_numbers_as_labels(write_table, tmp_path):
    write_table("")
    frame = pd.DataFrame({"path": ["a.wav", "b.wav", "c.wav"], "emotion": [0, 1, 2]})
    speech = load_table(
        frame, root=tmp_path, corpus="mine", mapping={0: "anger", 1: "fear", 2: None}
    )
    assert speech["emotion"].tolist() == ["anger", "fear"]
    assert speech["emotion_raw"].tolist() == ["0", "1"]


def test_table_may_have_labels_of_its_own_and_sessions(write_table):
    speech = load_table(
        write_table(
            "path,emotion,emotion_raw,session,dominance,age\n"
            "a.wav,anger,Wut,1,2.5,31\n"
            "b.wav,joy,,mine_2,,\n"
            "c.wav,sad,Trauer,,3,62.5\n"
        )
    )
    assert speech["emotion_raw"].tolist() == ["Wut", "happiness", "Trauer"]
    assert speech["session"].fillna("-").tolist() == ["mine_1", "mine_mine_2", "-"]
    np.testing.assert_array_equal(speech["dominance"], [2.5, np.nan, 3])
    np.testing.assert_array_equal(speech["age"], [31, np.nan, 62.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a table of comma-separated"),
        ('path,emotion\n"a.wav,sad\n', "is not a table of comma-separated"),
        ("path,emotion\n", "has no rows"),
        ("file,label\na.wav,sad\n", "no column path and no column emotion; its .*: file, label"),
        ("path;label\na.wav;sad\n", "looks separated by semicolons: 'path;label'. Commas or semi"),
        ("path;label;x\na.wav;sad;a\nb.wav;sad;a,b,c\n", "looks separated by semicolons: "),
        ("path,emotion\na.wav,sad\nb.wav,\n", r"Row 1 of .*mine\.csv .* has no emotion"),
        ("path,emotion\nNA,sad\n", "Row 0 .* has no path"),
        ("path,emotion,corpus\na.wav,sad,\n", "Row 0 .* has no corpus"),
        (
            "path,emotion\na.wav,Groll\n",
            r"'Groll' \(1 r.*mapping=\{'Groll': \.\.\.\}",
        ),
        ("path,emotion,sex\na.wav,sad,x\n", "Unknown sex 'x' in .* Expected f or female"),
        ("path,emotion,valence\na.wav,sad,low\n", "Column valence .* 'low'; expected numbers"),
        ("path,emotion\na.wav,sad\na.wav,joy\n", r"a\.wav' occurs more than once"),
        ("path,emotion,emotion\na.wav,sad,joy\n", "has several columns named emotion. Keep one"),
        ("path, emotion,emotion\na.wav,sad,joy\n", "has several columns named emotion"),
    ],
)
def test_bad_tables(text, message, write_table):
    with pytest.raises(CorpusError, match=message):
        load_table(write_table(text))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_table_in_another_encoding(encoding, write_table):
    table = write_table("path;emotion\nä.wav;sad\n", encoding=encoding)
    with pytest.raises(
        CorpusError, match=r"is not a table of .* UTF-8.*byte\. Save it as UTF-8\.$"
    ):
        load_table(table)


def test_commas_are_decimal_points_where_semicolons_separate(write_table):
    speech = load_table(write_table("path;emotion;valence;age\na.wav;sad;2,5;30\nb.wav;joy;;\n"))
    assert speech["valence"].tolist() == pytest.approx([2.5, np.nan], nan_ok=True)
    assert speech["age"].tolist() == pytest.approx([30, np.nan], nan_ok=True)


def test_mapping_that_leaves_nothing(write_table):
    with pytest.raises(CorpusError, match="leaves out every row"):
        load_table(write_table("path,emotion\na.wav,sad\n"), mapping={"sad": None})


def test_missing_table_and_missing_recordings(write_table, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No file '.*nowhere\.csv'"):
        load_table(tmp_path / "nowhere.csv")
    table = write_table("path,emotion\na.wav,sad\nx.wav,sad\ny.wav,sad\n")
    with pytest.raises(FileNotFoundError, match=r"2 of 3 .* first is '.*x\.wav'.* root=") as caught:
        load_table(table)
    assert "backslashes" not in str(caught.value)


@pytest.mark.skipif(os.sep != "/", reason="backslashes separate folders here")
@pytest.mark.parametrize("path", [r"wav\a.wav", r"C:\speech\a.wav", r".\a.wav"])
def test_paths_of_windows_are_named_as_such(path, write_table):
    rows = pd.DataFrame({"path": [path], "emotion": ["sad"]})
    for table in (write_table(f"path,emotion\n{path},sad\n"), rows):
        with pytest.raises(FileNotFoundError, match=r"The table uses backslashes, .*write slashes"):
            load_table(table, corpus="mine")


def test_columns_that_recur_in_memory(write_table):
    write_table("")
    table = pd.DataFrame([["a.wav", "sad", "joy"]], columns=["path", "emotion", "emotion"])
    with pytest.raises(CorpusError, match="the table has several columns named emotion"):
        load_table(table, corpus="mine")


def test_columns_in_capitals_give_way_to_those_that_are_not(write_table):
    speech = load_table(write_table("path,emotion,Emotion,Speaker\na.wav,sad,x,7\n"))
    assert speech.loc[0, ["emotion", "speaker"]].tolist() == ["sadness", "mine_7"]
    with pytest.raises(CorpusError, match="no column emotion; its columns are: path, Emotion, EMO"):
        load_table(write_table("path,Emotion,EMOTION\na.wav,sad,x\n"))


@pytest.mark.parametrize("name", ["=A1.wav", "'=A1.wav", "caf\udce9.wav", "-b.wav"])
def test_a_table_as_this_package_spells_it(name, tmp_path):
    try:
        (tmp_path / name).touch()
    except (OSError, UnicodeError):
        pytest.skip("a file system with rules of its own for names")
    rows = pd.DataFrame({"path": pd.Series([name], dtype=object), "emotion": ["anger"]})
    to_cells(rows.assign(speaker="+1")).to_csv(tmp_path / "mine.csv", index=False)
    table = load_table(tmp_path / "mine.csv")
    assert table["path"].tolist() == [str(tmp_path / name)]
    assert table["speaker"].tolist() == ["mine_+1"]
