"""SUBESCO, Bangla acted speech: ``F_02_MONIKA_S_1_NEUTRAL_5.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of, name_scheme

__all__ = ["SUBESCO"]

# The archive has one name with a stray bracket, F_02_MONIKA_S_2_SURPRISE_3].wav.
_match = name_scheme(r"(([FM])_\d\d)_[^_]+_S_(\d+)_([A-Z]+)_\d+\]?\.wav")


def parse(path):
    """Read ``<sex>_<number>_<name>_S_<sentence>_<emotion>_<take>``."""
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": match[1].upper(),
        "sex": match[2].lower(),
        "sentence": match[3],
        "emotion_raw": match[4].upper(),
    }


SUBESCO = Corpus(
    name="subesco",
    title="SUBESCO",
    language="bn",
    licence="CC BY 4.0",
    terms="open",
    homepage="https://zenodo.org/records/4526477",
    citation="""\
@article{sultana2021subesco,
  author  = {Sultana, Sadia and Rahman, M. Shahidur and Selim, M. Reza and Iqbal, M. Zafar},
  title   = {{SUST} {Bangla} Emotional Speech Corpus ({SUBESCO}): An audio-only emotional speech
             corpus for {Bangla}},
  journal = {PLoS ONE},
  volume  = {16},
  number  = {4},
  pages   = {e0250173},
  year    = {2021},
  doi     = {10.1371/journal.pone.0250173}
}""",
    sampling_rate=48000,
    emotions={
        "ANGRY": "anger",
        "DISGUST": "disgust",
        "FEAR": "fear",
        "HAPPY": "happiness",
        "NEUTRAL": "neutral",
        "SAD": "sadness",
        "SURPRISE": "surprise",
    },
    n_recordings=7000,
    n_speakers=20,
    n_women=10,
    counts={
        "anger": 1000,
        "disgust": 1000,
        "fear": 1000,
        "happiness": 1000,
        "neutral": 1000,
        "sadness": 1000,
        "surprise": 1000,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "SUBESCO/F_02_MONIKA_S_1_NEUTRAL_5.wav": "F_02 f NEUTRAL 1",
            "SUBESCO/F_02_MONIKA_S_10_ANGRY_1.wav": "F_02 f ANGRY 10",
            "SUBESCO/F_02_MONIKA_S_2_DISGUST_2.wav": "F_02 f DISGUST 2",
            "SUBESCO/F_02_MONIKA_S_2_SURPRISE_3].wav": "F_02 f SURPRISE 2",
            "SUBESCO/M_02_NIPUN_S_3_FEAR_3.wav": "M_02 m FEAR 3",
            "SUBESCO/M_02_NIPUN_S_4_HAPPY_4.wav": "M_02 m HAPPY 4",
            "SUBESCO/M_10_TITAS_S_5_SAD_5.wav": "M_10 m SAD 5",
            "SUBESCO/M_10_TITAS_S_6_SURPRISE_1.wav": "M_10 m SURPRISE 6",
        },
    ),
    download=Download(
        url="https://zenodo.org/records/4526477/files/SUBESCO.zip",
        n_bytes=1_664_512_929,
        known_hash="sha256:7505111bc864193d1906c05f83ca50d950250c65b62ae9b1740dee44f5cdb113",
        unpacked_bytes=5_000_000_000,
    ),
    note="Some recordings are at 44.1 kHz.",
)
