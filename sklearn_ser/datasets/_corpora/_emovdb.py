"""EmoV-DB, English acted speech: ``bea_Amused/amused_1-15_0001.wav``."""

import re

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["EMOVDB"]

_match = name_scheme(r"(amused|anger|disgust|neutral|sleepiness)_\d+[-_]\d+_(\d{4})\.wav")
_SPEAKER = re.compile(r"(bea|jenie|josh|sam)(?:_[a-z]+)?", re.IGNORECASE)
_SEX = {"bea": "f", "jenie": "f", "josh": "m", "sam": "m"}


def parse(path):
    """Read ``<emotion>_<part>_<sentence>``, and the speaker from the folder ``bea_Amused``."""
    match = _match(path)
    folders = [_SPEAKER.fullmatch(folder) for folder in path.parts[-3:-1]]
    speakers = {folder[1].lower() for folder in folders if folder}
    if match is None or len(speakers) != 1:
        return None
    speaker = speakers.pop()
    return {
        "speaker": speaker,
        "sex": _SEX[speaker],
        "sentence": match[2],
        "emotion_raw": match[1].lower(),
    }


EMOVDB = Corpus(
    name="emovdb",
    title="EmoV-DB",
    language="en",
    licence="non-commercial, see its page",
    homepage="https://www.openslr.org/115/",
    citation="""\
@misc{adigwe2018emovdb,
  author = {Adigwe, Adaeze and Tits, No{\\'e} and El Haddad, Kevin and Ostadabbas, Sarah and
            Dutoit, Thierry},
  title  = {The Emotional Voices Database: Towards Controlling the Emotion Dimension in Voice
            Generation Systems},
  year   = {2018},
  note   = {arXiv:1806.09514}
}""",
    sampling_rate=16000,
    emotions={
        "amused": "happiness",
        "anger": "anger",
        "disgust": "disgust",
        "neutral": "neutral",
        "sleepiness": "other",
    },
    n_recordings=6887,
    n_speakers=4,
    n_women=2,
    counts={
        "anger": 1267,
        "disgust": 1019,
        "happiness": 1315,
        "neutral": 1566,
        "other": 1720,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "bea_Amused/amused_1-15_0001.wav": "bea f amused 0001",
            "bea_Amused/amused_141_168_0141.wav": "bea f amused 0141",
            "bea_Neutral/Neutral_1-28_0001.wav": "bea f neutral 0001",
            "jenie_Angry/anger_1-28_0002.wav": "jenie f anger 0002",
            "josh_Sleepy/sleepiness_1-28_0003.wav": "josh m sleepiness 0003",
            "sam_Disgusted/Disgust_29-56_0029.wav": "sam m disgust 0029",
        },
    ),
    access="in one archive per speaker and emotion",
    note="Amused counts as happiness, sleepiness as other. Of the four speakers, "
    "josh lacks anger and disgust. The recordings of a French speaker that the paper "
    "describes are not part of the public archives. Sexes, licence and rate are from memory.",
    terms="research",
)
