"""TESS, the Toronto emotional speech set: ``OAF_angry/OAF_back_angry.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["TESS"]

# A stray file of the older woman begins with OA_.
_match = name_scheme(r"(OAF?|YAF)_([a-z]+)_([a-z]+)\.wav")


def parse(path):
    """Read ``<older or younger woman>_<word>_<emotion>``."""
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": "YAF" if match[1].upper() == "YAF" else "OAF",
        "sex": "f",
        "sentence": match[2].lower(),
        "emotion_raw": match[3].lower(),
    }


TESS = Corpus(
    name="tess",
    title="TESS",
    language="en-CA",
    licence="CC BY-NC or CC BY-NC-ND 4.0, see its page",
    homepage="https://doi.org/10.5683/SP2/E8H2MF",
    citation="""\
@misc{pichorafuller2020tess,
  author    = {Pichora-Fuller, M. Kathleen and Dupuis, Kate},
  title     = {{Toronto} emotional speech set ({TESS})},
  publisher = {Borealis},
  year      = {2020},
  doi       = {10.5683/SP2/E8H2MF}
}""",
    sampling_rate=24414,
    emotions={
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "ps": "surprise",
        "sad": "sadness",
    },
    n_recordings=2800,
    n_speakers=2,
    n_women=2,
    counts={
        "anger": 400,
        "disgust": 400,
        "fear": 400,
        "happiness": 400,
        "neutral": 400,
        "sadness": 400,
        "surprise": 400,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "OAF_angry/OAF_back_angry.wav": "OAF f angry back",
            "OAF_disgust/OAF_bar_disgust.wav": "OAF f disgust bar",
            "OAF_neutral/OA_bite_neutral.wav": "OAF f neutral bite",
            "YAF_fear/YAF_base_fear.wav": "YAF f fear base",
            "YAF_happy/YAF_back_happy.wav": "YAF f happy back",
            "YAF_pleasant_surprised/YAF_back_ps.wav": "YAF f ps back",
            "YAF_sad/YAF_beg_sad.wav": "YAF f sad beg",
        },
    ),
    note="Surprise (ps) is pleasant surprise. The sentence is the word at the end of the carrier "
    "phrase. Some copies of the corpus contain everything twice.",
)
