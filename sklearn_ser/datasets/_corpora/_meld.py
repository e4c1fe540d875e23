"""MELD, videos of a television series: ``train_splits/dia0_utt3.mp4``."""

import re

from sklearn_ser.datasets._base import find_files, read_rows
from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["MELD"]

_match = name_scheme(r"dia(\d{1,4})_utt(\d{1,3})\.mp4")
_NEEDED = (("Dialogue_ID",), ("Utterance_ID",), ("Emotion",))
_PART = re.compile(r"(?<![a-z])(train|dev|test)(?![a-z])")


def read_utterances(folder):
    """Read speaker and emotion by part, dialogue and utterance, which files are named after."""
    utterances = {}
    for file in find_files(folder, ["train_sent_emo.csv", "dev_sent_emo.csv", "test_sent_emo.csv"]):
        part = file.name.lower().partition("_")[0]
        for row in read_rows(folder / file, needed=_NEEDED):
            key = (part, row.get("Dialogue_ID"), row.get("Utterance_ID"))
            utterances[key] = (row.get("Speaker", ""), row.get("Emotion", "").lower())
    return utterances


def parse(path, utterances):
    """Read the part from the nearest folder with one in its name, and look up the utterance."""
    match = _match(path)
    if match is None:
        return None
    found = (set(_PART.findall(folder.lower())) for folder in reversed(path.parts[:-1]))
    parts = next(filter(None, found), set())
    if len(parts) != 1:
        return None
    part, dialogue = parts.pop(), str(int(match[1]))
    speaker, emotion = utterances.get((part, dialogue, str(int(match[2]))), ("", ""))
    if not emotion:
        return None
    labels = {"emotion_raw": emotion, "session": f"{part}_{dialogue}"}
    return {**labels, "speaker": speaker} if speaker else labels


_TABLE = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode\n"

MELD = Corpus(
    name="meld",
    title="MELD",
    language="en-US",
    licence="GPL-3.0 for the labels; the series is protected",
    homepage="https://affective-meld.github.io/",
    citation="""\
@inproceedings{poria2019meld,
  author    = {Poria, Soujanya and Hazarika, Devamanyu and Majumder, Navonil and Naik, Gautam and
               Cambria, Erik and Mihalcea, Rada},
  title     = {{MELD}: A Multimodal Multi-Party Dataset for Emotion Recognition in Conversations},
  booktitle = {Proceedings of the 57th Annual Meeting of the Association for Computational
               Linguistics (ACL)},
  pages     = {527--536},
  year      = {2019},
  doi       = {10.18653/v1/P19-1050}
}""",
    sampling_rate=48000,
    emotions={
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "joy": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprise": "surprise",
    },
    n_recordings=13706,
    counts={
        "anger": 1607,
        "disgust": 361,
        "fear": 358,
        "happiness": 2308,
        "neutral": 6434,
        "sadness": 1002,
        "surprise": 1636,
    },
    pattern="*.mp4",
    parse=parse,
    prepare=read_utterances,
    examples=examples_of(
        "speaker emotion_raw session",
        {
            "train/train_splits/dia0_utt0.mp4": "Chandler neutral train_0",
            "train/train_splits/dia0_utt1.mp4": "Joey surprise train_0",
            "train/train_splits/dia12_utt3.mp4": "Ross disgust train_12",
            "dev_splits_complete/dia0_utt0.mp4": "Phoebe sadness dev_0",
            "dev_splits_complete/dia100_utt0.mp4": "Phoebe anger dev_100",
            "output_repeated_splits_test/dia0_utt0.mp4": "Mark joy test_0",
            "output_repeated_splits_test/dia0_utt1.mp4": "Rachel fear test_0",
        },
    ),
    side_files={
        "train_sent_emo.csv": _TABLE
        + '1,"Well, I\x92ll wait\x85",Chandler,neutral,neutral,0,0,8,21\n'
        + "2,You\x85 must\x85,Joey,surprise,positive,0,1,8,21\n"
        + "3,Eww!,Ross,disgust,negative,12,3,8,21\n",
        "dev_sent_emo.csv": _TABLE
        + "1,Oh my God!,Phoebe,sadness,negative,0,0,4,7\n"
        + "2,Give it back!,Phoebe,anger,negative,100,0,4,7\n",
        "test_sent_emo.csv": _TABLE
        + "1,Why do all you're coffee mugs have numbers,Mark,joy,positive,0,0,3,19\n"
        + "2,Oh. That's so Monica can keep track,Rachel,fear,negative,0,1,3,19\n",
    },
    # Videos of the test set once more.
    ignored=("final_videos_test*",),
    note="Videos, whose sound the program ffmpeg decodes; music and laughter of an audience are in "
    "it. Speakers are names of roles, of which six have most utterances. Names of files occur in "
    "several parts: keep the folders of train, dev and test, and the CSV files beside them. "
    "Columns, licence and rate are from memory; the counts are those of the videos.",
)
