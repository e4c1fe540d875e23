"""ASVP-ESD, speech and other sounds of voices: ``03-01-05-01-32-101-02-01-02-14.wav``."""

import re

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["ASVPESD"]

# A few names of the archive have a blank before the last hyphen.
_match = name_scheme(r"03-(0[12])-(\d\d)-(\d+)-\d+-(\d{1,3})-(\d+(?: ?-\d+)+)\.wav")
_FOLDER = re.compile(r"actor_(\d{1,3})", re.IGNORECASE | re.ASCII)
_LANGUAGES = {"01": "zh", "02": "en", "04": "fr"}
_INTENSITIES = {"01": "normal", "02": "high"}
# By their codes of age, these are several people each.
_GROUPS = (0, 150, 200)


def parse(path):
    """Read ``03-<channel>-<emotion>-<intensity>-<take>-<actor>-<age>-<source>-<language>-...``.

    The folder of the actor is right where the name has another actor; only
    ``actor_`` without a number leaves it to the name. Some names lack fields at the end.
    """
    match = _match(path)
    if match is None or len(path.stem.split("-")) < 8:
        return None
    channel, emotion, intensity, actor, rest = match.groups()
    folder = _FOLDER.fullmatch(path.parent.name)
    actor = int(folder[1] if folder else actor)
    *_, language = [None, *rest.split("-")[2:3]]
    labels = {
        "speaker": str(actor),
        "language": _LANGUAGES.get(language, "und") if channel == "01" else "und",
        "emotion_raw": emotion,
    }
    if actor not in _GROUPS:
        labels["sex"] = "f" if actor % 2 else "m"
    if intensity in _INTENSITIES:
        labels["intensity"] = _INTENSITIES[intensity]
    return labels


ASVPESD = Corpus(
    name="asvpesd",
    title="ASVP-ESD",
    language="en, fr, zh",
    licence="CC BY 4.0",
    homepage="https://zenodo.org/records/7132783",
    citation="""\
@misc{tientcheu2021asvpesd,
  author = {Tientcheu Touko, Landry Dejoli and He, Qianhua and Xie, Wei},
  title  = {Audio, Speech and Vision Processing Lab Emotional Sound database ({ASVP-ESD})},
  year   = {2021},
  note   = {Zenodo}
}""",
    sampling_rate=16000,
    emotions={
        "01": "boredom",
        "02": "neutral",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
        "09": "happiness",
        "10": "other",
        "11": "other",
        "12": "other",
        "13": "other",
    },
    n_recordings=13963,
    n_speakers=131,
    counts={
        "anger": 1453,
        "boredom": 548,
        "disgust": 899,
        "fear": 1180,
        "happiness": 2269,
        "neutral": 1598,
        "sadness": 2694,
        "surprise": 1586,
        "other": 1736,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex language emotion_raw intensity",
        {
            "Audio/actor_101/03-01-05-01-32-101-02-01-02-14.wav": "101 f en 05 normal",
            "Audio/actor_101/03-01-04-02-33-101-02-01-01-14.wav": "101 f zh 04 high",
            "Audio/actor_54/03-01-08-01-47-54-02-02.wav": "54 m und 08 normal",
            "Audio/actor_54/03-02-01-01-22-54-02-02-00-15.wav": "54 m und 01 normal",
            "Audio/actor_/03-02-13-01-01-116-01-02-02-13.wav": "116 m und 13 normal",
            "Audio/actor_119/03-01-02-01-01-109-02-02-04.wav": "119 f fr 02 normal",
            "Audio/actor_0/03-01-03-01-10-00-02-03-01-77.wav": "0 - zh 03 normal",
            "Audio/actor_84/03-02-06-10-10-84-02-02-02-02.wav": "84 m und 06 -",
            "Audio/actor_1/03-01-09-01-15-01-106-02-02-19.wav": "1 f en 09 normal",
            "Bonus/actor_150/03-02-10-01-52-150-04-01-00-14 -01.wav": "150 - und 10 normal",
            "Bonus/actor_150/03-02-11-01-52-150-04-01-00-14-66.wav": "150 - und 11 normal",
            "Audio/actor_2/03-01-12-01-52-02-02-01-02-14-66.wav": "2 m en 12 normal",
            "Audio/actor_2/03-01-07-01-52-02-02-01-02-14.wav": "2 m en 07 normal",
        },
    ),
    note="Collected from films, television and the web. More than half are no speech but cries, "
    "laughter, sighs and the like (second number of the name 02). Excitement (09) counts as "
    "happiness; pleasure (10), pain (11), disappointment (12) and breath (13) as other. Speakers "
    "0, 150 and 200 are groups, 150 of small children; odd numbers are women. The meaning of "
    "the numbers is from memory. Languages other than English, French and Chinese are und, and so "
    "is what is no speech.",
    terms="open",
)
