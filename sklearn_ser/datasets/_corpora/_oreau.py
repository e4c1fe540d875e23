"""Oréau, French acted speech: ``OréauFR_02/m/sessc/07a02Ca.wav``."""

import re

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["OREAU"]

# Two names have another letter before the sentence: 07z03Sa.wav, 07z04Sa.wav.
_match = name_scheme(r"(\d\d)([a-z]\d\d)([A-Z])[a-z]\.wav")
_WOMEN = ("10", "11", "13", "21", "24", "37", "42")


def parse(path):
    """Read speaker, sentence and emotion from ``sess<emotion>/<speaker><sentence><emotion>a``.

    Names have the form of those of EMO-DB, hence the folder is required. If the
    two emotions disagree, neither can be trusted.
    """
    match = _match(path)
    if match is None or not 7 <= int(match[1]) <= 42:
        return None
    if not re.fullmatch(f"sess{match[3]}", path.parent.name, re.IGNORECASE):
        return None
    return {
        "speaker": match[1],
        "sex": "f" if match[1] in _WOMEN else "m",
        "sentence": match[2].lower(),
        "emotion_raw": match[3].upper(),
    }


OREAU = Corpus(
    name="oreau",
    title="Oréau",
    language="fr",
    licence="CC BY 4.0",
    terms="open",
    homepage="https://zenodo.org/records/4405783",
    citation="""\
@misc{kerkeni2020oreau,
  author    = {Kerkeni, Leila and Cleder, Catherine and Serrestou, Youssef and Raoof, Kosai},
  title     = {{French} Emotional Speech Database - {Or{\\'e}au}},
  publisher = {Zenodo},
  year      = {2020},
  doi       = {10.5281/zenodo.4405783}
}""",
    sampling_rate=44100,
    emotions={
        "C": "anger",
        "D": "disgust",
        "J": "happiness",
        "N": "neutral",
        "P": "fear",
        "S": "surprise",
        "T": "sadness",
    },
    n_recordings=434,
    n_speakers=32,
    n_women=7,
    counts={
        "anger": 67,
        "disgust": 67,
        "fear": 51,
        "happiness": 62,
        "neutral": 70,
        "sadness": 55,
        "surprise": 62,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "OréauFR_02/f/sessc/10a01Ca.wav": "10 f C a01",
            "OréauFR_02/f/sessd/42a03Da.wav": "42 f D a03",
            "OréauFR_02/f/sessj/21a02Ja.wav": "21 f J a02",
            "OréauFR_02/m/sessn/25a10Na.wav": "25 m N a10",
            "OréauFR_02/m/sessp/36a09Pa.wav": "36 m P a09",
            "OréauFR_02/m/sesss/07z03Sa.wav": "07 m S z03",
            "OréauFR_02/m/sesst/18a05Ta.wav": "18 m T a05",
        },
    ),
    note="Numbers are those of version 02. The names have the form of those of EMO-DB, so the "
    "folders of emotions (sessc, sessd, ...) are required. Page, citation, licence and sampling "
    "rate are unverified.",
)
