"""JL-Corpus, New Zealand English: ``female1_angry_10a_1.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["JL"]

_match = name_scheme(r"((fe)?male[12])_([a-z]+)_(\d+)[a-z]_\d+\.wav")


def parse(path):
    """Read ``<speaker>_<emotion>_<sentence and take>_<session>``."""
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": match[1].lower(),
        "sex": "f" if match[2] else "m",
        "sentence": match[4],
        "emotion_raw": match[3].lower(),
    }


JL = Corpus(
    name="jl",
    title="JL-Corpus",
    language="en-NZ",
    licence="see its page",
    homepage="https://www.kaggle.com/datasets/tli725/jl-corpus",
    citation="""\
@inproceedings{james2018jl,
  author    = {James, Jesin and Tian, Li and Watson, Catherine Inez},
  title     = {An Open Source Emotional Speech Corpus for Human Robot Interaction Applications},
  booktitle = {Proceedings of Interspeech},
  year      = {2018}
}""",
    sampling_rate=44100,
    emotions={
        "angry": "anger",
        "anxious": "fear",
        "apologetic": "other",
        "assertive": "other",
        "concerned": "other",
        "encouraging": "other",
        "enthusiastic": "other",
        "excited": "happiness",
        "happy": "happiness",
        "neutral": "neutral",
        "pensive": "other",
        "sad": "sadness",
        "worried": "other",
    },
    n_recordings=2400,
    n_speakers=4,
    n_women=2,
    counts={
        "anger": 240,
        "fear": 240,
        "happiness": 480,
        "neutral": 240,
        "sadness": 240,
        "other": 960,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "female1_angry_10a_1.wav": "female1 f angry 10",
            "female1_anxious_1a_1.wav": "female1 f anxious 1",
            "female1_apologetic_2b_2.wav": "female1 f apologetic 2",
            "female2_assertive_3a_1.wav": "female2 f assertive 3",
            "female2_concerned_4b_1.wav": "female2 f concerned 4",
            "female2_encouraging_5a_2.wav": "female2 f encouraging 5",
            "female2_enthusiastic_6a_2.wav": "female2 f enthusiastic 6",
            "male1_excited_6b_1.wav": "male1 m excited 6",
            "male1_happy_7a_1.wav": "male1 m happy 7",
            "male1_neutral_8b_2.wav": "male1 m neutral 8",
            "male2_pensive_9a_1.wav": "male2 m pensive 9",
            "male2_sad_15b_2.wav": "male2 m sad 15",
            "male2_worried_11a_1.wav": "male2 m worried 11",
        },
    ),
    access="with an account",
    note="Excited counts as happiness, anxious as fear, and other secondary emotions as other. "
    "Third parties claim ODC-By or CC0.",
)
