"""EMO-DB, the Berlin database of emotional speech: ``03a01Fa.wav``."""

import re

from sklearn_ser.datasets._base import Corpus

__all__ = ["EMODB"]

_NAME = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z])\.wav", re.IGNORECASE)

# The letters are the initials of the German words (Wut, Langeweile, Ekel, Angst, ...).
_EMOTION = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
_SEX = dict.fromkeys(("03", "10", "11", "12", "15"), "m")
_SEX |= dict.fromkeys(("08", "09", "13", "14", "16"), "f")


def parse(path):
    """Read speaker, sex, sentence and emotion from ``<speaker><sentence><emotion><take>``."""
    match = _NAME.fullmatch(path.name)
    if match is None or match[1] not in _SEX:
        return None
    return {
        "speaker": match[1],
        "sex": _SEX[match[1]],
        "emotion": _EMOTION[match[3].upper()],
        "sentence": match[2].lower(),
    }


def _example(speaker, sex, emotion, sentence):
    return {"speaker": speaker, "sex": sex, "emotion": emotion, "sentence": sentence}


EMODB = Corpus(
    name="emodb",
    title="EMO-DB",
    language="de",
    licence="free to use, cite the paper",
    homepage="http://emodb.bilderbar.info/",
    citation="""\
@inproceedings{burkhardt2005emodb,
  author    = {Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and
               Sendlmeier, Walter F. and Weiss, Benjamin},
  title     = {A Database of {German} Emotional Speech},
  booktitle = {Proceedings of Interspeech},
  year      = {2005},
  pages     = {1517--1520},
  doi       = {10.21437/Interspeech.2005-446}
}""",
    sampling_rate=16000,
    counts={
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "neutral": 79,
        "sadness": 62,
    },
    n_speakers=10,
    parse=parse,
    examples={
        "wav/03a01Fa.wav": _example("03", "m", "happiness", "a01"),
        "wav/03a01Nc.wav": _example("03", "m", "neutral", "a01"),
        "wav/08a05Wa.wav": _example("08", "f", "anger", "a05"),
        "wav/13b09La.wav": _example("13", "f", "boredom", "b09"),
        "wav/10a04Ad.wav": _example("10", "m", "fear", "a04"),
        "wav/16b10Td.wav": _example("16", "f", "sadness", "b10"),
        "wav/15b01Eb.wav": _example("15", "m", "disgust", "b01"),
    },
)
