"""AESDD, the acted emotional speech dynamic database, in Greek: ``anger/a01 (1).wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["AESDD"]

# Letters that follow the parentheses number further takes.
_match = name_scheme(r"([a-z])(\d\d) ?\((\d{1,2})\) ?[a-z]?\.wav")


def parse(path):
    """Read ``<emotion><sentence> (<speaker>)``; ``(01)`` and ``(1)`` are one speaker."""
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": str(int(match[3])),
        "sentence": match[2],
        "emotion_raw": match[1].lower(),
    }


AESDD = Corpus(
    name="aesdd",
    title="AESDD",
    language="el",
    licence="unclear, see its page",
    homepage="https://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
    citation="""\
@article{vryzas2018aesdd,
  author  = {Vryzas, Nikolaos and Kotsakis, Rigas and Liatsou, Aikaterini and
             Dimoulas, Charalampos A. and Kalliris, George},
  title   = {Speech Emotion Recognition for Performance Interaction},
  journal = {Journal of the Audio Engineering Society},
  volume  = {66},
  number  = {6},
  pages   = {457--467},
  year    = {2018}
}""",
    sampling_rate=44100,
    emotions={"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"},
    n_recordings=604,
    n_speakers=6,
    counts={"anger": 121, "disgust": 122, "fear": 120, "happiness": 119, "sadness": 122},
    parse=parse,
    examples=examples_of(
        "speaker emotion_raw sentence",
        {
            "anger/a01 (1).wav": "1 a 01",
            "anger/a03 (5)b.wav": "5 a 03",
            "disgust/d02 (2).wav": "2 d 02",
            "fear/f18 (01).wav": "1 f 18",
            "happiness/h20 (6).wav": "6 h 20",
            "sadness/s11 (4).wav": "4 s 11",
        },
    ),
    access="by a link to a cloud drive",
    note="The corpus has no neutral speech and grows: an early release has about 500 recordings. "
    "The names of the files do not show the sex of the speakers. Copies elsewhere claim CC BY 4.0 "
    "or CC BY-NC-SA 4.0.",
)
