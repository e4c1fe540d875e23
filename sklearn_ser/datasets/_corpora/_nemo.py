"""nEMO, Polish acted speech: ``samples/SK0_anger_1.wav``, with the actors in ``data.tsv``."""

import csv

from sklearn_ser.datasets._base import find_files, read_rows
from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of, name_scheme

__all__ = ["NEMO"]

_match = name_scheme(r"([A-Z]+\d*)_([a-z]+)_(\d+)\.wav")
_SEX = {"f": "f", "female": "f", "m": "m", "male": "m"}


def read_actors(folder):
    """Read sex and age of the actors from the table of recordings; empty if it is missing."""
    actors = {}
    for file in find_files(folder, ["data.tsv"]):
        # What is said is quoted as it was written: a quotation mark opens no field.
        for row in read_rows(folder / file, delimiter="\t", quoting=csv.QUOTE_NONE):
            age = row.get("age", "")
            known = {
                "sex": _SEX.get(row.get("gender", "").lower()),
                "age": float(age) if age.isdecimal() else None,
            }
            speaker = row.get("speaker_id", "").upper()
            actors[speaker] = {name: fact for name, fact in known.items() if fact is not None}
    return actors


def parse(path, actors):
    """Read ``<speaker>_<emotion>_<sentence>``, and look up sex and age of the speaker."""
    match = _match(path)
    if match is None:
        return None
    speaker = match[1].upper()
    return {
        "speaker": speaker,
        **actors.get(speaker, {}),
        "sentence": match[3],
        "emotion_raw": match[2].lower(),
    }


NEMO = Corpus(
    name="nemo",
    title="nEMO",
    language="pl",
    licence="CC BY-NC-SA 4.0",
    terms="open",
    homepage="https://github.com/amu-cai/nEMO",
    citation="""\
@inproceedings{christop2024nemo,
  author    = {Christop, Iwona},
  title     = {{nEMO}: Dataset of Emotional Speech in {Polish}},
  booktitle = {Proceedings of the Joint International Conference on Computational Linguistics,
               Language Resources and Evaluation (LREC-COLING)},
  year      = {2024}
}""",
    sampling_rate=24000,
    emotions={
        "anger": "anger",
        "fear": "fear",
        "happiness": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprised": "surprise",
    },
    n_recordings=4481,
    n_speakers=9,
    n_women=4,
    parse=parse,
    prepare=read_actors,
    examples=examples_of(
        "speaker sex age emotion_raw sentence",
        {
            "samples/AB0_anger_1.wav": "AB0 f 24 anger 1",
            "samples/AB0_fear_12.wav": "AB0 f 24 fear 12",
            "samples/CD0_happiness_3.wav": "CD0 m 23 happiness 3",
            "samples/CD0_neutral_90.wav": "CD0 m 23 neutral 90",
            "samples/EF0_sadness_5.wav": "EF0 f 30 sadness 5",
            "samples/EF0_surprised_6.wav": "EF0 f 30 surprised 6",
        },
    ),
    side_files={
        "data.tsv": "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
        'AB0_anger_1.wav\tanger\t"Tak" tak\ttak tak\t        AB0\tfemale\t24\n'
        "CD0_happiness_3.wav\thappiness\tNie\tnie\t        CD0\tmale\t23\n"
        "EF0_sadness_5.wav\tsadness\tTak\ttak\t        EF0\tfemale\t30\n"
    },
    download=Download(
        url="https://github.com/amu-cai/nEMO/archive/66de999.zip", unpacked_bytes=1_500_000_000
    ),
)
