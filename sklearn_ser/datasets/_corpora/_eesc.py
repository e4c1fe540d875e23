"""The Estonian Emotional Speech Corpus: recordings in a folder for each emotion."""

import unicodedata

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of

__all__ = ["EESC"]

_EMOTIONS = {
    "anger": "anger",
    "viha": "anger",
    "joy": "happiness",
    "rõõm": "happiness",
    "neutral": "neutral",
    "neutraalne": "neutral",
    "sadness": "sadness",
    "kurbus": "sadness",
}


def parse(path):
    """Read the emotion from the nearest folder with an English or Estonian name of one."""
    for folder in reversed(path.parts[:-1]):
        # A Mac writes õ as two characters.
        folder = unicodedata.normalize("NFC", folder).lower()
        if folder in _EMOTIONS:
            return {"emotion_raw": folder}
    return None


EESC = Corpus(
    name="eesc",
    title="EESC (Ekorpus)",
    language="et",
    licence="terms of the Institute of the Estonian Language",
    homepage="https://metashare.ut.ee/",
    citation="""\
@inproceedings{altrov2012eesc,
  author    = {Altrov, Rene and Pajupuu, Hille},
  title     = {{Estonian} Emotional Speech Corpus: theoretical base and implementation},
  booktitle = {4th International Workshop on Corpora for Research on Emotion Sentiment and
               Social Signals (ES3)},
  year      = {2012}
}""",
    sampling_rate=44100,
    emotions=_EMOTIONS,
    n_recordings=1234,
    parse=parse,
    examples=examples_of(
        "emotion_raw",
        {
            "anger/17.wav": "anger",
            "viha/18.wav": "viha",
            "joy/17.wav": "joy",
            "rõõm/18.wav": "rõõm",
            "Neutral/3/19.wav": "neutral",
            "neutraalne/20.wav": "neutraalne",
            "sadness/21.wav": "sadness",
            "kurbus/22.wav": "kurbus",
        },
    ),
    note="Only the folder is read, because no naming scheme is published. Sort the recordings "
    "into one folder for each emotion, under its English or Estonian name. Speakers are unknown: "
    "the notes on the corpus mention one woman, a copy elsewhere mentions ten readers.",
)
