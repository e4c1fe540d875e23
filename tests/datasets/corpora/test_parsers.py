"""What is particular about single corpora."""

import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from sklearn_ser.datasets import CORPORA, _formats, load_corpus
from sklearn_ser.exceptions import CorpusError, CorpusWarning


def read(name, path):
    return CORPORA[name].reader(Path("nowhere"))(PurePosixPath(path))


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
    assert read("emodb", f"03a01{letter}a.wav")["emotion"] == emotion


def test_emodb_has_five_men_and_five_women():
    sexes = {
        number: labels["sex"]
        for number in range(100)
        if (labels := read("emodb", f"{number:02d}a01Fa.wav"))
    }
    assert {n for n, sex in sexes.items() if sex == "m"} == {3, 10, 11, 12, 15}
    assert {n for n, sex in sexes.items() if sex == "f"} == {8, 9, 13, 14, 16}


def test_emodb_from_a_file_system_without_lower_case():
    assert read("emodb", "03A01FA.WAV") == read("emodb", "03a01Fa.wav")


def test_emodb2_in_tables_that_lack_a_speaker(load):
    pytest.importorskip("audformat")
    files = dict(CORPORA["emodb2"].side_files)
    files["db.files.csv"] = "file,speaker,transcription\nwav/03a01Fa.wav,3,a01\n"
    files |= dict.fromkeys(CORPORA["emodb2"].examples, "")
    speech = load("emodb2", files)
    assert speech["speaker"].dropna().tolist() == ["emodb2_03"]
    assert len(speech) == 7


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("db.yaml", b"\xcc: [", r"not a database that audformat can read \(\w+: .*\)\. Get"),
        ("db.emotion.csv", b"file,emotion\n\xff,anger\n", r"can read \(UnicodeDecodeError: "),
        ("db.emotion.csv", b"file,emotion\n,anger\n", "has a label of 'emotion', but no file"),
    ],
)
def test_emodb2_in_tables_that_are_damaged(name, content, message, load):
    pytest.importorskip("audformat")
    files = dict(CORPORA["emodb2"].side_files) | dict.fromkeys(CORPORA["emodb2"].examples, "")
    with pytest.raises(CorpusError, match=message):
        load("emodb2", {**files, name: content})


def test_urdu_folder_that_contradicts_the_name_breaks_the_scheme():
    assert read("urdu", "Angry/SM1_F1_A01.wav")["emotion"] == "anger"
    assert read("urdu", "Happy/SM1_F1_A01.wav") is None


@pytest.mark.parametrize("name", ["ravdess", "cafe"])
def test_odd_actors_are_men(name):
    corpus = CORPORA[name]
    name_of = {"ravdess": "03-01-05-01-01-01-{:02d}.wav", "cafe": "{:02d}-C-1-1.wav"}[name]
    for actor in range(1, corpus.n_speakers + 1):
        assert read(name, name_of.format(actor))["sex"] == ("m" if actor % 2 else "f")
    assert read(name, name_of.format(0)) is None
    assert read(name, name_of.format(corpus.n_speakers + 1)) is None


@pytest.mark.parametrize(
    "name",
    [
        "03-01-01-02-01-01-01.wav",  # strong neutral
        "03-01-09-01-01-01-01.wav",  # ninth emotion
        "01-01-05-01-01-01-01.wav",  # picture and sound
        "03-02-05-01-01-01-01.wav",  # song
    ],
)
def test_ravdess_knows_what_it_holds(name):
    assert read("ravdess", name) is None


def test_ravdess_passes_over_the_songs_next_to_the_speech(load):
    files = ["03-01-05-01-01-01-01.wav", "03-02-05-01-01-01-01.wav"]
    assert len(load("ravdess", dict.fromkeys(files, ""))) == 1


def test_cafe_has_one_intensity_of_neutral_and_two_of_the_others():
    assert "intensity" not in read("cafe", "01-N-1-1.wav")
    assert read("cafe", "01-N-2-1.wav") is None
    assert [read("cafe", f"01-P-{i}-1.wav")["intensity"] for i in (1, 2)] == ["mild", "strong"]


