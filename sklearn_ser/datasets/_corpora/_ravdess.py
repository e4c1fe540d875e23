"""RAVDESS, its audio-only speech: ``Actor_12/03-01-06-01-02-01-12.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of, name_scheme

__all__ = ["RAVDESS"]

# modality (03: audio only), channel (01: speech), emotion, intensity, statement, repetition, actor
_match = name_scheme(r"03-01-(\d\d)-(0[12])-(0[12])-0[12]-(0[1-9]|1\d|2[0-4])\.wav")
_INTENSITY = {"01": "normal", "02": "strong"}


def parse(path):
    """Read emotion, intensity, statement and actor from the seven numbers of the name."""
    match = _match(path)
    if match is None:
        return None
    emotion, intensity, statement, actor = match.groups()
    if emotion == "01" and intensity == "02":  # there is no strong neutral
        return None
    return {
        "speaker": actor,
        "sex": "m" if int(actor) % 2 else "f",
        "sentence": statement,
        "intensity": _INTENSITY[intensity],
        "emotion_raw": emotion,
    }


RAVDESS = Corpus(
    name="ravdess",
    title="RAVDESS",
    language="en",
    licence="CC BY-NC-SA 4.0",
    terms="open",
    homepage="https://zenodo.org/records/1188976",
    citation="""\
@article{livingstone2018ravdess,
  author  = {Livingstone, Steven R. and Russo, Frank A.},
  title   = {The {Ryerson} Audio-Visual Database of Emotional Speech and Song ({RAVDESS}):
             A dynamic, multimodal set of facial and vocal expressions in {North American}
             {English}},
  journal = {PLoS ONE},
  volume  = {13},
  number  = {5},
  pages   = {e0196391},
  year    = {2018},
  doi     = {10.1371/journal.pone.0196391}
}""",
    sampling_rate=48000,
    emotions={
        "01": "neutral",
        "02": "calm",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
    },
    n_recordings=1440,
    n_speakers=24,
    n_women=12,
    counts={
        "anger": 192,
        "calm": 192,
        "disgust": 192,
        "fear": 192,
        "happiness": 192,
        "neutral": 96,
        "sadness": 192,
        "surprise": 192,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence intensity",
        {
            "Actor_01/03-01-01-01-01-01-01.wav": "01 m 01 01 normal",
            "Actor_01/03-01-02-02-01-01-01.wav": "01 m 02 01 strong",
            "Actor_12/03-01-06-01-02-01-12.wav": "12 f 06 02 normal",
            "Actor_12/03-01-03-02-02-02-12.wav": "12 f 03 02 strong",
            "Actor_24/03-01-04-01-01-02-24.wav": "24 f 04 01 normal",
            "Actor_24/03-01-05-01-01-02-24.wav": "24 f 05 01 normal",
            "Actor_23/03-01-07-02-02-01-23.wav": "23 m 07 02 strong",
            "Actor_23/03-01-08-01-01-01-23.wav": "23 m 08 01 normal",
        },
    ),
    # The singing that is published next to the speech.
    ignored=("03-02-*",),
    download=Download(
        url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        n_bytes=208_468_073,
        known_hash="md5:bc696df654c87fed845eb13823edef8a",
        unpacked_bytes=1_000_000_000,
    ),
    note="Speech only, not the songs. Five of the recordings have two channels.",
)
