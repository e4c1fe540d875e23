"""Castro and Lima, acted European Portuguese: ``12sA_angry1.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["CASTROLIMA"]

_match = name_scheme(r"\d+[sp]([AB])_(angry|disgust|fear|happy|neutral|sad|surprise)\d+\.wav")


def parse(path):
    """Read ``<number><kind><speaker>_<emotion><number>``.

    The kind is s for a sentence, p for one of words that do not exist. What the
    numbers count is not known, so that there is no column of sentences.
    """
    match = _match(path)
    if match is None:
        return None
    return {"speaker": match[1].upper(), "sex": "f", "emotion_raw": match[2].lower()}


CASTROLIMA = Corpus(
    name="castrolima",
    title="Castro and Lima's Portuguese sentences",
    language="pt-PT",
    licence="none stated, cite the paper",
    homepage="https://doi.org/10.3758/BRM.42.1.74",
    citation="""\
@article{castro2010recognizing,
  author  = {Castro, S{\\~a}o Lu{\\'i}s and Lima, C{\\'e}sar F.},
  title   = {Recognizing emotions in spoken language: A validated set of {Portuguese} sentences and
             pseudosentences for research on emotional prosody},
  journal = {Behavior Research Methods},
  volume  = {42},
  number  = {1},
  pages   = {74--81},
  year    = {2010},
  doi     = {10.3758/BRM.42.1.74}
}""",
    sampling_rate=48000,
    emotions={
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    },
    n_recordings=368,
    n_speakers=2,
    n_women=2,
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw",
        {
            "12sA_angry1.wav": "A f angry",
            "12sA_disgust2.wav": "A f disgust",
            "3sA_fear1.wav": "A f fear",
            "12sB_happy1.wav": "B f happy",
            "3pB_neutral4.wav": "B f neutral",
            "12pB_sad1.wav": "B f sad",
            "3pA_surprise1.wav": "A f surprise",
        },
    ),
    access="with the article",
    note="190 sentences and 178 sentences of words that do not exist, by two women. The form of "
    "the names is that of a published script; that both speakers are women, the numbers of "
    "recordings, licence and rate are from memory.",
)