def test_savee_tells_two_letters_from_one():
    emotions = {"a": "anger", "sa": "sadness", "su": "surprise", "s": None}
    for code, emotion in emotions.items():
        for path in (f"DC_{code}01.wav", f"DC/{code}01.wav"):
            labels = read("savee", path)
            assert (labels and labels["emotion"]) == emotion
    assert read("savee", "a01.wav") is None
    assert read("savee", "XX/a01.wav") is None


def test_emovo_sentences_are_counted():
    sentences = [f"{letter}{i}" for letter in "abcdln" for i in range(7)]
    known = [s for s in sentences if read("emovo", f"dis-f1-{s}.wav")]
    assert known == [
        "b1",
        "b2",
        "b3",
        "d1",
        "d2",
        "l1",
        "l2",
        "l3",
        "l4",
        *["n1", "n2", "n3", "n4", "n5"],
    ]


def test_tess_stray_prefix_is_the_older_woman():
    assert read("tess", "OA_bite_neutral.wav") == read("tess", "OAF_bite_neutral.wav")
    assert read("tess", "YA_bite_neutral.wav") is None


def test_aesdd_speaker_and_take_are_told_apart():
    for name in ("f18 (1).wav", "f18 (01).wav", "f18 (1)b.wav", "f18(1).wav"):
        assert read("aesdd", name)["speaker"] == "1"


def test_ased_speaker_of_both_sexes_is_one_group(load):
    files = ["a5-03-01-01-09.wav", "a5-03-01-02-09.wav", "S4-03-01-01-33.wav"]
    speech = load("ased", dict.fromkeys(files, ""))
    assert speech["speaker"].tolist() == ["ased_33", "ased_09", "ased_09"]
    assert speech["sex"].tolist() == ["f", "f", "m"]
    assert speech["emotion"].tolist() == ["sadness", "anger", "anger"]


@pytest.mark.parametrize(
    ("name", "path"), [("turev", "Sad/1_ac_gözlük.wav"), ("mesd", "Fear_M_A_adiós.wav")]
)
def test_words_from_a_mac_are_read(name, path):
    decomposed = unicodedata.normalize("NFD", path)
    assert decomposed != path
    assert read(name, decomposed)["emotion"] == read(name, path)["emotion"]


def test_turev_calm_plays_neutral_and_the_folder_decides():
    assert read("turev", "Calm/1157_kz_beste.wav")["emotion"] == "neutral"
    assert read("turev", "Calm/1157_kz_beste.wav")["emotion_raw"] == "calm"
    assert read("turev", "1157_kz_beste.wav") is None


def test_mesd_children_have_no_sex():
    assert [read("mesd", f"Fear_{v}_A_no.wav").get("sex") for v in "FMC"] == ["f", "m", None]


def test_cremad_single_x(load):
    speech = load("cremad", {"1040_ITH_SAD_X.wav": "", "1001_ITH_SAD_XX.wav": ""})
    assert speech["intensity"].isna().all()
    assert speech["sex"].isna().all()


