"""BanglaSER, Bangla acted speech: ``Actor_34/03-01-03-01-03-02-34.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["BANGLASER"]

# RAVDESS has names of the same form in which the emotions are others.
# mode (03: audio only), type, emotion, intensity, statement, repetition, actor
_match = name_scheme(r"03-01-(0[1-5])-(0[12])-(0[1-3])-0[1-3]-(0[1-9]|[12]\d|3[0-4])\.wav")


def parse(path):
    """Read emotion, intensity, statement and actor from the seven numbers of the name."""
    match = _match(path)
    if match is None:
        return None
    emotion, intensity, statement, actor = match.groups()
    return {
        "speaker": actor,
        "sex": "m" if int(actor) % 2 else "f",
        "sentence": statement,
        "intensity": intensity,
        "emotion_raw": emotion,
    }


BANGLASER = Corpus(
    name="banglaser",
    title="BanglaSER",
    language="bn",
    licence="CC BY 4.0",
    terms="open",
    homepage="https://data.mendeley.com/datasets/t9h6p943xy",
    citation="""\
@article{das2022banglaser,
  author  = {Das, Rakesh Kumar and Islam, Nahidul and Ahmed, Md. Rayhan and Islam, Salekul and
             Shatabda, Swakkhar and Islam, A. K. M. Muzahidul},
  title   = {{BanglaSER}: A speech emotion recognition dataset for the {Bangla} language},
  journal = {Data in Brief},
  volume  = {42},
  pages   = {108091},
  year    = {2022},
  doi     = {10.1016/j.dib.2022.108091}
}""",
    sampling_rate=44100,
    emotions={
        "01": "happiness",
        "02": "sadness",
        "03": "anger",
        "04": "surprise",
        "05": "neutral",
    },
    n_recordings=1467,
    n_speakers=34,
    n_women=17,
    counts={"anger": 306, "happiness": 306, "neutral": 243, "sadness": 306, "surprise": 306},
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence intensity",
        {
            "Actor_01/03-01-01-01-03-01-01.wav": "01 m 01 03 01",
            "Actor_02/03-01-02-01-01-03-02.wav": "02 f 02 01 01",
            "Actor_33/03-01-03-01-02-01-33.wav": "33 m 03 02 01",
            "Actor_34/03-01-04-02-03-02-34.wav": "34 f 04 03 02",
            "Actor_34/03-01-05-01-01-01-34.wav": "34 f 05 01 01",
        },
    ),
    note="The codes look like those of RAVDESS and mean other emotions. Recordings have one or "
    "two channels, and some are at 48 kHz. Sex (women have even numbers), the two codes of "
    "intensity, the numbers per emotion, page, citation and licence are unverified.",
)
