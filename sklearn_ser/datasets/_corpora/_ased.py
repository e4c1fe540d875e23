"""ASED, Amharic acted speech: ``a5-03-01-02-50.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of, name_scheme

__all__ = ["ASED"]

_match = name_scheme(r"([a-z])\d+-(\d\d)-\d\d-(0[12])-(\d\d)\.wav")
_SEX = {"01": "f", "02": "m"}


def parse(path):
    """Read ``<emotion>-<sentence>-<repetition>-<sex>-<speaker>``.

    A few speaker ids occur with both sexes. The sex is read from the name, and
    the id alone is the speaker: if such an id stands for two people, a split by
    speaker keeps them on one side, which does no harm.
    """
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": match[4],
        "sex": _SEX[match[3]],
        "sentence": match[2],
        "emotion_raw": match[1].lower(),
    }


ASED = Corpus(
    name="ased",
    title="ASED",
    language="am",
    licence="none stated, cite the paper",
    homepage="https://github.com/Ethio2021/ASED_V1",
    citation="""\
@article{retta2023ased,
  author  = {Retta, Ephrem Afele and Almekhlafi, Eiad and Sutcliffe, Richard and
             Mhamed, Mustafa and Ali, Haider and Feng, Jun},
  title   = {A New {Amharic} Speech Emotion Dataset and Classification Benchmark},
  journal = {ACM Transactions on Asian and Low-Resource Language Information Processing},
  year    = {2023}
}""",
    sampling_rate=16000,
    emotions={"a": "anger", "f": "fear", "h": "happiness", "n": "neutral", "s": "sadness"},
    n_recordings=2474,
    n_speakers=65,
    n_women=25,
    counts={"anger": 486, "fear": 510, "happiness": 486, "neutral": 522, "sadness": 470},
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "anger/a5-03-01-02-50.wav": "50 m a 03",
            "fear/f2-10-02-01-09.wav": "09 f f 10",
            "fear/f2-10-02-02-09.wav": "09 m f 10",
            "happy/h3-11-01-01-21.wav": "21 f h 11",
            "neutral/n1-01-01-02-65.wav": "65 m n 01",
            "sad/s4-08-01-01-33.wav": "33 f s 08",
            "sad/S4-08-02-01-33.wav": "33 f s 08",
        },
    ),
    download=Download(
        url="https://github.com/Ethio2021/ASED_V1/archive/30fee03.zip",
        unpacked_bytes=1_000_000_000,
    ),
    note="Five speaker ids (09, 15, 21, 23, 25) occur with both sexes: the sex is read from the "
    "name, and the id alone is the speaker.",
)
