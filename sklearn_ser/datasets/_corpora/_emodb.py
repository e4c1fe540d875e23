"""EMO-DB, the Berlin database of emotional speech: ``03a01Fa.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of, name_scheme

__all__ = ["CITATION", "EMODB"]

CITATION = """\
@inproceedings{burkhardt2005emodb,
  author    = {Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and
               Sendlmeier, Walter F. and Weiss, Benjamin},
  title     = {A Database of {German} Emotional Speech},
  booktitle = {Proceedings of Interspeech},
  year      = {2005},
  pages     = {1517--1520},
  doi       = {10.21437/Interspeech.2005-446}
}"""

_match = name_scheme(r"(\d\d)([ab]\d\d)([A-Z])([a-z])\.wav")
# Sex and age in years.
SPEAKERS = {
    "03": ("m", 31.0),
    "08": ("f", 34.0),
    "09": ("f", 21.0),
    "10": ("m", 32.0),
    "11": ("m", 26.0),
    "12": ("m", 30.0),
    "13": ("f", 32.0),
    "14": ("f", 35.0),
    "15": ("m", 25.0),
    "16": ("f", 31.0),
}


def parse(path):
    """Read ``<speaker><sentence><emotion><take>``, and look up sex and age of the speaker."""
    match = _match(path)
    if match is None or match[1] not in SPEAKERS:
        return None
    sex, age = SPEAKERS[match[1]]
    return {
        "speaker": match[1],
        "sex": sex,
        "age": age,
        "sentence": match[2].lower(),
        "emotion_raw": match[3].upper(),
    }


EMODB = Corpus(
    name="emodb",
    title="EMO-DB",
    language="de",
    licence="free to use, cite the paper",
    terms="open",
    homepage="http://emodb.bilderbar.info/",
    citation=CITATION,
    sampling_rate=16000,
    # The initials of Wut, Langeweile, Ekel, Angst, Freude, Trauer.
    emotions={
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    },
    n_recordings=535,
    n_speakers=10,
    n_women=5,
    counts={
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "neutral": 79,
        "sadness": 62,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex age emotion_raw sentence",
        {
            "wav/03a01Fa.wav": "03 m 31 F a01",
            "wav/03a01Nc.wav": "03 m 31 N a01",
            "wav/08a05Wa.wav": "08 f 34 W a05",
            "wav/13b09La.wav": "13 f 32 L b09",
            "wav/10a04Ad.wav": "10 m 32 A a04",
            "wav/16b10Td.wav": "16 f 31 T b10",
            "wav/15b01Eb.wav": "15 m 25 E b01",
        },
    ),
    download=Download(
        url="http://emodb.bilderbar.info/download/download.zip", unpacked_bytes=200_000_000
    ),
    note="Ages of speakers are noted from memory of the page of the corpus. The only known address "
    "of the server is unencrypted, and no checksum of the archive is published. load_corpus "
    "compares the numbers of recordings; use EMO-DB 2.0 from Zenodo where a verified download "
    "matters.",
)