def test_nemo_quotation_marks_do_not_swallow_rows(load):
    table = "file_id\temotion\traw_text\tspeaker_id\tgender\tage\n"
    table += (
        'AB0_anger_1.wav\tanger\t"Tak\tAB0\tfemale\t24\nCD0_fear_2.wav\tfear\tNie\tCD0\tmale\t2\n'
    )
    speech = load("nemo", {"data.tsv": table, "AB0_anger_1.wav": "", "CD0_fear_2.wav": ""})
    assert speech["sex"].tolist() == ["f", "m"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_esd_chinese_labels_in_any_encoding(encoding, load):
    text = "0001_000001\t你好\t中立\n0001_000351\t你好\t生气\n0001_000701\t你好\t快乐\n"
    text += "0001_001051\t你好\t伤心\n0001_001401\t你好\t惊喜\n"
    numbers = ("000001", "000351", "000701", "001051", "001401")
    files = {f"0001_{number}.wav": "" for number in numbers}
    speech = load("esd", {"0001.txt": text.encode(encoding), **files})
    assert speech["emotion"].tolist() == ["neutral", "anger", "happiness", "sadness", "surprise"]
    assert set(speech["language"]) == {"zh"}


def test_esd_lines_without_a_label(load):
    text = "0001_000001\t你好\t中立\n\n0001_000351\n"
    files = dict.fromkeys(("0001_000001.wav", "0001_000351.wav"), "")
    speech = load("esd", {"0001.txt": text, **files}, strict=False)
    assert speech["emotion"].tolist() == ["neutral"]


def test_esd_folder_that_contradicts_the_transcript(load):
    files = {"0011.txt": "0011_000351\tHello\tAngry\n", "Sad/0011_000351.wav": ""}
    with pytest.raises(CorpusError, match=r"do not follow .* or have no label .*0011_000351\.wav"):
        load("esd", files)


def test_esd_transcript_that_is_no_text(load):
    files = {"0011.txt": b"\xff\xfe\x00\xd8\x00", "Sad/0011_000351.wav": ""}
    with pytest.raises(CorpusError, match=r"0011\.txt is not text in UTF-8"):
        load("esd", files)


def test_eesc_nearest_folder_decides():
    assert read("eesc", "neutral/Viha/1.wav")["emotion"] == "anger"
    assert read("eesc", unicodedata.normalize("NFD", "RÕÕM/1.wav"))["emotion"] == "happiness"
    assert read("eesc", "1.wav") is None


def test_casia_needs_the_folders_of_speaker_and_emotion():
    assert read("casia", "CASIA/wangzhe/Sad/201.wav")["speaker"] == "wangzhe"
    for path in ("sad/201.wav", "somebody/sad/201.wav", "wangzhe/201.wav", "wangzhe/calm/201.wav"):
        assert read("casia", path) is None


def test_oreau_folder_tells_it_from_emodb():
    assert read("oreau", "m/sessn/14a03Na.wav")["emotion"] == "neutral"
    for path in ("14a03Na.wav", "wav/14a03Na.wav", "m/sesst/14a03Na.wav", "m/sessn/06a03Na.wav"):
        assert read("oreau", path) is None


def test_oreau_has_seven_women_among_32_speakers():
    # The table has them as the folders f and m of version 02 do.
    women = {n for n in range(7, 43) if read("oreau", f"sessn/{n:02d}a01Na.wav")["sex"] == "f"}
    assert women == {10, 11, 13, 21, 24, 37, 42}


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("14_anger_fear_f_040.wav", "fear"),
        ("14_fear_anger a_040.wav", "anger"),
        ("43_enthusiasm_neutral_e_140.wav", "enthusiasm"),
        ("43_enthusiasm_neutral_a_140.wav", None),
        ("43_enthusiasm_neutral_140.wav", None),
    ],
)
def test_resd_initial_tells_which_of_the_two_emotions(name, emotion):
    labels = read("resd", name)
    assert (labels and labels["emotion_raw"]) == emotion


def test_eyase_speaker_is_the_folder_whatever_the_name_says():
    for folder in ("Female02", "female 2", "EYASE/Female02", "Female02/Angry"):
        labels = read("eyase", f"{folder}/fm01_ang (3).wav")
        assert (labels["speaker"], labels["sex"]) == ("f2", "f")
    assert read("eyase", "Male01/fm01_ang (3).wav")["speaker"] == "m1"
    assert read("eyase", "fm01_ang (3).wav") is None


@pytest.mark.parametrize(
    ("number", "emotion"),
    [
        (0, None),
        (1, "neutral"),
        (100, "neutral"),
        (101, "happiness"),
        (200, "happiness"),
        (201, "sadness"),
        (300, "sadness"),
        (301, "anger"),
        (400, "anger"),
        (401, None),
    ],
)
def test_emotiontts_hundreds(number, emotion):
    labels = read("emotiontts", f"emb{number:05d}.wav")
    assert (labels and labels["emotion"]) == emotion


