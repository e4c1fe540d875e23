"""ShEMO, Persian speech from radio plays: ``female/F03S02.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["SHEMO"]

_match = name_scheme(r"(([FM])\d\d)([A-Z])\d\d\.wav")


def parse(path):
    """Read sex, speaker and emotion from ``<sex><speaker><emotion><number>``."""
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": match[1].upper(),
        "sex": match[2].lower(),
        "emotion_raw": match[3].upper(),
    }


SHEMO = Corpus(
    name="shemo",
    title="ShEMO",
    language="fa",
    licence="free for academic use",
    terms="research",
    homepage="https://github.com/pariajm/sharif-emotional-speech-dataset",
    citation="""\
@article{nezami2019shemo,
  author  = {Mohamad Nezami, Omid and Jamshid Lou, Paria and Karami, Mansoureh},
  title   = {{ShEMO}: a large-scale validated database for {Persian} speech emotion detection},
  journal = {Language Resources and Evaluation},
  volume  = {53},
  number  = {1},
  pages   = {1--16},
  year    = {2019},
  doi     = {10.1007/s10579-018-9427-x}
}""",
    sampling_rate=44100,
    # W for wonder, because sadness has the S.
    emotions={
        "A": "anger",
        "F": "fear",
        "H": "happiness",
        "N": "neutral",
        "S": "sadness",
        "W": "surprise",
    },
    n_recordings=3000,
    n_speakers=87,
    n_women=31,
    counts={
        "anger": 1059,
        "fear": 38,
        "happiness": 201,
        "neutral": 1028,
        "sadness": 449,
        "surprise": 225,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw",
        {
            "female/F03S02.wav": "F03 f S",
            "female/F21A05.wav": "F21 f A",
            "female/F10F01.wav": "F10 f F",
            "male/M03W01.wav": "M03 m W",
            "male/M50H02.wav": "M50 m H",
            "male/M01N10.wav": "M01 m N",
        },
    ),
    access="by a link to a cloud drive",
)
