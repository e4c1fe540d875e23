"""RAVDESS, its audio-only speech: ``Actor_12/03-01-06-01-02-01-12.wav``."""

import re

from sklearn_ser.datasets._base import Corpus

__all__ = ["RAVDESS"]

# modality (03: audio only), channel (01: speech), emotion, intensity, statement, repetition, actor
_NAME = re.compile(r"03-01-(0[1-8])-(0[12])-(0[12])-0[12]-(0[1-9]|1\d|2[0-4])\.wav", re.IGNORECASE)
_EMOTION = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_INTENSITY = {"01": "normal", "02": "strong"}


def parse(path):
    """Read emotion, intensity, statement and actor from the seven numbers of the name."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    emotion, intensity, statement, actor = match.groups()
    if emotion == "01" and intensity == "02":  # there is no strong neutral
        return None
    return {
        "speaker": actor,
        "sex": "m" if int(actor) % 2 else "f",
        "emotion": _EMOTION[emotion],
        "sentence": statement,
        "intensity": _INTENSITY[intensity],
    }


def _example(speaker, sex, emotion, sentence, intensity):
    return {
        "speaker": speaker,
        "sex": sex,
        "emotion": emotion,
        "sentence": sentence,
        "intensity": intensity,
    }


RAVDESS = Corpus(
    name="ravdess",
    title="RAVDESS",
    language="en",
    licence="CC BY-NC-SA 4.0",
    homepage="https://zenodo.org/records/1188976",
    citation="""\
@article{livingstone2018ravdess,
  author  = {Livingstone, Steven R. and Russo, Frank A.},
  title   = {The {Ryerson} Audio-Visual Database of Emotional Speech and Song ({RAVDESS}):
             A dynamic, multimodal set of facial and vocal expressions in {North American}
             {English}},
  journal = {PLoS ONE},
  volume  = {13},
  number  = {5},
  pages   = {e0196391},
  year    = {2018},
  doi     = {10.1371/journal.pone.0196391}
}""",
    sampling_rate=48000,
    counts={
        "anger": 192,
        "calm": 192,
        "disgust": 192,
        "fear": 192,
        "happiness": 192,
        "neutral": 96,
        "sadness": 192,
        "surprise": 192,
    },
    n_speakers=24,
    parse=parse,
    examples={
        "Actor_01/03-01-01-01-01-01-01.wav": _example("01", "m", "neutral", "01", "normal"),
        "Actor_01/03-01-02-02-01-01-01.wav": _example("01", "m", "calm", "01", "strong"),
        "Actor_12/03-01-06-01-02-01-12.wav": _example("12", "f", "fear", "02", "normal"),
        "Actor_12/03-01-03-02-02-02-12.wav": _example("12", "f", "happiness", "02", "strong"),
        "Actor_24/03-01-04-01-01-02-24.wav": _example("24", "f", "sadness", "01", "normal"),
        "Actor_24/03-01-05-01-01-02-24.wav": _example("24", "f", "anger", "01", "normal"),
        "Actor_23/03-01-07-02-02-01-23.wav": _example("23", "m", "disgust", "02", "strong"),
        "Actor_23/03-01-08-01-01-01-23.wav": _example("23", "m", "surprise", "01", "normal"),
    },
    # The singing that is published next to the speech.
    ignored=("03-02-*",),
)