@pytest.mark.parametrize(
    ("samples", "users"),
    [
        ("file_name,actor,emotion_expressed", "username,age,gender"),
        (" file , user,emotion", "user,age,gender"),
    ],
)
def test_emozionalmente_tables(samples, users, load):
    files = {
        "audio/1612871026347.wav": "",
        "audio/1612871026348.wav": "",
        "metadata/samples.csv": f"{samples}\naudio/1612871026347.wav,a1,Joy\n"
        "1612871026348.wav, b2,fear\n,c3,fear\n",
        "metadata/users.csv": f"{users}\na1,31.0,Female\nb2,,other\n",
    }
    speech = load("emozionalmente", files)
    assert speech["emotion"].tolist() == ["happiness", "fear"]
    assert speech["speaker"].tolist() == ["emozionalmente_a1", "emozionalmente_b2"]
    assert speech["sex"].fillna("?").tolist() == ["f", "?"]
    assert speech["age"].fillna(0).tolist() == [31, 0]


@pytest.mark.parametrize(
    ("name", "file", "text", "message"),
    [
        ("emozionalmente", "samples.csv", "a;b\n", "or filename or file; .* are: a;b. Ren"),
        ("emozionalmente", "samples.csv", "file,who\n", "_expressed or emotion; .*: file, who"),
        ("meld", "dev_sent_emo.csv", "", "Dialogue_ID; its columns are: none. Rename"),
        ("msppodcast", "labels_consensus.csv", "FileName,Class\n", "EmoClass; .* FileName, Class"),
    ],
)
def test_tables_with_other_columns_are_named(name, file, text, message, load):
    with pytest.raises(CorpusError, match=f"{file} has no column .*{message}"):
        load(name, {file: text, next(iter(CORPORA[name].examples)): ""})


@pytest.mark.parametrize(
    ("code", "bangla", "english"),
    [
        ("01", "happiness", "neutral"),
        ("02", "sadness", "calm"),
        ("03", "anger", "happiness"),
        ("04", "surprise", "sadness"),
        ("05", "neutral", "anger"),
        ("06", None, "fear"),
    ],
)
def test_codes_of_banglaser_are_not_those_of_ravdess(code, bangla, english):
    path = f"03-01-{code}-01-01-01-02.wav"
    for name, emotion in (("banglaser", bangla), ("ravdess", english)):
        labels = read(name, path)
        assert (labels and labels["emotion"]) == emotion


@pytest.mark.parametrize("folder", ["sam_Amused", "sam/Amused", "emovdb/sam/Amused", "Sam"])
def test_emovdb_speaker_is_a_folder(folder):
    assert read("emovdb", f"{folder}/amused_1-28_0001.wav")["speaker"] == "sam"


@pytest.mark.parametrize("folder", ["samantha_Amused", "Amused", "sam/bea_Amused"])
def test_emovdb_unknown_or_contradictory_speaker(folder):
    assert read("emovdb", f"{folder}/amused_1-28_0001.wav") is None


def test_asvpesd_folder_of_the_actor_is_right_where_the_name_differs():
    name = "03-02-13-01-01-116-01-02-02-13.wav"
    speakers = {"actor_119": "119", "actor_": "116", "Actor_007": "7", "copy": "116"}
    for folder, speaker in speakers.items():
        assert read("asvpesd", f"{folder}/{name}")["speaker"] == speaker


def test_asvpesd_folder_of_one_actor_is_read_as_within_the_corpus(tmp_path, make_files):
    make_files(tmp_path / "actor_119", ["03-01-02-01-01-109-02-02-04.wav"])
    with pytest.warns(CorpusWarning, match="speakers 1 of 131"):
        speech = load_corpus("asvpesd", tmp_path / "actor_119")
    assert speech["speaker"].tolist() == ["asvpesd_119"]


