"""TESS, the Toronto emotional speech set: ``OAF_angry/OAF_back_angry.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["TESS"]

# A stray file of the older woman begins with OA_.
_match = name_scheme(r"(OAF?|YAF)_([a-z]+)_([a-z]+)\.wav")
_AGE = {"OAF": 64.0, "YAF": 26.0}


def parse(path):
    """Read ``<older or younger woman>_<word>_<emotion>``."""
    match = _match(path)
    if match is None:
        return None
    speaker = "YAF" if match[1].upper() == "YAF" else "OAF"
    return {
        "speaker": speaker,
        "sex": "f",
        "age": _AGE[speaker],
        "sentence": match[2].lower(),
        "emotion_raw": match[3].lower(),
    }


TESS = Corpus(
    name="tess",
    title="TESS",
    language="en-CA",
    licence="CC BY-NC or CC BY-NC-ND 4.0, see its page",
    terms="open",
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
        "speaker sex age emotion_raw sentence",
        {
            "OAF_angry/OAF_back_angry.wav": "OAF f 64 angry back",
            "OAF_disgust/OAF_bar_disgust.wav": "OAF f 64 disgust bar",
            "OAF_neutral/OA_bite_neutral.wav": "OAF f 64 neutral bite",
            "YAF_fear/YAF_base_fear.wav": "YAF f 26 fear base",
            "YAF_happy/YAF_back_happy.wav": "YAF f 26 happy back",
            "YAF_pleasant_surprised/YAF_back_ps.wav": "YAF f 26 ps back",
            "YAF_sad/YAF_beg_sad.wav": "YAF f 26 sad beg",
        },
    ),
    note="Surprise (ps) is pleasant surprise. The sentence is the word at the end of the carrier "
    "phrase. Some copies of the corpus contain everything twice.",
)
