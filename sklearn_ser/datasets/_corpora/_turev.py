"""TurEV-DB, Turkish acted words: ``Sound Source/Angry/1157_kz_beste.wav``."""

import re

from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of

__all__ = ["TUREV"]

# Words are in the letters of Turkish, which a Mac may write as two characters each.
_NAME = re.compile(r"([0-9]+)_([^\W_]+)_([\w\u0300-\u036f ]+)\.wav", re.IGNORECASE)


def parse(path):
    """Read ``<emotion>/<speaker>_<context>_<word>``."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return {"speaker": match[1], "sentence": match[3], "emotion_raw": path.parent.name.lower()}


TUREV = Corpus(
    name="turev",
    title="TurEV-DB",
    language="tr",
    licence="CC BY-NC-ND 4.0",
    terms="open",
    homepage="https://github.com/Xeonen/TurEV-DB",
    citation="""\
@inproceedings{canpolat2020turev,
  author    = {Canpolat, Salih F{\\i}rat and Ormano{\\u{g}}lu, Zuhal and Zeyrek, Deniz},
  title     = {{Turkish} Emotion Voice Database ({TurEV-DB})},
  booktitle = {Proceedings of the 1st Joint Workshop on Spoken Language Technologies for
               Under-resourced languages and Collaboration and Computing for Under-Resourced
               Languages (SLTU-CCURL)},
  year      = {2020}
}""",
    sampling_rate=44100,
    emotions={"angry": "anger", "calm": "neutral", "happy": "happiness", "sad": "sadness"},
    n_recordings=1735,
    n_speakers=6,
    counts={"anger": 487, "happiness": 357, "neutral": 408, "sadness": 483},
    parse=parse,
    examples=examples_of(
        "speaker emotion_raw sentence",
        {
            "Sound Source/Angry/1157_kz_beste.wav": "1157 angry beste",
            "Sound Source/Calm/1157_kz_beste.wav": "1157 calm beste",
            "Sound Source/Happy/1358_kz_çiçek.wav": "1358 happy çiçek",
            "Sound Source/Sad/6783_ac_gözlük.wav": "6783 sad gözlük",
        },
    ),
    # Filtered copies of some of the words, in the same folders and under the same names.
    ignored=("model output for test data/",),
    download=Download(
        url="https://github.com/Xeonen/TurEV-DB/archive/be9873e.zip",
        unpacked_bytes=1_000_000_000,
    ),
    note="Single words of about a second. Calm counts as neutral, which it stands for in this "
    "corpus. The names of the files do not show the sex of the speakers.",
)
