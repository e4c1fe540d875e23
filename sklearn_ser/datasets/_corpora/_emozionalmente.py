"""Emozionalmente, crowdsourced Italian acted speech, labelled in ``metadata/samples.csv``."""

from sklearn_ser.datasets._base import find_files, read_rows
from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["EMOZIONALMENTE"]

_match = name_scheme(r"\d{10,16}\.wav")
_SEX = {"f": "f", "female": "f", "woman": "f", "m": "m", "male": "m", "man": "m"}
# Headers that copies of the tables may have; the first that a table has counts.
_FILE = ("file_name", "filename", "file")
_EMOTION = ("emotion_expressed", "emotion")
_SPEAKER = ("actor", "username", "user", "speaker")


def _cell(row, headers):
    return next((row[header] for header in headers if row.get(header)), None)


def _people(folder):
    """Read sex and age of the speakers; empty if the table is missing."""
    people = {}
    for file in find_files(folder, ["users.csv"]):
        for row in read_rows(folder / file):
            age = row.get("age", "").removesuffix(".0")
            people[_cell(row, _SPEAKER)] = {
                "sex": _SEX.get(row.get("gender", "").lower()),
                "age": int(age) if age.isdecimal() else None,
            }
    return people


def read_samples(folder):
    """Read the labels of each recording, by the name of its file."""
    people, samples = _people(folder), {}
    for file in find_files(folder, ["samples.csv"]):
        for row in read_rows(folder / file, needed=(_FILE, _EMOTION)):
            name, emotion = _cell(row, _FILE), _cell(row, _EMOTION)
            if not name or not emotion:
                continue
            speaker = _cell(row, _SPEAKER)
            labels = {
                "speaker": speaker,
                **people.get(speaker, {}),
                "sentence": row.get("sentence") or None,
                "emotion_raw": emotion.lower(),
            }
            known = {column: label for column, label in labels.items() if label is not None}
            samples[name.replace("\\", "/").rpartition("/")[2].lower()] = known
    return samples


def parse(path, samples):
    """Look up the labels; names are the times of the recordings and tell nothing."""
    return samples.get(path.name.lower()) if _match(path) else None


_EXAMPLES = examples_of(
    "speaker sex age sentence emotion_raw",
    {
        "audio/1612871026347.wav": "12 f 25 1 neutrality",
        "audio/1612872587412.wav": "12 f 25 2 sadness",
        "audio/1612872607312.wav": "31 m 34 3 joy",
        "audio/1613328221490.wav": "31 m 34 4 disgust",
        "audio/1613646284220.wav": "31 m 34 5 fear",
        "audio/1620665776631.wav": "7 f 52 6 anger",
        "audio/1620665776632.wav": "7 f 52 7 surprise",
    },
)

EMOZIONALMENTE = Corpus(
    name="emozionalmente",
    title="Emozionalmente",
    language="it",
    licence="CC BY 4.0",
    terms="open",
    homepage="https://zenodo.org/records/6569824",
    citation="""\
@misc{catania2023emozionalmente,
  author = {Catania, Fabio},
  title  = {Speech Emotion Recognition in {Italian} Using {Wav2Vec} 2.0 and the Novel
            Crowdsourced Emotional Speech Corpus {Emozionalmente}},
  howpublished = {TechRxiv},
  year   = {2023}
}""",
    sampling_rate=44100,
    emotions={
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "joy": "happiness",
        "neutrality": "neutral",
        "sadness": "sadness",
        "surprise": "surprise",
    },
    n_recordings=6902,
    n_speakers=431,
    counts={
        "anger": 986,
        "disgust": 986,
        "fear": 986,
        "happiness": 986,
        "neutral": 986,
        "sadness": 986,
        "surprise": 986,
    },
    parse=parse,
    prepare=read_samples,
    examples={path: {**row, "age": float(row["age"])} for path, row in _EXAMPLES.items()},
    side_files={
        "metadata/samples.csv": "file_name,actor,sentence,emotion_expressed\n"
        "1612871026347.wav,12,1,neutrality\n"
        "1612872587412.wav,12,2,sadness\n"
        "1612872607312.wav,31,3,joy\n"
        "1613328221490.wav,31,4,disgust\n"
        "1613646284220.wav,31,5,fear\n"
        "1620665776631.wav,7,6,anger\n"
        "1620665776632.wav,7,7,surprise\n",
        "metadata/users.csv": "username,age,gender\n12,25,female\n31,34,male\n7,52,female\n",
    },
    note="The labels are in metadata/samples.csv, and sex and age of the speakers in "
    "metadata/users.csv. The headers of both tables, the number of speakers, page, citation, "
    "licence and sampling rate are unverified.",
)
