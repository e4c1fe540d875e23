"""EYASE, Egyptian Arabic speech from a series: ``Female02/fm01_ang (1).wav``."""

import re

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["EYASE"]

_match = name_scheme(r"[a-z]+\d+_(ang|hap|neu|sad)[a-z]*[ _]?\(?\d+\)?\.wav")
_SPEAKER = re.compile(r"(female|male)[ _]?0?([1-9])", re.IGNORECASE)


def parse(path):
    """Read the speaker from the folder and the emotion from the name.

    Names in ``Female02`` begin with ``fm01``, which is another woman.
    """
    match = _match(path)
    speaker = _SPEAKER.fullmatch(path.parent.name) or _SPEAKER.fullmatch(path.parent.parent.name)
    if match is None or speaker is None:
        return None
    sex = speaker[1][0].lower()
    return {"speaker": f"{sex}{speaker[2]}", "sex": sex, "emotion_raw": match[1].lower()}


EYASE = Corpus(
    name="eyase",
    title="EYASE",
    language="ar-EG",
    licence="none stated, cite the paper",
    terms="request",
    homepage="https://doi.org/10.1016/j.specom.2020.04.005",
    citation="""\
@article{abdelhamid2020eyase,
  author  = {Abdel-Hamid, Lamiaa},
  title   = {{Egyptian} {Arabic} speech emotion recognition using prosodic, spectral and wavelet
             features},
  journal = {Speech Communication},
  volume  = {122},
  pages   = {19--30},
  year    = {2020},
  doi     = {10.1016/j.specom.2020.04.005}
}""",
    sampling_rate=44100,
    emotions={"ang": "anger", "hap": "happiness", "neu": "neutral", "sad": "sadness"},
    n_recordings=579,
    n_speakers=6,
    n_women=3,
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw",
        {
            "Female01/fm01_ang (1).wav": "f1 f ang",
            "Female02/fm01_ang (2).wav": "f2 f ang",
            "Female02/fm01_neu (2).wav": "f2 f neu",
            "Male01/mm01_hap (13).wav": "m1 m hap",
            "Male03/mm03_sad (4).wav": "m3 m sad",
        },
    ),
    access="from its author",
    note="The folder tells the speaker: names in Female02 begin with fm01, too. That the names "
    "hold ang, hap, neu or sad, the numbers of women and men, access, citation, licence and "
    "sampling rate are unverified.",
)
