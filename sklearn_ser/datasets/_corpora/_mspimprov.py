"""MSP-IMPROV: ``MSP-IMPROV-S01A-F01-P-FM01.wav``, with labels in ``Evalution.txt``."""

import math
import re

from sklearn_ser.datasets._base import find_files, read_text
from sklearn_ser.datasets._corpora._corpus import Corpus, name_scheme

__all__ = ["MSPIMPROV"]

_match = name_scheme(
    r"MSP-IMPROV-((S(?:0\d|1\d|20))[AHNS]-([FM])(0[1-6])-([PRST])-[FM]{2}\d\d)\.wav"
)
_NUMBER = r"\s*(\d+(?:\.\d+)?|NaN)\s*;\s*"
# UTD-IMPROV-S01A-F01-P-FM01.avi; A; A:3.400000; V:1.800000 ; D:3.600000 ; N:4.200000;
_TURN = re.compile(
    rf"^(?:UTD|MSP)-IMPROV-(\S+)\.(?:avi|wav)\s*;\s*([A-Z])\s*;\s*A:{_NUMBER}V:{_NUMBER}D:{_NUMBER}",
    re.ASCII | re.MULTILINE | re.IGNORECASE,
)


def read_evaluation(folder):
    """Read the summary of each turn: label, activation, valence, dominance.

    The lines of single raters, which begin with their numbers, do not match.
    """
    turns = {}
    for file in find_files(folder, ["evalution.txt", "evaluation.txt"]):
        for name, label, *ratings in _TURN.findall(read_text(folder / file)):
            found = zip(("activation", "valence", "dominance"), map(float, ratings), strict=True)
            # A turn may lack ratings, which are then NaN.
            known = {column: rating for column, rating in found if not math.isnan(rating)}
            turns[name.lower()] = {"emotion_raw": label.upper(), **known}
    return turns


def parse(path, turns):
    """Read speaker and sentence from the name, and look up the labels of the turn.

    The letter after the number of the sentence is the emotion that was asked for.
    Others than read and target turns do not hold the sentence itself.
    """
    match = _match(path)
    turn = match and turns.get(match[1].lower())
    if not turn:
        return None
    labels = {
        "speaker": f"{match[3]}{match[4]}".upper(),
        "sex": match[3].lower(),
        "session": match[4],
        **turn,
    }
    return {**labels, "sentence": match[2].upper()} if match[5] in "RrTt" else labels


_EXAMPLE_TURNS = {
    "S01A-F01-P-FM01": ("A", 3.4, 1.8, 3.6),
    "S01A-F01-R-FM01": ("N", 2.6, 2.8, 3.0),
    "S02H-M01-S-FM02": ("H", 3.8, 4.2, 3.2),
    "S03S-F02-T-FF01": ("S", 2.0, 1.6, 2.4),
    "S04N-M02-S-MF03": ("O", 3.0, 3.0, 3.0),
    "S20N-M06-P-FM10": ("X", 3.2, 2.4, 2.8),
}


def _example_files():
    """Return the examples as recordings with labels, and the file with these labels."""
    recordings, evaluation = {}, ""
    for turn, (emotion, activation, valence, dominance) in _EXAMPLE_TURNS.items():
        sentence, speaker, kind, _ = turn.split("-")
        labels = {
            "speaker": speaker,
            "sex": speaker[0].lower(),
            "activation": activation,
            "valence": valence,
            "emotion_raw": emotion,
            "dominance": dominance,
            "session": speaker[1:],
        }
        if kind in "RT":
            labels["sentence"] = sentence[:3]
        folder = f"session{int(speaker[1:])}/{sentence}/{kind}"
        recordings[f"{folder}/MSP-IMPROV-{turn}.wav"] = labels
        evaluation += (
            f"UTD-IMPROV-{turn}.avi; {emotion}; A:{activation:.6f}; V:{valence:.6f} ; "
            f"D:{dominance:.6f} ; N:4.200000;\nWORKER00000001; Angry; Angry,Other; A:4.000000; "
            "V:2.000000; D:4.000000; N:5.000000;\n\n"
        )
    return recordings, {"Evalution.txt": evaluation}


_RECORDINGS, _EVALUATION = _example_files()

MSPIMPROV = Corpus(
    name="mspimprov",
    title="MSP-IMPROV",
    language="en-US",
    licence="signed form, research only",
    homepage="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html",
    citation="""\
@article{busso2017mspimprov,
  author  = {Busso, Carlos and Parthasarathy, Srinivas and Burmania, Alec and
             AbdelWahab, Mohammed and Sadoughi, Najmeh and Mower Provost, Emily},
  title   = {{MSP-IMPROV}: An Acted Corpus of Dyadic Interactions to Study Emotion Perception},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {8},
  number  = {1},
  pages   = {67--80},
  year    = {2017},
  doi     = {10.1109/TAFFC.2016.2515617}
}""",
    sampling_rate=44100,
    emotions={
        "A": "anger",
        "H": "happiness",
        "N": "neutral",
        "O": "other",
        "S": "sadness",
        "X": "other",
    },
    n_recordings=8438,
    n_speakers=12,
    n_women=6,
    counts={"anger": 792, "happiness": 2644, "neutral": 3477, "sadness": 885, "other": 640},
    parse=parse,
    prepare=read_evaluation,
    examples=_RECORDINGS,
    side_files=_EVALUATION,
    access="after signing a form",
    note="Turns without agreement of the raters (X) count as other. Activation, valence and "
    "dominance are means of raters on scales from 1 to 5. All is from memory, the scheme of the "
    "names and of the file of labels and the counts included: compare some labels and the "
    "direction of the scales before you rely on them.",
    terms="form",
)
