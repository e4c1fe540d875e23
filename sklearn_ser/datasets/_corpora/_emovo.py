"""EMOVO, Italian acted speech: ``f1/dis-f1-b1.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["EMOVO"]

_match = name_scheme(r"([a-z]{3})-(([mf])[1-3])-(b[1-3]|l[1-4]|n[1-5]|d[12])\.wav")


def parse(path):
    """Read ``<emotion>-<speaker>-<sentence>``; copies differ in letter case."""
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": match[2].lower(),
        "sex": match[3].lower(),
        "sentence": match[4].lower(),
        "emotion_raw": match[1].lower(),
    }


EMOVO = Corpus(
    name="emovo",
    title="EMOVO",
    language="it",
    licence="on request, see its page",
    terms="request",
    homepage="http://voice.fub.it/activities/corpora/emovo/",
    citation="""\
@inproceedings{costantini2014emovo,
  author    = {Costantini, Giovanni and Iaderola, Iacopo and Paoloni, Andrea and
               Todisco, Massimiliano},
  title     = {{EMOVO} Corpus: an {Italian} Emotional Speech Database},
  booktitle = {Proceedings of the Ninth International Conference on Language Resources and
               Evaluation (LREC)},
  year      = {2014},
  pages     = {3501--3504}
}""",
    sampling_rate=48000,
    # disgusto, gioia, paura, rabbia, sorpresa, tristezza, neutro
    emotions={
        "dis": "disgust",
        "gio": "happiness",
        "neu": "neutral",
        "pau": "fear",
        "rab": "anger",
        "sor": "surprise",
        "tri": "sadness",
    },
    n_recordings=588,
    n_speakers=6,
    n_women=3,
    counts={
        "anger": 84,
        "disgust": 84,
        "fear": 84,
        "happiness": 84,
        "neutral": 84,
        "sadness": 84,
        "surprise": 84,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "f1/dis-f1-b1.wav": "f1 f dis b1",
            "f2/gio-f2-l4.wav": "f2 f gio l4",
            "f3/neu-f3-n5.wav": "f3 f neu n5",
            "m1/pau-m1-d2.wav": "m1 m pau d2",
            "m2/rab-M2-b3.wav": "m2 m rab b3",
            "m3/sor-m3-n1.wav": "m3 m sor n1",
            "m3/TRI-M3-L1.wav": "m3 m tri l1",
        },
    ),
    access="on request",
    note="Recordings have two channels. A copy elsewhere claims CC BY-NC-SA 4.0.",
)
