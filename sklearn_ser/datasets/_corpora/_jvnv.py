"""JVNV, acted Japanese with cries and sighs: ``F1/anger/free/F1_anger_free_01.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["JVNV"]

_match = name_scheme(
    r"([FM])([12])_(anger|disgust|fear|happy|sad|surprise)_(free|regular)_(\d{1,3})\.wav"
)


def parse(path):
    """Read ``<speaker>_<emotion>_<part>_<sentence>``; each emotion has sentences of its own."""
    match = _match(path)
    if match is None:
        return None
    sex, number, emotion, part, sentence = (group.lower() for group in match.groups())
    return {
        "speaker": f"{sex}{number}".upper(),
        "sex": sex,
        "sentence": f"{emotion}_{part}_{sentence}",
        "emotion_raw": emotion,
    }


JVNV = Corpus(
    name="jvnv",
    title="JVNV",
    language="ja",
    licence="CC BY-SA 4.0",
    terms="open",
    homepage="https://sites.google.com/site/shinnosuketakamichi/research-topics/jvnv_corpus",
    citation="""\
@article{xin2024jvnv,
  author  = {Xin, Detai and Jiang, Junfeng and Takamichi, Shinnosuke and Saito, Yuki and
             Aizawa, Akiko and Saruwatari, Hiroshi},
  title   = {{JVNV}: A Corpus of {Japanese} Emotional Speech With Verbal Content and Nonverbal
             Expressions},
  journal = {IEEE Access},
  volume  = {12},
  year    = {2024}
}""",
    sampling_rate=48000,
    emotions={
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "sad": "sadness",
        "surprise": "surprise",
    },
    n_recordings=1615,
    n_speakers=4,
    n_women=2,
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "jvnv_v1/F1/anger/free/F1_anger_free_01.wav": "F1 f anger anger_free_01",
            "jvnv_v1/F1/disgust/regular/F1_disgust_regular_20.wav": (
                "F1 f disgust disgust_regular_20"
            ),
            "jvnv_v1/F2/fear/free/F2_fear_free_03.wav": "F2 f fear fear_free_03",
            "jvnv_v1/M1/happy/regular/M1_happy_regular_04.wav": "M1 m happy happy_regular_04",
            "jvnv_v1/M2/sad/free/M2_sad_free_05.wav": "M2 m sad sad_free_05",
            "jvnv_v1/M2/surprise/regular/M2_surprise_regular_06.wav": (
                "M2 m surprise surprise_regular_06"
            ),
        },
    ),
    note="Sentences with cries, laughter, sighs and the like in them: given ones in the part "
    "regular, the speaker's own in the part free. There is no neutral speech. All is from "
    "memory, the form of the names included.",
)
