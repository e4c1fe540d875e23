"""MESD, single words in Mexican Spanish: ``Anger_F_A_abajo.wav``."""

import re

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of

__all__ = ["MESD"]

# Words are in the letters of Spanish, which a Mac may write as two characters each.
_NAME = re.compile(r"([A-Z]+)_([FMC])_([AB])_([\w\u0300-\u036f ]+)\.wav", re.IGNORECASE)
_SEX = {"F": "f", "M": "m"}


def parse(path):
    """Read ``<emotion>_<voice>_<list of words>_<word>``; C is the voice of a child."""
    match = _NAME.fullmatch(path.name)
    if match is None or not match[1].isascii():
        return None
    voice = match[2].upper()
    labels = {"speaker": voice, "sentence": match[4], "emotion_raw": match[1].capitalize()}
    return {**labels, "sex": _SEX[voice]} if voice in _SEX else labels


MESD = Corpus(
    name="mesd",
    title="MESD",
    language="es-MX",
    licence="see its page",
    terms="open",
    homepage="https://data.mendeley.com/datasets/cy34mh68j9",
    citation="""\
@inproceedings{duville2021mesd,
  author    = {Duville, Mathilde Marie and Alonso-Valerdi, Luz Mar{\\'i}a and
               Ibarra-Zarate, David I.},
  title     = {The {Mexican} Emotional Speech Database ({MESD}): elaboration and assessment based
               on machine learning},
  booktitle = {Annual International Conference of the IEEE Engineering in Medicine and Biology
               Society (EMBC)},
  year      = {2021}
}""",
    sampling_rate=48000,
    emotions={
        "Anger": "anger",
        "Disgust": "disgust",
        "Fear": "fear",
        "Happiness": "happiness",
        "Neutral": "neutral",
        "Sadness": "sadness",
    },
    n_recordings=864,
    n_speakers=3,
    counts={
        "anger": 144,
        "disgust": 144,
        "fear": 144,
        "happiness": 144,
        "neutral": 144,
        "sadness": 144,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "Anger_F_A_abajo.wav": "F f Anger abajo",
            "Disgust_F_B_mañana.wav": "F f Disgust mañana",
            "Fear_M_A_adiós.wav": "M m Fear adiós",
            "Happiness_M_B_antes.wav": "M m Happiness antes",
            "Neutral_C_A_arriba.wav": "C - Neutral arriba",
            "Sadness_C_B_nunca.wav": "C - Sadness nunca",
        },
    ),
    note="Three women, two men and six children speak. The names distinguish only these groups, "
    "so each group counts as one speaker; the sex of children is unknown. That the licence is open "
    "(CC BY 4.0) is from memory.",
)
