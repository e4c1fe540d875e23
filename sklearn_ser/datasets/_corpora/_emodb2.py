"""EMO-DB 2.0, all recordings of the Berlin database, in audformat: ``wav/03a01Fa.wav``."""

import pandas as pd

from sklearn_ser.datasets._base import find_files
from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of
from sklearn_ser.datasets._corpora._emodb import CITATION
from sklearn_ser.datasets._database import HEADER, read_database

__all__ = ["EMODB2"]

_LABELS = ["speaker", "sex", "age", "sentence", "emotion_raw"]


def read_labels(folder):
    """Read the labels from the database in this folder or below it."""
    labels = {}
    for header in find_files(folder, [HEADER]):
        _, _, table = read_database(folder / header.parent)
        table = table.assign(emotion_raw=table["emotion"]).reindex(columns=["path", *_LABELS])
        # The database writes speaker 3, the names of the files 03.
        table["speaker"] = table["speaker"].str.zfill(2)
        for path, *row in table.itertuples(index=False):
            known = zip(_LABELS, row, strict=True)
            labels[header.parent / path] = {k: value for k, value in known if pd.notna(value)}
    return labels


def parse(path, labels):
    """Look the recording up in the tables of the database."""
    return labels.get(path)


EMODB2 = Corpus(
    name="emodb2",
    title="EMO-DB 2.0",
    language="de",
    licence="CC BY 4.0",
    terms="open",
    homepage="https://zenodo.org/records/17651657",
    citation=CITATION,
    sampling_rate=16000,
    emotions={
        "anger": "anger",
        "boredom": "boredom",
        "disgust": "disgust",
        "fear": "fear",
        "happiness": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
    },
    n_speakers=10,
    n_women=5,
    parse=parse,
    prepare=read_labels,
    examples=examples_of(
        "speaker sex age emotion_raw sentence",
        {
            "wav/03a01Fa.wav": "03 m 31 happiness a01",
            "wav/03a01Nc.wav": "03 m 31 neutral a01",
            "wav/08a05Wa.wav": "08 f 34 anger a05",
            "wav/13b09La.wav": "13 f 32 boredom b09",
            "wav/10a04Ad.wav": "10 m 32 fear a04",
            "wav/16b10Td.wav": "16 f 31 sadness b10",
            "wav/15b01Eb.wav": "15 m 25 disgust b01",
        },
    ),
    side_files={
        "db.yaml": """\
name: emodb
source: example
usage: unrestricted
languages: [deu]
schemes:
  emotion:
    dtype: str
    labels: [anger, boredom, disgust, fear, happiness, neutral, sadness]
  speaker:
    dtype: int
    labels:
      3: {gender: male, age: 31}
      8: {gender: female, age: 34}
      10: {gender: male, age: 32}
      13: {gender: female, age: 32}
      15: {gender: male, age: 25}
      16: {gender: female, age: 31}
  transcription:
    dtype: str
    labels: {a01: Der Lappen, a04: Heute abend, a05: Das schwarze, b01: Was sind, b09: Ich will,
             b10: Die wird}
tables:
  emotion:
    type: filewise
    columns:
      emotion: {scheme_id: emotion}
  files:
    type: filewise
    columns:
      speaker: {scheme_id: speaker}
      transcription: {scheme_id: transcription}
""",
        "db.emotion.csv": """\
file,emotion
wav/03a01Fa.wav,happiness
wav/03a01Nc.wav,neutral
wav/08a05Wa.wav,anger
wav/13b09La.wav,boredom
wav/10a04Ad.wav,fear
wav/16b10Td.wav,sadness
wav/15b01Eb.wav,disgust
""",
        "db.files.csv": """\
file,speaker,transcription
wav/03a01Fa.wav,3,a01
wav/03a01Nc.wav,3,a01
wav/08a05Wa.wav,8,a05
wav/13b09La.wav,13,b09
wav/10a04Ad.wav,10,a04
wav/16b10Td.wav,16,b10
wav/15b01Eb.wav,15,b01
""",
    },
    download=Download(
        url="https://zenodo.org/records/17651657/files/emodb_2.0.zip",
        unpacked_bytes=500_000_000,
    ),
    note="Reportedly it has more than 700 recordings, by the same speakers as EMO-DB: treat the "
    "two as one corpus in a split. Reading it needs pip install 'sklearn-ser[datasets]'.",
)