def test_asvpesd_groups_have_no_sex_and_sounds_no_language():
    name = "03-{}-03-01-04-{}-02-02-{}.wav"
    sexes = [read("asvpesd", name.format("01", n, "02")).get("sex") for n in ("00", 1, 2, 150, 200)]
    assert sexes == [None, "f", "m", None, None]
    codes = [("01", "01"), ("01", "02"), ("01", "04"), ("01", "00"), ("02", "02")]
    languages = [read("asvpesd", name.format(c, 1, code))["language"] for c, code in codes]
    assert languages == ["zh", "en", "fr", "und", "und"]


def test_polish_letters_are_of_two_languages():
    letters = {letter: read("polish", f"m1.{letter}_nie_1.wav")["emotion"] for letter in "ans"}
    assert letters == {"a": "anger", "n": "neutral", "s": "fear"}


def test_castrolima_kind_of_sentence_is_not_the_speaker():
    labels = [read("castrolima", f"7{kind}{who}_sad2.wav") for kind in "sp" for who in "AB"]
    assert [one["speaker"] for one in labels] == ["A", "B", "A", "B"]
    assert read("castrolima", "7sC_sad2.wav") is None
    assert read("castrolima", "7sA_calm2.wav") is None


def test_jvnv_sentences_of_emotions_and_parts_are_different():
    names = [f"M1_{word}_{part}_01.wav" for word in ("sad", "fear") for part in ("free", "regular")]
    assert len({read("jvnv", name)["sentence"] for name in names}) == 4
    assert read("jvnv", "f2_HAPPY_Free_01.WAV")["speaker"] == "F2"
    assert read("jvnv", "F3_happy_free_01.wav") is None


def test_kazemotts_one_of_three_speakers_is_a_woman():
    numbers = ("1263201035", "399172782", "805570882")
    sexes = [read("kazemotts", f"{number}_fear_1.wav")["sex"] for number in numbers]
    assert sexes == ["f", "m", "m"]
    assert read("kazemotts", "1263201036_fear_1.wav") is None


def test_enterface_speaker_is_the_folder_or_else_in_the_name():
    speakers = {
        "subject 11/anger/sentence 1/s12_an_1.avi": "11",
        "subject12/anger/s12_an_1.avi": "12",
        "s_3_an_1.avi": "03",
    }
    assert {path: read("enterface", path)["speaker"] for path in speakers} == speakers


def test_videos_that_were_converted_are_read_and_others_need_a_program(load, tmp_path, monkeypatch):
    files = {"s1_an_1.wav": "", "s1_an_2.avi": "", "s1_an_2.wav": ""}
    assert len(load("enterface", files)) == 2
    monkeypatch.setattr(_formats, "find_ffmpeg", lambda: None)
    assert [Path(path).suffix for path in load("enterface", files)["path"]] == [".wav"] * 2
    (tmp_path / "s1_an_3.avi").touch()
    with pytest.warns(CorpusWarning, match=r"1 of 3 .*\(\.avi 1\).* or install ffmpeg"):
        load_corpus("enterface", tmp_path)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "file", "n_files", "n_speakers"),
    [
        ("cafe", "CAFE.csv", 936, 12),
        ("aesdd", "AESD.csv", 455, 6),
        ("emodb", "EMO_DB.csv", 535, 10),
    ],
)
def test_names_in_published_lists_are_of_the_scheme(name, file, n_files, n_speakers, shared):
    lines = (shared / "labels" / file).read_text().splitlines()[1:]
    labels = [read(name, line.split(",")[0]) for line in lines if line.strip(",")]
    assert len(labels) == n_files
    assert None not in labels
    assert len({label["speaker"] for label in labels}) == n_speakers
    if CORPORA[name].counts and n_files == CORPORA[name].n_recordings:
        assert Counter(label["emotion"] for label in labels) == CORPORA[name].counts
