"""What is particular about corpora of turns and of long recordings, whose labels are in tables."""

from pathlib import PurePosixPath

import numpy as np
import pytest
import soundfile

from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import CORPORA, load_corpus
from sklearn_ser.exceptions import CorpusError, CorpusWarning


def test_meld_the_same_name_in_two_parts(load):
    head = "Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID\n"
    files = {
        "train_sent_emo.csv": head + "So\x85 no,Ross,Anger,7,0\nYes,,joy,7,1\n",
        "test_sent_emo.csv": head + '"Hm, ""no""",Dr. Green,fear,7,0\n',
        "MELD/train_splits/dia7_utt0.mp4": "",
        "MELD/train_splits/dia7_utt1.mp4": "",
        "MELD/train_splits/dia7_utt2.mp4": "",  # not in the table
        "MELD/output_repeated_splits_test/dia7_utt0.mp4": "",
        "MELD/output_repeated_splits_test/final_videos_testdia7_utt0.mp4": "",
    }
    speech = load("meld", files, strict=False)
    assert speech["emotion"].tolist() == ["fear", "anger", "happiness"]
    assert speech["speaker"].tolist()[:2] == ["meld_Dr. Green", "meld_Ross"]
    assert speech["speaker"].isna().tolist() == [False, False, True]
    assert speech["session"].tolist() == ["meld_test_7", "meld_train_7", "meld_train_7"]


def test_meld_part_is_the_nearest_folder_that_names_one(tmp_path, make_corpus):
    read = CORPORA["meld"].reader(make_corpus(tmp_path, CORPORA["meld"], names=[]))
    folders = {
        "dev/train": "train_0",
        "MELD-train/x/y": "train_0",
        "train_and_test": None,
        "dev/training": "dev_0",
        "latest": None,
    }
    for name, session in folders.items():
        labels = read(PurePosixPath(name, "dia0_utt0.mp4"))
        assert (labels and labels["session"]) == session


def test_mspimprov_label_is_what_was_heard_and_not_what_was_asked_for(load):
    summary = (
        "UTD-IMPROV-{}.avi; {}; A:{:f}; V:{:f} ; D:{:f} ; N:4.0;\nWORKER1; A; A:1; V:1; D:1;\n"
    )
    files = {
        "MSP-IMPROV-S08A-F03-T-FM01.wav": "",
        "MSP-IMPROV-S08A-M03-S-FM02.wav": "",
        "MSP-IMPROV-S08A-M03-S-FM03.wav": "",  # not evaluated
        "Evalution.txt": summary.format("S08A-F03-T-FM01", "S", 1.5, 2.5, 3.5)
        + summary.format("S08A-M03-S-FM02", "N", 2, 3, 4),
    }
    speech = load("mspimprov", files, strict=False)
    assert speech["emotion"].tolist() == ["sadness", "neutral"]
    assert speech["speaker"].tolist() == ["mspimprov_F03", "mspimprov_M03"]
    assert speech["session"].tolist() == ["mspimprov_03"] * 2
    assert speech["sentence"].dropna().tolist() == ["S08"]
    assert speech[["activation", "valence", "dominance"]].values.tolist() == [
        [1.5, 2.5, 3.5],
        [2, 3, 4],
    ]


def test_mspimprov_turn_without_ratings(load):
    files = {
        "MSP-IMPROV-S08A-F03-T-FM01.wav": "",
        "Evaluation.txt": "UTD-IMPROV-S08A-F03-T-FM01.avi; N; A:NaN; V:2.5; D:NaN ; N:NaN;\n",
    }
    [row] = load("mspimprov", files, strict=True).dropna(axis=1).to_dict("records")
    assert row["emotion"] == "neutral"
    assert row["valence"] == 2.5
    assert not {"activation", "dominance"} & set(row)


def test_msppodcast_cells_without_a_value_and_a_part_without_labels(load):
    head = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
    files = {
        "MSP-PODCAST_0001_0008.wav": "",
        "MSP-PODCAST_test3_0001.wav": "",
        "labels_concensus.csv": head + "MSP-PODCAST_0001_0008.wav,H,,4.5,nan,Unknown,,Train\n",
    }
    [row] = load("msppodcast", files, strict=True).dropna(axis=1).to_dict("records")
    assert row["valence"] == 4.5
    assert not {"speaker", "sex", "activation", "dominance"} & set(row)


PAVOQUE = """\
- prompt: "p1"
  style: sad
  start: 0.5
  end: 1.5
  segments:
  - lab: style
    start: 7
- prompt: p2
  start: 1.5
  end: 2
- prompt: p3
  style: whispered
  start: 2
  end: 3
- prompt: p4
  start: 4
  end: 4
- prompt: p5
  start: soon
"""


def test_pavoque_rows_are_parts_of_a_recording(load, tmp_path):
    speech = load("pavoque", {"pavoque-poker.flac": "", "pavoque-poker.yaml": PAVOQUE})
    paths = [f"{tmp_path}/pavoque-poker.flac#t={times}" for times in ("0.5,1.5", "1.5,2")]
    assert speech["path"].tolist() == paths
    assert speech["emotion_raw"].tolist() == ["sad", "poker"]
    assert speech["sentence"].tolist() == ["p1", "p2"]
    speech = load("pavoque", {}, emotions=["sadness"])
    assert speech["path"].tolist() == paths[:1]


def test_pavoque_parts_of_real_recordings_are_read(tmp_path):
    sound = np.random.default_rng(0).normal(0, 0.1, 3 * 16000)
    soundfile.write(tmp_path / "pavoque-poker.flac", sound, 16000)
    (tmp_path / "pavoque-poker.yaml").write_text(PAVOQUE)
    with pytest.warns(CorpusWarning, match="2 recordings of the 7334 expected"):
        speech = load_corpus("pavoque", tmp_path)
    y, sr = load_audio(speech["path"][1])
    assert (len(y), sr) == (8000, 16000)


TURN = "[6.2901 - 8.2357]\tSes01F_impro01_{turn}\t{label}\t[{v}, {a}, {d}]\n"
SUMMARY = TURN.format(turn="M012", label="exc", v="4.5000", a="4.0000", d="3.5000")
VOTES = TURN.format(turn="M012", label="ang", v="1.0000", a="1.0000", d="1.0000")


def test_iemocap_order_of_the_ratings_and_who_speaks(load):
    files = {
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M012.wav": "",
        "Session1/dialog/wav/Ses01F_impro01.wav": "",
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": "% header\n\n"
        + SUMMARY
        + "C-E1:\t...\n",
        "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt": VOTES,
    }
    row = load("iemocap", files).to_dict("records")
    assert len(row) == 1
    expected = {
        "speaker": "iemocap_01M",
        "sex": "m",
        "session": "iemocap_01",
        "emotion": "happiness",
        "emotion_raw": "exc",
        "valence": 4.5,
        "activation": 4.0,
        "dominance": 3.5,
    }
    assert {column: row[0][column] for column in expected} == expected


def test_iemocap_turn_that_nobody_labelled(load):
    files = {
        "Ses01F_impro01_M012.wav": "",
        "Ses01F_impro01_M013.wav": "",
        "EmoEvaluation/Ses01F_impro01.txt": SUMMARY,
    }
    message = r"1 of 2 .* or have no label in files such as .*EmoEvaluation.*M013\.wav"
    with pytest.raises(CorpusError, match=message):
        load("iemocap", files)
    assert len(load("iemocap", files, strict=False)) == 1
