"""MSP-Podcast: ``MSP-PODCAST_0001_0008.wav``, with labels in ``labels_consensus.csv``."""

import re

from sklearn_ser.datasets._base import find_files, read_rows
from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["MSPPODCAST"]

_match = name_scheme(r"MSP-PODCAST_(\d{4})_\d{4}(?:_\d{4})?\.wav")
_RATINGS = {"EmoAct": "activation", "EmoVal": "valence", "EmoDom": "dominance"}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SEX = {"female": "f", "male": "m"}


def _labels(row):
    """Return the labels of a row; cells without a value, or Unknown, have none."""
    labels = {"emotion_raw": row.get("EmoClass", "").upper()}
    speaker = row.get("SpkrID", "")
    if speaker.isascii() and speaker.isdecimal():
        labels["speaker"] = str(int(speaker))
    if sex := _SEX.get(row.get("Gender", "").lower()):
        labels["sex"] = sex
    for column, name in _RATINGS.items():
        if _NUMBER.fullmatch(value := row.get(column, "")):
            labels[name] = float(value)
    return labels


def read_consensus(folder):
    """Read the labels of each recording. Early releases misspell the name of the file."""
    labels = {}
    for file in find_files(folder, ["labels_consensus.csv", "labels_concensus.csv"]):
        for row in read_rows(folder / file, needed=(("FileName",), ("EmoClass",))):
            labels[row.get("FileName", "").lower()] = _labels(row)
    return labels


def parse(path, labels):
    """Read the number of the podcast from ``MSP-PODCAST_<podcast>_<turn>``; look up the labels."""
    match = _match(path)
    found = labels.get(path.name.lower())
    if match is None or found is None:
        return None
    return {**found, "session": match[1]}


_ROWS = """\
FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set
MSP-PODCAST_0001_0008.wav,N,4.2,4.0,4.8,127,Male,Train
MSP-PODCAST_0002_0033.wav,A,5.6,2.2,5.4,128,Female,Train
MSP-PODCAST_0002_0039.wav,S,3.2,2.4,3.6,128,Female,Train
MSP-PODCAST_0003_0047.wav,H,4.8,5.8,4.6,Unknown,Unknown,Development
MSP-PODCAST_0003_0052.wav,U,5.2,4.6,4.8,Unknown,Unknown,Development
MSP-PODCAST_0153_0177_0001.wav,F,5.0,2.6,3.2,Unknown,Male,Test1
MSP-PODCAST_0153_0177_0002.wav,D,4.6,2.0,4.8,907,Male,Test1
MSP-PODCAST_0502_1061.wav,C,4.4,2.8,5.0,907,Male,Test2
MSP-PODCAST_0502_1063.wav,O,4.0,3.8,4.2,907,Male,Test2
MSP-PODCAST_0502_1064.wav,X,4.6,3.4,4.4,907,Male,Test2
"""
_EXAMPLES = examples_of(
    "speaker sex emotion_raw activation valence dominance session",
    {
        "Audios/MSP-PODCAST_0001_0008.wav": "127 m N 4.2 4.0 4.8 0001",
        "Audios/MSP-PODCAST_0002_0033.wav": "128 f A 5.6 2.2 5.4 0002",
        "Audios/MSP-PODCAST_0002_0039.wav": "128 f S 3.2 2.4 3.6 0002",
        "Audios/MSP-PODCAST_0003_0047.wav": "- - H 4.8 5.8 4.6 0003",
        "Audios/MSP-PODCAST_0003_0052.wav": "- - U 5.2 4.6 4.8 0003",
        "Audios/MSP-PODCAST_0153_0177_0001.wav": "- m F 5.0 2.6 3.2 0153",
        "Audios/MSP-PODCAST_0153_0177_0002.wav": "907 m D 4.6 2.0 4.8 0153",
        "Audios/MSP-PODCAST_0502_1061.wav": "907 m C 4.4 2.8 5.0 0502",
        "Audios/MSP-PODCAST_0502_1063.wav": "907 m O 4.0 3.8 4.2 0502",
        "Audios/MSP-PODCAST_0502_1064.wav": "907 m X 4.6 3.4 4.4 0502",
    },
)

MSPPODCAST = Corpus(
    name="msppodcast",
    title="MSP-Podcast",
    language="en",
    licence="signed form",
    homepage="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html",
    citation="""\
@article{lotfian2019msppodcast,
  author  = {Lotfian, Reza and Busso, Carlos},
  title   = {Building Naturalistic Emotionally Balanced Speech Corpus by Retrieving Emotional
             Speech from Existing Podcast Recordings},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {10},
  number  = {4},
  pages   = {471--483},
  year    = {2019},
  doi     = {10.1109/TAFFC.2017.2736999}
}""",
    sampling_rate=16000,
    emotions={
        "A": "anger",
        "C": "other",
        "D": "disgust",
        "F": "fear",
        "H": "happiness",
        "N": "neutral",
        "O": "other",
        "S": "sadness",
        "U": "surprise",
        "X": "other",
    },
    parse=parse,
    prepare=read_consensus,
    examples={
        path: {**row, **{rating: float(row[rating]) for rating in _RATINGS.values()}}
        for path, row in _EXAMPLES.items()
    },
    side_files={"Labels/labels_consensus.csv": _ROWS},
    # A part whose labels are not given away.
    ignored=("msp-podcast_test3_*",),
    access="after signing a form",
    note="Spontaneous speech of many speakers; some are unknown. Contempt (C) and turns without "
    "agreement of the raters (X) count as other. Activation, valence and dominance are means of "
    "raters on scales from 1 to 7. All is from memory; releases differ in size, so that none is "
    "on record here.",
    terms="form",
)
